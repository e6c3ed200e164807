"""The bus from outside: an SP client of a few lines, for stories that play control to one daemon alone."""
import json
import os
import socket
import struct
import threading
import time

REQ, REP, SUB, PUB = 0x30, 0x31, 0x21, 0x20


def handshake(protocol):
    return b"\0SP\0" + struct.pack(">HH", protocol, 0)


def receive(sock, n):
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data


class Caller:
    """A connection to NAME.req that asks as one of the daemons."""

    def __init__(self, path, as_daemon="control", timeout=2.0):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.sock.connect(str(path))
        self.sock.sendall(handshake(REQ))
        assert receive(self.sock, 8) == handshake(REP)
        self.as_daemon, self.serial = as_daemon, 0

    def ask(self, verb, body=None):
        self.serial += 1
        request = {"kind": "request", "id": self.serial, "from": self.as_daemon, "verb": verb,
                   "until": int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000) + 5000}
        if body is not None:
            request["body"] = body
        payload = struct.pack(">I", self.serial | 0x80000000) + json.dumps(request).encode()
        self.sock.sendall(b"\1" + struct.pack(">Q", len(payload)) + payload)
        (size,) = struct.unpack(">xQ", receive(self.sock, 9))
        answer = json.loads(receive(self.sock, size)[4:])
        assert answer["id"] == self.serial
        return answer

    def table(self, name):
        answer = self.ask("bus.table", {"table": name})
        assert answer["status"] == 0, answer
        return answer["body"]["rows"]

    def close(self):
        self.sock.close()


class Publisher:
    """Plays a daemon's two endpoints with fixed tables: what a follower fetches."""

    def __init__(self, folder, name):
        os.makedirs(folder, mode=0o750, exist_ok=True)
        self.epoch, self.sequence, self.tables = int(time.time()), 1, {}
        self.asked, self.subscribers = [], []
        self.lock = threading.Lock()
        self.is_over = False
        self.listeners = [self._listen(f"{folder}/{name}.req", self._serve),
                          self._listen(f"{folder}/{name}.pub", self._subscribe)]
        self._start(self._beat)

    def _start(self, run, *args):
        threading.Thread(target=run, args=args, daemon=True).start()

    def _listen(self, path, serve):
        if os.path.exists(path):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(16)
        self._start(self._accept, listener, serve)
        return listener

    def _accept(self, listener, serve):
        while not self.is_over:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self._start(serve, sock)

    def set(self, table, key, row):
        with self.lock:
            self.tables.setdefault(table, {})[key] = row
            self.sequence += 1
        self._publish()

    def _publish(self):
        beat = {"kind": "heartbeat", "epoch": self.epoch, "tables": {t: self.sequence for t in self.tables}}
        payload = json.dumps(beat).encode()
        with self.lock:
            for sock in list(self.subscribers):
                try:
                    sock.sendall(b"\1" + struct.pack(">Q", len(payload)) + payload)
                except OSError:
                    self.subscribers.remove(sock)

    def _beat(self):
        while not self.is_over:
            self._publish()
            time.sleep(0.2)

    def _subscribe(self, sock):
        try:
            sock.sendall(handshake(PUB))
            receive(sock, 8)
        except OSError:
            return
        with self.lock:
            self.subscribers.append(sock)

    def _serve(self, sock):
        try:
            sock.sendall(handshake(REP))
            receive(sock, 8)
            while True:
                (size,) = struct.unpack(">xQ", receive(sock, 9))
                payload = receive(sock, size)
                request = json.loads(payload[4:])
                with self.lock:
                    rows = self.tables.get((request.get("body") or {}).get("table"), {})
                    body = {"epoch": self.epoch, "sequence": self.sequence, "rows": rows}
                reply = payload[:4] + json.dumps({"kind": "reply", "id": request["id"], "status": 0, "why": "",
                                                  "body": body}).encode()
                sock.sendall(b"\1" + struct.pack(">Q", len(reply)) + reply)
        except OSError:
            pass

    def close(self):
        self.is_over = True
        for listener in self.listeners:
            listener.close()
