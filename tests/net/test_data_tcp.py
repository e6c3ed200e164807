"""The tcp listener and the processes of the data wing: carrying, limits, generations, and what a death costs."""
import hashlib
import os
import signal
import socket
import struct
import threading
import time

import pytest

from lab import connects, free_port, rss_kib, wait_for

MIB = 1 << 20


class Backend:
    """A TCP server in this process: says its name and a newline to each connection, then echoes; or a handler's job."""

    def __init__(self, name, handler=None):
        self.name, self.handler, self.accepted = name, handler or self._echo, []
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listening.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self.accepted.append(connection)
            threading.Thread(target=self.handler, args=(connection,), daemon=True).start()

    def _echo(self, connection):
        try:
            connection.sendall(self.name.encode() + b"\n")
            while data := connection.recv(65536):
                connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


def document(port, backends, pool=None, listener=None):
    return {
        "stack": "tcp",
        "pools": [{"name": "echo", "protocol": "tcp",
                   "servers": [{"name": b.name, "address": b.address} for b in backends], **(pool or {})}],
        "listeners": [{"name": "in", "bind": [f"127.0.0.1:{port}"], "protocol": "tcp", "pool": "echo",
                       **(listener or {})}],
    }


class Client:
    """A connection to the listener that has read the name of the server it reached."""

    def __init__(self, port, timeout=5.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.server = self.line()

    def line(self):
        data = b""
        while not data.endswith(b"\n"):
            got = self.socket.recv(1)
            if not got:
                raise ConnectionError("ended before its greeting")
            data += got
        return data[:-1].decode()

    def echoes(self, text=b"ping"):
        self.socket.sendall(text)
        return self.socket.recv(len(text)) == text

    def is_ended(self, within=5.0):
        """True when the other side ends it, in order or by reset."""
        self.socket.settimeout(within)
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()


@pytest.fixture
def node(lab):
    return lab.node("lb-a", workers=2)


def serve(node, *args, **kwargs):
    """Control and data with a document of these backends; returns the listener's port."""
    port = free_port()
    node.start("control", "data")
    node.put(document(port, *args, **kwargs))
    return port


def listener_row(node, name="in"):
    return next(r for r in node.status()["listeners"] if r["name"] == name)


def children(pid):
    """{name: [process ids]} of the supervisor's children."""
    found = {}
    for child in open(f"/proc/{pid}/task/{pid}/children", encoding="ascii").read().split():
        with open(f"/proc/{child}/comm", encoding="ascii") as comm:
            found.setdefault(comm.read().strip(), []).append(int(child))
    return found


def test_turns_and_half_close(node):
    a, b = Backend("a"), Backend("b")
    port = serve(node, [a, b])
    reached = []
    for _ in range(40):
        c = Client(port)
        reached.append(c.server)
        assert c.echoes()
        c.socket.sendall(b"last words")
        c.socket.shutdown(socket.SHUT_WR)
        data = b""
        while got := c.socket.recv(100):
            data += got
        assert data == b"last words"  # the server still talks after our end
        c.close()
    assert 16 <= reached.count("a") <= 24


def test_a_reset_is_passed_on(node):
    def greet_and_reset(connection):
        connection.sendall(b"r\n")
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    backend = Backend("r", greet_and_reset)
    port = serve(node, [backend])
    c = Client(port)
    c.socket.sendall(b"x")
    with pytest.raises(ConnectionResetError):
        while c.socket.recv(10):
            pass
    echo = Backend("e")
    node.put(document(port, [echo]))
    c = Client(port)
    assert c.server == "e"
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()
    server_side = echo.accepted[-1]
    wait_for(lambda: server_side.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 7, 5,
             "the server's side to be closed (TCP_CLOSE)")


def test_refused_connects_go_to_another_server(node):
    good, bad = Backend("good"), Backend("bad")
    bad.stop()
    port = serve(node, [bad, good])
    for _ in range(50):
        c = Client(port)
        assert c.server == "good"
        c.close()


def test_nobody_there_is_a_reset(node):
    gone = Backend("gone")
    gone.stop()
    port = serve(node, [gone])
    with pytest.raises(ConnectionResetError):
        socket.create_connection(("127.0.0.1", port), 5).recv(1)


def test_limit_is_exact_over_workers(node):
    backend = Backend("a")
    port = serve(node, [backend], listener={"maximum_connections": 5})
    clients = [Client(port) for _ in range(5)]
    waiting = socket.create_connection(("127.0.0.1", port), 5)  # in the kernel's queue, not refused
    waiting.settimeout(0.3)
    with pytest.raises(TimeoutError):
        waiting.recv(1)
    assert len(backend.accepted) == 5
    wait_for(lambda: listener_row(node)["state"] == "paused", 5, "the listener to be shown as paused")
    clients.pop().close()
    waiting.settimeout(5)
    assert waiting.recv(2) == b"a\n"
    for c in clients:
        assert c.echoes()


def test_full_server_queues(node):
    backend = Backend("a")
    port = serve(node, [backend], pool={"servers": [{"name": "a", "address": backend.address, "maximum_connections": 1}]})
    first = Client(port)
    second = socket.create_connection(("127.0.0.1", port), 5)
    second.settimeout(0.3)
    with pytest.raises(TimeoutError):
        second.recv(1)
    first.close()
    second.settimeout(5)
    assert second.recv(2) == b"a\n"


def test_idle_connections_end(node):
    port = serve(node, [Backend("a")], listener={"timeouts": {"tunnel_idle": "300ms"}})
    quiet, busy = Client(port), Client(port)
    deadline = time.monotonic() + 1.2
    while time.monotonic() < deadline:
        assert busy.echoes()
        time.sleep(0.05)
    assert quiet.is_ended(0.1)


def test_generations_leave_tunnels_alone(node):
    a, b = Backend("a"), Backend("b")
    port, second = serve(node, [a, b]), free_port()
    old = [Client(port) for _ in range(4)]
    pids = wait_for(lambda: len(node.workers()) == 2 and node.workers(), 5, "two workers")
    changed = document(port, [b], listener={"drain_timeout": "500ms"})
    changed["pools"].append({"name": "more", "protocol": "tcp", "servers": [{"name": "a", "address": a.address}]})
    changed["listeners"].append({"name": "more", "bind": [f"127.0.0.1:{second}"], "protocol": "tcp", "pool": "more"})
    node.put(changed)
    assert Client(second).server == "a"
    assert {Client(port).server for _ in range(6)} == {"b"}
    assert all(c.echoes() for c in old if c.server == "b")
    for c in (c for c in old if c.server == "a"):
        assert c.is_ended()  # removed server: ended when its drain time was over
    kept = [c for c in old if c.server == "b"]
    del changed["listeners"][0]
    changed["listeners"][0]["pool"] = "echo"
    node.put(changed)
    assert Client(second).server == "b"
    wait_for(lambda: not connects("127.0.0.1", port), 5, "the removed listener to be gone")
    assert all(c.is_ended() for c in kept)
    assert node.workers() == pids


def test_operator_and_verdicts_end_connections(node, lab):
    a, b = Backend("a"), Backend("b")
    port = serve(node, [a, b], pool={"check": {"type": "tcp", "interval": "100ms", "timeout": "100ms", "fall": 2, "rise": 1}})
    node.start("healthd")
    wait_for(lambda: set(node.server_states("echo").values()) == {"up"}, 10, "both servers up")
    clients = [Client(port) for _ in range(8)]
    node.ctl("drain", "echo/a", "--why", "test")
    wait_for(lambda: {Client(port).server for _ in range(4)} == {"b"}, 5, "a to get nothing new")
    assert all(c.echoes() for c in clients)
    node.ctl("disable", "echo/a", "--why", "test")
    for c in clients:
        if c.server == "a":
            assert c.is_ended()
    b.stop()  # connections it has go on; new ones are refused: down
    for c in clients:
        if c.server == "b":
            assert c.is_ended()  # close_on_down
    node.ctl("ready", "echo/a")
    assert wait_for(lambda: Client(port).server, 5) == "a"


def test_deaths_cost_only_their_own(node):
    a = Backend("a")
    port = serve(node, [a])
    clients = []

    def both_carry_some():
        clients.extend(Client(port) for _ in range(4))
        shares = [w["connections"] for w in node.status()["nodes"][0]["daemons"]["data"]["workers"]]
        return len(shares) == 2 and min(shares) > 2

    wait_for(both_carry_some, 5, "both workers to carry connections", every=0.1)
    supervisor = node.daemons["data"].pid
    family = children(supervisor)
    os.kill(family["ballast-agent"][0], signal.SIGKILL)
    assert all(c.echoes() for c in clients)
    before = time.monotonic()
    os.kill(family["ballast-worker"][0], signal.SIGKILL)
    wait_for(lambda: len(children(supervisor).get("ballast-worker", [])) == 2 and
             family["ballast-worker"][0] not in children(supervisor)["ballast-worker"], 5, "its replacement", every=0.001)
    assert time.monotonic() - before < 1.0
    for _ in range(20):
        Client(port).close()  # nobody is refused meanwhile
    alive = sum(not c.is_ended(0.05) for c in clients)
    assert 0 < alive < len(clients)
    assert node.daemons["data"].text().count("ended") == 2
    wait_for(lambda: listener_row(node)["connections"] == alive, 5, "the dead worker's connections to be taken off")
    wait_for(lambda: len(node.workers()) == 2, 5, "two workers in status")


def test_others_accept_for_a_stalled_worker(node, figure):
    port = serve(node, [Backend("a")])
    victim = children(node.daemons["data"].pid)["ballast-worker"][0]
    began, longest = time.monotonic(), 0.0
    os.kill(victim, signal.SIGSTOP)
    try:
        while time.monotonic() - began < 2.5:
            asked = time.monotonic()
            Client(port).close()  # one that fell to the stalled worker waits until another takes its socket
            longest = max(longest, time.monotonic() - asked)
        for _ in range(50):
            asked = time.monotonic()
            Client(port).close()
            assert time.monotonic() - asked < 0.5
    finally:
        os.kill(victim, signal.SIGCONT)
    figure("longest wait beside a stalled worker", f"{longest:.2f} s")
    assert longest < 1.5
    assert Client(port).echoes()


def test_strangers_on_a_private_socket(node):
    """Garbage, silence and crowds on a worker's private socket cost nothing; a question is answered as it was."""
    port = serve(node, [Backend("a")])
    path = next((node.run / "data").glob("worker-*.sock"))
    crowd = []
    for data in [b"\0" * 65, b"x" * 640, b"x" * 4096] + [None] * 60:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(2)
        try:
            s.connect(str(path))
            if data:
                s.send(data)
                assert s.recv(100) == b""
        except OSError:
            pass
        crowd.append(s)
    for s in crowd:
        s.close()

    def answers():
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
            asking.settimeout(1)
            asking.connect(str(path))
            asking.send(b"are you there?")
            return asking.recv(100) == b"are you there?"

    wait_for(answers, 5, "an answer on the private socket")
    assert Client(port).echoes()


@pytest.mark.parametrize("how", ["killed", "replaced in place"])
def test_supervisor_is_replaced(node, how):
    port = serve(node, [Backend("a")])
    clients = [Client(port) for _ in range(10)]
    failures, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                c = Client(port)
                assert c.echoes()
                c.close()
            except (OSError, AssertionError) as error:
                failures.append(repr(error))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        if how == "killed":
            pids = set(wait_for(lambda: len(node.workers()) == 2 and node.workers(), 5, "two workers"))
            node.restart_killed("data")
            wait_for(lambda: set(node.workers()) == pids, 5, "the same workers")
        else:
            before = set(node.workers())
            os.kill(node.daemons["data"].pid, signal.SIGHUP)
            wait_for(lambda: len(node.workers()) == 2 and not set(node.workers()) & before, 10, "new workers")
        document_after = document(port, [Backend("b")])
        node.put(document_after)
        wait_for(lambda: Client(port).server == "b", 5, "a generation after it")
    finally:
        stop.set()
        asking.join()
    assert failures == []
    if how == "killed":
        assert all(c.echoes() for c in clients)


def test_leaving_drains(node):
    """TERM: nothing new, what runs goes on; a second TERM ends it and leaves no process behind."""
    port = serve(node, [Backend("a")])
    c = Client(port)
    pids = wait_for(lambda: len(node.workers()) == 2 and node.workers(), 5, "two workers")
    node.daemons["data"].signal(signal.SIGTERM)
    wait_for(lambda: sum(os.path.exists(f"/proc/{pid}") for pid in pids) == 1, 5, "the idle worker to leave")
    assert c.echoes()
    node.daemons["data"].signal(signal.SIGTERM)
    assert c.is_ended()
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), 5, "all workers to be gone")


def test_many_sockets_outlive_their_supervisor(lab):
    node, backend = lab.node("lb-a", workers=4), Backend("a")
    ports = sorted({free_port() for _ in range(100)})
    wanted = document(ports[0], [backend])
    wanted["listeners"] = [{**wanted["listeners"][0], "name": f"in{port}", "bind": [f"127.0.0.1:{port}"]} for port in ports]
    node.start("control", "data")
    node.put(wanted)
    before = set(wait_for(lambda: len(node.workers()) == 4 and node.workers(), 5, "four workers"))
    client = Client(ports[0])
    node.restart_killed("data")
    wait_for(lambda: set(node.workers()) == before, 5, "the same workers")
    assert client.echoes() and all(Client(port).echoes() for port in ports)
    assert "cannot listen" not in node.daemons["data"].text()


def test_a_worker_that_died_unwatched_holds_no_place(node):
    port = serve(node, [Backend("a")], listener={"maximum_connections": 30})
    clients = [Client(port) for _ in range(30)]
    first = node.workers()[0]
    node.daemons["data"].kill()
    os.kill(first, signal.SIGKILL)
    alive = [c for c in clients if not c.is_ended(0.05)]
    assert len(alive) < 30
    node.start("data")
    wait_for(lambda: listener_row(node)["connections"] == len(alive), 5, "the connections that are left")
    more = [Client(port) for _ in range(30 - len(alive))]
    assert all(c.echoes() for c in more)


def test_leaving_ends_what_is_there_and_refuses_what_comes(node):
    port = serve(node, [Backend("a")])
    clients = [Client(port) for _ in range(10)]
    node.daemons["data"].signal(signal.SIGTERM)
    wait_for(lambda: not connects("127.0.0.1", port), 2, "a refusal")
    assert all(c.echoes() for c in clients)
    for c in clients:
        c.close()
    assert node.daemons["data"].popen.wait(5) == 0


def test_more_workers_than_the_board_has_room_for_wait(lab):
    node = lab.node("lb-a", workers=1)
    port = serve(node, [Backend("a")])
    before = set(node.workers())
    node.config.write_text(node.config.read_text().replace("workers: 1", "workers: 8"))
    node.daemons["data"].signal(signal.SIGHUP)
    wait_for(lambda: len(node.workers()) == 1 and not set(node.workers()) & before, 10, "a new worker")
    assert all(Client(port).echoes() for _ in range(20))
    assert "1 workers instead of 8" in node.daemons["data"].text()
    assert "cannot start" not in node.daemons["data"].text()


def test_an_address_that_is_taken(node):
    stranger = socket.create_server(("127.0.0.1", 0))
    port, good = stranger.getsockname()[1], free_port()
    node.start("control", "data")
    wanted = document(good, [Backend("a")])
    wanted["listeners"].append({"name": "taken", "bind": [f"127.0.0.1:{port}"], "protocol": "tcp", "pool": "echo"})
    node.put(wanted)
    row = wait_for(lambda: (r := listener_row(node, "taken"))["state"] == "failed" and r, 5, "the listener to be failed")
    assert f"127.0.0.1:{port}" in str(row) and "in use" in str(row)
    assert Client(good).server == "a"
    stranger.close()
    wait_for(lambda: listener_row(node, "taken")["state"] == "open", 5, "the listener to be open")
    assert Client(port).server == "a"


def test_a_gibibyte_each_way(node, figure):
    """Checksums hold and the worker's memory stays flat, with a slow reader on the way."""
    size = 1024 * MIB
    port = serve(node, [Backend("a")])
    chunk = os.urandom(MIB)
    c = Client(port, 30)
    before = [rss_kib(pid) for pid in node.workers()]
    got, expected = hashlib.blake2b(), hashlib.blake2b()

    def send():
        for _ in range(size // MIB):
            c.socket.sendall(chunk)
        c.socket.shutdown(socket.SHUT_WR)

    for _ in range(size // MIB):
        expected.update(chunk)
    began = time.monotonic()
    sender = threading.Thread(target=send)
    sender.start()
    received, most = 0, 0
    while data := c.socket.recv(MIB):
        got.update(data)
        received += len(data)
        if received % (64 * MIB) < MIB:
            most = max(most, *(rss_kib(pid) for pid in node.workers()))
    sender.join()
    assert received == size and got.digest() == expected.digest()
    grown = most - min(before)
    figure("1 GiB there and back", f"{time.monotonic() - began:.1f} s, worker memory {most} KiB at most, {grown} KiB more than before")
    assert grown < 4096


def test_metrics_count_what_happened(node):
    port = serve(node, [Backend("a")])
    for _ in range(3):
        c = Client(port)
        assert c.echoes(b"12345")
        c.close()

    def metrics():
        status, text, _ = node.api("GET", "/metrics")
        assert status == 200
        return {line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1] for line in text.splitlines() if line[0] != "#"}

    def value(name, **labels):
        for key, number in metrics().items():
            if key.startswith(name + "{") and all(f'{k}="{v}"' in key for k, v in labels.items()):
                return float(number)
        return None

    wait_for(lambda: value("ballast_listener_bytes_total", listener="in", direction="in") == 15, 5, "15 bytes in")
    wait_for(lambda: value("ballast_listener_bytes_total", listener="in", direction="out") == 3 * (2 + 5), 5, "and 21 out")
    assert value("ballast_server_connects_total", pool="echo", server="a") == 3
