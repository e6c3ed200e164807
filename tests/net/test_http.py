"""HTTP/1.1 through a real worker: what passes, how it is framed, and what is refused."""
import re
import socket
import subprocess

import pytest

from h2_house import PREFACE, frame
from http_house import HEAD, OK, answering, field, house  # noqa: F401 (house is a fixture)


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


# Versions


def test_a_listener_without_http2_takes_the_preface_for_an_unknown_version(house):
    """RFC 9113 section 3.3: who knows beforehand is told as HTTP/1.1 tells, 505 (nginx says 400); others are served."""
    house.server.play(answering(OK))
    for rest in (b"", frame(4, 0, 0)):  # SETTINGS
        status, head, _ = house.ask(PREFACE + rest, "first")
        assert status == 505 and head.startswith(b"HTTP/1.1 505 ") and field(head, b"connection") == b"close", head
    assert not any(b"PRI" in head for head in house.server.heads)
    for version, code, said in (("--http1.1", 0, "1.1 200"), ("--http2", 0, "1.1 200"), ("--http2-prior-knowledge", None, "0 000")):
        done = subprocess.run(["curl", "-sS", "-m", "10", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", version,
                               f"http://127.0.0.1:{house.ports['first']}/"], capture_output=True, text=True, check=False)
        assert done.stdout == said and (done.returncode == 0) == (code == 0), (version, done)
    lines = house.node.api("GET", "/metrics")[1].splitlines()
    assert any('listener="first"' in line and 'cause="bad_request"' in line and line.endswith(" 3") for line in lines)
