"""Many clients in one process, told what to do by lines: crowd.py HOST PORT [--from ADDRESS...] [--ws PATH]

open N      opens N more connections (with --ws: WebSockets), a few hundred at a time
ask         sends a text of its own on each, and waits for it to come back (with --ws: as a message)
close       closes all
Each line is answered with a JSON object: how many are open, answered or failed, why the first failed, and the seconds it took.
"""
import argparse
import errno
import json
import os
import resource
import select
import socket
import struct
import sys
import time

AT_ONCE = 300
IP_BIND_ADDRESS_NO_PORT = 24


class Client:
    def __init__(self, crowd, number):
        self.crowd, self.number, self.received, self.error = crowd, number, b"", None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        if crowd.options.sources:
            self.socket.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            self.socket.bind((crowd.options.sources[number % len(crowd.options.sources)], 0))
        code = self.socket.connect_ex((crowd.options.host, crowd.options.port))
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))

    def text(self):
        return b"%d:%d" % (self.number, self.crowd.turn)

    def begin(self):
        """Connected: with a WebSocket there is more to do."""
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        if not self.crowd.options.ws:
            return True
        self.socket.send(b"GET %s HTTP/1.1\r\nHost: crowd\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                         b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                         % self.crowd.options.ws.encode())
        return False

    def upgraded(self):
        self.more()
        if b"\r\n\r\n" not in self.received:
            return False
        if not self.received.startswith(b"HTTP/1.1 101"):
            raise OSError(errno.EPROTO, self.received.split(b"\r\n")[0].decode())
        self.received = b""
        return True

    def send(self):
        text = self.text()
        if self.crowd.options.ws:  # one masked text frame (RFC 6455 section 5.2), the mask being zero
            text = struct.pack(">BBI", 0x81, 0x80 | len(text), 0) + text
        self.socket.send(text)

    def has_answer(self):
        self.more()
        expected = self.text()
        if self.crowd.options.ws:
            expected = bytes([0x81, len(expected)]) + expected
        if len(self.received) < len(expected):
            return False
        if self.received != expected:
            raise OSError(errno.EPROTO, f"{self.received[:100]!r} instead of {expected!r}")
        self.received = b""
        return True

    def more(self):
        data = self.socket.recv(4096)
        if not data:
            raise OSError(errno.ECONNRESET, "ended")
        self.received += data


class Crowd:
    def __init__(self, options):
        self.options, self.clients, self.turn = options, [], 0

    def run(self, clients, first, events, *steps):
        """Takes each client through steps, AT_ONCE of them at a time; returns (done, failed, why the first failed)."""
        waiting, running, done, failed, why = list(clients)[::-1], {}, 0, 0, None
        poll = select.epoll()

        def fail(error):
            nonlocal failed, why
            failed += 1
            why = why or str(error)

        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                try:
                    client = first(waiting.pop())
                    running[client.socket.fileno()] = (client, 0)
                    poll.register(client.socket.fileno(), events)
                except OSError as error:
                    fail(error)
            ready = poll.poll(30)
            if running and not ready:
                return done, failed + len(running) + len(waiting), why or "nothing for 30 s"
            for fd, _ in ready:
                client, step = running[fd]
                try:
                    if steps[step](client):
                        step = len(steps)
                    elif steps[step] is Client.begin:
                        step += 1
                        poll.modify(fd, select.EPOLLIN)
                except BlockingIOError:
                    pass
                except OSError as error:
                    fail(error)
                    step = None
                if step is None or step == len(steps):
                    done += step is not None
                    poll.unregister(fd)
                    del running[fd]
                else:
                    running[fd] = (client, step)
        return done, failed, why

    def open(self, count):
        def connect(number):
            client = Client(self, number)
            self.clients.append(client)
            return client

        start = len(self.clients)
        return self.run(range(start, start + count), connect, select.EPOLLOUT, Client.begin, Client.upgraded)

    def ask(self):
        def send(client):
            client.send()
            return client

        self.turn += 1
        return self.run(self.clients, send, select.EPOLLIN, Client.has_answer)

    def close(self):
        for client in self.clients:
            client.socket.close()
        self.clients.clear()
        return 0, 0, None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--from", dest="sources", nargs="*")
    parser.add_argument("--ws")
    crowd = Crowd(parser.parse_args())
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print("ready", flush=True)
    for line in sys.stdin:
        words = line.split()
        started = time.monotonic()
        done, failed, why = crowd.open(int(words[1])) if words[0] == "open" else getattr(crowd, words[0])()
        print(json.dumps({"open": len(crowd.clients), "done": done, "failed": failed, "why": why,
                          "seconds": round(time.monotonic() - started, 2)}), flush=True)


if __name__ == "__main__":
    main()
