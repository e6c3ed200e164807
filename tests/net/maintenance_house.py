"""What the stories of maintenance share: two whole nodes with one PostgreSQL, a VIP, servers and loads in namespaces."""
import json
import re
import signal
import subprocess

from lab import ROOT, run, wait_for
from vrrp import KEY, holds, instance

VIP = "10.0.0.100"
HOSTS = {"a": ["10.0.0.11/24"], "b": ["10.0.0.12/24"], "s": ["10.0.0.50/24"], "client": ["10.0.0.99/24"]}
PORTS = {"www": 80, "raw": 9000}
KILLED = ("control", "data", "vrrpd", "healthd")


def vip(name="web", **more):
    return {"name": name, "virtual_router_id": 51, "interface": "eth0", "addresses": [VIP + "/24"],
            "priority": {"a": 200, "b": 100}, "advertisement_interval": "100ms", **more}


class Pair:
    """a (200) and b (100): each with four daemons. Servers w1 (HTTP) and e1 (echo) stand on a host of their own."""

    def __init__(self, lab, drain_timeout="20s", before=None):
        """before: {node: {daemon: words before its command}}"""
        self.lab = lab
        self.netns = lab.segment(HOSTS)
        key = lab.folder / "cluster.key"
        key.write_text(KEY)
        key.chmod(0o600)
        self.server = lab.nginx("w1", "well", "10.0.0.50", 80, netns=self.netns["s"])
        lab.process("echo", ["/usr/bin/python3", ROOT / "tests" / "net" / "echo.py", "10.0.0.50", 9000],
                    netns=self.netns["s"])
        uri = lab.postgres().uri
        self.a, self.b = (self.node(n, store=uri, extra=f"cluster_key_file: {key}\n") for n in "ab")
        for node in (self.a, self.b):
            node.before = (before or {}).get(node.name, {})
            node.start()
        self.nodes = {"a": self.a, "b": self.b}
        self.a.put(self.document(drain_timeout))
        self.wait_held("a", 20)
        for node in (self.a, self.b):
            wait_for(lambda node=node: self.is_settled(node), 30, "two ready nodes")

    def node(self, name, **options):
        return self.lab.node(name, self.netns[name], **options)

    @staticmethod
    def document(drain_timeout):
        listen = {"drain_timeout": drain_timeout, "access_log": False}
        return {"stack": "shop", "instances": [instance("a", "10.0.0.11"), instance("b", "10.0.0.12")], "vips": [vip()],
                "pools": [{"name": "web", "protocol": "http", "minimum_up": 0, "servers": [{"name": "w1", "address": "10.0.0.50:80"}],
                           "check": {"type": "tcp", "interval": "500ms"}},
                          {"name": "echo", "protocol": "tcp", "servers": [{"name": "e1", "address": "10.0.0.50:9000"}]}],
                "listeners": [{"name": "www", "protocol": "http", "bind": ["0.0.0.0:80"], "pool": "web", **listen},
                              {"name": "raw", "protocol": "tcp", "bind": ["0.0.0.0:9000"], "pool": "echo", **listen}]}

    def is_settled(self, node):
        return node.server_states("web") == {"w1": "up"} and self.states(node) == ["ready", "ready"]

    @staticmethod
    def states(node):
        return [n["state"] for n in sorted(node.status()["nodes"], key=lambda n: n["name"])]

    def held(self):
        return [n for n in "ab" if holds(self.netns[n], VIP)]

    def wait_held(self, name, within=10):
        wait_for(lambda: self.held() == [name], within, f"{VIP} to be held by {name} alone")

    def lost(self):
        """A client that asks the VIP every 5 ms; .books() ends it."""
        client = self.lab.client(VIP, 80, netns=self.netns["client"], timeout_ms=1000)
        client.wait_answered()
        return client

    def maintenance(self, via, node):
        status, body, _ = self.nodes[via].api("GET", f"/v1/instances/{node}/maintenance")
        assert status == 200, body
        return body

    def kill_all(self, name):
        """kill -9 of every process of a node, as when its kernel goes: addresses stay until their lease ends."""
        node = self.nodes[name]
        for daemon in KILLED:
            node.daemons[daemon].kill()
        node.end_workers()

    def background(self, *argv):
        return subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def wrk(self, *more, connections=16):
        return self.background("ip", "netns", "exec", self.netns["client"], "wrk", f"-c{connections}", "-t1", "-d10m", "--timeout", "5s",
                               *more, f"http://{VIP}/")

    def tunnels(self, count, host):
        tunnels = subprocess.Popen(["ip", "netns", "exec", self.netns["client"], "/usr/bin/python3", "-B",
                                    str(ROOT / "tests" / "net" / "tunnels.py"), str(count), host, "9000"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert tunnels.stdout.readline() == "open\n"
        return tunnels


def tally_of(tunnels):
    return json.loads(tunnels.communicate("x", timeout=60)[0].splitlines()[-1])


def end_wrk(wrk):
    """(requests, errors by kind)"""
    pids = run("ps", "-o", "pid=", "--ppid", wrk.pid, check=False).split()
    for pid in pids or [wrk.pid]:  # ip netns exec becomes wrk
        subprocess.run(["kill", f"-{signal.SIGINT.value}", pid.strip() if isinstance(pid, str) else str(pid)], check=False)
    text = wrk.communicate(timeout=20)[0]
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return int(re.search(r"(\d+) requests in", text)[1]), dict(zip(("connect", "read", "write", "timeout"),
                                                                   map(int, errors.groups()))) if errors else {}
