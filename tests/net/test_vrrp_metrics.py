"""What vrrpd counts beside what keepalived, its peer on one segment, counts of the same: vrrpd/README.md has the table."""
import socket
import struct
from pathlib import Path

import pytest

from lab import Lab, wait_for
from rubbish import ADVERTISEMENTS, GROUP, VRRP
from vrrp import Keepalived, Vrrpd, instance, samples, snapshot, vip

HOSTS = {"a": ["10.0.0.11/24"], "b": ["10.0.0.12/24"], "client": ["10.0.0.99/24"]}
V4 = "10.0.0.100"
UNDER_WAY = 2  # advertisements between the readings of both
EACH = 3

# The cause in Ballast, by the name of keepalived's counter.
REFUSED = {"Packet Errors/Length": "wrong_length", "Packet Errors/TTL": "wrong_ttl", "Packet Errors/Invalid Type": "wrong_type"}


def document(priority):
    return {"stack": "shop", "instances": [instance("a", "10.0.0.11"), instance("b", "10.0.0.12")],
            "vips": [vip([V4 + "/24"], "100ms", {"a": priority, "b": 100})]}


def total(vrrpd, metric, **labels):
    """The sum of a metric's samples that have these labels."""
    return sum(s["value"] for s in samples(vrrpd, metric) if labels.items() <= s["labels"].items())


def spoil(what, ttl):
    """From the client's namespace, entered by the caller."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, VRRP) as s:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                     struct.pack("4s4si", bytes(4), bytes(4), socket.if_nametoindex("eth0")))
        s.sendto(what, (GROUP, 0))


@pytest.fixture
def lab(request):
    with Lab(request.node.name) as made:
        yield made


def test_the_same_is_counted_as_by_keepalived(lab):
    netns = lab.segment(HOSTS)
    keepalived = Keepalived(lab, "b", netns["b"], 100, [V4 + "/24"])
    wait_for(lambda: keepalived.holds(V4), 5, "keepalived to be Active")
    ballast = Vrrpd(lab, "a", netns["a"], document(200), key=None)

    def is_as_sent(sent, received):
        """What one sends the other counts as received, while it goes on."""
        before = sent(), received()
        wait_for(lambda: sent() >= before[0] + 20, 10, "advertisements")
        gone, come = sent() - before[0], received() - before[1]
        assert abs(gone - come) <= UNDER_WAY, (gone, come)

    def ours(name):
        return lambda: total(ballast, f"ballast_vip_advertisements_{name}_total")

    def theirs(name):
        return lambda: keepalived.statistics()[f"Advertisements/{name}"]

    wait_for(lambda: ballast.holds(V4) and not keepalived.holds(V4), 5, "Ballast to preempt")
    is_as_sent(ours("sent"), theirs("Received"))
    seen = keepalived.statistics()
    assert (seen["Became master"], seen["Released master"]) == (1, 1)
    assert total(ballast, "ballast_vip_transitions_total", to="active") == 1

    # What neither heeds, both count by the same cause.
    for cause in REFUSED.values():
        lab.process("rubbish", ["/usr/bin/python3", "-c",
                                "import sys; sys.path.insert(0, sys.argv[1])\n"
                                "from test_vrrp_metrics import *\n"
                                "[spoil(*ADVERTISEMENTS[sys.argv[2]]) for _ in range(EACH)]",
                                str(Path(__file__).parent), cause], netns=netns["client"]).popen.wait(10)
    for counter, cause in REFUSED.items():
        wait_for(lambda: total(ballast, "ballast_vrrp_packets_dropped_total", why=cause) == EACH, 5, cause)
        wait_for(lambda: keepalived.statistics()[counter] == EACH, 5, counter)

    # Stopped in order Ballast says farewell, once; as Backup it counts what it hears, and the farewell that makes it Active.
    ballast.process.stop()
    seen = keepalived.statistics()
    assert seen["Priority Zero/Received"] == 1
    assert (seen["Became master"], seen["Released master"]) == (2, 1)
    (ballast.node.state / "vrrpd.snapshot").write_text(snapshot(document(50)))
    wait_for(lambda: keepalived.holds(V4), 5, "keepalived to take over")
    ballast.start()
    wait_for(lambda: total(ballast, "ballast_vip_advertisements_received_total") > 3, 5, "Ballast to hear keepalived")
    is_as_sent(theirs("Sent"), ours("received"))
    keepalived.stop()
    wait_for(lambda: ballast.holds(V4), 5, "Ballast to take over")
    assert total(ballast, "ballast_vip_farewells_received_total") == 1
    assert total(ballast, "ballast_vip_transitions_total", to="active", why="active_left") == 1
