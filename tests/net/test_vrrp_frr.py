"""ballast-vrrpd and FRR's vrrpd as each other's peers. FRR announces the virtual router's own MAC address from a macvlan."""
import shutil
from pathlib import Path

import pytest

from lab import Lab, run, wait_for
from test_vrrp_virtual_mac import MAC4, MAC6, held_on_mac, link, more_answers, neighbour
from vrrp import Pings, Vrrpd, instance, sysctl, vip

V4, V6, V6_LINK = "10.0.0.100", "fd00::100", "fe80::100"
HOSTS = {"a": ["10.0.0.11/24", "fd00::11/64"], "b": ["10.0.0.12/24", "fd00::12/64"],
         "client": ["10.0.0.99/24", "fd00::99/64"]}
MACS = {V4: MAC4, V6: MAC6}


class Frr:
    """zebra and vrrpd in a namespace; the address lives on a macvlan that FRR finds by its MAC."""

    def __init__(self, lab, netns, priority, address=V4):
        self.lab, self.netns, self.name, self.address = lab, netns, lab.prefix + "frr", address
        family, own = ("ipv6", [V6_LINK, V6]) if ":" in address else ("ip", [V4])
        self.macvlan = "vrrp6-2-1" if ":" in address else "vrrp4-2-1"
        run("ip", "-n", netns, "link", "add", self.macvlan, "link", "eth0", "type", "macvlan", "mode", "bridge")
        run("ip", "-n", netns, "link", "set", "dev", self.macvlan, "address", MACS[address])
        # FRR leaves it to the operator that eth0 neither answers nor asks in the macvlan's address under its own MAC.
        sysctl(netns, "net.ipv4.conf.all.arp_ignore=1")
        sysctl(netns, "net.ipv4.conf.all.arp_announce=2")
        for each in own:
            run("ip", "-n", netns, "address", "add", each + ("/64" if ":" in each else "/24"), "dev", self.macvlan,
                *(["nodad"] if ":" in each else []))
        run("ip", "-n", netns, "link", "set", "dev", self.macvlan, "up")
        self.run_dir, self.etc = Path("/var/run/frr") / self.name, lab.folder / "frr"
        self.etc.mkdir()
        self.run_dir.mkdir(parents=True)
        shutil.chown(self.run_dir, "frr", "frr")
        lab.closers.append(lambda: shutil.rmtree(self.run_dir, ignore_errors=True))
        config = self.etc / "frr.conf"
        config.write_text("interface eth0\n vrrp 51 version 3\n"
                          f" vrrp 51 priority {priority}\n vrrp 51 advertisement-interval 100\n"
                          + "".join(f" vrrp 51 {family} {each}\n" for each in own))
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
        shown = run("ip", "-n", self.netns, "link", "show", "dev", self.macvlan)
        return address == self.address and "UP" in shown.split(" state ")[1][:4]

    def says(self, role):
        return role in run("vtysh", "-N", self.name, "-c", "show vrrp", check=False)

    def kill(self):
        for daemon in reversed(self.daemons):
            daemon.kill()
        run("ip", "-n", self.netns, "link", "set", "dev", self.macvlan, "down")


@pytest.fixture
def segment(request):
    with Lab(request.node.name) as lab:
        yield lab, lab.segment(HOSTS)


def ballast(lab, netns, priority, address=V4, **more):
    nodes, own = (["fd00::11", "fd00::12"], [V6_LINK + "/64", V6 + "/64"]) if ":" in address else (
        ["10.0.0.11", "10.0.0.12"], [V4 + "/24"])
    document = {"stack": "shop", "instances": [instance("a", nodes[0]), instance("b", nodes[1])],
                "vips": [vip(own, "100ms", {"a": priority, "b": 100}, **more)]}
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
    wait_for(lambda: frr.says("Backup"), 10, "FRR to be Backup")
    assert ours.process.stop() == 0
    wait_for(lambda: frr.says("Master"), 5, "FRR to take over")
    ours.start()
    wait_for(lambda: ours.holds(V4), 10, "us to take it back")
    wait_for(lambda: frr.says("Backup"), 5, "FRR to let go")


@pytest.mark.parametrize("address", [V4, V6], ids=["ipv4", "ipv6"])
def test_one_mac_with_frr_dying(segment, address):
    """virtual_mac: true behind FRR: we are Backup with the link down, and take over under the MAC the client knows."""
    lab, netns = segment
    frr = Frr(lab, netns["b"], 200, address)
    wait_for(lambda: frr.says("Master") and frr.holds(address), 10, "FRR to be Master")
    ours = ballast(lab, netns["a"], 100, address, virtual_mac=True)
    wait_for(lambda: "initialize -> backup" in ours.text(), 5)
    pings = Pings(lab, netns["client"], address)
    more_answers(pings)
    assert neighbour(netns["client"], address) == MACS[address]
    assert link(netns["a"])[1:] == (MACS[address], False)
    lab.plug("b", False)
    frr.kill()
    wait_for(lambda: held_on_mac(ours, address), 3, "us to take over")
    more_answers(pings)
    lost, gap = pings.stop()
    print(f"{address}: FRR dies: {lost} lost of one each 5 ms, longest gap {gap * 1000:.0f} ms")
    assert "active-down timer" in ours.text()
    assert neighbour(netns["client"], address) == MACS[address]
    assert 0.2 < gap < 2


@pytest.mark.parametrize("address", [V4, V6], ids=["ipv4", "ipv6"])
def test_one_mac_with_frr_behind(segment, address):
    """virtual_mac: true before FRR: it takes over when we stop and lets go when we are back; the client knows one MAC."""
    lab, netns = segment
    ours = ballast(lab, netns["a"], 200, address, virtual_mac=True)
    wait_for(lambda: held_on_mac(ours, address), 10)
    frr = Frr(lab, netns["b"], 100, address)
    wait_for(lambda: frr.says("Backup"), 10, "FRR to be Backup")
    pings = Pings(lab, netns["client"], address)
    more_answers(pings)
    assert ours.process.stop() == 0
    wait_for(lambda: frr.says("Master"), 5, "FRR to take over")
    more_answers(pings)
    ours.start()
    wait_for(lambda: held_on_mac(ours, address), 10, "us to take it back")
    wait_for(lambda: frr.says("Backup"), 5, "FRR to let go")
    more_answers(pings)
    lost, gap = pings.stop()
    print(f"{address}: stopped and back before FRR: {lost} lost of one each 5 ms, longest gap {gap * 1000:.0f} ms")
    assert neighbour(netns["client"], address) == MACS[address]
    assert gap < 2
