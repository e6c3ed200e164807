"""A thousand generations in a row, each acknowledged by every daemon, under load: nothing that did not change is disturbed.

GENERATIONS (1000), GENERATIONS_SEED (1).
"""
import os
import random
import time

from lab import free_port, rss_kib
from load_house import H2load, House, servers

GENERATIONS = int(os.environ.get("GENERATIONS", "1000"))
SEED = int(os.environ.get("GENERATIONS_SEED", "1"))
TUNNELS = 2000


class Editor:
    """Changes one document at random, never what the load and the tunnels use, but for the servers of web."""

    def __init__(self, house):
        self.rng, self.document, self.house = random.Random(SEED), house.document(), house
        self.ports = [free_port() for _ in range(8)]
        self.serial = 0

    def named(self, kind, name):
        return next(o for o in self.document[kind] if o["name"] == name)

    def extras(self, kind):
        return [o for o in self.document[kind] if o["name"].startswith("extra")]

    def step(self):
        r = self.rng
        act = r.choice([self.add_pool, self.remove_listener, self.add_listener, self.weigh, self.serve, self.tune, self.route])
        act()
        self.document["description"] = f"change {self.serial}: {act.__name__}"
        self.serial += 1
        return self.document

    def add_pool(self):
        if len(self.extras("pools")) < 20:
            self.document["pools"].append({"name": f"extra{self.serial}", "protocol": "http", "servers": servers(self.house.nginx[0].address)})

    def add_listener(self):
        taken = {o["bind"][0] for o in self.document["listeners"]}
        free = [f"127.0.0.1:{port}" for port in self.ports if f"127.0.0.1:{port}" not in taken]
        if free:
            self.document["listeners"].append({"name": f"extra{self.serial}", "bind": [self.rng.choice(free)], "protocol": "http",
                                               "pool": "web", "access_log": False})

    def remove_listener(self):
        if self.extras("listeners"):
            self.document["listeners"].remove(self.rng.choice(self.extras("listeners")))

    def weigh(self):
        for server in self.named("pools", "web")["servers"]:
            server["weight"] = self.rng.randrange(1, 200)

    def serve(self):
        """The second server of web comes, or goes."""
        listed = self.named("pools", "web")["servers"]
        if len(listed) == 2:
            listed.pop()
        else:
            listed.extend(servers(*(p.address for p in self.house.nginx))[1:])

    def tune(self):
        web = self.named("pools", "web")
        web["balance"] = self.rng.choice(["round-robin", "least-connections", "random-two"])
        web["check"]["interval"] = self.rng.choice(["200ms", "300ms"])
        self.named("listeners", "www")["timeouts"] = {"idle": f"{self.rng.randrange(60, 90)}s"}

    def route(self):
        self.named("listeners", "www")["routes"] = [
            {"match": {"path_prefix": f"/r{n}"}, "pool": "web", "response_headers": {"set": {"x-route": str(n)}}}
            for n in range(self.rng.randrange(5))]


def test_a_thousand_generations(lab, figure):
    house = House(lab)
    editor = Editor(house)
    node = house.node
    first = node.put(editor.document)["generation"]
    house.load(TUNNELS, h2=H2load)
    pids = set(node.workers())
    before = [rss_kib(pid) for pid in pids]
    began, slowest, acknowledged = time.monotonic(), 0, 0
    for _ in range(GENERATIONS):
        sent = time.monotonic()
        answer = node.put(editor.step(), query="?wait=60s")
        slowest = max(slowest, time.monotonic() - sent)
        daemons = answer["nodes"]["lb-a"]
        assert set(daemons) >= {"data", "healthd", "vrrpd"}
        assert all(d["generation"] == answer["generation"] and d["state"] == "running" for d in daemons.values()), answer
        acknowledged += 1
    figure("generations acknowledged by every daemon", acknowledged)
    figure("seconds in all, slowest", f"{time.monotonic() - began:.1f}, {slowest:.3f}")
    figure("worker memory in KiB, before and after", (before, [rss_kib(pid) for pid in pids]))
    assert answer["generation"] == first + GENERATIONS
    assert set(node.workers()) == pids, "a worker was replaced"
    loads, tunnels = house.tally(figure)
    assert all(failed == 0 and requests > 0 for requests, failed in loads.values()), loads
    assert tunnels["bytes"] > 0 and tunnels["wrong"] == 0 and tunnels["closed"] == 0
