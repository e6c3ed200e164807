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
