"""What a listener lets in: new connections a second, and connections of one client, over all workers."""
import os
import re
import select
import signal
import socket
import struct
import time

import pytest

from lab import wait_for
from test_data_tcp import Backend, serve


def metric(node, name, **labels):
    text = node.api("GET", "/metrics")[1]
    found = re.findall(rf"^{name}{{([^}}]*)}} (\d+)", text, re.M)
    return sum(int(n) for have, n in found if all(f'{k}="{v}"' in have for k, v in labels.items()))


@pytest.fixture
def node(lab):
    return lab.node("lb-a", workers=2)


def test_a_storm_of_connections_is_smoothed(node, figure):
    """300 clients at once at 150 a second: all are served, none is reset, no faster than the rate."""
    port = serve(node, [Backend("a")], listener={"connection_rate": 150})
    started = time.monotonic()
    clients, greeted = {}, []
    for _ in range(300):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex(("127.0.0.1", port))
        clients[c.fileno()] = c
    poll = select.poll()
    for c in clients.values():
        poll.register(c, select.POLLIN)
    while len(greeted) < 300:
        ready = poll.poll(20000)
        assert ready, f"{len(greeted)} of 300 were served"
        for fd, _ in ready:
            assert clients[fd].recv(10) == b"a\n"
            greeted.append(time.monotonic() - started)
            poll.unregister(fd)
    for c in clients.values():
        c.close()
    for n, at in enumerate(greeted, 1):
        assert n <= 150 * at + 15 + 1, f"{n} connections after {at:.3f} s"
    assert metric(node, "ballast_listener_rate_pauses_total", listener="in") > 0
    figure("300 clients at once at 150 a second", f"served over {greeted[-1]:.2f} s")


def test_the_rate_is_reached(node):
    """What waits is let in as soon as the rate allows: lateness of timers costs nothing."""
    port = serve(node, [Backend("a")], listener={"connection_rate": 100})
    clients = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(150)]
    started = time.monotonic()
    for c in clients:
        assert c.recv(10) == b"a\n"
        c.close()
    assert time.monotonic() - started < 4.0  # 1.4 s and room for a loaded machine


class Held:
    """A connection that knows whether it was let in."""

    def __init__(self, port, source="127.0.0.1", header=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), 5, source_address=(source, 0))
        try:
            self.socket.sendall(header)
            self.is_in = self.socket.recv(10) == b"a\n"
        except ConnectionError:
            self.is_in = False

    def has_news(self):
        """Something came, or its end. (Not select(): a long run of stories has descriptors above 1023.)"""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(0))

    def close(self):
        self.socket.close()


def test_connections_of_one_client(node):
    port = serve(node, [Backend("a")], listener={"maximum_connections_per_client": 6})
    held = [Held(port) for _ in range(6)]
    assert all(h.is_in for h in held)
    assert not any(Held(port).is_in for _ in range(4))
    assert metric(node, "ballast_listener_errors_total", listener="in", cause="client_limit") == 4
    assert all(Held(port, f"127.0.0.{n}").is_in for n in range(2, 8))  # others are not in its way
    held.pop().close()
    held.append(wait_for(lambda: next((h for h in [Held(port)] if h.is_in), None), 5, "the place that was given back"))
    # a worker dies with its share: what it held may be taken anew, and not more
    pid = node.workers()[0]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: pid not in node.workers() and len(node.workers()) == 2, 10, "its successor")
    left = [h for h in held if not h.has_news()]
    more = []

    def is_full():
        h = Held(port)
        if h.is_in:
            more.append(h)
        return not h.is_in and len(left) + len(more) == 6

    wait_for(is_full, 10, "six again")


def test_the_client_is_whom_a_proxy_header_names(node):
    port = serve(node, [Backend("a")], listener={"maximum_connections_per_client": 2, "accept_proxy_protocol": True})

    def said(client):
        return f"PROXY TCP4 {client} 10.0.0.1 1 2\r\n".encode()

    held = [Held(port, header=said("192.0.2.1")) for _ in range(2)]
    assert all(h.is_in for h in held)
    assert not Held(port, header=said("192.0.2.1")).is_in
    others = [Held(port, header=said("192.0.2.2")) for _ in range(2)]
    assert all(h.is_in for h in others)
