"""HTTP/1.1 through a real worker: clients and servers that are slow, half closed, or reset, in each phase of an exchange."""
import socket
import threading
import time
from pathlib import Path

import pytest

from http_house import HEAD, OK, answering, field, house  # noqa: F401 (house is a fixture)
from lab import wait_for

POST = b"POST /%s HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
CHUNKED = b"POST /%s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n"


def descriptors(house):
    return len(list(Path(f"/proc/{house.worker()}/fd").iterdir()))


class Ends:
    """A script's end, as the other side made it: waits for it and tells how it came."""

    def __init__(self):
        self.event, self.how = threading.Event(), None

    def await_end(self, peer):
        try:
            while True:
                if peer.s.recv(65536) == b"":
                    self.how = "end"
                    break
        except OSError:
            self.how = "reset"
        self.event.set()


# The client resets


def client_phases(house, ends):
    """{phase: (what the server does, what the client does before it resets)}"""

    def reads(peer, _):
        peer.head()
        ends.await_end(peer)

    def answers_head(peer, _):
        peer.head()
        peer.send(LONG)
        ends.await_end(peer)

    def answers_all(peer, _):
        peer.head()
        try:
            peer.send(LONG + b"x" * 5000000)
        except OSError:
            ends.event.set()
            return
        ends.await_end(peer)

    def part_of_a_body(client):
        client.send(POST % b"reset-part-of-a-body" + b"x" * 1000)
        wait_for(lambda: house.server.heads, 5)

    def part_of_a_chunk(client):
        client.send(CHUNKED % b"reset-part-of-a-chunk" + b"ff\r\nabc")
        wait_for(lambda: house.server.heads, 5)

    def waiting(client):
        client.send(b"GET /reset-waiting HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: house.server.heads, 5)

    def head_of_a_response(client):
        client.send(b"GET /reset-head-of-a-response HTTP/1.1\r\nHost: a\r\n\r\n")
        client.head()

    def response_not_read(client):
        client.send(b"GET /reset-response-not-read HTTP/1.1\r\nHost: a\r\n\r\n")
        client.head()
        time.sleep(0.1)  # the worker has more than the client takes

    return {"part-of-a-body": (reads, part_of_a_body), "part-of-a-chunk": (reads, part_of_a_chunk), "waiting": (reads, waiting),
            "head-of-a-response": (answers_head, head_of_a_response), "response-not-read": (answers_all, response_not_read)}


@pytest.mark.parametrize("phase", ["part-of-a-body", "part-of-a-chunk", "waiting", "head-of-a-response", "response-not-read"])
def test_a_client_that_resets_frees_its_server_in_each_phase(house, phase):
    house.server.play(answering(OK))
    house.ask(HEAD)
    before = descriptors(house)
    ends = Ends()
    script, act = client_phases(house, ends)[phase]
    house.server.play(script)
    client = house.client()
    act(client)
    client.reset()
    assert ends.event.wait(5), "the server was left at work for nobody"
    assert house.logged(f"/reset-{phase}")["end"] == "client-abort"
    house.server.play(answering(OK))
    assert house.ask(HEAD)[0] == 200
    wait_for(lambda: descriptors(house) <= before + 2, 5, "no descriptor to stay but those of a pipe that is kept")


@pytest.mark.parametrize("part", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: a"])
def test_a_client_that_resets_before_its_head_is_whole_leaves_nothing(house, part):
    house.server.play(answering(OK))
    house.ask(HEAD)
    before = descriptors(house)
    client = house.client()
    client.send(part)
    client.reset()
    assert house.ask(HEAD)[0] == 200
    wait_for(lambda: descriptors(house) <= before, 5, "no descriptor to stay")


# The server resets, or ends


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("phase, status, end", [
    ("accepted", 502, ("server-reset", "server-closed")),
    ("part-of-a-request", 502, ("server-reset", "server-closed")),
    ("part-of-a-head", 502, ("server-reset", "server-closed", "bad-response")),
    ("interim", 502, ("server-reset", "server-closed")),
    ("part-of-a-body", None, ("server-reset", "server-closed")),
])
def test_a_server_that_ends_is_seen_in_each_phase(house, phase, status, end, reset):
    name = f"/ends-{phase}-{reset}"

    def script(peer, _):
        if phase == "accepted":
            peer.more()
        else:
            peer.head()
        if phase == "part-of-a-head":
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")
        if phase == "interim":
            peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        if phase == "part-of-a-body":
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        if phase in ("interim", "part-of-a-body"):
            wait_for(lambda: house.seen, 5)
        if reset:
            peer.reset()

    house.server.play(script)
    house.seen = False
    client = house.client()
    body = b"x" * 100 if phase == "part-of-a-request" else b"x" * 1000
    client.send(b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" % name.encode() + body)
    if phase in ("interim", "part-of-a-body"):
        assert client.head().split(b" ")[1] == (b"103" if phase == "interim" else b"200")
        house.seen = True
    if status:
        assert client.response()[0] == status
    else:
        with pytest.raises((EOFError, ConnectionResetError)):
            client.exactly(10)
    entry = house.logged(name)
    assert entry["end"] in end and entry["retries"] == 0, entry


def test_a_server_that_sends_its_end_first_still_reads_the_request(house):
    """A response to the end of the connection, with the request's body still on its way: half-closed."""
    got = []

    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nearly")
        peer.s.shutdown(socket.SHUT_WR)
        got.append(peer.rest())

    house.server.play(script)
    client = house.client()
    client.send(b"POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
    status, head, body = client.response()
    assert (status, body) == (200, b"early") and field(head, b"connection") == b"close"
    wait_for(lambda: got, 5)


# Slow ones


def test_a_slow_writer_is_waited_for_byte_by_byte(house):
    seen = []

    def script(peer, _):
        peer.head()
        seen.append(peer.exactly(20))
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b"y" * 20:
            peer.send(bytes([byte]))

    house.server.play(script)
    client = house.client()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n")
    for _ in range(20):
        client.send(b"z")
        time.sleep(0.1)  # slower in all than request_head and idle, never silent for as long
    assert client.response()[2] == b"y" * 20
    assert seen == [b"z" * 20]


def test_a_slow_server_holds_its_client_back(house):
    go = threading.Event()
    size = 60_000_000  # more than the kernel keeps for the worker
    taken = []

    def script(peer, _):
        peer.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        peer.head()
        go.wait(30)
        left = size - len(peer.buffer)
        while left:
            data = peer.s.recv(1 << 20)
            if not data:
                raise EOFError
            left -= len(data)
        taken.append(size)
        peer.send(OK)

    house.server.play(script)
    client = house.client("patient")
    client.s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
    client.s.settimeout(0.3)
    sent = 0
    try:
        while sent < size:
            sent += client.s.send(b"x" * min(65536, size - sent))
    except TimeoutError:
        pass
    assert sent < size, "all of it was taken for a server that reads nothing"
    go.set()
    client.s.settimeout(30)
    client.send(b"x" * (size - sent))
    assert client.response()[0] == 200 and taken == [size]


def test_a_client_silent_in_its_body_is_told_so(house):
    house.server.play(lambda peer, _: peer.head() and peer.rest())
    client = house.client()
    client.send(b"POST /silent-body HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    assert client.response()[0] == 408
    assert house.logged("/silent-body")["end"] == "client-timeout"


def test_a_client_that_takes_nothing_is_given_up(house):
    ends = Ends()

    def script(peer, _):
        peer.head()
        try:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n" + b"x" * 50000000)
        except OSError:
            pass
        ends.event.set()

    house.server.play(script)
    client = house.client("patient")
    client.send(b"GET /takes-nothing HTTP/1.1\r\nHost: a\r\n\r\n")
    assert ends.event.wait(20), "held for ever"
    assert house.logged("/takes-nothing", "patient")["end"] == "client-timeout"
    with pytest.raises((EOFError, ConnectionResetError)):
        client.head()
        client.exactly(50000000)


# An answer before the request is whole


@pytest.mark.parametrize("request_head, rest", [
    (b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n", b"0123456789"),
    (b"POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"a\r\n0123456789\r\n0\r\n\r\n"),
])
def test_after_an_early_answer_nothing_is_read_as_a_request(house, request_head, rest):
    house.server.play(answering(OK))
    client = house.client()
    client.send(request_head)
    status, head, body = client.response()
    assert (status, body) == (200, b"ok") and field(head, b"connection") == b"close"
    try:
        client.send(rest + b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
    except OSError:
        pass
    assert client.is_ended()
    assert not any(b"/never" in seen for seen in house.server.heads)
