"""virtual_mac: true: the addresses are reached under the virtual router's own MAC address, whoever holds them."""
import json

import pytest

from lab import Lab, run, wait_for
from vrrp import Keepalived, Pings, Vrrpd, addresses, holders, instance, sysctl, vip

V4, V6 = "10.0.0.100", "fd00::100"
MAC4, MAC6 = "00:00:5e:00:01:33", "00:00:5e:00:02:33"
HOSTS = {"a": ["10.0.0.11/24", "fd00::11/64"], "b": ["10.0.0.12/24", "fd00::12/64"],
         "client": ["10.0.0.99/24", "fd00::99/64"]}
STALLED = 3  # answers, on a shared machine


def links(netns):
    """{name: row} of the macvlans in a namespace."""
    rows = json.loads(run("ip", "-n", netns, "-d", "-j", "link", "show"))
    return {row["ifname"]: row for row in rows if row.get("linkinfo", {}).get("info_kind") == "macvlan"}


def link(netns):
    """Name, MAC, and whether it is up, of the only macvlan; None without one."""
    found = [(name, row["address"], "UP" in row["flags"]) for name, row in links(netns).items()]
    assert len(found) < 2, found
    return found[0] if found else None


def held_on_mac(node, address):
    """The node holds the address, on its macvlan and not on the interface."""
    found = link(node.netns)
    return bool(found and found[2] and address in addresses(node.netns, found[0])
                and address not in addresses(node.netns))


def neighbour(netns, address):
    rows = json.loads(run("ip", "-n", netns, "-j", "neighbour", "show", address))
    return rows[0].get("lladdr") if rows else None


def document(family_addresses, interval="100ms", priority=None, **more):
    own = ["fd00::11", "fd00::12"] if ":" in family_addresses[0] else ["10.0.0.11", "10.0.0.12"]
    return {"stack": "shop", "instances": [instance("a", own[0]), instance("b", own[1])],
            "vips": [vip(family_addresses, interval, priority or {"a": 200, "b": 100}, virtual_mac=True, **more)]}


def wait_alone(nodes, holder, address, within=15):
    wait_for(lambda: [n for n in nodes if held_on_mac(n, address)] == [holder]
             and not any(n.holds(address) for n in nodes), within, f"{address} to be on one macvlan alone", every=0.02)


def more_answers(pings, count=30):
    before = pings.answered()
    wait_for(lambda: pings.answered() >= before + count, 10, "the client to get answers")


@pytest.fixture
def lab(request):
    with Lab(request.node.name) as made:
        yield made


def test_a_pair(lab):
    """kill -9, an orderly stop and the return: the client knows one MAC throughout, and a Backup does not have it.

    net.ipv4.conf.all.rp_filter is strict, as many distributions have it.
    """
    watched, mac = V6, MAC6
    netns = lab.segment(HOSTS)
    for name in ("a", "b"):
        sysctl(netns[name], "net.ipv4.conf.all.rp_filter=1")
    both = ["fe80::100/64", V6 + "/64", V4 + "/24"]
    a, b = (Vrrpd(lab, name, netns[name], document(both, "300ms")) for name in ("a", "b"))
    for address in (V4, V6):
        wait_alone([a, b], a, address)
    for node, other in ((a, "b"), (b, "a")):
        wait_for(lambda: f"peer={other} state=healthy" in node.text(), 10)
    assert link(netns["b"])[1:] == (mac, False)  # a Backup has the link, and it is down
    pings = Pings(lab, netns["client"], watched)
    assert neighbour(netns["client"], watched) == mac

    a.process.kill()
    a.start()
    wait_for(lambda: "initialize -> active" in a.text(), 5, "a to resume as Active")
    more_answers(pings)
    assert a.process.stop() == 0
    assert [n for n in (a, b) if held_on_mac(n, watched)] == [b]
    assert link(netns["a"]) is None  # nothing stays
    more_answers(pings)
    a.start()
    wait_alone([a, b], a, watched)
    more_answers(pings)
    assert neighbour(netns["client"], watched) == mac
    lost, gap = pings.stop()
    print(f"{watched}: killed, stopped and back: {lost} lost of one each 5 ms, longest gap {gap * 1000:.0f} ms")
    assert lost <= 2 + STALLED


def test_keepalived_with_use_vmac(lab):
    """keepalived with use_vmac takes over from Ballast and gives back: one MAC, and never two Actives that stay."""
    netns = lab.segment(HOSTS)
    # keepalived leaves it to the operator that its host does not ask for neighbours in the VIP's name from its own MAC.
    sysctl(netns["b"], "net.ipv4.conf.all.arp_announce=2")
    ballast = Vrrpd(lab, "a", netns["a"], document([V4 + "/24"], priority={"a": 150, "b": 100}), key=None)
    wait_for(lambda: held_on_mac(ballast, V4), 10)
    pings = Pings(lab, netns["client"], V4)

    def start(priority):
        return Keepalived(lab, "b", netns["b"], priority, [V4], extra="    use_vmac").process

    keepalived = start(200)
    wait_for(lambda: "Entering MASTER STATE" in keepalived.text(), 10)
    wait_for(lambda: not held_on_mac(ballast, V4), 5)
    assert "active -> backup" in ballast.text()
    assert not link(netns["a"])[2]
    more_answers(pings)
    assert neighbour(netns["client"], V4) == MAC4
    keepalived.stop()
    wait_for(lambda: held_on_mac(ballast, V4), 5)
    keepalived = start(100)
    wait_for(lambda: "Entering BACKUP STATE" in keepalived.text(), 10)
    more_answers(pings)
    assert neighbour(netns["client"], V4) == MAC4
    assert ballast.text().count("-> active") == 2
    ballast.process.stop()
    wait_for(lambda: "Entering MASTER STATE" in keepalived.text(), 5)
    more_answers(pings)
    ballast.start()
    wait_for(lambda: held_on_mac(ballast, V4), 10)
    more_answers(pings)
    lost, gap = pings.stop()
    print(f"beside keepalived with use_vmac: {lost} lost, longest gap {gap * 1000:.0f} ms")
    assert ballast.text().count("-> active") == 1  # the log begins anew with the process
    assert gap < 1.5


def test_two_at_once_find_out(lab):
    """Two Actives with one MAC hear each other, and the lower one yields: each hears the other on its macvlan."""
    netns = lab.segment(HOSTS)
    a, b = (Vrrpd(lab, name, netns[name], document([V4 + "/24"])) for name in ("a", "b"))
    wait_alone([a, b], a, V4)
    lab.plug("b", False)  # its own link stays up: it believes that a is gone
    run("ip", "-n", lab.switch, "link", "set", "p-b", "up", "nomaster")
    wait_for(lambda: held_on_mac(b, V4), 10)
    run("ip", "-n", lab.switch, "link", "set", "p-b", "master", "br0")
    wait_alone([a, b], a, V4, 5)


def test_switched_on_and_off(lab):
    """A generation switches it on, one off, under a client; what a former life left is removed at a start."""
    netns = lab.segment(HOSTS)["a"]
    node = lab.node("a", netns).start("control", "vrrpd")

    def put(is_on):
        node.put({"stack": "shop", "instances": [instance("a", "10.0.0.11")],
                  "vips": [vip([V4 + "/24"], "100ms", **({"virtual_mac": True} if is_on else {}))]})

    def is_on_interface():
        return V4 in addresses(netns)

    put(False)
    wait_for(is_on_interface, 10)
    pings = Pings(lab, f"{lab.prefix}client", V4)
    interface_mac = neighbour(f"{lab.prefix}client", V4)
    for _ in range(2):
        put(True)
        wait_for(lambda: not is_on_interface() and link(netns) and V4 in addresses(netns, link(netns)[0]), 5)
        wait_for(lambda: neighbour(f"{lab.prefix}client", V4) == MAC4, 5)
        more_answers(pings)
        put(False)
        wait_for(lambda: is_on_interface() and not link(netns), 5)
        wait_for(lambda: neighbour(f"{lab.prefix}client", V4) == interface_mac, 5)
        more_answers(pings)
    lost, gap = pings.stop()
    print(f"virtual_mac switched four times: {lost} lost of one each 5 ms, longest gap {gap * 1000:.0f} ms")
    assert lost <= 4 + STALLED
    assert node.daemons["vrrpd"].text().count("-> active") == 1

    # Taken away by hand, it is back; left behind by a former life, it goes.
    put(True)
    wait_for(lambda: link(netns), 5)
    run("ip", "-n", netns, "link", "delete", link(netns)[0])
    wait_for(lambda: link(netns) and V4 in addresses(netns, link(netns)[0]), 5)
    node.daemons["vrrpd"].kill()
    (node.state / "vrrpd.snapshot").unlink()
    node.daemons["control"].kill()
    index = json.loads(run("ip", "-n", netns, "-j", "link", "show", "eth0"))[0]["ifindex"]
    run("ip", "-n", netns, "link", "add", f"vip4-77-{index}", "link", "eth0", "address", "00:00:5e:00:01:4d",
        "type", "macvlan", "mode", "private")
    run("ip", "-n", netns, "link", "add", f"mine-{index}", "link", "eth0", "type", "macvlan")
    node.start("control", "vrrpd")
    wait_for(lambda: f"vip4-77-{index}" not in links(netns), 5, "what was left behind to go")
    assert f"mine-{index}" in links(netns)  # a stranger's is not touched
    assert f"vip4-51-{index}" in links(netns)
