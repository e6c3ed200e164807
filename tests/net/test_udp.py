"""The udp listener: flows, answers from the right address, servers that go, limits, generations, processes."""
import os
import signal
import socket
import struct
import threading
import time

import pytest

from lab import Lab, free_port, wait_for
from test_accept_limits import metric
from test_proxy_protocol import SIGNATURE


class Server:
    """A UDP server in this process: answers NAME:DATAGRAM, as often as a datagram b"N times" asks."""

    def __init__(self, name, address="127.0.0.1", port=0):
        self.name, self.got, self.sources = name, [], set()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((address, port))
        self.port = self.socket.getsockname()[1]
        self.address = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
        self.is_silent = False
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                data, source = self.socket.recvfrom(65536)
            except OSError:
                return
            if self.is_ended:
                return
            self.got.append(data)
            self.sources.add(source)
            times = int(data.split()[0]) if data.endswith(b" times") else 1
            for _ in range(0 if self.is_silent else times):
                self.socket.sendto(self.name.encode() + b":" + data, source)

    is_ended = False

    def stop(self):
        self.is_ended = True
        with socket.socket(self.socket.family, socket.SOCK_DGRAM) as s:
            s.sendto(b"", (self.socket.getsockname()[0], self.port))
        self.socket.close()


class Client:
    def __init__(self, port, address="127.0.0.1", source=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((address, port))
        self.socket.settimeout(5)

    def send(self, data):
        self.socket.send(data)

    def ask(self, data=b"x"):
        self.socket.send(data)
        return self.socket.recv(65536)

    def name(self):
        """Who answers; asks again when a datagram was lost on the way."""
        return self.ask(b"who").split(b":")[0].decode()

    def asks_until(self, what, within=10):
        self.socket.settimeout(0.2)
        return wait_for(lambda: what(self.ask(b"who")), within, "the answer")


def document(port, servers, pool=None, listener=None, bind=None):
    return {"stack": "udp",
            "pools": [{"name": "p", "protocol": "udp", "servers": [{"name": s.name, "address": s.address} for s in servers],
                       **(pool or {})}],
            "listeners": [{"name": "in", "bind": bind or [f"127.0.0.1:{port}"], "protocol": "udp", "pool": "p",
                           **(listener or {})}]}


def udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def node(lab):
    return lab.node("lb-a", workers=2)


def serve(node, *args, **kwargs):
    port = udp_port()
    node.start("control", "data")
    node.put(document(port, *args, **kwargs))
    return port


def is_refused(port):
    c = Client(port)
    c.socket.settimeout(0.5)
    try:
        c.ask()
    except ConnectionRefusedError:
        return True
    return False


def flows(node):
    return next(r for r in node.status()["listeners"] if r["name"] == "in")["connections"]


def test_flows(node):
    """A client stays with its server; clients are dealt out; datagrams of any size go both ways, whole and apart."""
    a, b = Server("a"), Server("b")
    port = serve(node, [a, b])
    clients = [Client(port) for _ in range(20)]
    names = [c.name() for c in clients]
    assert 8 <= names.count("a") <= 12
    for _ in range(3):
        assert [c.name() for c in clients] == names
    assert len(a.sources) + len(b.sources) == 20
    for size in (0, 1, 1400, 9000, 65000):
        assert clients[0].ask(b"s" * size) == names[0].encode() + b":" + b"s" * size
    clients[1].send(b"50 times")
    assert [clients[1].socket.recv(100) for _ in range(50)] == [names[1].encode() + b":50 times"] * 50
    wait_for(lambda: flows(node) == 20, 5, "20 flows")
    wait_for(lambda: metric(node, "ballast_listener_datagrams_total", listener="in", direction="out") == 20 * 4 + 5 + 50, 5, "the count")
    assert metric(node, "ballast_listener_datagrams_dropped_total", listener="in") == 0


def test_source_hash(node):
    servers = [Server(n) for n in "abcd"]
    port = serve(node, servers, pool={"balance": "source-hash"})
    seen = set()
    for n in range(1, 17):
        names = {Client(port, source=f"127.0.0.{n}").name() for _ in range(3)}
        assert len(names) == 1
        seen |= names
    assert len(seen) > 1


def test_answers_come_from_the_address_that_was_asked(node):
    a = Server("a")
    port = udp_port()
    serve(node, [a], bind=[f"*:{port}"])
    for address in ("127.0.0.1", "127.0.0.5", "::1"):  # a connected socket hears nobody else
        c = Client(port, address)
        assert c.ask() == b"a:x"
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.settimeout(5)
    for address in ("127.0.0.7", "127.0.0.8"):
        one.sendto(b"x", (address, port))
        assert one.recvfrom(100) == (b"a:x", (address, port))


def test_silent_flows_end(node):
    a = Server("a")
    port = serve(node, [a], listener={"timeouts": {"udp_idle": "300ms"}})
    c = Client(port)
    c.name()
    wait_for(lambda: flows(node) == 1, 5, "the flow")
    started = time.monotonic()
    while time.monotonic() - started < 0.6:
        c.name()
        time.sleep(0.05)
    assert len(a.sources) == 1  # it is not idle
    wait_for(lambda: flows(node) == 0, 5, "its end")
    c.name()
    assert len(a.sources) == 2
    line = wait_for(lambda: (node.state / "log" / "in.log").read_text().splitlines()[0], 5, "a line for the flow")
    for field in ("listener=in", "client=127.0.0.1", "pool=p", "server=a", "end=ok"):
        assert field in line, line


def test_a_server_that_refuses(node):
    """ICMP says that nobody listens: the client's next datagrams go to another server, and others' flows are in peace."""
    a, b = Server("a"), Server("b")
    port = serve(node, [a, b])
    clients = [Client(port) for _ in range(10)]
    names = [c.name() for c in clients]
    a.stop()
    for c, name in zip(clients, names):
        assert c.asks_until(lambda answer: answer == b"b:who")
        if name == "b":
            assert c.name() == "b"
    wait_for(lambda: metric(node, "ballast_server_connect_failures_total", server="a") >= 1, 5, "the count")
    assert len(b.sources) >= 10


def test_no_server(node):
    a = Server("a")
    port = serve(node, [a], pool={"servers": [{"name": "a", "address": a.address, "weight": 0}]})
    c = Client(port)
    c.send(b"x")
    wait_for(lambda: metric(node, "ballast_listener_errors_total", listener="in", cause="no_server") == 1, 5, "the count")
    assert flows(node) == 0


def test_limits(node):
    """At the limit the flow that was silent longest makes room, and a fresh one does not."""
    a = Server("a")
    port = serve(node, [a], listener={"maximum_connections": 4})
    old = [Client(port) for _ in range(4)]
    assert all(c.name() == "a" for c in old)
    crowd = [Client(port) for _ in range(20)]
    for c in crowd:
        c.send(b"x")
    wait_for(lambda: metric(node, "ballast_listener_refused_total", listener="in") >= 1, 5, "a refusal")
    assert flows(node) <= 4
    for c in crowd[:4]:
        assert c.asks_until(lambda answer: answer == b"a:who")
    assert flows(node) <= 4


def test_flows_of_one_client(node):
    a = Server("a")
    port = serve(node, [a], listener={"maximum_connections_per_client": 3})
    clients = [Client(port) for _ in range(5)]
    for c in clients:
        c.send(b"x")
    wait_for(lambda: metric(node, "ballast_listener_errors_total", listener="in", cause="client_limit") == 2, 5, "two refused")
    assert Client(port, source="127.0.0.9").name() == "a"
    wait_for(lambda: flows(node) == 4, 5, "three flows and one")


def test_the_proxy_header_is_in_each_datagram(node):
    a = Server("a")
    port = serve(node, [a], pool={"send_proxy_protocol": "v2"})
    c = Client(port)
    for _ in range(2):
        answer = c.ask(b"hello")[2:]
        at, to = c.socket.getsockname(), c.socket.getpeername()
        assert answer == SIGNATURE + struct.pack(">BBH4s4sHH", 0x21, 0x12, 12, socket.inet_aton(at[0]),
                                                 socket.inet_aton(to[0]), at[1], to[1]) + b"hello"


def test_generations(node):
    """A change leaves flows in peace; a removed server's clients find another; a removed listener is gone at once,
    beside a tcp listener of the same address."""
    a, b = Server("a"), Server("b")
    port = serve(node, [a, b])
    clients = [Client(port) for _ in range(8)]
    names = [c.name() for c in clients]
    tcp = {"name": "t", "bind": [f"127.0.0.1:{port}"], "protocol": "tcp", "pool": "q"}
    both = document(port, [a, b], listener={"timeouts": {"udp_idle": "20s"}})
    both["listeners"].append(tcp)
    both["pools"].append({"name": "q", "protocol": "tcp", "servers": [{"name": "a", "address": "127.0.0.1:9"}]})
    node.put(both)
    assert [c.name() for c in clients] == names
    assert len(a.sources) + len(b.sources) == 8
    only = document(port, [b], listener={"drain_timeout": "1s"})
    node.put(only)
    for c in clients:
        assert c.asks_until(lambda answer: answer == b"b:who")
    only["listeners"] = [tcp]
    only["pools"].append(both["pools"][1])
    node.put(only)
    wait_for(lambda: is_refused(port), 5, "nobody to listen")
    node.put(document(port, [a]))
    assert Client(port).asks_until(lambda answer: answer == b"a:who")


def test_a_worker_dies(node):
    """Its flows are taken up by the other at once, and by its successor: clients ask again and are answered."""
    a = Server("a")
    port = serve(node, [a])
    clients = [Client(port) for _ in range(16)]
    assert all(c.name() == "a" for c in clients)
    for pid in node.workers():
        os.kill(pid, signal.SIGKILL)
        for c in clients:
            assert c.asks_until(lambda answer: answer == b"a:who")
        wait_for(lambda: pid not in node.workers() and len(node.workers()) == 2, 10, "its successor")
    assert all(c.asks_until(lambda answer: answer == b"a:who") for c in clients)


def test_an_upgrade_loses_no_answer(node):
    """SIGHUP replaces every process while clients ask one by one: each is answered."""
    a, b = Server("a"), Server("b")
    port = serve(node, [a, b])
    asked, unanswered, end = [0], [], threading.Event()

    def asking(source):
        c = Client(port, source=source)
        while not end.is_set():
            asked[0] += 1
            try:
                c.ask(b"who")
            except TimeoutError:
                unanswered.append(time.monotonic())

    threads = [threading.Thread(target=asking, args=(f"127.0.0.{n}",)) for n in range(1, 9)]
    for t in threads:
        t.start()
    before = set(node.workers())
    node.daemons["data"].signal(signal.SIGHUP)
    wait_for(lambda: len(node.workers()) == 2 and not before & set(node.workers()), 20, "new workers")
    end.set()
    for t in threads:
        t.join()
    assert asked[0] > 100 and not unanswered, f"{len(unanswered)} of {asked[0]} unanswered"
