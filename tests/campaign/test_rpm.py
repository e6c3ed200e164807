"""The rpm on a machine with systemd: installed, upgraded, downgraded and erased by rpm itself, while a client asks at a VIP.

The machine's distribution is not one of rpms: what the package needs is there under other names (--nodeps). Everything
else is rpm's own work: its scripts, its database, its care for changed files.
"""
import json
import shutil

import pytest

from lab import Lab, wait_for
from load_house import servers
from machine import Machine, base_root
from packages import NEXT, VERSION, copy_source, packages
from vrrp import holds

VIP = "10.78.0.100"
ADDRESSES = {"lb-a": "10.78.0.11", "w1": "10.78.0.21", "client": "10.78.0.200"}
DAEMONS = ("healthd", "data", "vrrpd", "control")
UNITS = ["ballast.target", *(f"ballast-{name}.service" for name in DAEMONS)]
FILE = "/etc/ballast/ballast.yaml"
MINE, THEIRS = "# of this node\n", "# of the next version\n"


def document():
    return {
        "stack": "shop",
        "instances": [{"name": "lb-a", "address": ADDRESSES["lb-a"], "ha": {"mode": "active-passive"}}],
        "vips": [{"name": "web", "virtual_router_id": 51, "interface": "eth0", "addresses": [f"{VIP}/24"]}],
        "pools": [{"name": "web", "protocol": "http", "servers": servers(f"{ADDRESSES['w1']}:8080")}],
        "listeners": [{"name": "www", "bind": [f"{VIP}:80"], "protocol": "http", "pool": "web"}]}


class Site:
    """One machine. The next version's node file has another line."""

    def __init__(self, lab):
        self.lab = lab
        tree = lab.folder / "source"
        tree.mkdir()
        with (copy_source(tree) / "packaging/systemd/ballast.yaml").open("a") as file:
            file.write(THEIRS)
        self.packages = packages("rpm", {NEXT: tree})
        self.hosts = lab.segment({name: [f"{address}/24"] for name, address in ADDRESSES.items()})
        lab.http_server("w1", host=ADDRESSES["w1"], port=8080, netns=self.hosts["w1"])
        self.machine = Machine(lab, "lb-a", self.hosts["lb-a"], base_root(packages("deb")[VERSION]), {}).boot()
        for package in self.packages.values():
            shutil.copy(package, self.machine.root / "srv")

    def rpm(self, *words):
        """What it and the scripts say."""
        line = " ".join(["exec rpm --dbpath /var/lib/rpm --force-debian", *words, "2>&1"])
        return self.machine.run("sh", "-c", line)

    def put(self, version, *words):
        return self.rpm("-U --nodeps", *words, f"/srv/{self.packages[version].name}")

    def pids(self):
        return {name: self.machine.pid(f"ballast-{name}") for name in DAEMONS}

    def versions(self):
        """What the daemons that run say they are."""
        daemons = json.loads(self.machine.run("ballastctl", "status", "-o", "json"))["nodes"][0]["daemons"]
        return {daemon["version"] for daemon in daemons.values() if daemon["state"] != "away"}

    def ask(self):
        client = self.lab.client(VIP, 80, netns=self.hosts["client"], timeout_ms=2000)
        client.wait_answered()
        return client

    def read(self, path):
        return (self.machine.root / path.lstrip("/")).read_text()

@pytest.fixture(scope="module")
def site():
    with Lab("rpm") as lab:
        yield Site(lab)


def test_install(site):
    machine = site.machine
    assert "ballast" not in site.read("/etc/passwd") + site.read("/etc/group")
    site.put(VERSION)
    assert machine.run("rpm", "--dbpath", "/var/lib/rpm", "-q", "ballast").startswith(f"ballast-{VERSION}-")
    assert machine.run("id", "-ng", "ballast").strip() == "ballast"
    assert machine.run("getent", "group", "ballast-admin").startswith("ballast-admin:")
    for unit in UNITS:
        assert machine.property(unit, "ActiveState") == "active" and machine.property(unit, "UnitFileState") == "enabled", unit
    assert machine.run("sysctl", "-n", "net.ipv4.tcp_migrate_req").strip() == "1"
    assert machine.run("stat", "-c", "%a %U %G", "/run/ballast/api.sock").strip() == "660 ballast ballast-admin"
    assert "node lb-a, generation 0, store sqlite connected" in machine.run("ballastctl", "status")
    for name in DAEMONS:  # once, and not replaced on top of that
        said = machine.run("journalctl", "-u", f"ballast-{name}")
        assert said.count("starting version=") == 1, said
    assert not site.rpm("-V --nodeps", "ballast").strip()


def test_upgrade_and_downgrade(site, figure):
    machine = site.machine
    machine.write("/srv/document.json", json.dumps(document()))
    machine.run("ballastctl", "apply", "-f", "/srv/document.json", "--wait")
    wait_for(lambda: holds(site.hosts["lb-a"], VIP), 20, "the VIP")
    machine.write(FILE, site.read(FILE) + MINE)
    before, client = site.pids(), site.ask()
    for version, words in ((NEXT, []), (VERSION, ["--oldpackage"])):
        said = site.put(version, *words)
        assert "the program of before goes on" not in said, said
        wait_for(lambda: site.versions() == {version}, 20, f"the daemons to be {version}")
        assert site.pids() == before
        assert MINE in site.read(FILE) and THEIRS not in site.read(FILE)
        assert (THEIRS in site.read(f"{FILE}.rpmnew")) == (version == NEXT)
    # Who was stopped is not started.
    machine.run("systemctl", "stop", "ballast-healthd")
    site.put(NEXT)
    wait_for(lambda: site.versions() == {NEXT}, 20, f"the daemons to be {NEXT}")
    assert site.pids() == {**before, "healthd": 0}
    machine.run("systemctl", "start", "ballast-healthd")
    books = client.books()
    figure("an upgrade, a downgrade, an upgrade, at the VIP", books)
    assert books["lost"] == 0 and "active -> backup" not in machine.run("journalctl", "-u", "ballast-vrrpd")


def test_an_upgrade_that_would_not_start_replaces_nothing(site):
    good, before, client = site.read(FILE), site.pids(), site.ask()
    site.machine.write(FILE, good + "nonsense: 1\n")
    said = site.put(VERSION, "--oldpackage")
    assert all(f"ballast-{name}: the program of before goes on" in said for name in DAEMONS), said
    assert site.pids() == before and site.versions() == {NEXT}
    site.machine.write(FILE, good)
    site.machine.run("systemctl", "reload", "ballast-*")
    wait_for(lambda: site.versions() == {VERSION}, 20, f"the daemons to be {VERSION}")
    assert site.pids() == before and client.books()["lost"] == 0


def test_erase(site):
    machine = site.machine
    site.rpm("-e ballast")
    assert not machine.run("pgrep", "-u", "ballast", check=False)
    assert not holds(site.hosts["lb-a"], VIP)
    assert not machine.run("systemctl", "list-units", "--no-legend", "--state=loaded", "ballast*").strip()
    left = machine.run("find", "/", "-xdev", "-name", "*ballast*", "-not", "-path", "/proc/*", "-not", "-path", "/srv/*").split()
    assert sorted(left) == ["/etc/ballast", f"{FILE}.rpmnew", f"{FILE}.rpmsave", "/var/lib/ballast", "/var/log/ballast"], left
    assert MINE in site.read(f"{FILE}.rpmsave")
    # Here again: what it served is what it serves.
    (machine.root / f"{FILE}.rpmsave".lstrip("/")).rename(machine.root / FILE.lstrip("/"))
    site.put(NEXT)
    wait_for(lambda: holds(site.hosts["lb-a"], VIP), 20, "the VIP")
    assert site.ask().books()["lost"] == 0 and MINE in site.read(FILE)
