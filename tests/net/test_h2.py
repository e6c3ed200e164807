"""HTTP/2 from clients to servers of HTTP/1.1: real clients, scripted ones, floods, slow readers, drain."""
import hashlib
import shutil
import socket
import struct
import subprocess
import threading
import time

import h2.events
import pytest

from h2_house import GET, POST, PREFACE, Client, frame, path
from http_house import HEAD, OK, answering, field, house  # noqa: F401 (house is a fixture)
from lab import wait_for

CALM, PROTOCOL, CANCEL, NO_ERROR, REFUSED = 11, 1, 8, 0, 7
HEADERS, PRIORITY, RST, SETTINGS, PING, UPDATE, GOAWAY, CONTINUATION, DATA = 1, 2, 3, 4, 6, 8, 7, 9, 0


def client(house, listener="www", **how):
    return Client(house.ports[listener], **how)


def errors(house, cause):
    for line in house.node.api("GET", "/metrics")[1].splitlines():
        if line.startswith("ballast_listener_errors_total") and f'cause="{cause}"' in line and 'listener="www"' in line:
            return int(line.split()[-1])
    return 0


def memory_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


# Plain exchanges


def test_a_request_becomes_one_of_http_1(house):
    house.server.play(answering(OK))
    c = client(house)
    answer = c.ask([*path("/h2-plain?q=1"), ("accept", "*/*"), ("cookie", "a=1"), ("cookie", "b=2"), ("te", "trailers")])
    assert (answer.status, bytes(answer.body), answer.headers["content-length"]) == (200, b"ok", "2")
    seen = house.server.heads[0]
    assert seen.startswith(b"GET /h2-plain?q=1 HTTP/1.1\r\n")
    assert (field(seen, b"host"), field(seen, b"cookie"), field(seen, b"te")) == (b"a.example", b"a=1; b=2", b"trailers")
    assert field(seen, b"x-forwarded-for") == b"127.0.0.1" and len(field(seen, b"x-request-id")) == 32
    entry = house.logged("/h2-plain?q=1")
    assert (entry["status"], entry["end"], entry["host"], entry["server"], entry["protocol"]) == (200, "ok", "a.example", "w0", "h2")


def test_many_streams_at_once_are_answered_in_any_order(house):
    gate = threading.Event()

    def script(peer, _):
        while True:
            head = peer.head()
            if b"GET /late" in head:
                assert gate.wait(5)
            peer.send(OK)

    house.server.play(script)
    c = client(house)
    late, soon = c.send(path("/late")), [c.send() for _ in range(50)]
    assert all(c.response(stream).status == 200 for stream in soon)
    assert not c.streams[late].is_ended
    gate.set()
    assert c.response(late).status == 200


def test_interim_responses_and_expect(house):
    def script(peer, _):
        assert field(peer.head(), b"expect") == b"100-continue"
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        assert peer.exactly(3) == b"abc"
        peer.send(OK)

    house.server.play(script)
    c = client(house)
    stream = c.send([*POST, ("content-length", "3"), ("expect", "100-continue")], ends=False)
    c.wait(lambda: c.streams[stream].interim == [100, 103])
    c.data(stream, b"abc")
    assert c.response(stream).status == 200


def test_trailers_go_both_ways(house):
    seen = []

    def script(peer, _):
        assert field(peer.head(), b"transfer-encoding") == b"chunked"
        seen.append(peer.chunked())
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
                  b"3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\nX-More: y\r\n\r\n")

    house.server.play(script)
    c = client(house)
    stream = c.send(POST, b"hello", ends=False)
    c.h.send_headers(stream, [("x-check", "1")], end_stream=True)
    c.flush()
    answer = c.response(stream)
    assert seen == [(b"hello", [b"x-check: 1"])]
    assert bytes(answer.body) == b"abcde" and answer.trailers == {"x-sum": "5", "x-more": "y"}
    assert "transfer-encoding" not in answer.headers


@pytest.mark.parametrize("response, status, body", [
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, b""),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200, b"a"),
    (b"HTTP/1.0 200 OK\r\n\r\nto the end", 200, b"to the end"),
])
def test_every_framing_of_a_response(house, response, status, body):
    def script(peer, _):
        peer.head()
        peer.send(response)

    house.server.play(script)
    c = client(house)
    answer = c.ask()
    assert (answer.status, bytes(answer.body), answer.reset) == (status, body, None)
    assert not [e for e in c.events if isinstance(e, h2.events.TrailersReceived)], "no trailers were sent"


def test_head_has_a_length_and_no_body(house):
    house.server.play(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"))
    answer = client(house).ask([(":method", "HEAD"), *GET[1:]])
    assert (answer.headers["content-length"], bytes(answer.body)) == ("1000", b"")


def test_a_response_cut_short_never_looks_whole(house):
    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

    house.server.play(script)
    c = client(house)
    answer = c.ask()
    assert answer.status == 200 and answer.reset is not None and not answer.is_ended
    house.server.play(answering(OK))
    assert c.ask().status == 200, "the connection goes on"


def test_a_server_that_is_not_there_and_one_that_answers_badly(house):
    assert client(house, "empty").ask().status == 502
    house.server.play(answering(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"))
    assert client(house, "one").ask().status == 502


def test_answers_before_the_request_is_whole_end_it(house):
    house.server.play(answering(OK))
    c = client(house, "limited")
    stream = c.send([*POST, ("content-length", "100000")], b"x" * 10000, ends=False)
    answer = c.response(stream)
    assert answer.status == 413 and answer.is_ended
    c.wait(lambda: answer.reset is not None)
    assert answer.reset == NO_ERROR
    assert c.ask().status == 200


# What is refused


@pytest.mark.parametrize("headers, status", [
    ([*GET, ("host", "other.example")], 400),
    ([*GET[:2], (":path", "/")], 400),
    ([*GET[:2], (":authority", "a b"), (":path", "/")], 400),
    (path("no-slash"), 400),
    (path("/" + "a" * 9000), 414),
    ([*GET, ("x", "a" * 8000), ("y", "b" * 8000)], 431),
    ([*GET, *[(f"x{n}", "y") for n in range(130)]], 431),
    ([(":method", "CONNECT"), (":authority", "a:443")], 501),
    ([*GET, ("expect", "more")], 417),
])
def test_bad_requests_are_answered_on_their_stream(house, headers, status):
    house.server.play(answering(OK))
    c = client(house, validates=False)
    answer = c.ask(headers)
    if answer.reset is not None and answer.status is None:
        assert answer.reset == PROTOCOL and status == 400, "refused by a status, or as malformed"
    else:
        assert answer.status == status
    assert c.ask().status == 200, "the connection goes on"


@pytest.mark.parametrize("extra", [("connection", "close"), ("transfer-encoding", "chunked"), ("te", "gzip"), ("Upper", "x"),
                                   ("x", "a\r\nb: c"), ("x", "a\nb")])
def test_malformed_requests_reach_no_server(house, extra):
    house.server.play(answering(OK))
    c = client(house, validates=False)
    answer = c.ask([*GET, extra])
    assert answer.reset == PROTOCOL or answer.status == 400
    assert not house.server.heads
    assert c.ask().status == 200


def test_a_body_that_is_not_as_long_as_said(house):
    house.server.play(lambda peer, _: peer.rest())
    c = client(house)
    stream = c.send([*POST, ("content-length", "5")], ends=False)
    c.raw(frame(DATA, 1, stream, b"abc"))
    assert c.response(stream).reset == PROTOCOL


def test_the_preface_may_come_in_pieces_and_must_be_right(house):
    house.server.play(answering(OK))
    s = socket.create_connection(("127.0.0.1", house.ports["www"]), timeout=10)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for n in range(len(PREFACE)):
        s.sendall(PREFACE[n:n + 1])
    s.sendall(frame(SETTINGS, 0, 0))
    assert s.recv(9)[3] == SETTINGS
    peer = house.client()
    peer.send(b"PRI * HTTP/2.0\r\nHost: a\r\n\r\n")
    assert peer.response()[0] == 505
    peer = house.client()
    peer.send(b"P")
    peer.send(b"OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    assert peer.response()[0] == 200


def test_an_upgrade_to_h2c_is_not_offered(house):
    house.server.play(answering(OK))
    assert house.ask(HEAD[:-2] + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")[0] == 200
    assert field(house.server.heads[0], b"upgrade") == []


# Floods


def ended_calmly(c, send, times):
    """Sends until the connection ends: what its last GOAWAY said."""
    try:
        for _ in range(times):
            send()
    except OSError:
        pass
    return c.until_end()[-1][1]


def test_rapid_reset(house):
    """CVE-2023-44487: streams are opened and reset at once."""
    house.server.play(answering(OK))
    before = errors(house, "h2_resets")
    c = client(house)
    head = c.h.encoder.encode(GET)
    number = [1]

    def reset():
        burst = b""
        for _ in range(50):
            burst += frame(HEADERS, 5, number[0], head) + frame(RST, 0, number[0], b"\0\0\0\x08")
            number[0] += 2
        c.raw(burst)

    c.pump()
    assert ended_calmly(c, reset, 1000) == CALM
    wait_for(lambda: errors(house, "h2_resets") > before, 5, "the flood is counted")
    assert client(house).ask().status == 200


@pytest.mark.parametrize("flood, times, cause", [
    (frame(PING, 0, 0, b"12345678") * 50, 1000, "h2_pings"),
    (frame(SETTINGS, 0, 0) * 10, 100, "h2_settings"),
], ids=["pings", "settings"])
def test_floods_of_frames(house, flood, times, cause):
    house.server.play(answering(OK))
    before = errors(house, cause)
    c = client(house)
    assert ended_calmly(c, lambda: c.raw(flood), times) == CALM
    wait_for(lambda: errors(house, cause) > before, 5, "the flood is counted")
    assert client(house).ask().status == 200


def test_priorities_cost_next_to_nothing(house):
    house.server.play(answering(OK))
    c = client(house)
    for _ in range(100):
        c.raw(frame(PRIORITY, 0, 1, b"\0\0\0\x03\x10") * 1000)
    assert c.ask().status == 200


def test_a_flood_of_empty_data(house):
    house.server.play(lambda peer, _: (peer.head(), peer.rest()))
    before = errors(house, "h2_empty_data")
    c = client(house)
    stream = c.send(POST, ends=False)
    assert ended_calmly(c, lambda: c.raw(frame(DATA, 0, stream) * 100), 100) == CALM
    wait_for(lambda: errors(house, "h2_empty_data") > before, 5, "the flood is counted")


def test_continuations_without_end(house):
    c = client(house)
    c.raw(frame(HEADERS, 0, 1, c.h.encoder.encode(GET)))
    try:
        for n in range(2000):
            c.raw(frame(CONTINUATION, 0, 1, b"\x40\x04name\x05value"))
    except OSError:
        pass
    assert c.until_end()[-1][1] in (CALM, PROTOCOL)
    house.server.play(answering(OK))
    assert client(house).ask().status == 200


def test_a_header_bomb(house):
    """One large field in the table, named by a byte each, thousands of times."""
    before = errors(house, "h2_headers")
    c = client(house)
    head = c.h.encoder.encode([*GET, ("bomb", "b" * 3900)])
    c.raw(frame(HEADERS, 4, 1, head + b"\xbe" * 12000))
    assert c.until_end()[-1][1] == CALM
    wait_for(lambda: errors(house, "h2_headers") > before, 5, "the bomb is counted")


def test_a_head_that_never_ends_is_not_waited_for(house):
    c = client(house)
    c.raw(frame(HEADERS, 0, 1, c.h.encoder.encode(GET)))
    began = time.monotonic()
    c.until_end()
    assert time.monotonic() - began < 8


def test_more_streams_than_allowed_are_refused(house):
    gate = threading.Event()

    def script(peer, _):
        while True:
            peer.head()
            assert gate.wait(10)
            peer.send(OK)

    house.server.play(script)
    c = client(house)
    head = c.h.encoder.encode(path("/h2-many"))
    c.raw(b"".join(frame(HEADERS, 5, 2 * n + 1, head) for n in range(120)))
    refused = []
    for kind, _, stream, payload in c.frames():
        if kind == RST:
            refused.append((stream, payload[-1]))
        if len(refused) == 20:
            break
    assert refused == [(2 * n + 1, REFUSED) for n in range(100, 120)]
    gate.set()
    c.close()


# Flow control


def test_a_slow_reader_costs_one_buffer_and_holds_up_nobody(house):
    size = 64 << 20

    def script(peer, _):
        head = peer.head()
        if b"/big" not in head:
            peer.send(OK)
            return
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 65536):
            peer.send(b"x" * 65536)

    house.server.play(script)
    c = client(house, is_greedy=False)
    c.ask()
    before = memory_kib(house.worker())
    slow = [c.send(path("/big")) for _ in range(8)]
    c.wait(lambda: sum(len(c.streams[s].body) for s in slow) > 65000)
    other = client(house)
    assert other.ask().status == 200
    grown = memory_kib(house.worker()) - before
    print(f"memory grown while 8 streams of 64 MiB wait for a client that does not read: {grown} KiB")
    assert grown < 2048
    c.close()


def test_a_window_that_stays_shut_is_not_waited_for_for_ever(house):
    house.server.play(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000))
    c = client(house, is_greedy=False)
    stream = c.send(path("/h2-stalled"))
    answer = c.response(stream)
    assert answer.reset == CANCEL and len(answer.body) == 65535
    assert house.logged("/h2-stalled")["end"] == "client-timeout"


def test_a_slow_server_bounds_what_the_client_may_send(house):
    gate = threading.Event()
    taken = []

    def script(peer, _):
        head = peer.head()
        if b"/upload" not in head:
            peer.send(OK)
            return
        assert gate.wait(20)
        digest = hashlib.sha256()
        left = 8 << 20
        while left:
            if not peer.buffer:
                peer.more()
            digest.update(peer.buffer)
            left -= len(peer.buffer)
            peer.buffer = b""
        taken.append(digest.hexdigest())
        peer.send(OK)

    house.server.play(script)
    c = client(house)
    body = bytes(range(256)) * (8 << 12)
    before = memory_kib(house.worker())
    stream = c.send([*path("/upload", POST), ("content-length", str(len(body)))], ends=False)
    sender = threading.Thread(target=c.data, args=(stream, body), daemon=True)
    sender.start()
    other = client(house)
    assert all(other.ask().status == 200 for _ in range(20))
    grown = memory_kib(house.worker()) - before
    print(f"memory grown while a server does not read an upload of 8 MiB: {grown} KiB")
    assert grown < 1024
    gate.set()
    sender.join(20)
    assert c.response(stream).status == 200
    assert taken == [hashlib.sha256(body).hexdigest()]


def test_a_client_that_cancels_ends_the_servers_work(house):
    ended = threading.Event()

    def script(peer, _):
        peer.head()
        try:
            peer.more()
        except (EOFError, OSError):
            ended.set()

    house.server.play(script)
    c = client(house)
    stream = c.send(path("/h2-cancel"))
    wait_for(lambda: house.server.heads, 5, "the server has the request")
    c.h.reset_stream(stream, CANCEL)
    c.flush()
    assert ended.wait(5)
    assert house.logged("/h2-cancel")["end"] == "client-abort"
    house.server.play(answering(OK))
    assert c.ask().status == 200


# WebSocket (RFC 8441)


WEBSOCKET = [(":method", "CONNECT"), (":protocol", "websocket"), *path("/ws")[1:], ("sec-websocket-version", "13")]
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n"


def echoing(peer, _number):
    head = peer.head()
    assert head.startswith(b"GET /ws HTTP/1.1") and field(head, b"upgrade") == b"websocket"
    assert len(field(head, b"sec-websocket-key")) == 24 and field(head, b"sec-websocket-version") == b"13"
    peer.send(SWITCHED + b"early")
    try:
        while True:
            if not peer.buffer:
                peer.more()
            data, peer.buffer = peer.buffer, b""
            peer.send(data)
    except EOFError:
        peer.send(b"bye")


def test_a_websocket_over_http_2(house):
    house.server.play(echoing)
    c = client(house, validates=False)
    streams = [c.send(WEBSOCKET, ends=False) for _ in range(10)]
    for stream in streams:
        c.wait(lambda: c.streams[stream].status and bytes(c.streams[stream].body) == b"early")
        assert c.streams[stream].status == 200 and "sec-websocket-accept" not in c.streams[stream].headers
    for stream in streams:
        c.data(stream, b"z" * 50000, ends=False)
    for stream in streams:
        c.wait(lambda: len(c.streams[stream].body) == 50005)
        assert bytes(c.streams[stream].body) == b"early" + b"z" * 50000
    c.h.end_stream(streams[0])
    c.flush()
    assert bytes(c.response(streams[0]).body).endswith(b"bye") and c.streams[streams[0]].reset is None
    entry = house.logged("/ws")
    assert (entry["status"], entry["end"]) == (101, "ok")
    c.h.reset_stream(streams[1], CANCEL)
    c.flush()
    assert not c.streams[streams[2]].is_ended
    c.close()


def test_a_large_exchange_over_a_websocket_is_whole(house):
    house.server.play(echoing)
    c = client(house, validates=False)
    stream = c.send(WEBSOCKET, ends=False)
    c.wait(lambda: c.streams[stream].status)
    body = hashlib.sha256(b"x").digest() * (64 << 10)
    c.data(stream, body, ends=False)
    c.wait(lambda: len(c.streams[stream].body) == 5 + len(body))
    assert bytes(c.streams[stream].body) == b"early" + body


def test_a_websocket_that_is_refused(house):
    house.server.play(answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"))
    c = client(house, validates=False)
    answer = c.response(c.send(WEBSOCKET, ends=False))
    assert (answer.status, bytes(answer.body)) == (403, b"no")
    assert client(house).ask().status == 403


# Real clients


def tool(name, *args):
    assert shutil.which(name), f"{name} is in packaging/dependencies"
    return subprocess.run([name, *args], capture_output=True, timeout=60)


def test_curl_moves_a_hundred_mebibytes_each_way(house):
    size = 100 << 20
    piece = hashlib.sha256(b"seed").digest() * 2048

    def script(peer, _):
        while True:
            head = peer.head()
            if head.startswith(b"GET"):
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
                for _ in range(size // len(piece)):
                    peer.send(piece)
                continue
            digest, left = hashlib.sha256(), int(field(head, b"content-length"))
            while left:
                if not peer.buffer:
                    peer.more()
                digest.update(peer.buffer)
                left -= len(peer.buffer)
                peer.buffer = b""
            answer = digest.hexdigest().encode()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + answer)

    house.server.play(script)
    url = f"http://127.0.0.1:{house.ports['www']}/big"
    expected = hashlib.sha256(piece * (size // len(piece))).hexdigest()
    before = memory_kib(house.worker())
    down = subprocess.run(f"curl -sS --http2-prior-knowledge {url} | tee >(sha256sum >&2) | "
                          f"curl -sS --http2-prior-knowledge -H 'content-length: {size}' -T - {url}",
                          shell=True, executable="/bin/bash", capture_output=True, timeout=60)
    print(f"memory grown while 100 MiB went each way: {memory_kib(house.worker()) - before} KiB")
    assert down.stdout.decode() == expected and expected in down.stderr.decode(), down.stderr
    assert memory_kib(house.worker()) - before < 2048


def test_nghttp_and_h2load(house):
    house.server.play(answering(OK))
    url = f"http://127.0.0.1:{house.ports['www']}/"
    assert b"\nok" in b"\n" + tool("nghttp", url).stdout
    said = tool("h2load", "-n", "2000", "-c", "4", "-m", "25", url).stdout
    assert b"2000 succeeded, 0 failed" in said, said


def until(c, claim):
    """Frames as they come, until the claim holds of their kinds; pings are answered."""
    kinds = []
    for one in c.frames():
        kinds.append(one[0])
        yield one
        if one[0] == PING and not one[1] & 1:
            c.raw(frame(PING, 1, 0, one[3]))
        if claim(kinds):
            return


# Leaving: last, as it takes the listener away


def test_z_drain_says_so_and_serves_what_is_on_its_way(house):
    gate = threading.Event()

    def script(peer, _):
        peer.head()
        assert gate.wait(10)
        peer.send(OK)

    house.server.play(script)
    c, idle = client(house, "trusting"), client(house, "trusting")
    stream = c.send()
    wait_for(lambda: house.server.heads, 5, "the server has the request")
    document = house.document()
    document["listeners"] = [one for one in document["listeners"] if one["name"] != "trusting"]
    house.node.put(document)
    seen = [(kind, payload) for kind, _, _, payload in until(c, lambda kinds: kinds.count(GOAWAY) == 2)]
    assert [payload[:8] for kind, payload in seen if kind == GOAWAY] == [
        struct.pack(">II", 2**31 - 1, NO_ERROR), struct.pack(">II", stream, NO_ERROR)]
    gate.set()
    rest = list(c.frames())
    assert [kind for kind, *_ in rest[:2]] == [HEADERS, DATA] and rest[1][3] == b"ok"
    assert [last for last, _ in idle.until_end()][:1] == [2**31 - 1]
    house.node.put(house.document())
