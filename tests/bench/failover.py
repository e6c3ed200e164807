"""The failover table: a client asks the address every 5 ms while what holds it dies, stops, moves, or loses its link.

Deaths are told for a pair of ballast-vrrpd and for a pair of keepalived in namespaces of the same make, at the same
time and at the same phases of the interval (failover_wire.py). The goals are absolute where RFC 9568 says what is
possible, and relative where a peer shows it. In the pairs both programs, the client and the observer run under
SCHED_RR 1; whole nodes run as their units have them.
"""
import argparse
import concurrent.futures
import os
import random
import signal
import statistics
import sys
import time

from failover_pairs import (ADDRESS, INTERVALS, NODES, REALTIME, BallastPair, Cluster, KeepalivedPair, holder_of, other)
from failover_wire import Wire, phases
from lab import Lab, run, wait_for
from vrrp import Pings, holds

CLIENT_MS = 5     # how often the client asks: no gap is known better
SLACK_MS = 15     # of decision V10
TIMES = 10        # of what is not a death


def active_down(interval, priority):
    """RFC 9568 6.1, in seconds."""
    return interval * (3 + (256 - priority) / 256)


def watch(pair):
    return Pings(pair.lab, pair.netns["client"], ADDRESS, CLIENT_MS / 1000, before=REALTIME)


def answered_again(pings, count=20):
    before = pings.answered()
    wait_for(lambda: pings.answered() >= before + count, 20, "the client to get answers")


def at_phase(wire, node, phase):
    """Returns `phase` seconds after an advertisement of the node."""
    due = wire.next_of(NODES[node]) + phase
    time.sleep(max(0, due - time.monotonic()))


def outages(pair, event, moments):
    """[(gap in ms, answers lost)]: each time the event befalls whoever holds the address then, and the other must take it."""
    found, wire = [], Wire(pair.netns["client"])
    for phase in moments:
        victim = pair.settle()
        pings = watch(pair)
        at_phase(wire, victim, phase)
        event(pair, victim)
        wait_for(lambda victim=victim: holds(pair.netns[other(victim)], ADDRESS), 10 * pair.interval + 5,
                 "the other node to hold the address")
        answered_again(pings)
        lost, gap = pings.stop()
        found.append((gap * 1000, lost))
        pair.come_back(victim)
    wire.close()
    return found


def measure(kind, event, interval, priority, moments, **options):
    with Lab(f"bench-{kind.name}-{interval}-{priority}") as lab:
        return outages(kind(lab, interval, priority, **options), event, moments)


def side_by_side(*calls):
    """The answers of several measurements at the same time."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [f.result() for f in [pool.submit(*call) for call in calls]]


def gaps(rows):
    return [gap for gap, _ in rows]


def spread(rows):
    return f"{statistics.median(gaps(rows)):.0f} ({min(gaps(rows)):.0f}–{max(gaps(rows)):.0f}) ms"


def say(row, figures, goal, is_met):
    print(f"{row:<34} {figures:<64} {goal:<34} {'met' if is_met else 'NOT MET'}", flush=True)
    return is_met


def die(pair, node):
    pair.die(node)


def stop(pair, node):
    pair.stop(node)


def tell_deaths(name, options):
    seconds = INTERVALS[name]
    moments = phases(options.kills, seconds, options.dice)
    best, ours, theirs = side_by_side((measure, BallastPair, die, name, 254, moments),
                                      (measure, BallastPair, die, name, 100, moments),
                                      (measure, KeepalivedPair, die, name, 100, moments))
    bound = active_down(seconds, 254) * 1000 + SLACK_MS
    is_met = say(f"node dies, {name}, both 254", f"Ballast {spread(best)}", f"greatest ≤ {bound:.0f} + {CLIENT_MS} ms",
                 max(gaps(best)) <= bound + CLIENT_MS)
    # What a client that asks every 5 ms cannot tell apart is not above.
    median, reference = statistics.median(gaps(ours)), statistics.median(gaps(theirs))
    return say(f"node dies, {name}, both 100", f"Ballast {spread(ours)}, keepalived {spread(theirs)}",
               f"median ≤ keepalived's + {CLIENT_MS} ms", median <= reference + CLIENT_MS) and is_met


def tell_stops(options):
    moments = phases(TIMES, 0.1, options.dice)
    ours, theirs = side_by_side((measure, BallastPair, stop, "100ms", 100, moments),
                                (measure, KeepalivedPair, stop, "100ms", 100, moments))
    most = max(lost for _, lost in ours)
    return say("orderly stop, 100ms", f"Ballast {most} lost, {spread(ours)}; keepalived {max(n for _, n in theirs)}, "
               f"{spread(theirs)}", "≤ 1 lost answer", most <= 1)


class CutLink:
    """The Active's own interface goes down; its vrrpd lives."""

    def __call__(self, pair, node):
        run("ip", "-n", pair.netns[node], "link", "set", "eth0", "down")


class LinkPair(BallastPair):
    def come_back(self, node):
        run("ip", "-n", self.netns[node], "link", "set", "eth0", "up")
        run("ip", "-n", self.netns[node], "address", "replace", NODES[node] + "/24", "dev", "eth0")


class SecondPath(LinkPair):
    def __init__(self, lab, interval, priority):
        super().__init__(lab, interval, priority, second_path=True)


def tell_links(options):
    moments = phases(TIMES, 0.1, options.dice)
    lone, told = side_by_side((measure, LinkPair, CutLink(), "100ms", 254, moments),
                              (measure, SecondPath, CutLink(), "100ms", 100, moments))
    bound = active_down(0.1, 254) * 1000 + SLACK_MS
    is_met = say("link down, no other path, 100ms", f"Ballast {spread(lone)}", f"greatest ≤ {bound:.0f} + {CLIENT_MS} ms",
                 max(gaps(lone)) <= bound + CLIENT_MS)
    return say("link down, another path, 100ms", f"Ballast {spread(told)}", f"greatest ≤ 30 + {CLIENT_MS} ms",
               max(gaps(told)) <= 30 + CLIENT_MS) and is_met


# ---- whole nodes ----

def lost_while(cluster, event):
    """(answers lost, gap in ms) while an event happens."""
    pings = watch(cluster)
    time.sleep(0.1)
    event()
    answered_again(pings, 40)
    lost, gap = pings.stop()
    return lost, gap * 1000


def moves(cluster, away, back):
    """[(lost, gap)] of commands that take the address to b and let it come back."""
    def there_and(command, holder):
        cluster.nodes["a"].ctl(*command)
        wait_for(lambda: holder_of(cluster.netns) == holder, 20, f"{holder} to hold the address")

    found = []
    for _ in range(TIMES // 2):
        cluster.settle("a")
        found.append(lost_while(cluster, lambda: there_and(away, "b")))
        cluster.settle("b")
        found.append(lost_while(cluster, lambda: there_and(back, "a")))
    return found


def tell_moves(options):
    is_met = True
    with Lab("bench-moves") as lab:
        cluster = Cluster(lab)
        for row, away, back in (
                ("planned move and back, 100ms", ("move", "web", "b", "--why", "bench"), ("move", "web", "--clear")),
                ("maintenance and back, 100ms", ("maintenance", "start", "a"), ("maintenance", "stop", "a"))):
            if "not available" in cluster.nodes["a"].ctl("help", away[0]).stdout:
                print(f"{row:<34} missing: this version has no {away[0]}", flush=True)
                continue
            rows = moves(cluster, away, back)
            most = max(lost for lost, _ in rows)
            is_met &= say(row, f"Ballast {most} lost at most, {spread([(g, n) for n, g in rows])}", "≤ 1 lost answer", most <= 1)
    return is_met


def tell_data_death(options):
    """The listener's client: from the death of supervisor and workers to an answer by the peer's."""
    found = []
    with Lab("bench-data") as lab:
        cluster = Cluster(lab)
        for _ in range(TIMES):
            cluster.settle("a")
            workers = cluster.workers("a")
            client = lab.client(ADDRESS, 80, cluster.netns["client"], every_ms=CLIENT_MS)
            run(*REALTIME[:2], "-p", "1", client.pid)
            client.wait_answered()
            cluster.nodes["a"].daemons["data"].signal(signal.SIGKILL)
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
            cluster.nodes["a"].daemons["data"].kill()
            wait_for(lambda: holder_of(cluster.netns) == "b", 20, "b to hold the address")
            time.sleep(0.3)  # the client's answers
            found.append((client.books()["longest_gap_ms"], 0))
            cluster.nodes["a"].start("data")
    return say("data plane dies for good", f"Ballast {spread(found)}", f"greatest ≤ 100 + {CLIENT_MS} ms",
               max(gaps(found)) <= 100 + CLIENT_MS)


def tell_restarts(options):
    """kill -9 of vrrpd, healthd, control on the Active, each started at once, under requests to the listener."""
    is_met = True
    with Lab("bench-restarts") as lab:
        cluster = Cluster(lab)
        for daemon in ("vrrpd", "healthd", "control"):
            cluster.settle("a")
            taken = cluster.log("b").count("backup -> active")
            client = lab.client(ADDRESS, 80, cluster.netns["client"], every_ms=CLIENT_MS, timeout_ms=1000)
            client.wait_answered()
            for _ in range(TIMES // 2):
                cluster.nodes["a"].restart_killed(daemon)
                time.sleep(0.5)  # a moment in between: each counts
            books = client.books()
            moved = cluster.log("b").count("backup -> active") - taken
            is_met &= say(f"kill -9 and restart of {daemon}, {TIMES // 2}x",
                          f"Ballast {books['lost']} of {books['sent']} failed, {moved} moves", "0 failed, 0 moves",
                          books["lost"] == 0 and moved == 0)
    return is_met


def tell_worker(options):
    """From the kill of a worker until the supervisor has started its successor."""
    times = []
    with Lab("bench-worker") as lab:
        cluster = Cluster(lab)
        cluster.settle("a")
        for _ in range(TIMES):
            victim = random.choice(cluster.workers("a"))
            begun = time.monotonic()
            os.kill(victim, signal.SIGKILL)
            wait_for(lambda victim=victim: victim not in cluster.workers("a"), 5, "a new worker", every=0.001)
            times.append(((time.monotonic() - begun) * 1000, 0))
            time.sleep(3)  # back-off counts deaths in a row
    return say("a data worker killed", f"Ballast {spread(times)} until its successor runs", "greatest ≤ 50 ms",
               max(gaps(times)) <= 50)


ROWS = {"deaths-10ms": lambda o: tell_deaths("10ms", o), "deaths-100ms": lambda o: tell_deaths("100ms", o),
        "deaths-1s": lambda o: tell_deaths("1s", o), "stop": tell_stops, "links": tell_links, "moves": tell_moves,
        "data": tell_data_death, "restarts": tell_restarts, "worker": tell_worker}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rows", default=",".join(ROWS), help="of " + ", ".join(ROWS))
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    wanted = options.rows.split(",")
    if unknown := [row for row in wanted if row not in ROWS]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    options.dice = random.Random(options.seed)
    # Its children choose for themselves.
    os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    print(f"--seed {options.seed}; client and observer under SCHED_RR 1, pairs of vrrpd or keepalived too; load {os.getloadavg()[0]:.1f}")
    print(f"{'event':<34} {'without an answer: median (least–greatest)':<64} {'goal':<34}", flush=True)
    results = [ROWS[row](options) for row in wanted]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
