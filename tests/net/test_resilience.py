"""What failing servers cost: retries and their budget, fallbacks, circuits, ejection, deaths under load, Node.js's keep-alive."""
import collections
import json
import os
import random
import socket
import threading
import time

import pytest

from http_house import Peer
from lab import Lab, free_port, http_get, wait_for
from pool_house import PoolHouse
from test_whole_node import Load

HERE = __file__.rsplit("/", 1)[0]


@pytest.fixture(scope="module")
def house():
    with Lab("resilience") as lab:
        made = PoolHouse(lab)
        made.lab = lab
        yield made
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal=4", "signal=6", "signal=11"):
            assert trouble not in text, text


@pytest.fixture(autouse=True)
def ready(house):
    for server in house.servers.values():
        server.behave()
        server.seen.clear()


def asked(house):
    return sum(len(server.seen) for server in house.servers.values())


def all_good(house, requests):
    """Requests are answered 200; those that are not fail with their log entries."""
    for n in range(requests):
        path = f"/good/{random.getrandbits(40)}"
        if house.get(path=path)[0] != 200:
            pytest.fail(str(wait_for(lambda: next((e for e in house.log() if e["path"] == path), None), 5, "log")))


# Retries


def test_a_status_is_tried_again_elsewhere(house):
    house.put(retry={"attempts": 2, "on": ["503"]})
    house.servers["w0"].misbehave(503)
    house.servers["w1"].misbehave(503)
    for _ in range(12):
        assert house.get()[:2] == (200, "w2")
    assert house.get(method="PUT", body=b"x")[0] == 200
    for server in house.servers.values():
        server.seen.clear()
    for _ in range(12):
        assert house.get(method="POST", body=b"x")[0] in (200, 503)
    assert asked(house) == 12  # a POST is sent once


def test_the_last_answer_is_the_clients(house):
    house.put(retry={"attempts": 2, "on": ["503", 429]})
    house.servers["w0"].misbehave(503, "Retry-After: 7\r\n")
    house.servers["w1"].misbehave(503, "Retry-After: 7\r\n")
    house.servers["w2"].misbehave(429, "Retry-After: 7\r\n")
    status, name, head = house.get(path="/last")
    assert (status, name) in ((503, "w0"), (503, "w1"), (429, "w2")) and "Retry-After: 7" in head
    assert asked(house) == 3
    entry = wait_for(lambda: next((e for e in house.log() if e["path"] == "/last"), None), 5, "log")
    assert (entry["retries"], entry["server"], entry["status"]) == (2, name, status)


def test_retries_stay_within_their_budget(house):
    """A pool that fails as a whole: the budget limits what is added to its load."""
    house.put(retry={"attempts": 2, "on": ["503"], "budget_percent": 10})
    for server in house.servers.values():
        server.misbehave(503)
    peer = house.connect()
    for _ in range(3000):
        peer.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert peer.response()[0] == 503
    # 100 are saved up at the start in each worker; each request (and retry) earns a tenth of one
    assert 3100 <= asked(house) <= 3600
    assert wait_for(lambda: house.metric("ballast_pool_retries_refused_total", pool="web") > 1000, 5, "metric")


def test_a_body_that_is_not_kept_is_not_sent_again(house):
    house.put(retry={"attempts": 2, "on": ["503"]})
    for server in house.servers.values():
        server.misbehave(503)
    assert house.get(method="PUT", body=b"x" * 100000)[0] == 503
    assert asked(house) == 1


# Fallback


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_next_site_is_asked(house, method):
    house.put(fallback_status=["404"])
    house.servers["w0"].misbehave(404)
    house.servers["w1"].misbehave(404)
    for _ in range(9):
        status, name, _ = house.get(method=method)
        assert status == 200 and name == ("w2" if method == "GET" else "")
    for server in house.servers.values():
        assert len(server.seen) <= 9  # each at most once a request


def test_without_a_better_one_the_first_answer_counts(house):
    house.put(fallback_status=["404"], retry={"attempts": 2, "budget_percent": 100})
    for name, server in house.servers.items():
        server.misbehave(404, f"X-From: {name}\r\n")
    for _ in range(6):
        before = {name: len(s.seen) for name, s in house.servers.items()}
        status, name, head = house.get()
        assert status == 404 and f"X-From: {name}" in head
        assert {n: len(s.seen) - before[n] for n, s in house.servers.items()} == {"w0": 1, "w1": 1, "w2": 1}
    for name in ("w1", "w2"):
        house.servers[name].misbehave(500)
    assert {house.get()[0] for _ in range(9)} <= {404, 500}
    house.servers["w1"].reset_all()
    house.servers["w2"].reset_all()
    assert {house.get()[:2] for _ in range(9)} <= {(404, "w0")}
    assert {house.get(method="HEAD")[0] for _ in range(9)} == {404}


def test_a_chunked_answer_is_held_too(house):
    house.put(fallback_status=["404"])

    def script(peer, _):
        while True:
            peer.head()
            peer.send(b"HTTP/1.1 404 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n")
            time.sleep(0.01)  # in two parts
            peer.send(b"2\r\npe\r\n0\r\n\r\n")

    plain = [server.script for server in house.servers.values()]
    for server in house.servers.values():
        server.play(script)
    try:
        status, body, head = house.get()
        assert (status, body) == (404, "nope") and "Content-Length: 4" in head and "chunked" not in head
    finally:
        for server, before in zip(house.servers.values(), plain):
            server.play(before)


def test_a_large_or_endless_answer_is_not_held(house):
    house.put(fallback_status=["404"])
    for server in house.servers.values():
        server.name, server.plain = "n" * 20000, server.name
        server.misbehave(404)
    try:
        status, body, _ = house.get()
        assert (status, len(body)) == (404, 20000) and asked(house) == 1
    finally:
        for server in house.servers.values():
            server.name = server.plain


@pytest.mark.parametrize("how", ["post", "marker", "other"])
def test_what_is_an_answer_stays_one(house, how):
    house.put(fallback_status=["404"])
    for server in house.servers.values():
        server.misbehave(403 if how == "other" else 404, "x-amz-delete-marker: true\r\n" if how == "marker" else "")
    status = house.get(method="POST" if how == "post" else "GET", body=b"x" if how == "post" else b"")[0]
    assert status == (403 if how == "other" else 404) and asked(house) == 1


# Circuits


class Slow:
    """Requests that a server does not answer until told."""

    def __init__(self, house):
        self.free = threading.Event()
        for server in house.servers.values():
            server.reply = lambda head: self.free.wait(20) and (200, "")
        self.house, self.peers = house, []

    def begin(self, n):
        for _ in range(n):
            peer = self.house.connect()
            peer.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            self.peers.append(peer)

    def end(self):
        self.free.set()
        return [peer.response()[0] for peer in self.peers]


def none_idle(house):
    """No connection to a server is left: those that are kept count, too."""
    house.put(keepalive={"maximum_idle": 0})
    for server in house.servers.values():
        server.play(server.serve)
    wait_for(lambda: house.metric("ballast_pool_circuit", circuit="connections") == 0, 5, "no connections")


@pytest.mark.parametrize("circuit, end", [("requests", "circuit-requests"), ("connections", "circuit-connections")])
def test_a_circuit_is_exact_over_all_workers(house, circuit, end):
    none_idle(house)
    house.put(circuit={circuit: 5}, keepalive={"maximum_idle": 0})
    slow = Slow(house)
    slow.begin(5)
    wait_for(lambda: asked(house) == 5, 5, "five under way")
    for n in range(10):
        status, _, head = house.get(path=f"/{end}/{n}")
        assert status == 503 and "Retry-After" in head
    assert asked(house) == 5
    assert slow.end() == [200] * 5
    entry = wait_for(lambda: next((e for e in house.log() if e["path"] == f"/{end}/9"), None), 5, "log")
    assert entry["end"] == end
    assert wait_for(lambda: house.metric("ballast_pool_circuit_refused_total", circuit=circuit) == 10, 5, "metric")
    for server in house.servers.values():
        server.behave()
    all_good(house, 20)  # nothing stays counted
    wait_for(lambda: house.metric("ballast_pool_circuit", circuit=circuit) == 0, 5, "gauge")


def test_pending_requests_have_a_circuit(house):
    house.put(circuit={"pending": 3}, servers={name: {"maximum_connections": 1} for name in house.servers})
    slow = Slow(house)
    slow.begin(6)
    wait_for(lambda: asked(house) == 3 and house.metric("ballast_pool_waiting", pool="web") == 3, 5, "three wait")
    for n in range(6):
        assert house.get(path=f"/pending/{n}")[0] == 503
    assert slow.end() == [200] * 6
    entry = wait_for(lambda: next((e for e in house.log() if e["path"] == "/pending/5"), None), 5, "log")
    assert entry["end"] == "circuit-pending"


def test_an_idle_connection_makes_room_for_one_that_is_needed(house):
    none_idle(house)
    house.put(circuit={"connections": 6}, keepalive={"idle": "1m"}, retry={"attempts": 0})
    all_good(house, 60)  # two workers, three servers: each keeps one
    drained = house.node.ctl("drain", "web/w0", "--why", "test")
    assert drained.returncode == 0
    all_good(house, 20)
    house.node.ctl("ready", "web/w0")


def test_a_killed_workers_share_of_a_circuit_is_given_back(house):
    house.put(circuit={"requests": 4})
    slow = Slow(house)
    slow.begin(4)
    wait_for(lambda: asked(house) == 4, 5, "four under way")
    assert house.get()[0] == 503
    workers = house.node.workers()
    for pid in workers:
        os.kill(pid, 9)
    slow.free.set()
    wait_for(lambda: len(house.node.workers()) == 2 and not set(house.node.workers()) & set(workers), 10, "new workers")
    for server in house.servers.values():
        server.behave()
    assert wait_for(lambda: {house.get()[0] for _ in range(8)} == {200}, 5, "room again")


# Ejection


def test_a_failing_server_is_ejected_and_says_why(house):
    house.put(passive={"errors": 5, "window": "10s", "eject": "1s", "maximum_ejected_percent": 50})
    house.servers["w1"].misbehave(500)
    statuses = collections.Counter()
    wait_for(lambda: statuses.update([house.get()[0]]) or house.node.server_states("web")["w1"] == "down", 10, "ejected")
    assert statuses[500] >= 5
    row = next(s for s in house.node.status()["pools"][0]["servers"] if s["name"] == "w1")
    assert row["why"].startswith("ejected for 1s: ") and "errors within 10s" in row["why"]
    assert "ejected" in house.node.ctl("explain", "web/w1").stdout
    house.servers["w1"].behave()
    wait_for(lambda: house.node.server_states("web")["w1"] == "unchecked", 5, "back after its time")
    assert wait_for(lambda: "w1" in {house.get()[1] for _ in range(10)}, 5, "used again")


def test_no_more_are_ejected_than_may_be(house):
    house.put(passive={"errors": 1, "window": "10s", "eject": "1m", "maximum_ejected_percent": 50})
    for server in house.servers.values():
        server.misbehave(503)
    for _ in range(40):
        house.get()
    states = wait_for(lambda: (lambda s: s if "down" in s.values() else None)(house.node.server_states("web")), 5, "one ejected")
    for _ in range(40):
        house.get()
    assert list(states.values()).count("down") == 1  # of three
    assert list(house.node.server_states("web").values()).count("down") == 1
    house.put()  # without passive nobody is
    wait_for(lambda: "down" not in house.node.server_states("web").values(), 5, "all back")


def test_what_an_ejected_server_has_under_way_may_end(house):
    house.put(passive={"errors": 3, "window": "10s", "eject": "1m", "maximum_ejected_percent": 50})
    held = threading.Event()
    house.servers["w0"].reply = lambda head: (held.wait(20) and (200, "")) if b"/slow" in head else (500, "")
    peers = [house.connect() for _ in range(6)]
    for peer in peers:
        peer.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for(lambda: any(b"/slow" in seen for seen in house.servers["w0"].seen), 5, "one of them at w0")
    wait_for(lambda: house.get() and house.node.server_states("web")["w0"] == "down", 10, "ejected")
    held.set()
    assert [peer.response()[0] for peer in peers] == [200] * 6


# Deaths under load


def test_servers_that_die_under_load_cost_no_request(house, figure):
    ports = {name: free_port() for name in ("a", "b", "c")}
    for name, port in ports.items():
        house.lab.nginx(name, "x" * 48, port=port)
    house.node.put({
        "stack": "shop",
        "pools": [{"name": "web", "servers": [{"name": n, "address": f"127.0.0.1:{p}"} for n, p in ports.items()],
                   "retry": {"attempts": 2, "on": ["connect-failure", "reset-before-response"], "budget_percent": 100}}],
        "listeners": [{"name": "www", "bind": [f"127.0.0.1:{house.port}"], "protocol": "http", "pool": "web"}]})
    load = Load(house.port, 4)
    kills = 0
    while load.is_running():
        victim = random.choice(list(ports))
        next(p for p in reversed(house.lab.processes) if p.name == f"nginx-{victim}").kill()
        kills += 1
        time.sleep(0.2)  # how long it stays away
        house.lab.nginx(victim, "x" * 48, port=ports[victim])
        time.sleep(0.2)
    requests, failed = load.result()
    figure("servers killed, requests, failed", f"{kills}, {requests}, {failed}")
    assert kills >= 5 and requests > 1000 and failed == 0


# Node.js


def node_server(lab, keep_alive_ms=None):
    """A Node.js server: (port, seconds after a response until it ends a connection, measured)."""
    port = free_port()
    env = {"PORT": str(port)} | ({"KEEP_ALIVE": str(keep_alive_ms)} if keep_alive_ms else {})
    lab.process("node", ["node", f"{HERE}/node_server.js"], env=env)
    wait_for(lambda: http_get(f"127.0.0.1:{port}")[0] == 200, 10, "node")
    patience = []
    for _ in range(2):  # the second knows all of the code it runs
        peer = Peer(socket.create_connection(("127.0.0.1", port), timeout=30))
        peer.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        peer.response()
        since = time.monotonic()
        assert peer.s.recv(1) == b""
        patience.append(time.monotonic() - since)
    return port, patience[-1]


def node_document(house, port, name="node"):
    # idle is longer than the server's: its end races each request, as 4s against Node's 5s never does
    return {
        "stack": "shop",
        "pools": [{"name": "web", "servers": [{"name": name, "address": f"127.0.0.1:{port}"}],
                   "keepalive": {"idle": "1m", "maximum_idle": 1000}}],
        "listeners": [{"name": "www", "bind": [f"127.0.0.1:{house.port}"], "protocol": "http", "pool": "web",
                       "access_log": {"format": "json"}}]}


class Race:
    """Clients that ask together once in `pause` seconds, about as long as the server keeps a connection, so that all of
    its connections have idled for that long; half of the requests are POSTs, each with a body of its own. Now and then the
    server gets another name: what was learnt of its patience is forgotten."""

    def __init__(self, house, pause, spread):
        self.house, self.pause, self.spread = house, pause, spread
        self.asked, self.posts, self.statuses = [], [], []

    def client(self, start, end):
        peer = self.house.connect()
        beat = start
        while beat < end:
            beat += self.pause  # the pauses are what the story is about
            time.sleep(max(0.0, beat + random.gauss(0, self.spread) - time.monotonic()))
            if random.random() < 0.5:
                self.asked.append("GET")
                peer.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            else:
                self.asked.append("POST")
                body = f"{random.getrandbits(64):016x}".encode()
                self.posts.append(body.decode())
                peer.send(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n" + body)
            self.statuses.append(peer.response()[0])

    def run(self, port, seconds, clients, figure):
        start = time.monotonic()
        threads = [threading.Thread(target=self.client, args=(start, start + seconds)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        names = ended = 0
        while time.monotonic() < start + seconds:
            time.sleep(max(1.0, 3.5 * self.pause))
            names += 1
            ended += self.house.metric("ballast_server_resets_total")
            self.house.node.put(node_document(self.house, port, f"node-{names}"))
        for thread in threads:
            thread.join()
        counts = json.loads(http_get(f"127.0.0.1:{port}", path="/counts")[1])
        figure("pause", f"{self.pause * 1000:.0f} ms for {seconds} s")
        figure("requests, POSTs among them", f"{len(self.asked)}, {len(self.posts)}")
        figure("connections ended under a request, as last reported", f"{ended:.0f}")
        figure("errors", len(self.asked) - self.statuses.count(200))
        if self.statuses != [200] * len(self.asked):
            raise AssertionError([e for e in self.house.log() if e["status"] != 200][-3:])
        assert counts == {body: 1 for body in self.posts}  # none lost, none twice


def test_connections_that_node_ends_cost_no_request(house, figure):
    port, patience = node_server(house.lab, 500)
    house.node.put(node_document(house, port))
    Race(house, patience, 0.005).run(port, 4, 40, figure)
