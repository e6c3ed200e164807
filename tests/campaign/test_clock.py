"""The clock of one node of a pair is set forward and back by an hour under load: nothing is lost, nothing moves, nobody is away."""
import os
import struct
import time
from pathlib import Path

import pytest

from lab import DAEMONS, run, wait_for
from maintenance_house import Pair

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
