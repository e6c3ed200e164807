"""Pools of HTTP/2: clients of both versions to scripted servers; connections shared, left and refused."""
import hashlib
import json
import subprocess
import threading

import pytest

from h2_house import GET, POST, Client, Server, frame, path
from http_house import Peer, field
from lab import Lab, free_port, wait_for

CANCEL, REFUSED, RST, DATA, GOAWAY = 8, 7, 3, 0, 7


class House:
    def __init__(self, lab):
        self.server = Server()
        self.dead = free_port()
        self.ports = {name: free_port() for name in ("www", "spread")}
        self.node = lab.node("lb-a").start("control", "data")

        self.document = {"stack": "s"}

        def pool(name, response, *ports):
            return {"name": name, "protocol": "h2", "timeouts": {"connect": "1s", "response": response, "idle": "1500ms"},
                    "servers": [{"name": f"w{n}", "address": f"127.0.0.1:{port}"} for n, port in enumerate(ports)]}

        self.document.update({"pools": [pool("web", "1500ms", self.server.port), pool("spread", "20s", self.dead, self.server.port)],
                       "listeners": [{"name": name, "bind": [f"127.0.0.1:{port}"], "protocol": "http", "pool": of}
                                     for (name, port), of in zip(self.ports.items(), ("web", "spread"))]})
        self.node.put(self.document)

    def h1(self, listener="www"):
        import socket
        return Peer(socket.create_connection(("127.0.0.1", self.ports[listener]), timeout=10))

    def h2(self, listener="www", **how):
        return Client(self.ports[listener], **how)

    def ask(self, request=b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n", listener="www", **how):
        peer = self.h1(listener)
        peer.send(request)
        answer = peer.response(**how)
        peer.s.close()
        return answer


@pytest.fixture(scope="module")
def house():
    with Lab("h2s") as lab:
        made = House(lab)
        yield made
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal="):
            assert trouble not in text, text


def test_a_client_of_http_1_and_a_server_of_http_2(house):
    house.server.play(lambda peer, stream, headers: peer.answer(stream, b"hello", [("content-length", "5"), ("x-a", "b")]))
    status, head, body = house.ask(b"GET /q?r HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\nConnection: close, x-gone\r\nX-Gone: 1\r\n\r\n")
    assert (status, body, field(head, b"x-a"), field(head, b"content-length")) == (200, b"hello", b"b", b"5")
    seen = house.server.requests[0]
    assert [seen[name] for name in (":method", ":path", ":authority", ":scheme", "te")] == ["GET", "/q?r", "a.example", "http", "trailers"]
    assert "x-gone" not in seen and "connection" not in seen and seen["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize("answer, expected", [
    (dict(body=b"no length"), b"no length"), (dict(body=b""), b""), (dict(body=b"", headers=[("content-length", "0")]), b""),
    (dict(body=b"", status="204"), b""), (dict(body=b"", status="304", headers=[("content-length", "9")]), b"")])
def test_every_framing_for_both_versions(house, answer, expected):
    house.server.play(lambda peer, stream, headers: peer.answer(stream, **answer))
    assert house.ask()[::2] == (int(answer.get("status", 200)), expected)
    got = house.h2().ask()
    assert (got.status, bytes(got.body), got.reset) == (int(answer.get("status", 200)), expected, None)


def test_head_requests(house):
    house.server.play(lambda peer, stream, headers: peer.answer(stream, b"", [("content-length", "1000")]))
    peer = house.h1()
    for _ in range(2):
        peer.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        status, head, _ = peer.response(is_for_head=True)
        assert status == 200 and field(head, b"content-length") == b"1000"


def test_trailers_both_ways_between_both_versions(house):
    house.server.play(lambda peer, stream, headers: peer.answer(stream, bytes(peer.bodies[stream]), trailers=[("x-sum", "5")]))
    peer = house.h1()
    peer.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Check: 1\r\n\r\n")
    peer.head()
    assert peer.chunked() == (b"hello", [b"x-sum: 5"]) and house.server.trailers == [{"x-check": "1"}]
    c = house.h2()
    stream = c.send(POST, b"hello", ends=False)
    c.h.send_headers(stream, [("x-check", "2")], end_stream=True)
    c.flush()
    answer = c.response(stream)
    assert (bytes(answer.body), answer.trailers) == (b"hello", {"x-sum": "5"}) and house.server.trailers[-1] == {"x-check": "2"}


def test_interim_responses(house):
    def script(peer, stream, _headers):
        peer.h.send_headers(stream, [(":status", "103"), ("link", "</a>")])
        peer.answer(stream)

    house.server.play(script)
    peer = house.h1()
    peer.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert [peer.response()[0] for _ in range(2)] == [103, 200]
    c = house.h2()
    answer = c.ask()
    assert (answer.interim, answer.status) == ([103], 200)


@pytest.mark.timing
def test_a_hundred_mebibytes_each_way(house):
    piece = hashlib.sha256(b"s").digest() * 32768
    size = 100
    digests = []

    def script(peer, stream, headers):
        if headers[":method"] == "GET":
            peer.answer(stream, piece * size)
        else:
            digests.append(hashlib.sha256(peer.bodies[stream]).hexdigest())
            peer.answer(stream)

    house.server.play(script)
    pid = house.node.workers()[0]

    def memory():
        with open(f"/proc/{pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    expected = hashlib.sha256(piece * size).hexdigest()
    before = memory()
    url = f"http://127.0.0.1:{house.ports['www']}/"
    for version in ("--http1.1", "--http2-prior-knowledge"):
        down = subprocess.run(f"curl -sS {version} {url} | sha256sum", shell=True, capture_output=True, timeout=60)
        assert down.stdout.decode().split()[0] == expected, (version, down.stderr)
        up = subprocess.run(["curl", "-sS", version, "-T", "-", url], input=piece * size, capture_output=True, timeout=60)
        assert up.stdout == b"ok" and digests.pop() == expected, (version, up.stderr)
    print(f"memory grown while 100 MiB went each way twice: {memory() - before} KiB")
    assert memory() - before < 8192


def test_streams_share_connections_within_the_servers_limit(house):
    gate = threading.Event()
    waiting = []

    def script(peer, stream, headers):
        if headers[":path"] == "/first":
            peer.answer(stream)
            return
        waiting.append((peer, stream))
        if len(waiting) == 30:
            gate.set()

    house.server.play(script, most=10)
    c = house.h2()
    assert c.ask(path("/first")).status == 200, "from now on the limit is known"
    streams = [c.send() for _ in range(30)]
    assert gate.wait(5), "30 at once at a server that allows 10 on each connection"
    assert house.server.accepted <= 4
    for peer, stream in waiting:
        peer.answer(stream)
    assert all(c.response(stream).status == 200 for stream in streams)


def test_refused_streams_and_those_above_goaway_go_elsewhere(house):
    """Even what is not idempotent: the server says that it has not looked at it."""
    for kind in ("refused", "goaway"):
        tries = []

        def script(peer, stream, _headers, kind=kind, tries=tries):
            tries.append(stream)
            if len(tries) > 1:
                peer.answer(stream)
            elif kind == "refused":
                peer.s.sendall(frame(RST, 0, stream, REFUSED.to_bytes(4, "big")))
            else:
                peer.s.sendall(frame(GOAWAY, 0, 0, bytes(8)))

        house.server.play(script)
        answer = house.h2().ask(POST, b"once")
        assert (answer.status, len(tries)) == (200, 2), kind


def test_a_reset_is_not_tried_again_when_it_may_have_been_carried_out(house):
    def script(peer, stream, _headers):
        peer.s.sendall(frame(RST, 0, stream, CANCEL.to_bytes(4, "big")))

    house.server.play(script)
    assert house.h2().ask(POST, b"once").status == 502
    assert len(house.server.requests) == 1


def test_a_server_that_dies_in_a_body(house):
    def script(peer, stream, _headers):
        peer.h.send_headers(stream, [(":status", "200")])
        peer.h.send_data(stream, b"half")
        peer.flush()
        peer.s.shutdown(2)

    house.server.play(script)
    answer = house.h2().ask()
    assert answer.reset is not None and not answer.is_ended
    peer = house.h1()
    peer.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    with pytest.raises((EOFError, ConnectionResetError)):
        peer.response()


@pytest.mark.parametrize("headers", [[("connection", "close")], [(":status", "200")], [("x", "a\nb")], [("content-length", "x")]])
def test_malformed_responses_are_502(house, headers):
    house.server.play(lambda peer, stream, _: peer.answer(stream, b"", headers))
    assert house.ask()[0] == 502


def test_a_body_longer_or_shorter_than_said(house):
    house.server.play(lambda peer, stream, _: peer.answer(stream, b"abc", [("content-length", "5")]))
    answer = house.h2().ask()
    assert answer.reset is not None or answer.status == 502


def test_a_slow_server_is_told_when_the_client_leaves(house):
    house.server.play(lambda *_: None)
    c = house.h2()
    stream = c.send()
    wait_for(lambda: house.server.requests, 5, "the server has the request")
    c.h.reset_stream(stream, CANCEL)
    c.flush()
    wait_for(lambda: house.server.resets == [CANCEL], 5, "the server is told")


def test_a_silent_server_and_one_that_is_away(house):
    house.server.play(lambda *_: None)
    assert house.ask()[0] == 504
    house.server.play(lambda peer, stream, _: peer.answer(stream))
    assert all(house.ask(listener="spread")[0] == 200 for _ in range(6))


def test_a_server_is_removed_while_its_last_streams_end(house):
    """Its last stream, its connection and itself end in one turn of the worker."""
    for ending in ("cancelled", "lost"):
        house.server.play(lambda *_: None)
        c = house.h2("spread")
        streams = [c.send() for _ in range(3)]
        wait_for(lambda: len(house.server.requests) == 3, 5, "three streams at the server")
        gone = json.loads(json.dumps(house.document))
        del gone["pools"][1]["servers"][1]
        house.node.put(gone)
        for stream in streams if ending == "cancelled" else []:
            c.h.reset_stream(stream, CANCEL)
        c.flush()
        if ending == "lost":
            c.s.close()
        wait_for(lambda: not house.server.live, 5, "the connection to what is gone to end")
        house.node.put(house.document)
    house.server.play(lambda peer, stream, _headers: peer.answer(stream))
    assert house.h2("spread").ask().status == 200


# WebSocket


def wsecho(peer, stream, headers):
    assert (headers[":method"], headers[":protocol"]) == ("CONNECT", "websocket") and "sec-websocket-key" not in headers
    peer.h.send_headers(stream, [(":status", "200"), ("sec-websocket-protocol", "chat")])
    peer.h.send_data(stream, b"early")
    peer.echoes = True
    peer.flush()


def test_a_websocket_to_a_server_of_http_2(house):
    house.server.play(wsecho, waits=False, connects=True)
    peer = house.h1()
    peer.send(b"GET /c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
              b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\nhello")
    status, head, _ = peer.response()
    assert status == 101 and field(head, b"sec-websocket-accept") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert field(head, b"sec-websocket-protocol") == b"chat"
    assert peer.exactly(10) == b"earlyhello"
    peer.send(b"z" * 300000)
    assert peer.exactly(300000) == b"z" * 300000
    peer.s.close()
    c = house.h2(validates=False)
    stream = c.send([(":method", "CONNECT"), (":protocol", "websocket"), *GET[1:]], ends=False)
    c.wait(lambda: bytes(c.streams[stream].body) == b"early")
    c.data(stream, b"y" * 200000, ends=False)
    c.wait(lambda: len(c.streams[stream].body) == 200005)
    c.h.end_stream(stream)
    c.flush()
    assert c.response(stream).reset is None


def test_a_server_without_websockets_is_not_asked(house):
    house.server.play(lambda peer, stream, _: peer.answer(stream), waits=False)
    assert house.ask(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n")[0] == 501
    assert not house.server.requests
