"""The harness itself: it must notice what it is there to notice."""
import pytest

from lab import connects, http_get, run, wait_for


def test_wait_for_fails_when_the_claim_never_holds():
    with pytest.raises(AssertionError, match="a state: not within"):
        wait_for(lambda: False, within=0.1, what="a state")


def test_server_answers_and_ends_with_the_lab(lab):
    server = lab.http_server("s1")
    assert http_get(server.address) == (200, "s1\n")
    host, port = server.address.split(":")
    server.stop()
    assert not connects(host, int(port))


def test_segment_joins_hosts_and_a_pulled_cable_parts_them(lab):
    hosts = lab.segment({"a": ["10.9.0.1/24"], "b": ["10.9.0.2/24"]})
    ping = ["nsenter", f"--net=/run/netns/{hosts['a']}", "ping", "-c1", "-W1", "10.9.0.2"]
    run(*ping)
    lab.plug("b", False)
    with pytest.raises(AssertionError):
        run(*ping)


def test_client_counts_what_was_lost(lab):
    server = lab.http_server("s1")
    host, port = server.address.split(":")
    client = lab.client(host, int(port))
    wait_for(lambda: client.is_running(), 1)
    server.kill()
    again = lab.http_server("s1", port=int(port))
    assert again.is_running()
    wait_for(lambda: connects(host, int(port)), 5)
    books = client.books()
    assert books["lost"] > 0
    assert books["answered"] + books["lost"] == books["sent"]


def test_private_postgres_comes_and_goes(lab):
    postgres = lab.postgres()
    query = ["psql", "-At", postgres.uri, "-c", "select 40 + 2"]
    assert run(*query).strip() == "42"
    postgres.stop()
    with pytest.raises(AssertionError):
        run(*query)
    postgres.start()
    assert run(*query).strip() == "42"
