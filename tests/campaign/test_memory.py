"""Workers that are short of memory under load: each n-th request for some fails, in whatever place that is. Only what
it was for fails; it is named, and all is well again without a restart."""
import struct
import time
from pathlib import Path

import pytest

from lab import run, wait_for
from load_house import House

LASTS = 5  # seconds of each shortage
TUNNELS = 200


class Shortage:
    """Of the workers of a node that is started behind its words (memory_shortage.c)."""

    def __init__(self, lab):
        library = lab.folder / "memory_shortage.so"
        run("cc", "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).parent / "memory_shortage.c")
        self.file = lab.folder / "shortage"
        self.file.write_bytes(bytes(12))
        self.words = ["env", f"LD_PRELOAD={library}", f"MEMORY_SHORTAGE={self.file}"]

    def set(self, each, most=2**32 - 1):
        """most: larger ones are spared."""
        with self.file.open("r+b") as f:
            f.write(struct.pack("II", each, most))

    def failed(self):
        return struct.unpack("III", self.file.read_bytes())[2]


def house_with(lab, shortage):
    node = lab.node("lb-a", workers=2)
    node.before["data"] = shortage.words
    house = House(lab, node=node)
    node.put(house.document(), query="?wait=30s")
    wait_for(lambda: node.server_states("web") == {"w1": "up", "w2": "up"}, 20, "both servers up")
    return house


def is_told(node):
    wait_for(lambda: "memory is running short" in node.daemons["data"].text(), 20, "a line of data's")
    wait_for(lambda: any("short of descriptors or memory" in p["what"] for p in node.status()["problems"]), 20, "a problem in status")


def test_a_want_of_what_no_listener_asks_for(lab, figure):
    """Requests on a connection that is open already, and no buffers short: only the count of all wants can tell."""
    shortage = Shortage(lab)
    house = house_with(lab, shortage)
    node, workers = house.node, house.node.data_processes("worker")
    load = lab.process("h2load", ["h2load", "-t1", "-c1", "-m10", "-n10000000", f"https://127.0.0.1:{house.ports['secure']}/"])
    wait_for(lambda: "starting benchmark" in load.text() and node.status()["nodes"][0]["holds"]["connections"] == 1, 20, "a connection")
    shortage.set(20, most=4096)
    is_told(node)
    shortage.set(0)
    figure("requests for memory that failed", shortage.failed())
    wait_for(lambda: node.status()["problems"] == [], 30, "no problem any more")
    assert node.data_processes("worker") == workers, "a worker was replaced"


@pytest.mark.parametrize("each", [3, 31, 331])
def test_workers_short_of_memory(lab, figure, each):
    shortage = Shortage(lab)
    house = house_with(lab, shortage)
    node = house.node
    workers = node.data_processes("worker")
    house.load(TUNNELS)
    shortage.set(each)
    wait_for(lambda: shortage.failed() > 0, 20, "a request for memory that fails")
    is_told(node)
    time.sleep(LASTS)  # how long it lasts is part of the story
    shortage.set(0)
    wait_for(lambda: node.status()["problems"] == [], 30, "no problem any more")
    _, tunnels = house.tally(figure)
    figure("requests for memory that failed", shortage.failed())
    assert tunnels["wrong"] == 0
    assert node.data_processes("worker") == workers, "a worker was replaced"
    house.load(TUNNELS)  # anew: nothing is left of it
    time.sleep(2)
    loads, tunnels = house.tally(figure)
    assert all(failed == 0 and requests > 0 for requests, failed in loads.values()), loads
    assert tunnels["bytes"] > 0 and tunnels["wrong"] == 0 and tunnels["closed"] == 0
