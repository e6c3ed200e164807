"""All kinds of clients while servers are removed, disabled, weighed and killed, listeners come and go, and the data daemon is
replaced: whatever becomes of single requests, no worker fails, and nothing is left behind. Worth most with sanitizers:
BALLAST_BUILD=$PWD/build-asan tests/campaign/run tests/campaign/test_everything_at_once.py

EVERYTHING_SECONDS (60), EVERYTHING_SEED (1).
"""
import copy
import os
import random
import signal
import time
from pathlib import Path

from lab import free_port, http_get, wait_for
from tls_house import Authority, resource

SECONDS = int(os.environ.get("EVERYTHING_SECONDS", "60"))
SEED = int(os.environ.get("EVERYTHING_SEED", "1"))
TROUBLE = ("Sanitizer", "runtime error", "Assertion", "signal=")
POST = 'wrk.method = "POST"; wrk.body = string.rep("x", 30000)\n'


class Scene:
    def __init__(self, lab):
        self.lab, self.rng = lab, random.Random(SEED)
        self.servers = [self.start_server(n) for n in range(3)]
        self.h2 = lab.process("nghttpd", ["/usr/bin/python3", Path(__file__).parent / "h2_server.py", str(free_port())])
        self.h2_port = int(self.h2.argv[-1])
        wait_for(lambda: "listening" in self.h2.text(), 10, "the server of HTTP/2")
        self.ports = {name: free_port() for name in ("www", "secure", "h2", "extra")}
        pair = Authority(lab.folder / "ca").issue("shop.example")
        pools = [{"name": name, "protocol": "http", "balance": balance, "close_on_down": True, "slow_start": "1s",
                  "servers": [{"name": f"w{n}", "address": s.address, **more} for n, s in enumerate(self.servers)],
                  "timeouts": {"connect": "1s", "response": "2s", "idle": "2s"}, "queue": {"maximum": 50, "timeout": "1s"}}
                 for name, balance, more in (("web", "least-connections", {}), ("narrow", "random-two", {"maximum_connections": 3}))]
        pools.append({"name": "h2", "protocol": "h2", "servers": [{"name": f"w{n}", "address": f"127.0.0.1:{self.h2_port}"} for n in range(2)]})
        listener = {"protocol": "http", "pool": "web", "access_log": False, "compress": ["gzip"], "drain_timeout": "2s"}
        self.document = {
            "stack": "all", "certificates": [resource("shop", pair)], "pools": pools,
            "listeners": [{"name": name, "bind": [f"127.0.0.1:{port}"], **listener} for name, port in self.ports.items()]}
        self.document["listeners"][1].update(protocol="https", certificates=["shop"])
        self.document["listeners"][2]["pool"] = "h2"
        self.document["listeners"][0]["routes"] = [{"match": {"path_prefix": "/narrow"}, "pool": "narrow"}]
        self.node = lab.node("lb-a", workers=2).start("control", "data")
        self.node.put(self.document)

    def start_server(self, n, port=None):
        return self.lab.nginx(f"s{n}", "hello", port=port)

    def load(self):
        """Clients of all kinds, for as long as it takes."""
        (self.lab.folder / "close.lua").write_text('wrk.headers["Connection"] = "close"\n')
        (self.lab.folder / "post.lua").write_text(POST)
        www, secure, h2 = (self.ports[name] for name in ("www", "secure", "h2"))
        wrk = ["wrk", "-t1", "-c8", f"-d{SECONDS}s"]
        h2load = ["h2load", "-t1", "-c4", "-m8", f"-D{SECONDS}"]
        commands = [wrk + [f"http://127.0.0.1:{www}/"], wrk + ["-s", self.lab.folder / "close.lua", f"http://127.0.0.1:{www}/narrow"],
                    wrk + ["-s", self.lab.folder / "post.lua", f"http://127.0.0.1:{www}/"], wrk + [f"https://127.0.0.1:{secure}/"],
                    wrk + [f"http://127.0.0.1:{h2}/"], h2load + [f"http://127.0.0.1:{h2}/"], h2load + [f"https://127.0.0.1:{secure}/"]]
        for name, command in enumerate(commands):
            self.lab.process(f"load{name}", command)

    def step(self):
        """One thing that operators and fate do."""
        r, document = self.rng, copy.deepcopy(self.document)
        pool = r.choice(document["pools"])
        server = r.choice(pool["servers"])
        what = r.randrange(6)
        if what == 0:
            pool["servers"].remove(server)
            self.node.put(document, query="")
        elif what == 1:
            self.node.put(self.document, query="")
        elif what == 2:
            state = r.choice(["disabled", "drain", "ready"])
            self.node.api("PUT", f"/v1/stacks/all/pools/{pool['name']}/servers/{server['name']}/overlay?force=1", {"state": state, "why": "test"})
        elif what == 3:
            document["listeners"] = document["listeners"][:3]
            self.node.put(document, query="")
        elif what == 4:
            n = r.randrange(3)
            port = int(self.servers[n].address.rsplit(":", 1)[1])
            self.servers[n].kill()
            self.servers[n] = self.start_server(n, port)
        else:
            server["weight"] = r.randrange(1, 200)
            self.node.put(document, query="")

    def settle(self):
        """All as in the beginning, and no overlays."""
        for pool in self.document["pools"]:
            for server in pool["servers"]:
                self.node.api("DELETE", f"/v1/stacks/all/pools/{pool['name']}/servers/{server['name']}/overlay")
        self.node.put(self.document)


def test_everything_at_once(lab, figure):
    scene = Scene(lab)
    data = scene.node.daemons["data"]
    scene.load()
    until, steps = time.monotonic() + SECONDS - 5, 0
    hup_at = time.monotonic() + SECONDS / 2
    while time.monotonic() < until:
        scene.step()
        steps += 1
        if hup_at and time.monotonic() > hup_at:
            hup_at = None
            data.signal(signal.SIGHUP)
        time.sleep(scene.rng.random() * 0.1)
    scene.settle()
    for name in ("www", "h2", "extra"):
        wait_for(lambda n=name: http_get(f"127.0.0.1:{scene.ports[n]}", "/")[0] == 200, 20, f"{name} to answer")
    status = data.stop(60)
    text = data.text()
    for trouble in TROUBLE:
        assert trouble not in text, text[text.index(trouble) - 2000:][:8000]
    assert status == 0
    figure("changes while all kinds of clients asked", steps)
