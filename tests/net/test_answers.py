"""Stories of our own answers: each kind of trouble has its status, its body, its counter and its word in the access log."""
import json
import socket

import pytest

from http_house import OK, Peer, Server, answering, field
from lab import Lab, free_port, wait_for

H = b" HTTP/1.1\r\nHost: a\r\n"
BIG = b"X: " + b"a" * 20000 + b"\r\n"


def silent(peer, _number):
    peer.head()
    peer.s.recv(1)


def dying(peer, _number):
    peer.head()
    peer.reset()


class House:
    """One listener, whose pools each have a trouble of their own: /POOL/… goes there."""

    def __init__(self, lab):
        self.scripts = {"good": answering(OK), "bad": answering(b"SSH-2.0-x\r\n"), "silent": silent, "dying": dying}
        self.servers = {name: Server() for name in self.scripts}
        for name, script in self.scripts.items():
            self.servers[name].play(script)
        addresses = {name: f"127.0.0.1:{server.port}" for name, server in self.servers.items()}
        addresses["refused"] = f"127.0.0.1:{free_port()}"
        pools = [{"name": name, "protocol": "http", "servers": [{"name": "s1", "address": address}],
                  "retry": {"attempts": 0}, "timeouts": {"response": "300ms"}} for name, address in addresses.items()]
        pools.append({"name": "empty", "protocol": "http", "servers": []})
        pools.append({"name": "full", "protocol": "http", "queue": {"maximum": 0, "timeout": "1s"}, "timeouts": {"response": "2s"},
                      "servers": [{"name": "s1", "address": addresses["silent"], "maximum_connections": 1}]})
        routes = [{"match": {"host": "a", "path_prefix": f"/{p['name']}"}, "pool": p["name"]} for p in pools]
        routes.append({"match": {"host": "a", "path_prefix": "/limited"}, "pool": "good",
                       "limit": {"key": "client", "rate": "1/h"}})
        routes.append({"match": {"host": "a", "path_prefix": "/in"}, "pool": "good",
                       "request_headers": {"set": {"X-A": "a" * 10000}}})
        routes.append({"match": {"host": "a", "path_prefix": "/out"}, "pool": "good",
                       "response_headers": {"set": {"X-A": "a" * 16000}}})
        self.port = free_port()
        self.node = lab.node("lb-a").start("control", "data")
        self.document = {"stack": "shop", "pools": pools, "listeners": [
            {"name": "www", "bind": [f"127.0.0.1:{self.port}"], "protocol": "http", "routes": routes,
             "maximum_request_body": 1000, "access_log": {"format": "json"}, "timeouts": {"request_head": "500ms"}}]}
        self.node.put(self.document)
        self.log = self.node.state / "log" / "www.log"

    def client(self):
        return Peer(socket.create_connection(("127.0.0.1", self.port), timeout=10))

    def errors(self):
        """{cause: count} of the listener."""
        _, text, _ = self.node.api("GET", "/metrics")
        found = {}
        for line in text.splitlines():
            if line.startswith("ballast_listener_errors_total"):
                found[line.split('cause="')[1].split('"')[0]] = int(line.rsplit(" ", 1)[1])
        return found

    def entries(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture(scope="module")
def house():
    with Lab("answers") as lab:
        made = House(lab)
        yield made
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal="):
            assert trouble not in text, text


# request, status, end, cause; before the last request of a 429 row comes one that is answered 200
MATRIX = [
    (b"GET / HTTP/1.1\r\n\r\n", 400, "bad-request-head", "bad_request"),
    (b"GET /good" + H + b"X: a\0\r\n\r\n", 400, "bad-request-head", "bad_request"),
    (b"POST /good" + H + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, "bad-request-body", "bad_request"),
    (b"GET /good/..%2fbad" + H + b"\r\n", 400, "ambiguous-path", "bad_request"),
    (b"GET /nothing" + H + b"\r\n", 404, "no-route", "no_route"),
    (b"GET /good HTTP/1.1\r\nHost: b\r\n\r\n", 421, "unknown-host", "no_route"),
    (b"GET /good HTTP/1.1\r\nHo", 408, "client-timeout", "client_timeout"),
    (b"POST /good" + H + b"Content-Length: 1001\r\n\r\n", 413, "body-too-large", "bad_request"),
    (b"GET /" + b"a" * 9000 + H + b"\r\n", 414, "bad-request-head", "bad_request"),
    (b"GET /good" + H + b"Expect: x\r\n\r\n", 417, "bad-request-head", "bad_request"),
    (b"GET /limited" + H + b"\r\nGET /limited/over" + H + b"\r\n", 429, "limited", "limited"),
    (b"GET /good" + H + BIG + b"\r\n", 431, "bad-request-head", "bad_request"),
    (b"GET /in" + H + b"X: " + b"a" * 9000 + b"\r\n\r\n", 431, "head-too-large", "bad_request"),
    (b"GET /out" + H + b"\r\n", 500, "response-too-large", "bad_response"),
    (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501, "bad-request-head", "bad_request"),
    (b"GET /bad" + H + b"\r\n", 502, "bad-response", "bad_response"),
    (b"GET /refused" + H + b"\r\n", 502, "connect-refused", "connect_failed"),
    (b"POST /dying" + H + b"Content-Length: 0\r\n\r\n", 502, "server-reset", "server_reset"),
    (b"GET /empty" + H + b"\r\n", 503, "no-server", "no_server"),
    (b"GET /silent" + H + b"\r\n", 504, "response-timeout", "server_timeout"),
    (b"GET /good HTTP/3.0\r\nHost: a\r\n\r\n", 505, "bad-request-head", "bad_request"),
]


def check(house, request, status, page=None):
    client = house.client()
    client.send(request)
    if status == 429 and not page:
        assert client.response()[0] == 200
    got, head, body = client.response()
    client.s.close()
    assert got == status, (request[:80], got, status)
    if page:
        assert body == page and field(head, b"content-type").startswith(b"text/html")
    else:
        assert body.startswith(str(status).encode()) and field(head, b"content-type").startswith(b"text/plain")
    assert bool(field(head, b"retry-after")) == (status in (429, 503)), head
    assert field(head, b"content-length") == str(len(body)).encode()


def test_trouble_has_its_answer_its_counter_and_its_word(house):
    expected, causes = [], {}
    for request, status, end, cause in MATRIX:
        check(house, request, status)
        expected += [("ok", 200)] * (status == 429) + [(end, status)]
        causes[cause] = causes.get(cause, 0) + 1
    first = house.client()
    first.send(b"GET /full/1" + H + b"\r\n")
    wait_for(lambda: house.servers["silent"].live, 5, "the server to be busy")
    check(house, b"GET /full/2" + H + b"\r\n", 503)
    assert first.response()[0] == 504
    expected += [("queue-full", 503), ("response-timeout", 504)]
    causes["queue_full"] = 1
    causes["server_timeout"] += 1
    wait_for(lambda: len(house.entries()) >= len(expected), 5, "the log")
    assert [(entry["end"], entry["status"]) for entry in house.entries()] == expected
    wait_for(lambda: {cause: count for cause, count in house.errors().items() if count} == causes, 5, "the counters")


def test_every_answer_can_have_the_operators_page(house):
    pages = {str(status): f"<p>{status}: {'x' * 100}</p>" for status in sorted({row[1] for row in MATRIX})}
    house.document["listeners"][0]["error_pages"] = pages
    house.node.put(house.document)
    for request, status, _, _ in MATRIX:  # of its hour this client has spent the one request that /limited allows
        check(house, request, status, pages[str(status)].encode())
    client = house.client()
    client.send(b"HEAD /nothing" + H + b"\r\nGET /good" + H + b"\r\n")
    status, head, body = client.response(is_for_head=True)
    assert (status, body) == (404, b"") and field(head, b"content-length") == str(len(pages["404"])).encode()
    assert client.response()[0] == 200, "the connection goes on"


def test_a_page_may_be_as_large_as_it_may_be(house):
    house.document["listeners"][0]["error_pages"] = {"404": "<p>" + "x" * 8189}
    house.node.put(house.document)
    client = house.client()
    client.send(b"GET /nothing" + H + b"\r\n")
    assert client.response()[2] == b"<p>" + b"x" * 8189
    house.document["listeners"][0]["error_pages"] = {"404": "x" * 8193}
    status, body, _ = house.node.api("PUT", "/v1/stacks/shop/document", house.document)
    assert status == 422 and body["errors"][0]["where"] == "listeners[www].error_pages[404]", body
