"""What heartbeats have to say against a preemption (V7): an Active that is heard bars it, for startup_hold and no longer."""
import datetime
import re

import pytest

from bus_lab import Caller
from lab import Lab, run, wait_for
from test_vrrp_pair import Pair
from vrrp import holders, snapshot, wait_holder

HOLD = 1.5  # seconds: startup_hold
LINE = re.compile(r"^(\S+)Z info vrrpd: vip=web (\w+) -> (\w+) ", re.M)


@pytest.fixture
def lab(request):
    with Lab(request.node.name) as made:
        yield made


def waited(node):
    """Seconds for which the node was Backup before it became Active last."""
    at = {to: datetime.datetime.fromisoformat(when) for when, _, to in LINE.findall(node.text())}
    return (at["active"] - at["backup"]).total_seconds()


def test_a_stale_generation_waits(lab):
    """b is Active with generation 2; a, preferred, comes back with generation 1: it preempts when startup_hold is over."""
    pair = Pair(lab, "100ms", startup_hold=f"{int(HOLD * 1000)}ms").settle()
    (pair.b.node.state / "vrrpd.snapshot").write_text(snapshot(pair.document, generation=2))
    pair.b.process.stop()
    pair.b.start()
    wait_for(lambda: "peer=a state=healthy" in pair.b.text(), 10)
    pair.a.process.stop()
    wait_holder(pair.nodes, pair.b, pair.address, 5)
    pair.a.start()
    wait_holder(pair.nodes, pair.a, pair.address, 20)
    assert HOLD <= waited(pair.a) <= HOLD + 5
    # When nobody advertises, any node takes over with what it has.
    pair.a.process.stop()
    pair.b.process.stop()
    pair.a.start()
    wait_holder(pair.nodes, pair.a, pair.address, 5)
    assert waited(pair.a) < HOLD


def why(node):
    """What vrrpd tells of the VIP."""
    caller = Caller(node.node.run / "bus" / "vrrpd.req")
    try:
        return caller.table("roles")["vip/web"]["why"]
    finally:
        caller.close()


def test_an_active_that_does_not_hear_us(lab):
    """a's words do not reach b any more, b's reach a: to preempt would make two Actives. But not for ever."""
    pair = Pair(lab, "100ms", startup_hold="4s", track=[{"interface": "up0", "weight": -150}])
    for n in "ab":
        run("ip", "-n", pair.netns[n], "link", "add", "up0", "type", "veth", "peer", "name", "up1")
        for link in ("up0", "up1"):
            run("ip", "-n", pair.netns[n], "link", "set", link, "up")
    pair.settle()
    run("ip", "-n", pair.netns["a"], "link", "set", "up0", "down")
    wait_holder(pair.nodes, pair.b, pair.address, 10)
    run("nsenter", f"--net=/run/netns/{pair.netns['b']}", "nft",
        "add table inet deaf; add chain inet deaf in { type filter hook input priority 0; }; "
        "add rule inet deaf in udp dport 7610 drop")
    wait_for(lambda: "does not preempt yet: b is Active and does not hear us" in why(pair.a), 10)
    run("ip", "-n", pair.netns["a"], "link", "set", "up0", "up")
    wait_for(lambda: "priority 200; does not preempt yet: b is Active" in why(pair.a), 4)
    assert holders(pair.nodes, pair.address) == [pair.b]
    wait_holder(pair.nodes, pair.a, pair.address, 20)
