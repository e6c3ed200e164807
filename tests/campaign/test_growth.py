"""What grows with the number of objects, and what must not: instructions per request, idle work, applying, looking.

Prints a table for 10, 1,000 and 20,000 servers, hosts with pools and named routes, and listeners (as many as descriptors
allow). Claims only what must hold anywhere: a request costs the same, an idle node next to nothing.
"""
import json
import os
import re
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from instructions import costs, under_callgrind  # noqa: E402
from http_house import OK, Server, answering  # noqa: E402
from lab import BUILD, Lab, connects, free_port, wait_for  # noqa: E402

COUNTS = (10, 1000, 20000)
FEW, MANY = 100, 1100
IDLE_S = 5


def servers(count, port, backend):
    pool = {"name": "p0", "protocol": "http", "servers": [{"name": f"s{n}", "address": backend} for n in range(count)]}
    return [pool], [{"name": "www", "bind": [f"127.0.0.1:{port}"], "protocol": "http", "pool": "p0", "access_log": False}]


def hosts(count, port, backend):
    """Each with a named route, a pool and a server of its own."""
    pools = [{"name": f"p{n}", "protocol": "http", "servers": [{"name": "s", "address": backend}]} for n in range(count)]
    routes = [{"name": f"r{n}", "match": {"host": f"h{n}.example"}, "pool": f"p{n}"} for n in range(count)]
    return pools, [{"name": "www", "bind": [f"127.0.0.1:{port}"], "protocol": "http", "pool": "p0", "access_log": False, "routes": routes}]


def listeners(count, port, backend):
    pool = {"name": "p0", "protocol": "http", "servers": [{"name": "s", "address": backend}]}
    return [pool], [{"name": f"l{n}", "bind": [f"127.{1 + n // 62500}.{n // 250 % 250}.{n % 250 + 1}:{port}"], "protocol": "http", "pool": "p0",
                     "access_log": False} for n in range(count)]


KINDS = {"servers": (servers, "127.0.0.1"), "hosts": (hosts, "127.0.0.1"), "listeners": (listeners, "127.1.0.1")}


def counts_of(kind):
    """As many listeners as a process may have descriptors, less some for the rest."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return [min(count, most - 2000) if kind == "listeners" and most > 0 else count for count in COUNTS]


def cpu_ms(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 // os.sysconf("SC_CLK_TCK")


def memory_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def processes(node):
    data = node.daemons["data"].popen.pid
    children = [int(pid) for pid in Path(f"/proc/{data}/task/{data}/children").read_text().split()]
    found = {Path(f"/proc/{pid}/comm").read_text().strip().removeprefix("ballast-"): pid for pid in children}
    return {**found, "supervisor": data, "control": node.daemons["control"].popen.pid}


def ask(address, port, count):
    """Requests one after the other on one connection, to the last of all hosts in turn."""
    with socket.create_connection((address, port), 60) as s:
        for n in range(count):
            s.sendall(b"GET / HTTP/1.1\r\nHost: h%d.example\r\n\r\n" % (n % 10))
            answer = b""
            while not answer.endswith(b"ok"):
                answer += s.recv(4096)


def timed(call):
    begun = time.monotonic()
    status, body, _ = call()
    assert status in (200, 201), (status, str(body)[:300])
    return time.monotonic() - begun, body


def put(node, document):
    return timed(lambda: node.api("PUT", "/v1/stacks/growth/document?wait=600s", document, timeout=600))[0]


class Asker(threading.Thread):
    """Asks a thousand times a second on one connection, until left: the longest answer, in milliseconds."""

    def __init__(self, address, port):
        super().__init__(daemon=True)
        self.longest, self.done = 0.0, threading.Event()
        self.socket = socket.create_connection((address, port), 60)

    def run(self):
        while not self.done.wait(0.001):
            begun = time.monotonic()
            self.socket.sendall(b"GET / HTTP/1.1\r\nHost: h1.example\r\n\r\n")
            answer = b""
            while not answer.endswith(b"ok"):
                got = self.socket.recv(4096)
                if not got:
                    self.longest = float("inf")  # closed: no answer at all
                    return
                answer += got
            self.longest = max(self.longest, (time.monotonic() - begun) * 1000)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()
        self.socket.close()


def measured(kind, count):
    """What a node with so many objects takes."""
    make, address = KINDS[kind]
    with Lab("growth") as lab:
        server, port = Server(), free_port()
        server.script = answering(OK)
        node = lab.node("lb-a").start("control", "data")
        pools, bound = make(count, port, f"127.0.0.1:{server.port}")
        row = {"apply s": put(node, {"stack": "growth", "pools": pools, "listeners": bound})}
        wait_for(lambda: connects(address, port), 60, "the listener")
        all_processes = processes(node)
        time.sleep(1)
        before = {name: cpu_ms(pid) for name, pid in all_processes.items()}
        time.sleep(IDLE_S)
        for name, pid in all_processes.items():
            row[f"idle {name} ms/s"] = (cpu_ms(pid) - before[name]) / IDLE_S
        for name, pid in all_processes.items():
            row[f"{name} MiB"] = memory_kib(pid) / 1024
        ask(address, port, 50)
        before = {name: cpu_ms(pid) for name, pid in all_processes.items()}
        row["metrics s"], text = timed(lambda: node.api("GET", "/metrics", timeout=60))
        row["metrics MB"] = len(text) / 1e6
        row["metrics agent ms"], row["metrics control ms"] = (cpu_ms(all_processes[n]) - before[n] for n in ("agent", "control"))
        row["status s"], _ = timed(lambda: node.api("GET", "/v1/status", timeout=60))
        done = subprocess.run([BUILD / "control" / "ballastctl", "--server", f"unix:{node.run}/api.sock", "top", "-n", "1", "-o", "json"],
                              stdout=subprocess.PIPE, timeout=60, check=True)
        assert len(json.loads(done.stdout)["servers"]) >= (count if kind != "listeners" else 1)
        pools[0]["servers"].append({"name": "another", "address": f"127.0.0.1:{server.port}"})
        before = cpu_ms(all_processes["worker"])
        with Asker(address, port) as asker:
            row["one more server s"] = put(node, {"stack": "growth", "pools": pools, "listeners": bound})
        row["longest answer ms"] = asker.longest
        row["one more server worker ms"] = cpu_ms(all_processes["worker"]) - before
        return row


def instructions(kind, count):
    """Of the worker in user space, per request, exact but for timers."""
    make, address = KINDS[kind]

    def executed(requests):
        with Lab("growth") as lab:
            server, port = Server(), free_port()
            server.script = answering(OK)
            node = lab.node("lb-a", workers=1).start("control")
            out = node.folder / "profile"
            pools, bound = make(count, port, f"127.0.0.1:{server.port}")
            under_callgrind(node, out, {"stack": "growth", "pools": pools, "listeners": bound})
            wait_for(lambda: connects(address, port), 300, "the listener")
            ask(address, port, requests)
            node.daemons["data"].stop(120)
            node.stop("control")
            text = wait_for(lambda: "totals:" in out.read_text() and out.read_text(), 60, "the worker's profile")
            return costs(text)

    few, many = executed(FEW), executed(MANY)
    # What a tick of the clock costs depends on how long the run took, and is measured as idle work.
    ticks = ("pool_tick", "pools_tick", "listeners_tick", "uv", "board", "judge", "wheel")
    grown = {name: cost - few.get(name, 0) for name, cost in many.items() if name and not name.startswith(ticks)}
    return sum(grown.values()) / (MANY - FEW)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_grows_that_must_not(kind, figure):
    counts = counts_of(kind)
    rows = {count: measured(kind, count) for count in counts}
    names = list(rows[counts[-1]])
    figure(f"{kind}", " ".join(f"{count:>10}" for count in counts))
    for name in names:
        figure(f"{kind}: {name}", " ".join(f"{rows[count].get(name, 0):>10.2f}" for count in counts))
    last = rows[counts[-1]]
    assert last["idle worker ms/s"] < 50 and last["idle agent ms/s"] < 100 and last["idle control ms/s"] < 100
    assert last["longest answer ms"] < 1000  # of it some 15 ms are the worker's; the rest is waiting for a core
    assert last["metrics s"] < 20 and last["metrics MB"] < 60 and last["status s"] < 20


@pytest.mark.parametrize("kind, counts", [
    ("servers", (2000, 20000)),  # more than there are requests: each takes a new connection
    ("hosts", COUNTS)])
def test_a_request_costs_the_same(kind, counts, figure):
    each = {count: instructions(kind, count) for count in counts}
    figure(f"{kind}: instructions per request", " ".join(f"{count}: {cost:.0f}" for count, cost in each.items()))
    assert each[counts[-1]] < each[counts[0]] * 1.15
