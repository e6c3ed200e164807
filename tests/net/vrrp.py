"""What the stories of vrrpd share: a node that runs ballast-vrrpd alone, keepalived as its peer, and eyes.

ballast-vrrpd needs no control: it starts from its last good snapshot, which is written here. Keys of documents
stand in the order of the tables of common/field, values in canonical form, because the snapshot carries a digest
of exactly that text.
"""
import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import time

from bus_lab import Caller
from lab import Process, run, wait_for

KEY = "1:" + base64.b64encode(bytes(range(32))).decode() + "\n"


def snapshot(document, generation=1):
    """The last good snapshot's content for a document in canonical form."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return json.dumps({"format": 1, "generation": generation,
                       "digest": "sha256:" + hashlib.sha256(text.encode()).hexdigest(), "document": document})


def instance(name, address, **ha):
    return {"name": name, "address": address, "ha": {"mode": "active-passive", **ha}}


def vip(addresses, interval, priority=None, track=(), **more):
    """A VIP document; `more` are fields that stand behind advertisement_interval in the tables.

    By default a VIP goes by its node's data plane, which does not run in most of these stories: hence no track.
    """
    return {"name": "web", "virtual_router_id": 51, "interface": "eth0", "addresses": addresses,
            **({"priority": priority} if priority else {}), "advertisement_interval": interval, **more,
            "track": list(track)}


class Vrrpd:
    """ballast-vrrpd alone in a namespace."""

    def __init__(self, lab, name, netns, document, key=KEY, before=()):
        """before: words before its command, as a scheduling policy."""
        self.netns = netns
        self.node = lab.node(name, netns)
        self.node.before["vrrpd"] = before
        self.node.state.mkdir()
        (self.node.state / "vrrpd.snapshot").write_text(snapshot(document))
        key_file = self.node.folder / "cluster.key"
        if key:
            key_file.write_text(key)
            key_file.chmod(0o600)
        with self.node.config.open("a") as f:
            f.write(f"cluster_key_file: {key_file}\n")
        self.start()

    @property
    def process(self):
        return self.node.daemons["vrrpd"]

    def start(self):
        self.node.start("vrrpd")
        return self

    def text(self):
        return self.process.text()

    def holds(self, address):
        return holds(self.netns, address)


def samples(vrrpd, metric):
    """[{"labels": …, "value": …}] of a metric, as its vrrpd tells it on the bus."""
    caller = Caller(vrrpd.node.run / "bus" / "vrrpd.req")
    try:
        return caller.ask("counters")["body"][metric]["samples"]
    finally:
        caller.close()


WHOLE_STATISTICS = re.compile(r".*Priority Zero:\n +Received: \d+\n +Sent: \d+\n", re.S)


class Keepalived:
    """keepalived 2.2 with one vrrp_instance in a namespace."""

    def __init__(self, lab, name, netns, priority, addresses, interval=0.1, version=3, extra=""):
        self.netns = netns
        folder = lab.folder / f"keepalived-{name}"
        folder.mkdir(exist_ok=True)
        for left in ("pid", "vrid"):  # of one that was killed: it would count as running
            (folder / left).unlink(missing_ok=True)
        lines = "\n".join(f"        {a} dev eth0" for a in addresses)
        (folder / "conf").write_text(
            f"global_defs {{\n    vrrp_version {version}\n    vrrp_garp_master_delay 1\n    enable_script_security\n}}\n"
            f"vrrp_instance V1 {{\n    interface eth0\n    virtual_router_id 51\n    priority {priority}\n"
            f"    advert_int {interval}\n    state BACKUP\n{extra}\n"
            f"    virtual_ipaddress {{\n{lines}\n    }}\n}}\n")
        self.process = Process(lab, f"keepalived-{name}",
                               ["keepalived", "-n", "-l", "-D", "-P", "-f", folder / "conf", "-p", folder / "pid",
                                "-r", folder / "vrid"], netns=netns, env={"TMPDIR": str(folder)})
        self.statistics_file = folder / "keepalived.stats"

    def statistics(self):
        """What it counts itself, told anew: {"Became master": n, "Priority Zero/Sent": n, …}."""
        self.statistics_file.unlink(missing_ok=True)
        self.process.signal(signal.SIGUSR2)
        told = wait_for(lambda: WHOLE_STATISTICS.search(self.statistics_file.read_text()), 5, "keepalived's statistics")
        found, section = {}, ""
        for line in told[0].splitlines():
            name, _, count = (part.strip() for part in line.partition(":"))
            if count.isdigit():
                found[section + name if line.startswith("    ") else name] = int(count)
            else:
                section = name + "/"
        return found

    def kill(self):
        """kill -9 of parent and child, as when the node dies (but its kernel keeps the address)."""
        children = run("ps", "-o", "pid=", "--ppid", self.process.pid, check=False).split()
        self.process.signal(signal.SIGSTOP)  # it would start a new child
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        self.process.kill()

    def stop(self):
        self.process.stop()

    def text(self):
        return self.process.text()

    def holds(self, address):
        return holds(self.netns, address)


def addresses(netns, interface="eth0"):
    """{address: its row of `ip -j address`} on an interface."""
    links = json.loads(run("ip", "-n", netns, "-j", "address", "show", "dev", interface))
    return {row["local"]: row for row in links[0]["addr_info"]}


def holds(netns, address):
    return address in addresses(netns)


def holders(routers, address):
    return [r for r in routers if r.holds(address)]


def wait_holder(routers, holder, address, within):
    """Waits until exactly `holder` holds the address; returns the seconds it took."""
    begun = time.monotonic()
    wait_for(lambda: holders(routers, address) == [holder], within,
             f"{address} to be held by one alone", every=0.01)
    return time.monotonic() - begun


class Pings:
    """A client that asks an address every 5 ms, each answer noted: what an outage looks like from outside."""

    SCRIPT = """
import socket, struct, sys, time, select, os
target, every = sys.argv[1], float(sys.argv[2])
v6 = ":" in target
s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_RAW,
                  socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP)
s.setblocking(False)
me = os.getpid() & 0xffff
def checksum(b):
    n = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    n = (n >> 16) + (n & 0xffff)
    return ~(n + (n >> 16)) & 0xffff
sent = 0
next_at = time.monotonic()
print("pinging", flush=True)
while True:
    now = time.monotonic()
    if now >= next_at:
        head = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, me, sent & 0xffff)
        if not v6:
            head = struct.pack("!BBHHH", 8, 0, checksum(head), me, sent & 0xffff)
        try:
            s.sendto(head, (target, 0))
            print("s %d %.6f" % (sent, now), flush=True)
        except OSError as e:
            print("x %d %.6f" % (sent, now), flush=True)
        sent += 1
        next_at = max(next_at + every, now)
    if select.select([s], [], [], max(0, next_at - time.monotonic()))[0]:
        data = s.recv(2048)
        at = time.monotonic()
        if not v6:
            data = data[(data[0] & 15) * 4:]
        kind, _, _, ident, number = struct.unpack("!BBHHH", data[:8])
        if kind == (129 if v6 else 0) and ident == me:
            print("r %d %.6f" % (number, at), flush=True)
"""

    def __init__(self, lab, netns, target, every=0.005, before=()):
        """before: words before its command, as a scheduling policy."""
        self.every = every
        self.process = lab.process("pings", [*before, "/usr/bin/python3", "-u", "-c", self.SCRIPT, target, every],
                                   netns=netns)
        wait_for(lambda: self.answered(), 10, f"{target} to answer")

    def rows(self):
        rows = [line.split() for line in self.process.text().splitlines() if line[:2] in ("s ", "r ", "x ")]
        return [(kind, int(number), float(at)) for kind, number, at in (r for r in rows if len(r) == 3)]

    def answered(self):
        return sum(1 for kind, _, _ in self.rows() if kind == "r")

    def stop(self):
        """Ends it: (lost, the longest time without an answer in seconds). Requests of the last 100 ms do not count."""
        self.process.kill()
        rows = self.rows()
        end = rows[-1][2] - 0.1
        sent = {number for kind, number, at in rows if kind in "sx" and at < end}
        got = {number for kind, number, _ in rows if kind == "r"}
        times = [at for kind, _, at in rows if kind == "r"]
        gap = max((b - a for a, b in zip(times, times[1:])), default=0.0)
        return len(sent - got), gap


def sysctl(netns, setting):
    subprocess.run(["nsenter", f"--net=/run/netns/{netns}", "sysctl", "-qw", setting], check=True)
