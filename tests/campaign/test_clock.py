"""The clock of one node of a pair is set forward and back by an hour under load: nothing is lost, nothing moves, nobody is away.
Ends of overlays come for all nodes at once, whatever their clocks say."""
import os
import struct
import time
from pathlib import Path

import pytest

from lab import DAEMONS, run, wait_for
from maintenance_house import Pair
from rollout_house import OVERLAY, cluster, document, see_each_other

WATCHED = 6  # seconds after each change: longer than heartbeats, leases and the age at which a node is away


class Clock:
    """The wall clock of the processes that are started behind its words (clock_shift.c)."""

    def __init__(self, lab):
        library = lab.folder / "clock_shift.so"
        run("cc", "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).parent / "clock_shift.c")
        self.file = lab.folder / "clock"
        self.set(0)
        self.words = ["env", f"LD_PRELOAD={library}", f"CLOCK_SHIFT={self.file}"]

    def set(self, seconds):
        fd = os.open(self.file, os.O_WRONLY | os.O_CREAT)
        os.write(fd, struct.pack("q", seconds))
        os.close(fd)


@pytest.mark.parametrize("whose", ["a", "b"], ids=["active", "backup"])
def test_a_clock_that_is_set(lab, figure, whose):
    clock = Clock(lab)
    pair = Pair(lab, before={whose: {daemon: clock.words for daemon in DAEMONS}})
    node = pair.nodes[whose]
    client = pair.lost()
    for generation, offset in enumerate((3600, -3600, 0)):
        clock.set(offset)
        until = time.monotonic() + WATCHED
        while time.monotonic() < until:  # a phase, watched all along
            assert pair.held() == ["a"]
            for each in pair.nodes.values():
                assert pair.states(each) == ["ready", "ready"], (offset, each.status()["nodes"])
            time.sleep(0.1)
        document = pair.document("20s")
        document["description"] = f"generation {generation} at {offset} s"
        answer = pair.nodes["ba"[generation % 2]].put(document, query="?wait=20s")
        assert all(d["generation"] == answer["generation"] for n in answer["nodes"].values() for d in n.values()), answer
        wait_for(lambda: any("clock of this node was set by" in p["what"] for p in node.status()["problems"]), 20, "a problem in status")
        assert "the clock of this node was set by" in node.daemons["control"].text()
    books = client.books()
    figure(f"clock of the {whose} node set forward, back and right: answers lost of", f"{books['lost']} of {books['sent']}")
    assert books["lost"] == 0


def is_drained(node):
    return node.server_states("web")["w1"] == "drain"


NOTICED = 1.2  # seconds until a node sees that its clock was set


def ends_after(nodes, seconds, begun, change=None):
    """Drained on all until then, and ready on all from then on; change is made in the midst."""
    for node in nodes:
        wait_for(lambda node=node: is_drained(node), 2, f"{node.name} to drain w1")
    if change:
        change()
        time.sleep(NOTICED)
    while time.monotonic() < begun + seconds - 0.5:
        assert all(is_drained(node) for node in nodes), f"over after {time.monotonic() - begun:.1f} s of {seconds}"
        time.sleep(0.05)
    wait_for(lambda: not any(is_drained(node) for node in nodes), 3, "the drain to be over")
    return round(time.monotonic() - begun, 1)


def test_a_drain_ends_for_all_at_once(lab, figure):
    """Written by either of two nodes whose clocks are an hour apart, while one is set, and with the store away."""
    clock = Clock(lab)
    clock.set(3600)
    postgres, nodes = cluster(lab, "lb-a", "lb-b", before={"lb-b": clock.words})
    a, b = nodes
    see_each_other(a, b)
    a.put(document("lb-a", "lb-b"), query="")

    def drain(node, seconds, change=None):
        begun = time.monotonic()
        status, body, _ = node.api("PUT", OVERLAY % "w1", {"state": "drain", "expires_in": f"{seconds}s"})
        assert status == 200, body
        return ends_after(nodes, seconds, begun, change)

    figure("a drain of 4 s, by the node whose clock is right and by the one an hour ahead", (drain(a, 4), drain(b, 4)))
    figure("of 6 s, while that clock is set right, and an hour ahead again", (drain(a, 6, lambda: clock.set(0)), drain(a, 6, lambda: clock.set(3600))))
    figure("of 6 s, while that clock is set back with the store away", drain(b, 6, lambda: (postgres.stop("immediate"), clock.set(-3600))))
