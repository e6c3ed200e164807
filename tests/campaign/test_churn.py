"""A day of churn in a short time: two nodes, one address, and everything that happens to them, one thing after another.

CHURN_SECONDS says for how long (300). A client asks every 5 ms, an onlooker reads advertisements from the wire. Printed at
the end: what was done, the longest time without an answer for each kind of event, and the longest time with two Actives.
"""
import collections
import os
import random
import signal
import time

from lab import run, wait_for
from test_vrrp_pair import Pair
from vrrp import Pings, holders

SECONDS = float(os.environ.get("CHURN_SECONDS", "300"))
SEED = int(os.environ.get("CHURN_SEED", random.randrange(1 << 30)))
INTERVAL = 0.1
ACTIVE_DOWN = INTERVAL * (3 + 156 / 256)
# Of a machine that others use as well. The goals are Active-down + 15 ms, and one interval; the figures are printed.
GAP_MOST, DOUBLE_MOST = ACTIVE_DOWN + 1.0, 3 * INTERVAL


class Onlooker:
    """tcpdump at the switch: (time, source) of each advertisement that claims the address."""

    def __init__(self, lab):
        self.process = lab.process("tcpdump", ["tcpdump", "-i", "br0", "-n", "-tt", "-l", "-v", "ip proto 112"],
                                   netns=lab.switch)
        wait_for(lambda: "listening on" in self.process.text(), 10)

    def claims(self):
        source, at = None, None
        for line in self.process.text().splitlines():
            words = line.split()
            if "proto VRRP" in line:
                at = float(words[0])
            if "VRRPv3, Advertisement" in line and at is not None:
                source = next(w for w in line.replace(":", " ").split() if w.startswith("10.0.0."))
                if "prio 0," not in line:
                    yield at, source

    def doubles(self):
        """(begin, length) of each time in which two sources advertised within an interval of each other."""
        last, begun, found = {}, None, []
        for at, source in self.claims():
            last[source] = at
            rivals = [t for s, t in last.items() if s != source and at - t < 1.5 * INTERVAL]
            if rivals:
                begun = begun if begun is not None else at
                end = at
            elif begun is not None:
                found.append((begun, end - begun))
                begun = None
        return found


class Churn:
    def __init__(self, lab, pair, dice):
        self.lab, self.pair, self.dice = lab, pair, dice
        self.parted = []  # (begin, end) by the wall clock: two Actives are meant then

    def nft(self, netns, *command):
        run("nsenter", f"--net=/run/netns/{netns}", "nft", *command)

    def kill(self, node):
        node.process.kill()
        time.sleep(self.dice.random() * 2 * ACTIVE_DOWN)
        node.start()

    def stop(self, node):
        node.process.stop()
        time.sleep(self.dice.random())
        node.start()

    def stall(self, node):
        """0.5 to 3 intervals: within the patience nothing moves, past it the address is let go."""
        node.process.signal(signal.SIGSTOP)
        time.sleep(self.dice.uniform(0.5, 3) * INTERVAL)
        node.process.signal(signal.SIGCONT)

    def link_down(self, node):
        name = "a" if node is self.pair.a else "b"
        self.lab.plug(name, False)
        time.sleep(self.dice.uniform(0.5, 2))
        self.lab.plug(name, True)

    def part(self, node):
        """VRRP and heartbeats of the other do not arrive: both are Active, until they hear each other again."""
        begun = time.time()
        self.nft(node.netns, "add table inet churn; add chain inet churn in { type filter hook input priority 0; }; "
                             "add rule inet churn in ip protocol 112 drop; add rule inet churn in udp dport 7610 drop")
        time.sleep(self.dice.uniform(1, 2))
        self.nft(node.netns, "delete table inet churn")
        self.parted.append((begun, time.time() + 1.5 * INTERVAL))

    def take_off(self, node):
        run("ip", "-n", node.netns, "address", "delete", f"{self.pair.address}/24", "dev", "eth0", check=False)

    def put_on(self, node):
        run("ip", "-n", node.netns, "address", "add", f"{self.pair.address}/24", "dev", "eth0", check=False)

    EVENTS = (kill, stop, stall, link_down, part, take_off, put_on)

    def settle(self):
        wait_for(lambda: len(holders(self.pair.nodes, self.pair.address)) == 1, 20, "one holder")
        for node, other in ((self.pair.a, "b"), (self.pair.b, "a")):
            wait_for(lambda node=node, other=other: node.text().rfind(f"peer={other} state=healthy") >
                     node.text().rfind(f"peer={other} state=un"), 20, f"{other} to be known")

    def one(self):
        """One event: its name, and the longest time without an answer that came of it."""
        self.settle()
        event, node = self.dice.choice(self.EVENTS), self.dice.choice(self.pair.nodes)
        pings = Pings(self.lab, self.pair.netns["client"], self.pair.address)
        event(self, node)
        self.settle()
        before = pings.answered()
        wait_for(lambda: pings.answered() > before + 40, 20, "the client to get answers")
        return event.__name__, pings.stop()[1]


def test_churn(lab, figure):
    print(f"CHURN_SEED={SEED}")
    pair = Pair(lab, "100ms").settle()
    onlooker, churn = Onlooker(lab), Churn(lab, pair, random.Random(SEED))
    gaps, deadline = collections.defaultdict(list), time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        name, gap = churn.one()
        gaps[name].append(gap)
    doubles = [length for begun, length in onlooker.doubles()
               if not any(b - INTERVAL <= begun <= e for b, e in churn.parted)]
    for name, lengths in sorted(gaps.items()):
        figure(f"{name}: times, longest gap in ms", (len(lengths), round(max(lengths) * 1000)))
    figure("longest double in ms, partitions left out", round(max(doubles, default=0) * 1000))
    assert max(max(lengths) for lengths in gaps.values()) <= GAP_MOST
    assert max(doubles, default=0) <= DOUBLE_MOST
