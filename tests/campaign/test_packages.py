"""The Debian package on two machines with a systemd of their own, one PostgreSQL and a VIP, under load at the VIP: what
its units, its scripts and a reboot cost those who ask."""
import base64
import itertools
import json
import os
import shutil
import time

import pytest

from lab import ROOT, Lab, wait_for
from load_house import Wrk, servers
from machine import Machine, base_root
from packages import NEXT, VERSION, packages
from test_handover import Tunnels
from vrrp import holds

PYTHON = ["/usr/bin/python3", "-B"]
VIP = "10.77.0.100"
ADDRESSES = {"lb-a": "10.77.0.11", "lb-b": "10.77.0.12", "w1": "10.77.0.21", "w2": "10.77.0.22", "client": "10.77.0.200"}
DAEMONS = ("healthd", "data", "vrrpd", "control")
TUNNELS = 200
STORE = "postgresql:///postgres?host=/srv/postgres&user=ballast"
NET_BIND_SERVICE, NET_ADMIN, NET_RAW = 10, 12, 13
CAPABILITIES = {"control": set(), "healthd": set(), "data": {NET_BIND_SERVICE, NET_RAW}, "vrrpd": {NET_ADMIN, NET_RAW}}


def document():
    check = {"type": "http", "path": "/", "interval": "1s", "timeout": "900ms"}
    retry = {"attempts": 2, "on": ["connect-failure", "reset-before-response"]}
    return {
        "stack": "shop",
        "instances": [{"name": "lb-a", "address": ADDRESSES["lb-a"], "ha": {"mode": "active-passive", "primary": True}},
                      {"name": "lb-b", "address": ADDRESSES["lb-b"], "ha": {"mode": "active-passive"}}],
        "vips": [{"name": "web", "virtual_router_id": 51, "interface": "eth0", "addresses": [f"{VIP}/24"],
                  "priority": {"lb-a": 254, "lb-b": 253}, "track": [{"data": True, "weight": "down"}]}],
        "pools": [{"name": "web", "protocol": "http", "check": check, "retry": retry,
                   "servers": servers(*(f"{ADDRESSES[w]}:8080" for w in ("w1", "w2")))},
                  {"name": "echo", "protocol": "tcp", "servers": servers(f"{ADDRESSES['w1']}:9000")}],
        "listeners": [{"name": "www", "bind": [f"{VIP}:80"], "protocol": "http", "pool": "web", "access_log": False},
                      {"name": "tunnels", "bind": [f"{VIP}:9000"], "protocol": "tcp", "pool": "echo", "access_log": False}]}


class Pair:
    def __init__(self, lab):
        self.lab, self.packages = lab, packages("deb")
        self.hosts = lab.segment({name: [f"{address}/24"] for name, address in ADDRESSES.items()})
        self.key = f"1:{base64.b64encode(os.urandom(32)).decode()}\n"
        self.store = lab.postgres()
        for name in ("w1", "w2"):
            lab.nginx(name, "x" * 48, host=ADDRESSES[name], port=8080, netns=self.hosts[name])
        echo = lab.process("echo", [*PYTHON, ROOT / "tests" / "net" / "echo.py", ADDRESSES["w1"], 9000], netns=self.hosts["w1"])
        wait_for(lambda: "listening" in echo.text(), 10, "the echo server")
        base = base_root(self.packages[VERSION])
        self.a, self.b = self.machines = [Machine(lab, name, self.hosts[name], base, {self.store.folder: "/srv/postgres"})
                                          for name in ("lb-a", "lb-b")]
        for machine in self.machines:
            machine.boot()
            for package in self.packages.values():
                shutil.copy(package, machine.root / "srv")
            self.install(machine, VERSION)
            self.configure(machine)
        self.a.write("/srv/document.json", json.dumps(document()))
        self.a.run("ballastctl", "apply", "-f", "/srv/document.json", "--wait")
        self.wait_whole()

    def install(self, machine, version):
        return machine.run("dpkg", "--force-confold", "-i", f"/srv/{self.packages[version].name}")

    def configure(self, machine):
        """What packaging/README.md tells who installs a node of a cluster."""
        assert "node lb-a, generation 0, store sqlite connected" in wait_for(
            lambda: machine.run("ballastctl", "status"), 10, "a node as installed")
        machine.run("systemctl", "stop", "ballast*")
        assert not machine.run("pgrep", "-u", "ballast", check=False)
        file = machine.root / "etc/ballast/ballast.yaml"
        text = file.read_text().replace("node: lb-a", f"node: {machine.name}").replace("store: sqlite", f"store: {STORE}")
        machine.write("/etc/ballast/ballast.yaml", text)
        machine.write("/etc/ballast/cluster.key", self.key, 0o640, "ballast")
        machine.run("systemctl", "start", "ballast.target")

    def holds(self, name):
        return holds(self.hosts[name], VIP)

    def is_whole(self):
        status = self.status()
        return (self.holds("lb-a") and not self.holds("lb-b") and all(node["state"] == "ready" for node in status["nodes"])
                and len(status["nodes"]) == 2 and all(s["state"] in ("up", "unchecked") for p in status["pools"] for s in p["servers"]))

    def wait_whole(self):
        wait_for(self.is_whole, 60, "both nodes ready, the VIP at lb-a", every=0.2)

    def status(self):
        return json.loads(self.b.run("ballastctl", "status", "-o", "json"))

    def versions(self, name):
        """What the node's daemons say they are."""
        node = next(n for n in self.status()["nodes"] if n["name"] == name)
        return {daemon["version"] for daemon in node["daemons"].values()}


class Load:
    """At the VIP: kept and new connections, tunnels, and a client that asks every 5 ms."""

    def __init__(self, pair):
        inside = ["nsenter", f"--net=/run/netns/{pair.hosts['client']}", "--"]
        self.tunnels = Tunnels(TUNNELS, 9000, host=VIP, before=inside)
        self.loads = [Wrk("kept", "-c32", f"http://{VIP}/", before=inside),
                      Wrk("new", "-c8", "-H", "Connection: close", f"http://{VIP}/", before=inside)]
        for popen in (self.tunnels.popen, *(load.popen for load in self.loads)):
            pair.lab.closers.append(popen.kill)  # of a story that failed: nothing once it has ended
        self.client = pair.lab.client(VIP, 80, netns=pair.hosts["client"], timeout_ms=2000)
        self.client.wait_answered()

    def end(self, figure, what):
        """Prints all books; no request failed, no tunnel closed, no byte wrong. Returns the client's."""
        books, tunnels = self.client.books(), self.tunnels.tally()
        loads = {load.name: load.end() for load in self.loads}
        figure(what, f"client lost {books['lost']} of {books['sent']} {books['causes'] or ''}, longest gap {books['longest_gap_ms']} ms; "
               f"requests, failed: {loads}; tunnels {tunnels}")
        assert tunnels["closed"] == 0 and tunnels["wrong"] == 0 and tunnels["bytes"] > 0
        assert all(failed == 0 and requests > 100 for requests, failed in loads.values()), loads
        return books


@pytest.fixture(scope="module")
def pair():
    with Lab("packages") as lab:
        yield Pair(lab)


def test_units_run_unprivileged(pair):
    for machine, name in itertools.product(pair.machines, DAEMONS):
        unit = f"ballast-{name}"
        assert machine.property(unit, "ActiveState") == "active" and machine.property(unit, "NRestarts") == "0"
        status = machine.status_of(machine.pid(unit))
        held = int(status["CapEff"], 16)
        assert {bit for bit in range(64) if held >> bit & 1} == CAPABILITIES[name], name
        assert int(status["CapBnd"], 16) == held and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
        assert set(status["Uid"].split()) == {machine.run("id", "-u", "ballast").strip()}
    assert pair.a.run("stat", "-c", "%a %U %G", "/run/ballast/api.sock").strip() == "660 ballast ballast-admin"
    assert pair.a.run("ps", "-o", "ni=", str(pair.a.pid("ballast-vrrpd"))).strip() == "-15"
    assert pair.a.run("sysctl", "-n", "net.ipv4.tcp_migrate_req").strip() == "1"


def revive(machine, unit, way):
    """Restarts, kills or reloads a unit and waits until it runs again; the seconds that took."""
    pid, begun = machine.pid(unit), time.monotonic()
    if way == "kill":
        machine.run("kill", "-KILL", str(pid))
    else:
        machine.run("systemctl", way, unit)
    wait_for(lambda: machine.property(unit, "ActiveState") == "active" and (machine.pid(unit) != pid) == (way != "reload"),
             30, f"{unit} to run after {way}")
    return time.monotonic() - begun


def test_restart_kill_and_reload_under_load(pair, figure):
    for way in ("restart", "kill", "reload"):
        load, took = Load(pair), {}
        for name in DAEMONS:
            took[name] = f"{revive(pair.a, f'ballast-{name}', way):.2f}"
        pair.wait_whole()
        figure(f"{way}: seconds until it runs", took)
        assert load.end(figure, way)["lost"] == 0
    assert "active -> backup" not in pair.a.run("journalctl", "-u", "ballast-vrrpd")


def test_a_supervisor_that_stands_still_is_replaced_under_load(pair, figure):
    pid, load, begun = pair.a.pid("ballast-data"), Load(pair), time.monotonic()
    pair.a.run("kill", "-STOP", str(pid))
    wait_for(lambda: pair.a.pid("ballast-data") not in (0, pid), 90, "systemd to start another one", every=0.2)
    figure("seconds until a stopped supervisor is replaced", f"{time.monotonic() - begun:.0f}")
    pair.wait_whole()
    assert load.end(figure, "data's supervisor stopped")["lost"] == 0


def test_a_reload_that_cannot_be_fails_and_harms_nothing(pair):
    pid = pair.b.pid("ballast-data")
    file = "/etc/ballast/ballast.yaml"
    good = (pair.b.root / file.lstrip("/")).read_text()
    pair.b.write(file, good + "nonsense: 1\n")
    assert "refused" in pair.b.run("sh", "-c", "systemctl reload ballast-data 2>/dev/null || echo refused")
    assert pair.b.property("ballast-data", "ActiveState") == "active" and pair.b.pid("ballast-data") == pid
    assert "status=78" in pair.b.run("journalctl", "-u", "ballast-data")
    pair.b.write(file, good)
    pair.b.run("systemctl", "reload", "ballast-data")


def test_upgrade_and_downgrade_under_load(pair, figure):
    for version, machine in itertools.product((NEXT, VERSION), (pair.a, pair.b)):
        before = {name: machine.pid(f"ballast-{name}") for name in DAEMONS}
        load, begun = Load(pair), time.monotonic()
        said = pair.install(machine, version)
        took = time.monotonic() - begun
        assert "the program of before goes on" not in said
        wait_for(lambda: pair.versions(machine.name) == {version}, 20, f"{machine.name} to run {version}")
        pair.wait_whole()
        assert before == {name: machine.pid(f"ballast-{name}") for name in DAEMONS}
        books = load.end(figure, f"{machine.name} to {version}, dpkg -i took {took:.1f} s")
        assert books["lost"] <= 1
    assert "active -> backup" not in pair.a.run("journalctl", "-u", "ballast-vrrpd")


def test_reboot(pair, figure):
    client = pair.lab.client(VIP, 80, netns=pair.hosts["client"], timeout_ms=2000)
    client.wait_answered()
    begun = time.monotonic()
    pair.a.power_off()
    figure("power off, seconds", f"{time.monotonic() - begun:.1f}")
    assert pair.holds("lb-b") and not pair.holds("lb-a")
    begun = time.monotonic()
    pair.a.boot()
    pair.wait_whole()
    figure("from power on to the VIP back, seconds", f"{time.monotonic() - begun:.1f}")
    books = client.books()
    figure("reboot of the Active node", books)
    assert books["lost"] <= 2  # one each way


def test_removal_and_purge(pair):
    pair.b.run("dpkg", "-r", "ballast")
    assert not pair.b.run("pgrep", "-u", "ballast", check=False)
    assert not pair.b.run("systemctl", "list-units", "--no-legend", "--state=loaded", "ballast*").strip()
    pair.install(pair.b, VERSION)
    for name in DAEMONS:
        assert pair.b.property(f"ballast-{name}", "ActiveState") == "active", "started again once it is installed again"
    pair.b.run("dpkg", "-P", "ballast")
    assert not pair.b.run("pgrep", "-u", "ballast", check=False)
    found = pair.b.run("find", "/", "-xdev", "(", "-name", "*ballast*", "-o", "-user", "ballast", ")", "-not", "-path", "/proc/*").split()
    assert [path for path in found if not path.startswith("/srv/")] == ["/etc/ballast"]
    assert (pair.b.root / "etc/ballast").is_dir() and os.listdir(pair.b.root / "etc/ballast") == ["cluster.key"]
    client = pair.lab.client(VIP, 80, netns=pair.hosts["client"])
    client.wait_answered()
    assert client.books()["answered"] > 0
