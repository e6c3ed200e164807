"""TLS with clients, as they see it: versions, names, keys, sessions, and what a stranger gets."""
import ssl

from http_house import HEAD, OK, answering, field
from tls_house import context, house  # noqa: F401 (house is a fixture)


def test_a_request_comes_through(house):
    house.certificate("www", "www.example.test")
    house.listener("www", "www")
    house.put()
    house.server.play(answering(OK))
    status, _head, body = house.ask(HEAD, "www")
    assert (status, body) == (200, b"ok")
    assert field(house.server.heads[-1], b"X-Forwarded-Proto") == [b"https"] or \
        field(house.server.heads[-1], b"X-Forwarded-Proto") == b"https"
