"""More connections than there are ports, and what one costs: 70,000 tunnels through one node to one server."""
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import Process, wait_for

HERE = Path(__file__).resolve().parent
TUNNELS = 70_000
PROCESSES = 5   # of clients and servers: each has descriptors for a share (20,000 where nobody may raise the limit)
WORKERS = 8     # likewise, two descriptors for each tunnel
COMPARED = 9_000  # with one worker, for the comparison
CLIENTS = [f"10.9.0.{n}" for n in range(11, 15)]
SOURCES = [f"10.9.0.{n}" for n in range(21, 25)]


@pytest.fixture
def net(lab):
    spaces = lab.segment({"clients": [f"{a}/24" for a in CLIENTS], "lb": [f"{a}/24" for a in ["10.9.0.1", *SOURCES]],
                          "server": ["10.9.0.2/24"]})
    servers = [lab.process(f"echo{n}", ["/usr/bin/python3", HERE / "echo.py", "10.9.0.2", 7000], netns=spaces["server"])
               for n in range(PROCESSES)]
    wait_for(lambda: all("listening" in s.text() for s in servers), 10, "the servers")
    return spaces


class Crowd:
    """crowd.py, asked by lines."""

    def __init__(self, netns, *argv):
        enter = ["nsenter", f"--net=/run/netns/{netns}", "--"] if netns else []
        self.popen = subprocess.Popen(
            [*enter, "/usr/bin/python3", HERE / "crowd.py", *map(str, argv)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.popen.stdout.readline() == "ready\n"

    def do(self, line):
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()
        return json.loads(self.popen.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.popen.kill()
        self.popen.wait()


def memory(pid):
    """Bytes that the process alone would free."""
    return int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1]) * 1024


class Crowds:
    """Several that act at once."""

    def __init__(self, count, netns, *argv):
        self.all = [Crowd(netns, *argv) for _ in range(count)]

    def do(self, word, count=None):
        line = word if count is None else f"{word} {count // len(self.all)}"
        with ThreadPoolExecutor(len(self.all)) as pool:
            answers = list(pool.map(lambda crowd: crowd.do(line), self.all))
        return {"done": sum(a["done"] for a in answers), "failed": sum(a["failed"] for a in answers),
                "why": next((a["why"] for a in answers if a["why"]), None), "seconds": max(a["seconds"] for a in answers)}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for crowd in self.all:
            crowd.__exit__()


def errors(node):
    text = node.api("GET", "/metrics")[1]
    return [line for line in text.splitlines() if re.match(r"ballast_\w*(errors|refused|failures|retries)_total", line)
            and not line.endswith(" 0")]


def filled(crowds, pids, count, explain=list):
    """Opens so many connections, asks on each, and returns the memory that one of them costs, and the seconds."""
    crowds.do("open", 500)
    crowds.do("ask")
    before = sum(map(memory, pids))
    opened = crowds.do("open", count - 500)
    assert opened["failed"] == 0, (opened, explain())
    asked = crowds.do("ask")
    assert asked["done"] == count and asked["failed"] == 0, asked
    return (sum(map(memory, pids)) - before) / (count - 500), opened["seconds"]


def test_more_tunnels_than_ports(lab, net, figure):
    node = lab.node("lb", netns=net["lb"], workers=WORKERS)
    node.start("control", "data")
    document = {"stack": "s", "pools": [{"name": "p", "protocol": "tcp", "source_addresses": SOURCES, "timeouts": {"connect": "30s"},
                                         "servers": [{"name": "s", "address": "10.9.0.2:7000"}]}],
                "listeners": [{"name": "l", "bind": ["10.9.0.1:8000"], "protocol": "tcp", "pool": "p", "access_log": False,
                               "maximum_connections": 100000}]}
    node.put(document)
    with Crowds(PROCESSES, net["clients"], "10.9.0.1", 8000, "--from", *CLIENTS) as crowds:
        each, seconds = filled(crowds, node.workers(), TUNNELS, lambda: errors(node))
        figure("tunnels at once to one server", f"{TUNNELS}, opened in {seconds} s, each asked and answered")
        figure("memory per idle tunnel, user space", f"{each:.0f} bytes")
        document["listeners"][0]["timeouts"] = {"tunnel_idle": "2h"}  # a generation leaves all of them in peace
        node.put(document)
        asked = crowds.do("ask")
        assert asked["done"] == TUNNELS, asked
    assert each < 1500
    wait_for(lambda: node.status()["listeners"][0]["connections"] == 0, 60, "all to be gone")


def haproxy(lab, netns):
    path = lab.folder / "haproxy.cfg"
    path.write_text("""global
  nbthread 1
  maxconn 9500
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen l
  bind 10.9.0.1:8001 backlog 4096
  server s 10.9.0.2:7000
""")
    return Process(lab, "haproxy", ["haproxy", "-db", "-f", path], netns=netns)


def test_memory_per_tunnel_beside_haproxy(lab, net, figure):
    peer = haproxy(lab, net["lb"])
    node = lab.node("lb", netns=net["lb"], workers=1)
    node.start("control", "data")
    node.put({"stack": "s", "pools": [{"name": "p", "protocol": "tcp", "servers": [{"name": "s", "address": "10.9.0.2:7000"}]}],
              "listeners": [{"name": "l", "bind": ["10.9.0.1:8000"], "protocol": "tcp", "pool": "p", "access_log": False,
                             "maximum_connections": 100000}]})
    costs = {}
    for name, port, pid in (("Ballast", 8000, node.workers()[0]), ("HAProxy", 8001, peer.pid)):
        with Crowds(1, net["clients"], "10.9.0.1", port, "--from", *CLIENTS) as crowds:
            costs[name], _ = filled(crowds, [pid], COMPARED)
        figure(f"memory per idle tunnel, {name}", f"{costs[name]:.0f} bytes")
    assert costs["Ballast"] < costs["HAProxy"]
