"""What stories of pools are made of: named servers that can be told to misbehave, and a node with two workers."""
import json
import re
import socket

from http_house import Peer, Server
from lab import free_port, wait_for


class Named(Server):
    """An HTTP server that answers with its name, as `reply` says: (status, further fields) for a request head."""

    def __init__(self, name):
        super().__init__()
        self.name = name
        self.reply = lambda head: (200, "")
        self.seen = []  # request heads
        self.script = self.serve

    def serve(self, peer, _number):
        while True:
            head = peer.head()
            self.seen.append(head)
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            if length:
                peer.exactly(int(length[1]))
            answer = self.reply(head)
            if answer is None:
                peer.reset()
                return
            status, fields = answer
            body = b"" if head.startswith(b"HEAD") else self.name.encode()
            peer.send(f"HTTP/1.1 {status} X\r\n{fields}Content-Length: {len(self.name)}\r\n\r\n".encode() + body)

    def misbehave(self, status, fields=""):
        self.reply = lambda head: (status, fields)

    def reset_all(self):
        self.reply = lambda head: None

    def behave(self):
        self.reply = lambda head: (200, "")

    def end(self):
        """Gone: connections are refused, those there are end."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in list(self.live):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class PoolHouse:
    """A node with two workers; one pool `web` of named servers, one listener `www`."""

    def __init__(self, lab, servers=3, workers=2, daemons=("control", "data"), extra="", name="lb-a"):
        self.servers = {f"w{n}": Named(f"w{n}") for n in range(servers)}
        self.port = free_port()
        self.node = lab.node(name, workers=workers, extra=extra).start(*daemons)

    def put(self, servers=None, listener=None, more=(), **pool):
        """Puts the pool in force: servers gives further fields by name (None: left out)."""
        servers = servers or {}
        rows = [{"name": name, "address": f"127.0.0.1:{server.port}", **servers.get(name, {})}
                for name, server in self.servers.items() if servers.get(name, {}) is not None]
        self.node.put({
            "stack": "shop",
            "pools": [{"name": "web", "protocol": "http", "servers": rows, **pool}],
            "listeners": [{"name": "www", "bind": [f"127.0.0.1:{self.port}"], "protocol": "http", "pool": "web",
                           "access_log": {"format": "json"}, **(listener or {})}, *more]})
        wait_for(lambda: len(self.node.workers()) > 0, 5, "workers")

    def connect(self, source=None):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=10, source_address=(source, 0) if source else None)
        return Peer(s)

    def get(self, *fields, path="/", method="GET", source=None, body=b""):
        """(status, who answered, response head), on a connection of its own, so that any worker may have it."""
        peer = self.connect(source)
        lines = "".join(f"{line}\r\n" for line in fields)
        if body:
            lines += f"Content-Length: {len(body)}\r\n"
        peer.send(f"{method} {path} HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n".encode() + body)
        status, head, content = peer.response(is_for_head=method == "HEAD")
        peer.s.close()
        return status, content.decode(), head.decode()

    def metric(self, name, **labels):
        """The sum of a metric's rows that have these labels."""
        text = self.node.api("GET", "/metrics")[1]
        total = 0.0
        for line in text.splitlines():
            found = re.match(rf"{name}\{{(.*)\}} (\S+)$", line)
            if found and all(f'{k}="{v}"' in found[1] for k, v in labels.items()):
                total += float(found[2])
        return total

    def log(self):
        text = (self.node.state / "log" / "www.log").read_text()
        return [json.loads(line) for line in text.splitlines()]


def cookie_of(head, name="SID"):
    """The value and the attributes of the one cookie of that name that a response sets; None: none."""
    found = re.findall(rf"(?i)\r\nset-cookie: *{name}=([^;\r]*)([^\r]*)", head)
    assert len(found) <= 1, head
    return found[0] if found else None
