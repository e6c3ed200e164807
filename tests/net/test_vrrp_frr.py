"""ballast-vrrpd and FRR's vrrpd as each other's peers. FRR announces the virtual router's own MAC address from a macvlan."""
import shutil
from pathlib import Path

import pytest

from lab import Lab, run, wait_for
from vrrp import Pings, Vrrpd, instance, vip

V4 = "10.0.0.100"
HOSTS = {"a": ["10.0.0.11/24"], "b": ["10.0.0.12/24"], "client": ["10.0.0.99/24"]}
MAC = "00:00:5e:00:01:33"


class Frr:
    """zebra and vrrpd in a namespace; the address lives on a macvlan that FRR finds by its MAC."""

    def __init__(self, lab, netns, priority):
        self.lab, self.netns, self.name = lab, netns, lab.prefix + "frr"
        run("ip", "-n", netns, "link", "add", "vrrp4-2-1", "link", "eth0", "type", "macvlan", "mode", "bridge")
        run("ip", "-n", netns, "link", "set", "dev", "vrrp4-2-1", "address", MAC)
        run("ip", "-n", netns, "address", "add", V4 + "/24", "dev", "vrrp4-2-1")
        run("ip", "-n", netns, "link", "set", "dev", "vrrp4-2-1", "up")
        self.run_dir, self.etc = Path("/var/run/frr") / self.name, lab.folder / "frr"
        self.etc.mkdir()
        self.run_dir.mkdir(parents=True)
        shutil.chown(self.run_dir, "frr", "frr")
        lab.closers.append(lambda: shutil.rmtree(self.run_dir, ignore_errors=True))
        config = self.etc / "frr.conf"
        config.write_text("interface eth0\n vrrp 51 version 3\n"
                          f" vrrp 51 priority {priority}\n vrrp 51 advertisement-interval 100\n vrrp 51 ip {V4}\n")
        config.chmod(0o644)
        for parent in (self.etc, lab.folder):
            parent.chmod(0o755)
        self.daemons = [self.daemon("zebra", config), self.daemon("vrrpd", config)]

    def daemon(self, name, config):
        process = self.lab.process(f"frr-{name}", [f"/usr/lib/frr/{name}", "-N", self.name, "-f", config, "--log", "stdout"],
                                   netns=self.netns)
        wait_for(lambda: (self.run_dir / f"{name}.vty").exists(), 10, f"{name} to answer")
        return process

    def holds(self, address):
        return address == V4 and "UP" in run("ip", "-n", self.netns, "link", "show", "dev", "vrrp4-2-1").split(" state ")[1][:4]

    def kill(self):
        for daemon in reversed(self.daemons):
            daemon.kill()
        run("ip", "-n", self.netns, "link", "set", "dev", "vrrp4-2-1", "down")


@pytest.fixture
def segment(request):
    with Lab(request.node.name) as lab:
        yield lab, lab.segment(HOSTS)


def ballast(lab, netns, priority):
    document = {"stack": "shop", "instances": [instance("a", "10.0.0.11"), instance("b", "10.0.0.12")],
                "vips": [vip([V4 + "/24"], "100ms", {"a": priority, "b": 100})]}
    return Vrrpd(lab, "a", netns, document, key=None)


def test_ballast_backs_frr(segment):
    """FRR holds the address; when it dies we take it; when it comes back with a higher priority we let go."""
    lab, netns = segment
    frr = Frr(lab, netns["b"], 200)
    wait_for(lambda: frr.holds(V4), 10)
    ours = ballast(lab, netns["a"], 100)
    pings = Pings(lab, netns["client"], V4)
    wait_for(lambda: "initialize -> backup" in ours.text(), 5)
    assert not ours.holds(V4)
    lab.plug("b", False)
    frr.kill()
    wait_for(lambda: ours.holds(V4), 3, "us to take over")
    before = pings.answered()
    wait_for(lambda: pings.answered() > before + 20, 10)
    lost, gap = pings.stop()
    print(f"FRR dies: {lost} lost of one each 5 ms, longest gap {gap * 1000:.0f} ms")
    assert "active-down timer" in ours.text()
    assert 0.2 < gap < 2


def test_frr_backs_ballast(segment):
    lab, netns = segment
    ours = ballast(lab, netns["a"], 200)
    wait_for(lambda: ours.holds(V4), 10)
    frr = Frr(lab, netns["b"], 100)
    wait_for(lambda: "Backup" in run("vtysh", "-N", frr.name, "-c", "show vrrp", check=False), 10, "FRR to be Backup")
    assert ours.process.stop() == 0
    wait_for(lambda: "Master" in run("vtysh", "-N", frr.name, "-c", "show vrrp", check=False), 5, "FRR to take over")
    ours.start()
    wait_for(lambda: ours.holds(V4), 10, "us to take it back")
    wait_for(lambda: "Backup" in run("vtysh", "-N", frr.name, "-c", "show vrrp", check=False), 5, "FRR to let go")
