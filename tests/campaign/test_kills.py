"""Every daemon killed with -9, one each two seconds for two minutes, under load: only what a killed worker carried is lost.

KILL_SECONDS (120).
"""
import itertools
import os
import re
import signal
import statistics
import time

from lab import http_get, run, wait_for
from load_house import House

SECONDS = int(os.environ.get("KILL_SECONDS", "120"))
PAUSE = 2
TUNNELS = 2000
NEW = 16  # connections that the load of new connections may have opened between the count and the kill


class Victims:
    """Whom to kill next: the three other daemons, data's supervisor and its agent, and a worker."""

    def __init__(self, house):
        self.house, self.node = house, house.node
        self.carried = {"tunnels": 0, "kept": 0, "new": 0}
        self.killed = {}

    def count(self, pid):
        """Adds the clients' connections of a worker to the sums."""
        for name, kind in (("tcp", "tunnels"), ("upgrades", "tunnels"), ("www", "kept")):
            listed = run("ss", "-Htnp", "state", "established", "sport", "=", f":{self.house.ports[name]}")
            self.carried[kind] += len(re.findall(rf"pid={pid}\b", listed))
        self.carried["new"] += NEW

    def kill(self, name):
        self.killed[name] = self.killed.get(name, 0) + 1
        if name in ("worker", "agent"):
            pid = min(wait_for(lambda: self.node.data_processes(name), 10, f"a running {name}"))
            if name == "worker":
                self.count(pid)
            os.kill(pid, signal.SIGKILL)
        else:
            self.node.restart_killed(name)


def test_each_daemon_killed_every_two_seconds(lab, figure):
    house = House(lab)
    node = house.node
    node.put(house.document())
    house.load(TUNNELS, h2=None)
    victims = Victims(house)
    until = time.monotonic() + SECONDS
    for name in itertools.cycle(["control", "healthd", "vrrpd", "data", "agent", "worker"]):
        at = time.monotonic() + PAUSE
        if at > until:
            break
        victims.kill(name)
        time.sleep(max(0, at - time.monotonic()))  # the pace of the kills, not a wait for anything
    wait_for(lambda: node.status()["nodes"][0]["state"] == "ready", 20, "the node ready again")
    wait_for(lambda: len(node.workers()) == 2, 20, "both workers reported")
    figure("killed", victims.killed)
    figure("client connections of the killed workers", victims.carried)
    loads, tunnels = house.tally(figure)
    assert tunnels["wrong"] == 0 and tunnels["bytes"] > 0
    assert tunnels["closed"] <= victims.carried["tunnels"]
    failed = sum(failed for _, failed in loads.values())
    assert failed <= victims.carried["kept"] + victims.carried["new"], loads
    assert all(requests > 1000 for requests, _ in loads.values())


def test_a_worker_is_replaced_at_once(lab, figure):
    house = House(lab, workers=1)
    node = house.node
    node.put(house.document())
    took = []
    for _ in range(20):
        time.sleep(PAUSE + 0.1)  # older than those that are taken for broken, which are replaced later and later
        wait_for(lambda: set(node.workers()) == node.data_processes("worker") != set(), 20, "the new worker reported")
        began = time.monotonic()
        os.kill(node.workers()[0], signal.SIGKILL)
        assert http_get(f"127.0.0.1:{house.ports['www']}")[0] == 200
        took.append((time.monotonic() - began) * 1000)
    figure("ms from the kill of the only worker to an answer: median, greatest", f"{statistics.median(took):.1f}, {max(took):.1f}")
    assert statistics.median(took) <= 50
