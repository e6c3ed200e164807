"""Tunnels that check every byte: tunnels.py COUNT HOST PORT [upgrade]. Echoes are compared with what was sent.

Prints "open" when all are established, and goes on sending until its standard input ends; then it closes each
tunnel in order and prints one JSON line: {"bytes", "wrong", "closed"}; closed counts those that ended by themselves.
"""
import json
import selectors
import socket
import sys
import time

PATTERN = bytes(range(251)) * 200  # its period shares no factor with any size of a buffer
PIECE = 700
UPGRADE = b"GET /socket HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"


class Tunnel:
    def __init__(self, host, port, upgrades):
        self.sock = socket.create_connection((host, port), timeout=20)
        self.sent = self.received = 0
        if upgrades:
            self.sock.sendall(UPGRADE)
            head = b""
            while b"\r\n\r\n" not in head:
                data = self.sock.recv(1)
                assert data, head
                head += data
            assert head.startswith(b"HTTP/1.1 101 "), head
        self.send()
        self.sock.setblocking(False)

    def send(self):
        at = self.sent % 251
        self.sent += self.sock.send(PATTERN[at:at + PIECE])

    def receive(self, tally):
        """False when it has ended."""
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        at = self.received % 251
        if data != PATTERN[at:at + len(data)]:
            tally["wrong"] += 1
        self.received += len(data)
        tally["bytes"] += len(data)
        return bool(data)


def main():
    count, host, port = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    tally = {"bytes": 0, "wrong": 0, "closed": 0}
    tunnels = [Tunnel(host, port, "upgrade" in sys.argv[4:]) for _ in range(count)]
    selector = selectors.DefaultSelector()
    for t in tunnels:
        selector.register(t.sock, selectors.EVENT_READ, t)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print("open", flush=True)
    going = True
    while going:
        for key, _ in selector.select():
            t = key.data
            if t is None:
                going = bool(sys.stdin.read(1))
                continue
            if not t.receive(tally):
                selector.unregister(t.sock)
                tunnels.remove(t)
                tally["closed"] += 1
            elif t.received == t.sent:
                t.send()
    finish(selector, tunnels, tally)


def finish(selector, tunnels, tally):
    """Half-closes each, and waits for the rest of its echo and its end."""
    for t in tunnels:
        t.sock.shutdown(socket.SHUT_WR)
    selector.unregister(sys.stdin)
    deadline = time.monotonic() + 20
    while tunnels and time.monotonic() < deadline:
        for key, _ in selector.select(1):
            t = key.data
            if not t.receive(tally):
                selector.unregister(t.sock)
                tunnels.remove(t)
                tally["wrong"] += t.received != t.sent
    tally["closed"] += len(tunnels)
    print(json.dumps(tally), flush=True)


main()
