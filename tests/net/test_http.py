"""HTTP/1.1 through a real worker, between raw sockets: what a client and a server that do anything at all get to see."""
import hashlib
import json
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from lab import Lab, free_port, wait_for

HEAD = b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """A server that runs a script(connection, number) for each connection, in a thread of its own."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepted = 0
        self.script = None
        self.heads = []
        self.live = set()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._run, args=(connection, self.accepted), daemon=True).start()

    def _run(self, connection, number):
        connection.settimeout(20)
        with connection:
            try:
                self.live.add(connection)
                self.script(Peer(connection, self), number)
            except (OSError, EOFError):
                pass
            finally:
                self.live.discard(connection)

    def play(self, script):
        """From now on script; connections of the last one, kept by the worker, end."""
        for connection in list(self.live):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        wait_for(lambda: not self.live, 5, "the end of the last script")
        self.script = script
        self.accepted = 0
        self.heads.clear()


class Peer:
    """One end of a connection, read by heads and bodies."""

    def __init__(self, connection, server=None):
        self.s, self.server, self.buffer = connection, server, b""

    def send(self, data):
        self.s.sendall(data)

    def more(self):
        data = self.s.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if self.server:
            self.server.heads.append(head)
        return head

    def exactly(self, n):
        while len(self.buffer) < n:
            self.more()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def line(self):
        while b"\r\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def chunked(self):
        """The content and the trailer lines of a chunked body."""
        body = b""
        while True:
            size = int(self.line().split(b";")[0], 16)
            if not size:
                break
            body += self.exactly(size)
            assert self.exactly(2) == b"\r\n"
        trailers = []
        while line := self.line():
            trailers.append(line)
        return body, trailers

    def response(self, is_for_head=False):
        """(status, head, body) of one response, framed by what its head says."""
        head = self.head()
        status = int(head.split(b" ", 2)[1])
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if is_for_head or status < 200 or status in (204, 304):
            return status, head, b""
        if re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
            return status, head, self.chunked()[0]
        if length:
            return status, head, self.exactly(int(length[1]))
        return status, head, self.rest()

    def rest(self):
        """All up to an orderly end; a reset raises."""
        while data := self.s.recv(65536):
            self.buffer += data
        data, self.buffer = self.buffer, b""
        return data

    def is_ended(self):
        """True when the other side has closed or reset, and sent nothing more."""
        try:
            return not self.buffer and self.s.recv(65536) == b""
        except ConnectionResetError:
            return True

    def reset(self):
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.s.close()


def answering(*responses):
    """A script that answers each request on a connection with the next response, the last one for ever."""

    def script(peer, _number):
        n = 0
        while True:
            peer.head()
            peer.send(responses[min(n, len(responses) - 1)])
            n += 1

    return script


class House:
    def __init__(self, lab):
        self.server = Server()
        self.dead = free_port()
        self.ports = {name: free_port() for name in ("www", "limited", "trusting", "spread", "empty", "one", "narrow")}
        self.node = lab.node("lb-a").start("control", "data")
        self.node.put(self.document())
        self.log = self.node.state / "log" / "www.log"

    def document(self):
        times = {"connect": "1s", "response": "1s", "idle": "1500ms"}

        def pool(name, *ports, **more):
            servers = [{"name": f"w{n}", "address": f"127.0.0.1:{port}"} for n, port in enumerate(ports)]
            return {"name": name, "protocol": "http", "servers": servers, "timeouts": times, **more}

        def listener(name, pool_name, **more):
            return {"name": name, "bind": [f"127.0.0.1:{self.ports[name]}"], "protocol": "http", "pool": pool_name,
                    "timeouts": {"request_head": "1s", "idle": "1500ms"}, **more}

        narrow = pool("narrow", self.server.port, queue={"maximum": 1, "timeout": "1s"})
        narrow["servers"][0]["maximum_connections"] = 1
        return {
            "stack": "shop",
            "pools": [pool("web", self.server.port), narrow, pool("spread", self.dead, self.server.port),
                      pool("none", self.dead, retry={"attempts": 0}), pool("one", self.server.port, retry={"attempts": 0})],
            "listeners": [
                listener("www", "web", access_log={"format": "json"}),
                listener("limited", "web", maximum_request_body=1000),
                listener("trusting", "web", forwarded={"trust": ["127.0.0.0/8"]}),
                listener("spread", "spread"), listener("empty", "none"), listener("one", "one"),
                listener("narrow", "narrow")],
        }

    def client(self, listener="www"):
        s = socket.create_connection(("127.0.0.1", self.ports[listener]), timeout=10)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Peer(s)

    def ask(self, request, listener="www", **how):
        peer = self.client(listener)
        peer.send(request)
        answer = peer.response(**how)
        peer.s.close()
        return answer

    def logged(self, path):
        """The log entry of the request for a path that only one test uses."""

        def find():
            for line in self.log.read_text().splitlines():
                entry = json.loads(line)
                if entry["path"] == path:
                    return entry
            return None

        return wait_for(find, 3, f"a log line for {path}")

    def worker(self):
        return self.node.workers()[0]


@pytest.fixture(scope="module")
def house():
    with Lab("http") as lab:
        made = House(lab)
        yield made
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "ended by signal"):
            assert trouble not in text, text


def field(head, name):
    found = re.findall(rb"(?i)\r\n" + name + rb": *([^\r]*)", head)
    return found[0] if len(found) == 1 else found


# Plain exchanges


def test_a_request_and_its_response_pass(house):
    house.server.play(answering(OK))
    status, head, body = house.ask(b"GET /pass?q=1 HTTP/1.1\r\nHost: a.example\r\nX-Own: 1\r\nConnection: x-hop\r\nX-Hop: 2\r\n\r\n")
    assert (status, body) == (200, b"ok")
    seen = house.server.heads[0]
    assert seen.startswith(b"GET /pass?q=1 HTTP/1.1\r\n")
    assert field(seen, b"x-own") == b"1" and field(seen, b"host") == b"a.example"
    assert not field(seen, b"x-hop") and not field(seen, b"connection")
    assert field(seen, b"x-forwarded-for") == b"127.0.0.1"
    assert field(seen, b"x-forwarded-proto") == b"http"
    assert field(seen, b"x-forwarded-host") == b"a.example"
    assert re.fullmatch(rb"[0-9a-f]{32}", field(seen, b"x-request-id"))
    entry = house.logged("/pass?q=1")
    assert (entry["status"], entry["end"], entry["pool"], entry["server"]) == (200, "ok", "web", "w0")
    assert entry["request_id"].encode() == field(seen, b"x-request-id")


def test_connections_are_kept_on_both_sides(house):
    house.server.play(answering(OK))
    client = house.client()
    for _ in range(20):
        client.send(HEAD)
        assert client.response()[0] == 200
    assert house.server.accepted <= 1


def test_pipelined_requests_are_answered_in_order(house):
    def script(peer, _):
        while True:
            path = peer.head().split(b" ")[1]
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))

    house.server.play(script)
    client = house.client()
    client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(200)))
    assert [client.response()[2] for _ in range(200)] == [b"/%d" % n for n in range(200)]


def test_a_request_may_come_byte_by_byte(house):
    house.server.play(answering(OK))
    client = house.client()
    for byte in b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n":
        client.send(bytes([byte]))
    assert client.response()[0] == 200


@pytest.mark.parametrize("response, body", [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b""),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b""),
])
def test_head_has_no_body(house, response, body):
    house.server.play(answering(response))
    client = house.client()
    for _ in range(3):
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.response(is_for_head=True)[2] == body
    assert house.server.accepted <= 1


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_body(house, status):
    house.server.play(answering(b"HTTP/1.1 %d X\r\nETag: \"a\"\r\n\r\n" % status))
    client = house.client()
    for _ in range(3):
        client.send(HEAD)
        assert client.response()[0] == status
    assert house.server.accepted <= 1


def test_chunks_and_trailers_pass_both_ways(house):
    def script(peer, _):
        peer.head()
        body, trailers = peer.chunked()
        assert (body, trailers) == (b"hello" * 1000, [b"X-Sum: 1"])
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
                  b"3;ext=1\r\nabc\r\n00a\r\n0123456789\r\n0\r\nX-Sum: 2\r\n\r\n")

    house.server.play(script)
    client = house.client()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n")
    for _ in range(1000):
        client.send(b"5\r\nhello\r\n")
    client.send(b"0\r\nX-Sum: 1\r\n\r\n")
    assert b"chunked" in field(client.head(), b"transfer-encoding")
    assert client.chunked() == (b"abc0123456789", [b"X-Sum: 2"])


def test_a_response_without_length_is_chunked_for_1_1(house):
    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 100000)

    house.server.play(script)
    client = house.client()
    for _ in range(2):
        client.send(HEAD)
        assert client.response()[2] == b"x" * 100000


def test_old_clients_get_no_chunks(house):
    house.server.play(answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"))
    client = house.client()
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    head = client.head()
    assert not field(head, b"transfer-encoding") and field(head, b"connection") == b"close"
    assert client.rest() == b"abcde"
    assert field(house.server.heads[0], b"host")


def test_an_old_client_may_keep_its_connection(house):
    house.server.play(answering(OK))
    client = house.client()
    for _ in range(3):
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        status, head, _ = client.response()
        assert status == 200 and field(head, b"connection") == b"keep-alive"


def test_absolute_targets_name_the_host(house):
    house.server.play(answering(OK))
    assert house.ask(b"GET http://b.example:81/y HTTP/1.1\r\nHost: a.example\r\n\r\n")[0] == 200
    seen = house.server.heads[0]
    assert seen.startswith(b"GET /y HTTP/1.1\r\n") and field(seen, b"host") == b"b.example:81"


def test_forwarded_fields_are_believed_only_from_trusted_clients(house):
    request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Request-Id: mine-1\r\n\r\n"
    house.server.play(answering(OK))
    house.ask(request)
    seen = house.server.heads[0]
    assert (field(seen, b"x-forwarded-for"), field(seen, b"x-forwarded-proto")) == (b"127.0.0.1", b"http")
    assert field(seen, b"x-request-id") == b"mine-1"
    house.ask(request, "trusting")
    seen = house.server.heads[1]
    assert (field(seen, b"x-forwarded-for"), field(seen, b"x-forwarded-proto")) == (b"1.2.3.4, 127.0.0.1", b"https")


# 1xx, Expect, Upgrade


def test_expect_is_the_servers_to_answer(house):
    def script(peer, _):
        head = peer.head()
        assert field(head, b"expect") == b"100-continue"
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert peer.exactly(3) == b"abc"
        peer.send(OK)

    house.server.play(script)
    client = house.client()
    client.send(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    assert client.response()[0] == 100
    client.send(b"abc")
    assert client.response()[0] == 200


def test_hints_come_before_the_response(house):
    house.server.play(answering(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + OK))
    client = house.client()
    client.send(HEAD)
    assert [client.response()[0] for _ in range(3)] == [103, 103, 200]


def test_upgrade_becomes_a_tunnel(house):
    def script(peer, _):
        head = peer.head()
        assert (field(head, b"upgrade"), field(head, b"connection")) == (b"echo", b"upgrade")
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nearly")
        try:
            while True:
                if not peer.buffer:
                    peer.more()
                data, peer.buffer = peer.buffer, b""
                peer.send(data)
        except EOFError:
            peer.send(b"bye")

    house.server.play(script)
    client = house.client()
    client.send(b"GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nand more")
    status, head, _ = client.response()
    assert status == 101 and field(head, b"upgrade") == b"echo" and field(head, b"connection") == b"upgrade"
    assert client.exactly(13) == b"earlyand more"
    client.send(b"z" * 300000)
    assert client.exactly(300000) == b"z" * 300000
    client.s.shutdown(socket.SHUT_WR)
    assert client.rest() == b"bye"
    assert house.logged("/upgrade")["status"] == 101


def test_nobody_may_switch_unasked(house):
    house.server.play(answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"))
    assert house.ask(HEAD)[0] == 502


# What is refused


@pytest.mark.parametrize("request_bytes, status", [
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 3\r\n\r\n", 400),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: more\r\n\r\n", 417),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431),
    (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
    (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
])
def test_bad_requests_are_answered_and_the_connection_closed(house, request_bytes, status):
    house.server.play(answering(OK))
    client = house.client()
    client.send(request_bytes + HEAD)
    got, head, _ = client.response()
    assert got == status and field(head, b"connection") == b"close"
    assert client.is_ended(), "a second request was read from a stream that cannot be understood"


def test_bodies_over_the_limit_are_refused(house):
    def script(peer, _):
        length = field(peer.head(), b"content-length")
        if length:
            peer.exactly(int(length))
        else:
            peer.chunked()
        peer.send(OK)

    house.server.play(script)
    client = house.client("limited")
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n")
    assert client.response()[0] == 413
    client = house.client("limited")
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"100\r\n" + b"x" * 256 + b"\r\n")
    client.send((b"100\r\n" + b"x" * 256 + b"\r\n") * 3)
    assert client.response()[0] == 413
    client = house.client("limited")
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000)
    assert client.response()[0] == 200


def test_our_answer_reaches_a_client_that_goes_on_sending(house):
    house.server.play(answering(OK))
    client = house.client("limited")
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
    try:
        for _ in range(30):
            client.send(b"x" * 100000)
    except OSError:
        pass
    assert client.response()[0] == 413


@pytest.mark.parametrize("response", [
    b"SSH-2.0-OpenSSH\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
])
def test_bad_responses_are_not_passed_on(house, response):
    house.server.play(answering(response))
    assert house.ask(HEAD)[0] == 502


def test_late_heads_are_answered_408_and_silence_with_nothing(house):
    client = house.client()
    client.send(b"GET / HTTP/1.1\r\nHo")
    silent = house.client()
    assert client.response()[0] == 408
    assert client.is_ended()
    assert silent.is_ended()


# Servers that fail


def test_a_dead_server_costs_no_request(house):
    house.server.play(answering(OK))
    for _ in range(10):
        assert house.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "spread")[0] == 200


def test_no_server_is_said(house):
    status, _, _ = house.ask(HEAD, "empty")
    assert status == 502
    client = house.client("empty")
    for _ in range(3):
        client.send(HEAD)
        assert client.response()[0] == 502  # and the connection goes on


def test_a_kept_connection_that_just_ended_costs_no_request(house):
    def script(peer, _):
        peer.head()
        peer.send(OK)  # and closes, although it promised to keep it

    house.server.play(script)
    for method in (b"GET", b"POST"):
        client = house.client()
        for _ in range(50):
            client.send(method + b" / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
            assert client.response()[0] == 200


def test_a_reset_before_the_response_is_tried_again_if_it_may_be(house):
    def script(peer, number):
        peer.head()
        if number == 1:
            peer.reset()
        else:
            peer.send(OK)

    wait_for(lambda: drop_idle(house), 5)
    house.server.play(script)
    assert house.ask(HEAD)[0] == 200
    assert house.server.accepted == 2
    wait_for(lambda: drop_idle(house), 5)
    house.server.play(script)
    assert house.ask(b"POST /reset HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")[0] == 502
    assert house.server.accepted == 1
    assert house.logged("/reset")["end"] in ("server-reset", "server-closed")


def drop_idle(house):
    """Has the worker's idle connections to the server ended by asking for a response that closes them."""
    house.server.play(answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"))
    before = house.server.accepted
    for listener in ("www", "limited", "trusting"):
        house.ask(HEAD, listener)
    return house.server.accepted - before == 3


@pytest.mark.parametrize("beginning", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
])
@pytest.mark.parametrize("reset", [False, True])
def test_a_response_cut_short_is_never_whole(house, beginning, reset):
    def script(peer, _):
        peer.head()
        peer.send(beginning)
        wait_for(lambda: house.seen, 5)
        if reset:
            peer.reset()

    house.server.play(script)
    house.seen = False
    client = house.client()
    client.send(HEAD)
    client.head()
    house.seen = True
    with pytest.raises((EOFError, ConnectionResetError)):
        if b"chunked" in beginning:
            client.chunked()
        else:
            client.exactly(10)


def test_a_reset_where_only_the_end_tells_reaches_an_old_client_as_a_reset(house):
    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        wait_for(lambda: house.seen, 5)
        peer.reset()

    house.server.play(script)
    house.seen = False
    client = house.client()
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    client.head()
    client.exactly(3)
    house.seen = True
    with pytest.raises(ConnectionResetError):
        client.rest()


def test_a_server_that_is_silent_is_given_up(house):
    def script(peer, _):
        peer.head()
        wait_for(peer.is_ended, 5)

    house.server.play(script)
    assert house.ask(b"GET /silent HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 504
    assert house.logged("/silent")["end"] == "response-timeout"


def test_a_server_that_stops_in_a_body_is_given_up(house):
    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        wait_for(peer.is_ended, 5)

    house.server.play(script)
    client = house.client()
    client.send(b"GET /stops HTTP/1.1\r\nHost: a\r\n\r\n")
    client.head()
    with pytest.raises((EOFError, ConnectionResetError)):
        client.exactly(10)
    assert house.logged("/stops")["end"] == "server-timeout"


def test_an_early_response_arrives_whole(house):
    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")

    house.server.play(script)
    client = house.client()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n")
    try:
        for _ in range(50):
            client.send(b"x" * 100000)
    except OSError:
        pass
    status, head, body = client.response()
    assert (status, body) == (413, b"no\n") and field(head, b"connection") == b"close"


# Clients that fail


def test_a_client_that_resets_ends_the_servers_work(house):
    ended = threading.Event()

    def script(peer, _):
        peer.head()
        if peer.is_ended():
            ended.set()

    house.server.play(script)
    client = house.client()
    client.send(b"GET /leaves HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for(lambda: house.server.heads, 5)
    client.reset()
    assert ended.wait(5)
    assert house.logged("/leaves")["end"] == "client-abort"


def test_a_client_that_has_said_all_still_gets_its_answer(house):
    def script(peer, _):
        peer.head()
        time.sleep(0.2)  # the server's work
        peer.send(OK)

    house.server.play(script)
    client = house.client()
    client.send(HEAD)
    client.s.shutdown(socket.SHUT_WR)
    assert client.response()[2] == b"ok"
    assert client.is_ended()


def test_a_client_that_stops_in_its_body_is_an_abort(house):
    house.server.play(lambda peer, _: peer.head() and peer.rest())
    client = house.client()
    client.send(b"POST /stopped HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    client.s.shutdown(socket.SHUT_WR)
    assert client.is_ended()
    assert house.logged("/stopped")["end"] == "client-abort"


def test_a_slow_reader_loses_nothing(house):
    size = 20_000_000
    sent = threading.Event()

    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(size // 10000):
            peer.send(b"2710\r\n" + b"y" * 10000 + b"\r\n")
        peer.send(b"0\r\n\r\n")
        sent.set()

    house.server.play(script)
    client = house.client()
    client.send(HEAD)
    client.head()
    assert not sent.wait(0.5), "nothing held the server back"
    pieces, left = [client.buffer], size // 10000 * 10008 + 5 - len(client.buffer)
    while left:
        pieces.append(client.s.recv(1 << 20))
        assert pieces[-1], "cut short"
        left -= len(pieces[-1])
    whole = Peer(None)
    whole.buffer = b"".join(pieces)
    assert whole.line() == b"2710" and whole.buffer.endswith(b"\r\n0\r\n\r\n")
    assert whole.buffer.count(b"y") == size
    assert sent.is_set()


# Queues, generations, logs


def test_requests_wait_for_a_full_server(house):
    go = threading.Event()

    def script(peer, _):
        while True:
            peer.head()
            go.wait(10)
            peer.send(OK)

    house.server.play(script)
    first, second, third = (house.client("narrow") for _ in range(3))
    first.send(HEAD)
    wait_for(lambda: len(house.server.heads) == 1, 5)
    second.send(HEAD)
    time.sleep(0.1)  # the second is in the queue before the third comes
    third.send(HEAD)
    status, head, _ = third.response()
    assert status == 503 and field(head, b"retry-after")
    assert len(house.server.heads) == 1
    go.set()
    assert first.response()[0] == 200
    assert second.response()[0] == 200


def test_waiting_has_an_end(house):
    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(30):
            peer.send(b"x")
            time.sleep(0.05)  # alive, and slow

    house.server.play(script)
    first, second = house.client("narrow"), house.client("narrow")
    first.send(HEAD)
    first.head()
    second.send(HEAD)
    assert second.response()[0] == 503


def test_a_request_under_way_survives_the_generation_that_removes_its_pool(house):
    go = threading.Event()

    def script(peer, _):
        peer.head()
        go.wait(10)
        peer.send(OK)

    house.server.play(script)
    client = house.client("one")
    client.send(HEAD)
    wait_for(lambda: house.server.heads, 5)
    document = house.document()
    document["pools"] = [p for p in document["pools"] if p["name"] != "one"]
    document["listeners"] = [x for x in document["listeners"] if x["name"] != "one"]
    house.node.put(document)
    go.set()
    status, head, _ = client.response()
    assert status == 200 and field(head, b"connection") == b"close"
    house.node.put(house.document())


def test_a_log_that_was_moved_is_begun_anew(house):
    house.server.play(answering(OK))
    house.ask(b"GET /before HTTP/1.1\r\nHost: a\r\n\r\n")
    house.logged("/before")
    house.log.rename(house.log.with_suffix(".1"))
    house.node.daemons["data"].signal(signal.SIGUSR1)
    wait_for(house.log.exists, 5)
    house.ask(b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n")
    house.logged("/after")


def test_a_log_line_cannot_be_forged(house):
    house.server.play(answering(OK))
    house.ask(b"GET /forged\" HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\r\n\r\n", "trusting")
    log = house.log.with_name("trusting.log")
    line = wait_for(lambda: [x for x in log.read_text().splitlines() if "forged" in x], 3)[0]
    assert line.endswith(' path="/forged\\""') and " status=200 " in line and " end=ok " in line


# Much


GIB = 1 << 30


def memory_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


class Watch(threading.Thread):
    """The greatest memory of a process while something goes on."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.first, self.most, self.is_over = pid, memory_kib(pid), 0, threading.Event()

    def run(self):
        while not self.is_over.wait(0.02):
            self.most = max(self.most, memory_kib(self.pid))

    def growth_kib(self):
        self.is_over.set()
        self.join()
        return self.most - self.first


def test_a_gibibyte_down_and_up_in_little_memory(house, figure):
    block = bytes(range(256)) * 4096

    def script(peer, _):
        head = peer.head()
        if head.startswith(b"GET"):
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIB)
            for _ in range(GIB // len(block)):
                peer.send(block)
            return
        digest, left = hashlib.sha256(), GIB
        while left:
            if not peer.buffer:
                peer.more()
            digest.update(peer.buffer)
            left -= len(peer.buffer)
            peer.buffer = b""
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + digest.hexdigest().encode())

    house.server.play(script)
    want = hashlib.sha256()
    for _ in range(GIB // len(block)):
        want.update(block)

    watch = Watch(house.worker())
    watch.start()
    client = house.client()
    client.send(b"GET /gib HTTP/1.1\r\nHost: a\r\n\r\n")
    client.head()
    got, left = hashlib.sha256(client.buffer), GIB - len(client.buffer)
    while left:
        data = client.s.recv(1 << 20)
        assert data
        got.update(data)
        left -= len(data)
    assert got.digest() == want.digest()
    figure("memory grown while 1 GiB came down", f"{watch.growth_kib()} KiB")
    assert watch.most - watch.first < 4096

    watch = Watch(house.worker())
    watch.start()
    client = house.client()
    client.s.settimeout(60)
    client.send(b"PUT /gib HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % GIB)
    for _ in range(GIB // len(block)):
        client.send(block)
    assert client.response()[2] == want.hexdigest().encode()
    figure("memory grown while 1 GiB went up", f"{watch.growth_kib()} KiB")
    assert watch.most - watch.first < 4096


def test_a_server_killed_under_load_costs_no_request(lab, figure):
    servers = [lab.nginx(f"w{n}", "hello\n") for n in range(2)]
    port = free_port()
    node = lab.node("lb-a").start("control", "data")
    node.put({
        "stack": "shop",
        "pools": [{"name": "web", "protocol": "http",
                   "servers": [{"name": f"w{n}", "address": s.address} for n, s in enumerate(servers)]}],
        "listeners": [{"name": "www", "bind": [f"127.0.0.1:{port}"], "protocol": "http", "pool": "web"}],
    })
    load = subprocess.Popen(["wrk", "-t1", "-c16", "-d5s", f"http://127.0.0.1:{port}/"], stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)  # load before the kill
    servers[0].kill()
    out, _ = load.communicate(timeout=30)
    assert "Socket errors" not in out and "Non-2xx" not in out, out
    figure("requests with a server killed", re.search(r"(\d+) requests in", out)[1] + ", none failed")
