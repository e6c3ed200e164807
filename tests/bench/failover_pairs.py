"""Two nodes that share an address, of either program: settled, killed, stopped, brought back."""
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "net"))
from lab import run, wait_for  # noqa: E402
from vrrp import KEY, Keepalived, Vrrpd, holds, instance, vip  # noqa: E402

ADDRESS = "10.0.0.100"
NODES = {"a": "10.0.0.11", "b": "10.0.0.12"}
HOSTS = {"a": ["10.0.0.11/24"], "b": ["10.0.0.12/24"], "client": ["10.0.0.99/24"]}
REALTIME = ["chrt", "-r", "1"]  # a pair's programs, its client and observer: the machine may be busy with other things
MANY_FLAPS = {"maximum_flaps": 1000}  # what is measured happens more often than a node would bear
INTERVALS = {"10ms": 0.01, "100ms": 0.1, "1s": 1.0}


def other(node):
    return "b" if node == "a" else "a"


def holder_of(netns):
    """The one node that has the address; None: none, or both."""
    held = [n for n in "ab" if holds(netns[n], ADDRESS)]
    return held[0] if len(held) == 1 else None


def settled_holder(netns, interval):
    """Waits until one node alone has held the address for four intervals: longer than anybody waits to claim it."""
    since = {"holder": None, "at": 0.0}

    def has_settled():
        holder = holder_of(netns)
        if holder != since["holder"]:
            since.update(holder=holder, at=time.monotonic())
        return holder is not None and time.monotonic() - since["at"] > max(4 * interval, 0.3)

    wait_for(has_settled, 60, "one node to hold the address, and go on")
    return since["holder"]


def realtime(process):
    """The same scheduling for a program that is running already, its threads and children."""
    for pid in [process.pid, *run("ps", "-o", "pid=", "--ppid", process.pid, check=False).split()]:
        run("chrt", "-a", "-r", "-p", "1", pid, check=False)


def unplug(lab, node):
    """As lab.plug(), and at once."""
    run(*REALTIME, "ip", "-n", lab.switch, "link", "set", f"p-{node}", "down")


class BallastPair:
    """ballast-vrrpd alone on both nodes: what it does without control."""
    name = "Ballast"

    def __init__(self, lab, interval, priority, second_path=False):
        self.lab, self.interval = lab, INTERVALS[interval]
        self.netns = lab.segment(HOSTS)
        if second_path:
            self.add_second_path()
        ha = {n: {"addresses": [f"10.9.0.{1 if n == 'a' else 2}"]} if second_path else {} for n in "ab"}
        document = {"stack": "shop", "instances": [instance(n, NODES[n], **ha[n], **MANY_FLAPS) for n in "ab"],
                    "vips": [vip([ADDRESS + "/24"], interval, {"a": priority, "b": priority}, startup_hold="0s")]}
        self.nodes = {}
        for n in "ab":
            self.nodes[n] = Vrrpd(lab, n, self.netns[n], document)
            realtime(self.nodes[n].process)

    def add_second_path(self):
        """A cable of its own between the nodes."""
        run("ip", "-n", self.netns["a"], "link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns",
            self.netns["b"])
        for n, address in (("a", "10.9.0.1/24"), ("b", "10.9.0.2/24")):
            run("ip", "-n", self.netns[n], "address", "add", address, "dev", "eth1")
            run("ip", "-n", self.netns[n], "link", "set", "eth1", "up")

    def settle(self):
        """Both know each other to live, and one holds the address."""
        for node in "ab":
            text, peer = self.nodes[node].text, other(node)
            wait_for(lambda text=text, peer=peer: text().rfind(f"peer={peer} state=healthy") >
                     max(text().rfind(f"peer={peer} state=un"), text().rfind("starting version=")), 30, f"{peer} to be known")
        return settled_holder(self.netns, self.interval)

    def die(self, node):
        unplug(self.lab, node)
        self.nodes[node].process.kill()

    def stop(self, node):
        self.nodes[node].process.stop()

    def come_back(self, node):
        """As after a reboot: nothing of the kernel's addresses or of run_dir's records is left."""
        run("ip", "-n", self.netns[node], "address", "delete", ADDRESS + "/24", "dev", "eth0", check=False)
        (self.nodes[node].node.run / "vrrpd.ownership").unlink(missing_ok=True)
        self.lab.plug(node, True)
        self.nodes[node].start()
        realtime(self.nodes[node].process)


class KeepalivedPair:
    name = "keepalived"

    def __init__(self, lab, interval, priority):
        self.lab, self.netns, self.interval = lab, lab.segment(HOSTS), INTERVALS[interval]
        self.priority, self.nodes = priority, {}
        for n in "ab":
            self.start(n)

    def start(self, node):
        self.nodes[node] = Keepalived(self.lab, node, self.netns[node], self.priority, [ADDRESS + "/24"], self.interval)
        wait_for(lambda: "BACKUP STATE" in self.nodes[node].text(), 10, "keepalived to be Backup")
        realtime(self.nodes[node].process)

    def settle(self):
        return settled_holder(self.netns, self.interval)

    def die(self, node):
        unplug(self.lab, node)
        self.nodes[node].kill()

    def stop(self, node):
        self.nodes[node].stop()

    def come_back(self, node):
        run("ip", "-n", self.netns[node], "address", "delete", ADDRESS + "/24", "dev", "eth0", check=False)
        self.lab.plug(node, True)
        self.start(node)


class Cluster:
    """Two whole nodes on one PostgreSQL, the address at a (200), a listener on it and a server at the client's."""

    def __init__(self, lab):
        self.lab, self.netns, self.interval = lab, lab.segment(HOSTS), 0.1
        key = lab.folder / "cluster.key"
        key.write_text(KEY)
        key.chmod(0o600)
        uri = lab.postgres().uri
        lab.http_server("w1", host="10.0.0.99", port=8080, netns=self.netns["client"])
        self.nodes = {}
        for n in "ab":
            self.nodes[n] = lab.node(n, self.netns[n], store=uri, workers=2, extra=f"cluster_key_file: {key}\n")
            self.nodes[n].start()
        self.nodes["a"].put({
            "stack": "shop", "instances": [instance(n, NODES[n], **MANY_FLAPS) for n in "ab"],
            "vips": [vip([ADDRESS + "/24"], "100ms", {"a": 200, "b": 100}, startup_hold="0s",
                         track=[{"data": True, "weight": "down"}])],
            "pools": [{"name": "web", "protocol": "http", "servers": [{"name": "w1", "address": "10.0.0.99:8080"}]}],
            "listeners": [{"name": "www", "bind": [f"{ADDRESS}:80"], "protocol": "http", "pool": "web",
                           "access_log": False}]})

    def log(self, node):
        return self.nodes[node].daemons["vrrpd"].text()

    def settle(self, holder="a"):
        """The holder has the address, and each knows the other."""
        for n in "ab":
            wait_for(lambda n=n: self.log(n).rfind(" state=healthy") > self.log(n).rfind(" state=un"), 30,
                     "the peer to be known")
        wait_for(lambda: holder_of(self.netns) == holder, 30, f"{holder} to hold the address")
        settled_holder(self.netns, self.interval)

    def workers(self, node):
        """Both workers of the supervisor that runs now: status may still tell of those before."""
        supervisor = self.nodes[node].daemons["data"].pid

        def both():
            children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text(encoding="ascii").split()
            found = [int(p) for p in children if b"\0worker\0" in Path(f"/proc/{p}/cmdline").read_bytes()]
            return found if len(found) == 2 else None

        return wait_for(both, 20, "both workers to run", every=0.001)
