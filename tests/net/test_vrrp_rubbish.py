"""Packets that no virtual router should heed: each is counted by its cause, and changes nothing."""
import pytest

from lab import Lab, wait_for
from rubbish import Rubbish
from test_vrrp_pair import HOSTS, V4, Pair
from vrrp import holders, samples

EACH = 3


@pytest.fixture
def lab(request):
    with Lab(request.node.name) as made:
        yield made


def dropped(node, metric):
    """{cause: count} of a metric of the node's vrrpd."""
    return {s["labels"]["why"]: s["value"] for s in samples(node, metric)}


def test_each_is_counted_and_none_heeded(lab):
    pair = Pair(lab, "100ms").settle()
    other = lab.host("noise", ["10.0.0.66/24"])
    rubbish = Rubbish(lab, other, pair)
    before = {n: n.text().count("vip=web") for n in pair.nodes}
    rubbish.send(EACH)
    b = pair.b
    for cause in rubbish.vrrp_causes:
        wait_for(lambda cause=cause: dropped(b, "ballast_vrrp_packets_dropped_total")[cause] +
                 dropped(b, "ballast_vip_advertisements_dropped_total").get(cause, 0) >= EACH, 10, f"{cause} to be counted")
    for cause in rubbish.heartbeat_causes:
        wait_for(lambda cause=cause: dropped(b, "ballast_heartbeats_dropped_total")[cause] >= EACH, 10,
                 f"{cause} to be counted")
    assert holders(pair.nodes, V4) == [pair.a]
    assert {n: n.text().count("vip=web") for n in pair.nodes} == before
