"""ballast-vrrpd and keepalived 2.2 as each other's peers on one segment.

Each story runs over IPv4 and IPv6, multicast and unicast. keepalived is a foreign router: it sends no heartbeats,
so everything here rests on RFC 9568 alone.
"""
import time

import pytest

from lab import Lab, wait_for
from vrrp import Keepalived, Pings, Vrrpd, addresses, holders, instance, samples, vip, wait_holder

HOSTS = {"a": ["10.0.0.11/24", "fd00::11/64"], "b": ["10.0.0.12/24", "fd00::12/64"],
         "client": ["10.0.0.99/24", "fd00::99/64"]}
V4, V6, LINK_LOCAL = "10.0.0.100", "fd00::100", "fe80::100"

# name: (the VIP's addresses, the one that is watched, unicast, version)
WAYS = {
    "v3-ipv4-multicast": ([V4 + "/24"], V4, False, 3),
    "v3-ipv4-unicast": ([V4 + "/24"], V4, True, 3),
    "v3-ipv6-multicast": ([LINK_LOCAL + "/64", V6 + "/64"], V6, False, 3),
    "v3-ipv6-unicast": ([LINK_LOCAL + "/64", V6 + "/64"], V6, True, 3),
    "v2-ipv4-multicast": ([V4 + "/24"], V4, False, 2),
}


class Pair:
    """Ballast on host a, keepalived on host b."""

    def __init__(self, lab, way):
        self.lab, self.way = lab, way
        self.addresses, self.watched, self.is_unicast, self.version = WAYS[way]
        self.is_v6 = ":" in self.watched
        self.netns = lab.segment(HOSTS)
        self.interval = 1 if self.version == 2 else 0.1

    def ballast(self, priority, **more):
        own, other = ("fd00::11", "fd00::12") if self.is_v6 else ("10.0.0.11", "10.0.0.12")
        fields = {**({"version": 2} if self.version == 2 else {}), **more,
                  **({"unicast": True} if self.is_unicast else {})}
        order = ["version", "preempt", "preempt_delay", "accept", "unicast"]
        document = {"stack": "shop",
                    "instances": [instance("a", own), instance("b", other)],
                    "vips": [vip(self.addresses, f"{int(self.interval * 1000)}ms" if self.interval < 1 else "1s",
                                 {"a": priority, "b": 100}, **{k: fields[k] for k in order if k in fields})]}
        return Vrrpd(self.lab, "a", self.netns["a"], document, key=None)

    def keepalived(self, priority, extra=""):
        if self.is_unicast:
            own, other = ("fd00::12", "fd00::11") if self.is_v6 else ("10.0.0.12", "10.0.0.11")
            extra += f"\n    unicast_src_ip {own}\n    unicast_peer {{\n        {other}\n    }}"
        return Keepalived(self.lab, "b", self.netns["b"], priority, self.addresses, self.interval, self.version, extra)

    @property
    def takeover(self):
        """Active-down at the lowest priority used here, and some air."""
        return 3.7 * self.interval + 1.5


@pytest.fixture(params=list(WAYS))
def pair(request):
    with Lab(request.node.name) as lab:
        yield Pair(lab, request.param)


def test_keepalived_dies(pair):
    """keepalived is preferred and killed: Ballast takes over, and gives back when a preferred one returns."""
    keepalived = pair.keepalived(200)
    ballast = pair.ballast(100)
    wait_holder([ballast, keepalived], keepalived, pair.watched, 10)
    wait_for(lambda: "initialize -> backup" in ballast.text(), 5)
    keepalived.kill()
    took = wait_for(lambda: ballast.holds(pair.watched), pair.takeover, "Ballast to take over", every=0.005)
    assert took
    assert 'backup -> active why="active-down timer"' in ballast.text()

    again = pair.keepalived(200)
    wait_for(lambda: "Entering MASTER STATE" in again.text(), 10, "keepalived to preempt")
    wait_holder([ballast, again], again, pair.watched, 5)
    assert "active -> backup" in ballast.text()


def test_ballast_dies(pair):
    """Ballast is preferred and killed: keepalived takes over, and yields when Ballast is back."""
    ballast = pair.ballast(200)
    keepalived = pair.keepalived(100)
    wait_holder([ballast, keepalived], ballast, pair.watched, 10)
    wait_for(lambda: "Entering BACKUP STATE" in keepalived.text(), 10)
    ballast.process.kill()
    wait_for(lambda: keepalived.holds(pair.watched), pair.takeover, "keepalived to take over")

    ballast.start()
    # Longer than Active-down went by unless the start was quick: either way Ballast ends up Active, alone.
    wait_holder([ballast, keepalived], ballast, pair.watched, 10)


def test_orderly_stops(pair):
    """Whoever is Active is stopped in order: the other holds the address within skew and a little."""
    ballast = pair.ballast(200)
    keepalived = pair.keepalived(100)
    wait_holder([ballast, keepalived], ballast, pair.watched, 10)
    wait_for(lambda: "Entering BACKUP STATE" in keepalived.text(), 10)
    assert ballast.process.stop() == 0
    wait_for(lambda: keepalived.holds(pair.watched), pair.interval + 1, "keepalived to take over")
    assert not ballast.holds(pair.watched)

    ballast.start()
    wait_holder([ballast, keepalived], ballast, pair.watched, 10)
    keepalived.stop()
    assert holders([ballast, keepalived], pair.watched) == [ballast]


@pytest.mark.parametrize("pair", ["v3-ipv4-multicast", "v3-ipv6-multicast"], indirect=True)
def test_no_preemption(pair):
    """With preempt: false a preferred Ballast that comes later stays Backup until keepalived is gone."""
    keepalived = pair.keepalived(100)
    wait_for(lambda: keepalived.holds(pair.watched), 10)
    ballast = pair.ballast(200, preempt=False)
    wait_for(lambda: "initialize -> backup" in ballast.text(), 5)
    time.sleep(10 * pair.interval)  # that nothing happens can only be watched for a while
    assert holders([ballast, keepalived], pair.watched) == [keepalived]
    assert samples(ballast, "ballast_vip_farewells_received_total")[0]["value"] == 0
    keepalived.stop()
    wait_holder([ballast, keepalived], ballast, pair.watched, 5)
    assert samples(ballast, "ballast_vip_farewells_received_total")[0]["value"] > 0


def test_a_client_sees_the_outage(pair):
    """The preferred Ballast is stopped in order, before a client that asks every 5 ms: the figures are printed."""
    ballast = pair.ballast(200)
    keepalived = pair.keepalived(100)
    wait_holder([ballast, keepalived], ballast, pair.watched, 10)
    wait_for(lambda: "Entering BACKUP STATE" in keepalived.text(), 10)
    pings = Pings(pair.lab, pair.netns["client"], pair.watched)
    ballast.process.stop()
    wait_for(lambda: keepalived.holds(pair.watched), 10)
    answered = pings.answered()
    wait_for(lambda: pings.answered() > answered + 20, 10)
    lost, gap = pings.stop()
    print(f"{pair.way}: orderly stop of Ballast, keepalived takes over: {lost} lost of one each 5 ms, "
          f"longest gap {gap * 1000:.0f} ms")
    assert gap < 3.7 * pair.interval + 1
