"""An address that another host has already: asked for before it is taken, refused with a sentence, taken when it is free."""
import json

import pytest

from lab import Lab, run, wait_for
from test_vrrp_pair import HOSTS, V4, V6
from vrrp import Vrrpd, holders, instance, vip, wait_holder


@pytest.fixture
def lab(request):
    with Lab(request.node.name) as made:
        yield made


class Stranger:
    """A third host on the segment that has an address, or has not."""

    def __init__(self, lab, address):
        self.netns, self.address = lab.host("other", ["10.0.0.66/24", "fd00::66/64"]), address
        self.mac = json.loads(run("ip", "-n", self.netns, "-j", "link", "show", "dev", "eth0"))[0]["address"]

    def has(self, is_there):
        length = 64 if ":" in self.address else 24
        run("ip", "-n", self.netns, "address", "add" if is_there else "delete", f"{self.address}/{length}", "dev", "eth0",
            *(["nodad"] if ":" in self.address and is_there else []))


@pytest.mark.parametrize("address,priority", [(V4, 200), (V6, 255)])
def test_a_third_host_has_it(lab, address, priority):
    """Neither node takes it, both say who has it; when he lets go it is taken without a restart. A failover waits for nobody."""
    netns, stranger = lab.segment(HOSTS), Stranger(lab, address)
    stranger.has(True)
    addresses = [f"{V4}/24"] if address == V4 else ["fe80::100/64", f"{V6}/64"]
    document = {"stack": "shop", "instances": [instance("a", "10.0.0.11"), instance("b", "10.0.0.12")],
                "vips": [vip(addresses, "100ms", {"a": priority, "b": 100})]}
    nodes = a, b = [Vrrpd(lab, name, netns[name], document) for name in "ab"]
    sentence = f"{address} is on another host, {stranger.mac} on interface eth0: take it off there"
    for node in nodes:
        wait_for(lambda node=node: sentence in node.text(), 10, "the other host to be named")
    # Longer than Active-down, which both would have waited for by now.
    wait_for(lambda: all("peer=" in n.text() and "state=healthy" in n.text() for n in nodes), 10)
    assert not holders(nodes, address) and all("-> active" not in n.text() for n in nodes)

    stranger.has(False)
    wait_holder(nodes, a, address, 20)
    assert any("no other host has its addresses any more" in n.text() for n in nodes)

    stranger.has(True)  # two hosts under one address are bad, a dead node and no address are worse
    lab.plug("a", False)
    wait_for(lambda: b.holds(address), 5, "b to take over")
