"""The failover table: a client asks the address every 5 ms while the node that holds it dies, stops, or loses its link.

Each row is told for a pair of ballast-vrrpd and for a pair of keepalived on the same segment. Node a holds the address,
node b waits. "Dies" is the cable pulled and kill -9 at a random phase of the interval. The goals are absolute where
RFC 9568 says what is possible, and relative where a peer shows it.
"""
import argparse
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "net"))
from lab import Lab, run, wait_for  # noqa: E402
from vrrp import Keepalived, Pings, Vrrpd, holds, instance, vip  # noqa: E402

ADDRESS = "10.0.0.100"
HOSTS = {"a": ["10.0.0.11/24"], "b": ["10.0.0.12/24"], "client": ["10.0.0.99/24"]}
CLIENT_MS = 5     # how often the client asks: no gap is known better
SLACK_MS = 15     # of decision V10
INTERVALS = {"10ms": 0.01, "100ms": 0.1, "1s": 1.0}


def active_down(interval, priority):
    """RFC 9568 6.1, in seconds."""
    return interval * (3 + (256 - priority) / 256)


class BallastPair:
    name = "Ballast"

    def __init__(self, lab, interval, priority):
        self.lab, self.netns = lab, lab.segment(HOSTS)
        document = {"stack": "shop", "instances": [instance("a", "10.0.0.11"), instance("b", "10.0.0.12")],
                    "vips": [vip([ADDRESS + "/24"], interval, {"a": max(200, priority + 1), "b": priority})]}
        if priority == 254:
            document["vips"][0]["priority"]["a"] = 254
        self.nodes = {n: Vrrpd(lab, n, self.netns[n], document) for n in "ab"}

    def settle(self):
        """a holds the address alone, and both know each other to live."""
        for node, other in (("a", "b"), ("b", "a")):
            text = self.nodes[node].text
            wait_for(lambda text=text, other=other: text().rfind(f"peer={other} state=healthy") >
                     text().rfind(f"peer={other} state=un"), 20, f"{other} to be known")

    def die(self, node):
        self.lab.plug(node, False)
        self.nodes[node].process.kill()

    def stop(self, node):
        self.nodes[node].process.stop()

    def come_back(self, node):
        wait_for(lambda: not holds(self.netns[node], ADDRESS), 10, "the lease to run out")
        self.lab.plug(node, True)
        self.nodes[node].start()


class KeepalivedPair:
    name = "keepalived"

    def __init__(self, lab, interval, priority):
        self.lab, self.netns, self.interval = lab, lab.segment(HOSTS), INTERVALS[interval]
        self.priority = {"a": 254 if priority == 254 else max(200, priority + 1), "b": priority}
        self.nodes = {}
        for n in "ab":
            self.start(n)

    def start(self, node):
        self.nodes[node] = Keepalived(self.lab, node, self.netns[node], self.priority[node], [ADDRESS + "/24"],
                                      self.interval)

    def settle(self):
        pass

    def die(self, node):
        self.lab.plug(node, False)
        self.nodes[node].kill()

    def stop(self, node):
        self.nodes[node].stop()

    def come_back(self, node):
        run("ip", "-n", self.netns[node], "address", "delete", ADDRESS + "/24", "dev", "eth0", check=False)
        self.lab.plug(node, True)
        self.start(node)


class Holder:
    def __init__(self, netns):
        self.netns = netns

    def holds(self, address):
        return holds(self.netns, address)


def other(node):
    return "b" if node == "a" else "a"


def holder_of(pair):
    """Who holds the address alone, once that is clear."""
    views = [Holder(pair.netns[n]) for n in "ab"]

    def alone():
        held = [n for n, v in zip("ab", views) if v.holds(ADDRESS)]
        return held[0] if len(held) == 1 else None

    return wait_for(alone, 30, "one node to hold the address")


def answered_again(pings, count=20):
    before = pings.answered()
    wait_for(lambda: pings.answered() >= before + count, 20, "the client to get answers")


def gaps_of(pair, event, interval, times):
    """(gaps in ms, answers lost), one for each time that event takes the holder's address from it."""
    gaps, losses = [], []
    for _ in range(times):
        pair.settle()
        node = holder_of(pair)
        pings = Pings(pair.lab, pair.netns["client"], ADDRESS, CLIENT_MS / 1000)
        time.sleep(0.1 + random.random() * interval)  # the phase is what is measured over
        event(pair, node)
        wait_for(lambda node=node: holds(pair.netns[other(node)], ADDRESS), 10 * interval + 5)
        answered_again(pings)
        lost, gap = pings.stop()
        gaps.append(gap * 1000)
        losses.append(lost)
        pair.come_back(node)
        holder_of(pair)
    return gaps, losses


def measure(kind, event, interval, priority, times):
    with Lab(f"bench-{kind.name}-{interval}") as lab:
        return gaps_of(kind(lab, interval, priority), event, INTERVALS[interval], times)


def die(pair, node):
    pair.die(node)


def stop(pair, node):
    pair.stop(node)


def say(row, figures, goal, is_met):
    print(f"{row:<34} {figures:<66} {goal:<38} {'met' if is_met else 'MISSED'}", flush=True)
    return is_met


def spread(gaps):
    return f"{statistics.median(gaps):.0f} ({min(gaps):.0f}–{max(gaps):.0f}) ms"


def tell_deaths(interval, kills):
    bound = active_down(INTERVALS[interval], 254) * 1000 + SLACK_MS
    gaps, _ = measure(BallastPair, die, interval, 254, kills)
    is_met = say(f"node dies, {interval}, Backup 254", f"Ballast {spread(gaps)}", f"greatest ≤ {bound:.0f} ms",
                 max(gaps) <= bound + CLIENT_MS)
    ours, _ = measure(BallastPair, die, interval, 100, kills)
    theirs, _ = measure(KeepalivedPair, die, interval, 100, kills)
    return say(f"node dies, {interval}, Backup 100", f"Ballast {spread(ours)}, keepalived {spread(theirs)}",
               "median not above keepalived's", statistics.median(ours) <= statistics.median(theirs)) and is_met


def tell_stops(interval, times):
    _, ours = measure(BallastPair, stop, interval, 100, times)
    gaps, theirs = measure(KeepalivedPair, stop, interval, 100, times)
    return say(f"orderly stop, {interval}", f"Ballast {max(ours)} answers lost at most, keepalived {max(theirs)} "
               f"({spread(gaps)})", "≤ 1 lost answer", max(ours) <= 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--interval", action="append", choices=list(INTERVALS))
    arguments = parser.parse_args()
    is_met = True
    print(f"{'event':<34} {'without an answer: median (least–greatest)':<66} {'goal':<38}")
    for interval in arguments.interval or ["10ms", "100ms", "1s"]:
        is_met &= tell_deaths(interval, arguments.kills)
        is_met &= tell_stops(interval, max(1, arguments.kills // 4))
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
