"""Workers that are replaced hand their connections over (decision D4): no byte is lost, no connection is closed."""
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest
from http_house import Peer
from lab import Lab, ROOT, free_port, wait_for

PYTHON = ["/usr/bin/python3", "-B"]


class Tunnels:
    """tunnels.py as a process. before: words before its command."""

    def __init__(self, count, port, *more, host="127.0.0.1", before=()):
        argv = [*before, *PYTHON, ROOT / "tests" / "net" / "tunnels.py", count, host, port, *more]
        self.popen = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.popen.stdout.readline() == "open\n"

    def tally(self):
        self.popen.stdin.close()
        tally = json.loads(self.popen.stdout.readline())
        assert self.popen.wait(10) == 0
        return tally


class House:
    def __init__(self, lab, workers=2):
        self.lab, self.tcp, self.www, self.fast = lab, free_port(), free_port(), free_port()
        port = free_port()
        echo = lab.process("echo", [*PYTHON, ROOT / "tests" / "net" / "echo.py", "127.0.0.1", port])
        wait_for(lambda: "listening" in echo.text(), 10, "the echo server")
        nginx = lab.nginx("fast", "ok")
        self.node = lab.node("lb-a", workers=workers).start("control", "data")

        def pool(name, protocol, address):
            return {"name": name, "protocol": protocol, "servers": [{"name": "w1", "address": address}]}

        def listener(name, protocol, at, pool_name, **more):
            return {"name": name, "bind": [f"127.0.0.1:{at}"], "protocol": protocol, "pool": pool_name, **more}

        self.node.put({
            "stack": "shop",
            "pools": [pool("echo", "tcp", f"127.0.0.1:{port}"), pool("upgrades", "http", f"127.0.0.1:{port}"),
                      pool("web", "http", nginx.address)],
            "listeners": [listener("tunnels", "tcp", self.tcp, "echo"),
                          listener("www", "http", self.www, "upgrades", access_log={"format": "json"}),
                          listener("fast", "http", self.fast, "web")],
        })
        self.log = self.node.state / "log" / "www.log"

    @property
    def supervisor(self):
        return self.node.daemons["data"]

    def workers(self):
        return self.node.data_processes("worker")

    def replace(self, within=30):
        self.node.replace_data(within)


@pytest.fixture
def house():
    with Lab("handover") as lab:
        made = House(lab)
        yield made
        made.supervisor.stop()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "crashed"):
            assert trouble not in made.supervisor.text(), made.supervisor.text()


def test_tunnels_and_kept_connections_survive_replacements(house, figure):
    tunnels = [Tunnels(150, house.tcp), Tunnels(150, house.www, "upgrade")]
    wrk = subprocess.Popen(["wrk", "-c32", "-t1", "-d60", "--timeout", "10s", f"http://127.0.0.1:{house.fast}/"],
                           stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(5):
            house.replace()
    finally:
        wrk.send_signal(signal.SIGINT)
        text = wrk.communicate(timeout=20)[0]
    for t in tunnels:
        tally = t.tally()
        figure("tunnels over five replacements", tally)
        assert tally["bytes"] > 0 and tally["wrong"] == 0 and tally["closed"] == 0
    figure("requests", re.search(r"(\d+) requests in", text)[1])
    assert "Socket errors" not in text and "Non-2xx" not in text, text


def test_an_idle_client_is_served_by_the_next_worker(house):
    s = socket.create_connection(("127.0.0.1", house.fast), timeout=10)
    peer = Peer(s)
    for _ in range(3):
        peer.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n")
        status, head, _ = peer.response()
        assert status == 200 and b"close" not in head.lower()
        house.replace()
    peer.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert peer.response()[0] == 200


def test_what_was_stored_on_the_way_arrives(house):
    """Neither side reads: kernel buffers, pipes and buffers of the worker are full both ways when it is replaced."""
    s = socket.create_connection(("127.0.0.1", house.tcp), timeout=20)
    s.setblocking(False)
    sent = 0
    pattern = bytes(range(251)) * 4096
    last = time.monotonic()
    while time.monotonic() - last < 0.5:  # until nothing has been taken for a while: all is full
        try:
            sent += s.send(pattern[sent % 251:][:65536])
            last = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    house.replace()
    s.setblocking(True)
    s.shutdown(socket.SHUT_WR)
    received = 0
    while data := s.recv(65536):
        assert data == pattern[received % 251:][:len(data)]
        received += len(data)
    assert received == sent > 1 << 20


def test_a_half_closed_tunnel_moves(house):
    """The client has sent its end, which was passed on; what still comes back arrives at the next worker."""
    listener = socket.create_server(("127.0.0.1", 0))
    status, document, _ = house.node.api("GET", "/v1/stacks/shop/document")
    assert status == 200
    document["pools"].append({"name": "late", "protocol": "tcp", "servers": [
        {"name": "w1", "address": f"127.0.0.1:{listener.getsockname()[1]}"}]})
    port = free_port()
    document["listeners"].append({"name": "late", "bind": [f"127.0.0.1:{port}"], "protocol": "tcp", "pool": "late"})
    house.node.put(document)
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    server, _ = listener.accept()
    server.settimeout(10)
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    assert server.recv(100) == b"question" and server.recv(100) == b""
    house.replace()
    server.sendall(b"answer")
    server.close()
    assert client.recv(100) == b"answer" and client.recv(100) == b""


def test_an_upgraded_exchange_is_logged_once_at_its_end(house):
    tunnels = Tunnels(1, house.www, "upgrade")
    house.replace()
    house.replace()
    assert tunnels.tally()["closed"] == 0
    lines = wait_for(lambda: house.log.read_text().splitlines(), 5, "the log line")
    assert len(lines) == 1
    entry = json.loads(lines[0])
    assert (entry["path"], entry["status"], entry["end"], entry["server"]) == ("/socket", 101, "ok", "w1")
    assert entry["total_ms"] >= entry["connect_ms"] >= 0


def test_a_successor_that_dies_costs_what_it_had_taken(house):
    """Stopped and killed while it takes over: what it had not acknowledged goes on, and moves to the one after it."""
    tunnels = Tunnels(100, house.tcp)
    before, begun = house.workers(), len(house.supervisor.text())
    house.supervisor.signal(signal.SIGHUP)
    new = wait_for(lambda: house.workers() - before, 10, "a new worker")
    victim = new.pop()
    os.kill(victim, signal.SIGSTOP)  # it takes nothing now
    time.sleep(0.2)  # a phase in which others may hand over
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(house.workers()) == len(before) and not house.workers() & (before | {victim}), 30,
             "the old workers to leave")
    said = house.supervisor.text()[begun:]
    taken, all_given = (re.findall(words + r" given=(\d+)", said) for words in ("the successor's line is gone", "handed over"))
    tally = tunnels.tally()
    assert tally["wrong"] == 0 and tally["closed"] < 100
    # One that had given it all before, or gave it to another, did not see it die.
    assert tally["closed"] == sum(map(int, taken)) if taken else str(tally["closed"]) in ("0", *all_given), said


def test_status_says_what_retired_workers_hold(house):
    """An exchange that goes on for long stays where it is: told, and its connection follows at its end."""
    gate = socket.create_server(("127.0.0.1", 0))
    status, document, _ = house.node.api("GET", "/v1/stacks/shop/document")
    document["pools"].append({"name": "slow", "protocol": "http", "servers": [
        {"name": "w1", "address": f"127.0.0.1:{gate.getsockname()[1]}"}]})
    port = free_port()
    document["listeners"].append({"name": "slow", "bind": [f"127.0.0.1:{port}"], "protocol": "http", "pool": "slow"})
    house.node.put(document)
    peer = Peer(socket.create_connection(("127.0.0.1", port), timeout=20))
    peer.send(b"GET /slow HTTP/1.1\r\nHost: a.example\r\n\r\n")
    server, _ = gate.accept()
    before = house.workers()
    house.supervisor.signal(signal.SIGHUP)

    def retired():
        return house.node.status()["nodes"][0]["daemons"]["data"]["retired"]

    held = wait_for(lambda: len(house.workers() - before) == 2 and len(retired()) == 1 and retired(), 20, "one that holds it")
    assert held[0]["pid"] in before and held[0]["holds"] == {"tunnels": 0, "exchanges": 1}
    assert f"retired {held[0]['pid']} holds 0 tunnels, 1 exchanges" in house.node.ctl("status").stdout
    server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    status, head, body = peer.response()
    assert (status, body) == (200, b"ok") and b"close" not in head.lower()
    wait_for(lambda: not house.workers() & before and retired() == [], 10, "the last one to leave")
    peer.send(b"GET /slow HTTP/1.1\r\nHost: a.example\r\n\r\n")
    gate.settimeout(10)
    again, _ = gate.accept()
    again.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert peer.response()[0] == 200


def test_workers_that_answer_late_are_heard(house):
    """An overloaded node: no worker answers the new supervisor for a while. It waits, and nothing is lost."""
    tunnels = Tunnels(50, house.tcp)
    before = house.workers()
    house.supervisor.kill()
    for pid in before:
        os.kill(pid, signal.SIGSTOP)
    house.node.start("data", wait=False)
    wait_for(lambda: "starting version" in house.supervisor.text(), 10, "the new supervisor")
    time.sleep(1.5)  # a phase longer than a quick answer takes
    for pid in before:
        os.kill(pid, signal.SIGCONT)
    house.supervisor.wait_ready()
    wait_for(lambda: house.supervisor.text().count("adopting worker") == 2, 10, "both to be adopted")
    assert house.workers() == before and "Address already in use" not in house.supervisor.text()
    tally = tunnels.tally()
    assert tally["wrong"] == 0 and tally["closed"] == 0


def test_a_stalled_worker_is_heard_when_it_wakes(house):
    """One of two workers sleeps through the start of a new supervisor: it is replaced, and hands over when it wakes."""
    tunnels = Tunnels(60, house.tcp)
    before = house.workers()
    sleeper = min(before)
    house.supervisor.kill()
    os.kill(sleeper, signal.SIGSTOP)
    house.node.start("data")
    wait_for(lambda: len(house.workers()) == 3, 10, "one in its place")
    os.kill(sleeper, signal.SIGCONT)
    wait_for(lambda: sleeper not in house.workers(), 20, "the sleeper to hand over and leave")
    assert len(house.workers()) == 2
    tally = tunnels.tally()
    assert tally["wrong"] == 0 and tally["closed"] == 0
