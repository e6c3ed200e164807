"""The Active's vrrpd is stopped for 0.5 to 3 intervals (SIGSTOP) and goes on: V2 from outside.

What counts is for how long it was silent: the stall, and what of the interval had passed. Within the patience (Active-down
less one interval) nothing moves and no answer is lost; past it the address is let go and taken, in order. STALLS says how
often each length is tried (8). The table shows, for each length, moves, the longest gap and the longest double.
"""
import os
import random
import time

from lab import wait_for
from onlooker import REALTIME, Onlooker, SteadyPair
from test_vrrp_pair import more_answers
from vrrp import Pings, wait_holder

INTERVAL, PRIORITIES = 0.1, {"a": 200, "b": 100}
SKEW = {n: (256 - p) / 256 * INTERVAL for n, p in PRIORITIES.items()}
PATIENCE = 2 * INTERVAL + SKEW["a"]
SLACK = 0.020  # of the timers, and of a client that asks every 5 ms
LENGTHS = [0.5, 1, 1.5, 2, 2.5, 3]  # intervals
TIMES = int(os.environ.get("STALLS", "8"))
A, B = "10.0.0.11", "10.0.0.12"

STALL = """
import os, signal, sys, time
os.kill(int(sys.argv[1]), signal.SIGSTOP)
time.sleep(float(sys.argv[2]))
ended = time.time()
os.kill(int(sys.argv[1]), signal.SIGCONT)
print("%.6f" % ended, flush=True)
"""


def stall(lab, process, seconds):
    """Stops a process for so long; the time by the wall clock at which it went on."""
    stopper = lab.process("stall", ["chrt", "-r", "3", "/usr/bin/python3", "-c", STALL, process.pid, seconds])
    stopper.popen.wait(20)
    return float(stopper.text())


def one(lab, pair, onlooker, seconds):
    """(silent for, moved, gap, double) of one stall."""
    wait_holder(pair.nodes, pair.a, pair.address, 20)
    wait_for(lambda: all(n.text().rfind("state=healthy") > n.text().rfind("state=un") for n in pair.nodes), 20)
    pings = Pings(lab, pair.netns["client"], pair.address, before=REALTIME)
    time.sleep(random.random() * INTERVAL)  # the phase
    begun = time.time()
    ended = stall(lab, pair.a.process, seconds)
    wait_for(lambda: any(source == A and at > ended for at, source in onlooker.claims()), 10)
    wait_holder(pair.nodes, pair.a, pair.address, 20)
    more_answers(pings)
    _, gap = pings.stop()
    claims = onlooker.claims()
    last = max(at for at, source in claims if source == A and at < ended)
    moved = any(source == B and at > begun for at, source in claims)
    double = max((length for at, length in onlooker.doubles() if at > begun), default=0.0)
    return ended - last, moved, gap, double


def test_stalls(lab, figure):
    pair = SteadyPair(lab, "100ms")
    pair.settle()
    onlooker, wrong = Onlooker(lab, INTERVAL), []
    for length in LENGTHS:
        rows = [one(lab, pair, onlooker, length * INTERVAL) for _ in range(TIMES)]
        silent = [round(row[0] * 1000) for row in rows]
        figure(f"stalled for {length} intervals", f"silent for {min(silent)}-{max(silent)} ms of {PATIENCE * 1000:.0f}; "
               f"{sum(row[1] for row in rows)} of {TIMES} moved; longest gap {max(row[2] for row in rows) * 1000:.0f} ms, "
               f"longest double {max(row[3] for row in rows) * 1000:.0f} ms")
        for silence, moved, gap, double in rows:
            within, past = silence < PATIENCE - SLACK, silence > PATIENCE + SLACK
            most = SLACK + (0 if within else SKEW["b"])
            if (moved and within) or (not moved and past) or gap > most or double > INTERVAL + SLACK:
                wrong.append(f"silent for {silence * 1000:.0f} ms: moved {moved}, gap {gap * 1000:.0f} of {most * 1000:.0f} "
                             f"ms, double {double * 1000:.0f} ms")
    assert not wrong, "\n".join(wrong)
