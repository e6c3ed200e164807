"""Connections that live long: WebSockets, server-sent events, long polling: `idle` is for clients that ask nothing."""
import socket
import time

import pytest

from http_house import Peer, Server
from lab import Lab, free_port, wait_for

UPGRADE = (b"GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
GET = b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n"
IDLE, TUNNEL_IDLE = 0.3, 1.0


@pytest.fixture(scope="module")
def house():
    with Lab("long") as lab:
        node, server, port = lab.node("lb-a", workers=1), Server(), free_port()
        node.start("control", "data")
        node.put({"stack": "s", "pools": [{"name": "p", "protocol": "http",
                                           "servers": [{"name": "s", "address": f"127.0.0.1:{server.port}"}]}],
                  "listeners": [{"name": "l", "bind": [f"127.0.0.1:{port}"], "protocol": "http", "pool": "p",
                                 "timeouts": {"idle": f"{int(IDLE * 1000)}ms", "tunnel_idle": f"{int(TUNNEL_IDLE * 1000)}ms"}}]})
        server.client = lambda: Peer(socket.create_connection(("127.0.0.1", port), 5))
        yield server


def test_a_websocket_has_an_idle_time_of_its_own(house):
    def echo(peer, _number):
        peer.head()
        peer.send(SWITCH)
        while True:
            peer.send(peer.exactly(4))

    house.play(echo)
    c = house.client()
    c.send(UPGRADE)
    assert c.head().startswith(b"HTTP/1.1 101")
    for _ in range(3):
        time.sleep(2 * IDLE)  # what is tested is time: longer than `idle` without a byte
        c.send(b"ping")
        assert c.exactly(4) == b"ping"
    started = time.monotonic()
    with pytest.raises((EOFError, ConnectionResetError)):
        c.exactly(1)
    assert time.monotonic() - started >= TUNNEL_IDLE - 0.1


def test_server_sent_events(house):
    """Events arrive as they are sent, with pauses longer than `idle`; the client's leaving is passed on."""
    left = []

    def events(peer, _number):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\n")
        for n in range(3):
            peer.send(b"data: %d\n\n" % n)
            time.sleep(2 * IDLE)
        try:
            while True:  # an end alone may be half a close: who has left shows when it is sent to
                peer.send(b": beat\n")
                time.sleep(0.05)
        except OSError:
            left.append(time.monotonic())

    house.play(events)
    c = house.client()
    c.send(GET)
    assert b"text/event-stream" in c.head()
    for n in range(3):
        started = time.monotonic()
        while b"data: %d\n\n" % n not in c.buffer:
            c.more()
        assert time.monotonic() - started < 2 * IDLE + 0.5  # not held back for the next
    c.s.close()
    wait_for(lambda: left, 5, "the server to be told")


def test_long_polling(house):
    """An answer that takes longer than `idle`; and the connection is then good for another."""
    def late(peer, _number):
        while True:
            peer.head()
            time.sleep(2 * IDLE)
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    house.play(late)
    c = house.client()
    for _ in range(2):
        c.send(GET)
        assert c.response()[::2] == (200, b"ok")
