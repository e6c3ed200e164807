"""What http stories are made of: raw clients and scripted servers, and a real worker between them (house)."""
import json
import re
import socket
import struct
import threading

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
        self.script = answering(OK)
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
        self.ports = {name: free_port() for name in ("www", "limited", "trusting", "spread", "empty", "one", "narrow", "patient", "first")}
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
        patient = pool("patient", self.server.port)
        patient["timeouts"] = {"connect": "1s", "response": "30s", "idle": "30s"}
        return {
            "stack": "shop",
            "pools": [pool("web", self.server.port), narrow, patient, pool("spread", self.dead, self.server.port),
                      pool("none", self.dead, retry={"attempts": 0}), pool("one", self.server.port, retry={"attempts": 0})],
            "listeners": [
                listener("www", "web", access_log={"format": "json"}),
                listener("limited", "web", maximum_request_body=1000),
                listener("trusting", "web", forwarded={"trust": ["127.0.0.0/8"]}),
                listener("spread", "spread"), listener("empty", "none"), listener("one", "one"),
                listener("narrow", "narrow"), listener("patient", "patient", access_log={"format": "json"}),
                listener("first", "web", http2=False)],
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

    def logged(self, path, listener="www"):
        """The log entry of the request for a path that only one test uses."""

        def find():
            for line in self.log.with_name(f"{listener}.log").read_text().splitlines():
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
        made.server.play(answering(OK))
        made.ask(HEAD)  # leaves a connection to the server idle
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal="):
            assert trouble not in text, text


def field(head, name):
    found = re.findall(rb"(?i)\r\n" + name + rb": *([^\r]*)", head)
    return found[0] if len(found) == 1 else found
