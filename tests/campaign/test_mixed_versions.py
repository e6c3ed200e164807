"""Daemons of two versions side by side, upgraded and taken back one after the other, in either order, under load.

The other version is built from MIXED_COMMIT: what was before this tree's.
"""
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from lab import BUILD, DAEMONS, Node, ROOT, run, wait_for
from load_house import House
from maintenance_house import Pair, end_wrk

COMMIT = os.environ.get("MIXED_COMMIT", "27f868f")
TUNNELS = 500


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """A build of the earlier version, or MIXED_BUILD."""
    if "MIXED_BUILD" in os.environ:
        yield Path(os.environ["MIXED_BUILD"])
        return
    source = tmp_path_factory.mktemp("earlier")
    subprocess.run(f"git -C '{ROOT}' archive {COMMIT} | tar -x -C '{source}'", shell=True, check=True)
    run("meson", "setup", source / "build", source)
    run("ninja", "-C", source / "build", *(f"{name}/ballast-{name}" for name in DAEMONS))
    yield source / "build"
    shutil.rmtree(source)


class Installed(Node):
    """A node whose programs are installed, as packages would, in a folder of its own."""

    def __init__(self, lab, name, build, **options):
        super().__init__(lab, name, **options)
        self.programs = self.folder / "sbin"
        self.programs.mkdir()
        for daemon in DAEMONS:
            self.install(daemon, build)

    def install(self, daemon, build):
        """The new file takes the old one's name, while that runs."""
        fresh = self.programs / "new"
        shutil.copy2(build / daemon / f"ballast-{daemon}", fresh)
        fresh.rename(self.program(daemon))

    def program(self, daemon):
        return self.programs / f"ballast-{daemon}"

    def runs_what_is_installed(self, daemon):
        return os.readlink(f"/proc/{self.daemons[daemon].pid}/exe") == str(self.program(daemon))

    def upgrade(self, daemon, build):
        workers = set(self.workers())
        self.install(daemon, build)
        assert not self.runs_what_is_installed(daemon)
        self.daemons[daemon].signal(signal.SIGHUP)
        wait_for(lambda: self.runs_what_is_installed(daemon), 30, f"{daemon} to run the other version")
        if daemon == "data":
            wait_for(lambda: len(self.workers()) == len(workers) and not workers & set(self.workers()), 60, "workers of the other version")


def works_together(house, serial):
    """A generation is acknowledged by all, a drain reaches data, verdicts arrive, and nothing is a problem."""
    node, document = house.node, house.document()
    document["description"] = f"generation {serial}"
    document["pools"][2]["servers"][1]["weight"] = 50 + serial
    answer = node.put(document, query="?wait=30s")
    for daemon, state in answer["nodes"]["lb-a"].items():
        assert (state["generation"], state["state"]) == (answer["generation"], "running"), f"{daemon}: {answer}"
    node.ctl("drain", "web/w1", "--why", "mixed versions")
    wait_for(lambda: node.server_states("web") == {"w1": "drain", "w2": "up"}, 20, "a drained server beside one that is up")
    node.ctl("ready", "web/w1")
    wait_for(lambda: node.server_states("web") == {"w1": "up", "w2": "up"}, 20, "both servers up")
    wait_for(lambda: node.status()["problems"] == [], 20, "no problem")


@pytest.mark.parametrize("order", [("control", "healthd", "vrrpd", "data"), ("data", "vrrpd", "healthd", "control")], ids="-".join)
def test_every_daemon_may_be_of_the_other_version(lab, figure, earlier, order):
    house = House(lab, node=Installed(lab, "lb-a", earlier, workers=2))
    node = house.node
    serial = 0
    works_together(house, serial)
    house.load(TUNNELS)
    for build in (BUILD, earlier):
        for daemon in order:
            node.upgrade(daemon, build)
            serial += 1
            works_together(house, serial)
    figure("daemons replaced by the other version", serial)
    loads, tunnels = house.tally(figure)
    assert all(failed == 0 and requests > 0 for requests, failed in loads.values()), loads
    assert tunnels["bytes"] > 0 and tunnels["wrong"] == 0 and tunnels["closed"] == 0


class MixedPair(Pair):
    """Two nodes on one store, each with programs of its own."""

    def __init__(self, lab, builds):
        self.builds = builds
        super().__init__(lab)

    def node(self, name, **options):
        return Installed(self.lab, name, self.builds[name], netns=self.netns[name], **options)

    @staticmethod
    def document(drain_timeout):
        """w2 is the same server once more: one of two may be drained."""
        document = Pair.document(drain_timeout)
        document["pools"][0]["servers"].append({"name": "w2", "address": "10.0.0.50:80"})
        return document

    def is_settled(self, node):
        return node.server_states("web") == {"w1": "up", "w2": "up"} and self.states(node) == ["ready", "ready"]

    def work_together(self, serial):
        """What either control writes runs on both nodes, and what one operator says is known to the other."""
        for via, node in self.nodes.items():
            answer = node.put({**self.document("20s"), "description": f"{serial} by way of {via}"}, query="?wait=30s")
            for name, daemons in answer["nodes"].items():
                for daemon, state in daemons.items():
                    assert (state["generation"], state["state"]) == (answer["generation"], "running"), f"{name} {daemon}: {answer}"
            node.ctl("drain", "web/w1", "--why", "two versions")
            for other in self.nodes.values():
                wait_for(lambda other=other: other.server_states("web") == {"w1": "drain", "w2": "up"}, 20, f"{other.name} to drain w1")
            node.ctl("ready", "web/w1")
            for other in self.nodes.values():
                wait_for(lambda other=other: self.is_settled(other), 20, f"{other.name} to have w1 up")
        for to in "ba":
            self.b.ctl("move", "web", to, "--why", "two versions")
            self.wait_held(to)
        self.b.ctl("move", "web", "--clear")
        self.wait_held("a")
        for node in self.nodes.values():
            wait_for(lambda node=node: node.status()["problems"] == [], 20, f"{node.name} to have no problem")
            assert node.status()["store"]["state"] == "connected"


def test_nodes_of_two_versions_share_a_store(lab, figure, earlier):
    """b is upgraded after a, and then a is taken back: in every state both write, and each knows what the other was told."""
    pair = MixedPair(lab, {"a": BUILD, "b": earlier})
    client, wrk = pair.lost(), pair.wrk()
    pair.work_together(1)
    for serial, (name, build) in enumerate((("b", BUILD), ("a", earlier), ("a", BUILD)), 2):
        for daemon in DAEMONS:
            pair.nodes[name].upgrade(daemon, build)
        pair.wait_held("a")
        pair.work_together(serial)
    requests, errors = end_wrk(wrk)
    books = client.books()
    figure("at the VIP, over four pairs of versions with two moves and two drains each", books)
    figure("wrk: requests, errors", (requests, errors))
    assert books["lost"] <= 2 * 4 and requests > 0
    assert sum(errors.values()) <= 16 * 2 * 4, "a connection through the VIP ends with its move, none else"
