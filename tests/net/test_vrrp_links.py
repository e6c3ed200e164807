"""What a node does about its links: too few active pairs, traffic that fails to arrive, and too many losses (bypass)."""
import json
import time

import pytest

from lab import Lab, run, wait_for
from vrrp import Vrrpd, holds, instance, vip, wait_holder

V4 = "10.0.0.100"
HOSTS = {"a": ["10.0.0.11/24"], "b": ["10.0.0.12/24"], "client": ["10.0.0.99/24"]}


@pytest.fixture
def lab(request):
    with Lab(request.node.name) as made:
        yield made


def add_links(netns, *names):
    """Links that go nowhere: each is one end of a veth pair."""
    for name in names:
        run("ip", "-n", netns, "link", "add", name, "type", "veth", "peer", "name", name + "x")
        for end in (name, name + "x"):
            run("ip", "-n", netns, "link", "set", end, "up")


def turn(netns, link, way):
    run("ip", "-n", netns, "link", "set", link, way)


def pair(lab, **ha):
    netns = lab.segment(HOSTS)
    for n in "ab":
        add_links(netns[n], "in0", "out0", "in1", "out1")
    document = {"stack": "shop", "instances": [instance("a", "10.0.0.11", **ha), instance("b", "10.0.0.12", **ha)],
                "vips": [vip([V4 + "/24"], "100ms", {"a": 200, "b": 100}, startup_hold="0s")]}
    a, b = (Vrrpd(lab, n, netns[n], document) for n in "ab")
    wait_holder([a, b], a, V4, 15)
    for node in (a, b):
        wait_for(lambda node=node: "state=healthy" in node.text(), 10)
    return netns, a, b


def test_too_few_links(lab):
    """A node with fewer active pairs than asked for steps aside, at once, and returns."""
    netns, a, b = pair(lab, link_pairs=[["in0", "out0"], ["in1", "out1"]], minimum_active_links=2)
    turn(netns["a"], "out1", "down")
    took = wait_holder([a, b], b, V4, 5)
    print(f"moved {took * 1000:.0f} ms after the link went down")
    assert "1 of 2 link pairs active, 2 wanted" in a.text()
    turn(netns["b"], "in0", "down")  # neither is fit: the better of the two holds it
    wait_holder([a, b], a, V4, 10)
    turn(netns["b"], "in0", "up")
    wait_holder([a, b], b, V4, 10)
    turn(netns["a"], "out1", "up")
    wait_holder([a, b], a, V4, 10)


def test_traffic_fails_to_arrive(lab):
    """The VIP goes to the peer when traffic that was there ends, and not while there was none."""
    netns, a, b = pair(lab, bandwidth_monitoring=True, minimum_bandwidth="1M", bandwidth_interval="1s",
                       bandwidth_hold="2s")
    time.sleep(2.5)  # two quiet intervals
    assert holds(a.netns, V4) and not holds(b.netns, V4)
    flood = lab.process("flood", ["/usr/bin/python3", "-u", "-c", """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("flooding", flush=True)
while True:
    s.sendto(bytes(1400), ("10.0.0.100", 9))
    time.sleep(0.001)
"""], netns=netns["client"])
    time.sleep(3)
    assert holds(a.netns, V4)
    flood.kill()
    wait_holder([a, b], b, V4, 10)
    assert "traffic fell to" in a.text()
    wait_holder([a, b], a, V4, 15)  # when bandwidth_hold is over


def lose(node, netns, times):
    """The node's segment goes down and comes back, and goes down for good."""
    for i in range(times):
        wait_for(lambda: node.holds(V4), 10, "it to hold the address")
        turn(netns, "eth0", "down")
        wait_for(lambda i=i: node.text().count('-> initialize why="interface lost"') > i, 10)
        if i < times - 1:
            turn(netns, "eth0", "up")
            wait_for(lambda i=i: node.text().count('initialize -> backup') > i + 1, 10)


def ports(netns, bridge):
    links = json.loads(run("ip", "-n", netns, "-j", "link", "show"))
    return {link["ifname"] for link in links if link.get("master") == bridge}


def test_bypass_by_bridge(lab):
    """Lost more often than borne: the pairs are bridged, over a restart too, until it was quiet for long enough."""
    netns = lab.segment(HOSTS)["a"]
    add_links(netns, "in0", "out0")
    document = {"stack": "shop",
                "instances": [instance("a", "10.0.0.11", maximum_flaps=1, flap_window="1m", flap_clear="4s",
                                       link_pairs=[["in0", "out0"]], bypass={"driver": "bridge"})],
                "vips": [vip([V4 + "/24"], "100ms")]}
    node = Vrrpd(lab, "a", netns, document)
    lose(node, netns, 2)
    wait_for(lambda: ports(netns, "ballast-by0") == {"in0", "out0"}, 5, "the pair to be bridged")
    assert "VIP web was lost 2 times in 60 s" in node.text()
    node.process.kill()
    node.start()
    assert ports(netns, "ballast-by0") == {"in0", "out0"}
    wait_for(lambda: not ports(netns, "ballast-by0"), 15, "the bypass to end")
    turn(netns, "eth0", "up")
    run("ip", "-n", netns, "address", "replace", "10.0.0.11/24", "dev", "eth0")
    wait_for(lambda: node.holds(V4), 10)


def test_bypass_by_command_until_the_operator_clears_it(lab, tmp_path):
    netns = lab.segment(HOSTS)["a"]
    told = tmp_path / "relay"
    node = lab.node("a", netns, extra=f"commands: {{relay: [/bin/sh, -c, 'echo $0 >>{told}']}}\n").start("control", "vrrpd")
    ha = {"maximum_flaps": 1, "bypass": {"driver": "command", "command": "relay"}}
    document = {"stack": "shop", "instances": [instance("a", "10.0.0.11", **ha)], "vips": [vip([V4 + "/24"], "100ms")]}
    bad = json.loads(json.dumps(document).replace('"relay"', '"nothing"'))
    status, body, _ = node.api("PUT", "/v1/stacks/shop/document?wait=5s", bad)
    assert "no command nothing" in str(body), body
    node.put(document)

    class Here:
        text = node.daemons["vrrpd"].text
        holds = staticmethod(lambda address: holds(netns, address))

    lose(Here, netns, 2)
    wait_for(lambda: told.read_text() == "on\n", 5, "the command to be run")
    turn(netns, "eth0", "up")
    wait_for(lambda: told.read_text() == "on\noff\n", 5, "the relay to end while this node alone holds the VIP")
    assert "bypass cleared" in node.ctl("bypass", "clear", "a").stdout
    wait_for(lambda: "cleared by the operator" in Here.text(), 5)
    wait_for(lambda: node.vip_state("web") == "active", 10)
