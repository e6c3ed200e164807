"""What an operator does to a VIP, under a client: it becomes another virtual router (V8), and a move that nobody takes."""
import re
import signal

from lab import Lab, run, wait_for
from test_vrrp_move import Cluster
from vrrp import Pings, addresses, holders, instance, vip

V4 = "10.0.0.100"
STALLED = 3  # answers, on a shared machine
ADVERTISEMENT = re.compile(r" (10\.0\.0\.\d+) > (\S+): .*VRRPv(\d).*vrid (\d+), prio (\d+)")


def spoken(dump):
    """[(source, destination, version, router id)] of the advertisements on the wire so far; no farewells."""
    found = (ADVERTISEMENT.search(line) for line in dump.text().splitlines())
    return [(m[1], m[2], int(m[3]), int(m[4])) for m in found if m and m[5] != "0"]


def heartbeats(node):
    """How many a node has received."""
    _, text, _ = node.api("GET", "/metrics")
    return int(re.search(r"^ballast_heartbeats_received_total\S* (\d+)", text, re.M)[1])


def test_identity_changes():
    """One node is Active throughout, on the wire and to the client; the other one never speaks."""
    with Lab("identity") as lab:
        fields = {"virtual_router_id": 51, "interface": "eth0", "advertisement_interval": "100ms"}
        cluster = Cluster(lab, {**vip([V4 + "/24"], "100ms", {"a": 200, "b": 100}), **fields})
        a, b = (node.daemons["vrrpd"] for node in (cluster.a, cluster.b))
        for name, address in (("a", "10.0.0.21/24"), ("b", "10.0.0.22/24")):
            netns = cluster.netns[name]
            run("ip", "-n", netns, "link", "add", "eth1", "type", "veth", "peer", "name", f"q-{name}", "netns", lab.switch)
            run("ip", "-n", lab.switch, "link", "set", f"q-{name}", "master", "br0", "up")
            run("ip", "-n", netns, "link", "set", "eth1", "up")
            run("ip", "-n", netns, "address", "add", address, "dev", "eth1", "noprefixroute")
        dump = lab.process("dump", ["tcpdump", "-lni", "br0", "-U", "ip proto 112"], netns=lab.switch)
        wait_for(lambda: spoken(dump), 10)
        pings = Pings(lab, cluster.netns["client"], V4)

        def put(**change):
            fields.update(change)
            cluster.a.put({"stack": "shop", "instances": [instance("a", "10.0.0.11"), instance("b", "10.0.0.12")],
                           "vips": [{**vip([V4 + "/24"], "100ms", {"a": 200, "b": 100}), **fields}]})

        def wait_spoken(source, to, version, router):
            wait_for(lambda: spoken(dump)[-1] == (source, to, version, router), 10, f"{fields} to be spoken")
            other = {"eth0": "eth1", "eth1": "eth0"}[fields["interface"]]
            for interface, is_there in ((fields["interface"], True), (other, False)):
                wait_for(lambda: (V4 in addresses(cluster.netns["a"], interface)) == is_there, 2)
            wait_for(lambda: b.text().count(": speaks as") == a.text().count(": speaks as") > 0, 5)

        # Where b has not the generation yet, a hears both and speaks the old one; it says whom it waits for.
        cluster.b.daemons["control"].signal(signal.SIGSTOP)
        put(virtual_router_id=52)
        wait_for(lambda: "until b runs the generation too, it is still virtual router 51 on eth0"
                 in cluster.a.ctl("explain", "vip", "web").stdout, 5)
        assert spoken(dump)[-1][3] == 51
        cluster.b.daemons["control"].signal(signal.SIGCONT)
        wait_spoken("10.0.0.11", "224.0.0.18", 3, 52)
        put(interface="eth1")
        wait_spoken("10.0.0.21", "224.0.0.18", 3, 52)
        put(version=2, advertisement_interval="1s")
        wait_spoken("10.0.0.21", "224.0.0.18", 2, 52)
        put(interface="eth0", unicast=True, virtual_router_id=51)  # several at once
        wait_spoken("10.0.0.11", "10.0.0.12", 2, 51)
        seen = len(spoken(dump))
        wait_for(lambda: len(spoken(dump)) >= seen + 4, 10)  # longer than b would have waited
        lost, gap = pings.stop()
        print(f"four changes of identity: {lost} lost of one each 5 ms, longest gap {gap * 1000:.0f} ms")
        assert {source for source, *_ in spoken(dump)} == {"10.0.0.11", "10.0.0.21"}
        assert "-> active" not in b.text()
        assert a.text().count("-> active") == 1
        assert lost <= 1 + STALLED
        # Killed while a change is not over, each goes on under what b hears, and nothing moves.
        cluster.b.daemons["control"].signal(signal.SIGSTOP)
        put(virtual_router_id=53)
        wait_for(lambda: "until b runs the generation too, it is still virtual router 51 on eth0"
                 in cluster.a.ctl("explain", "vip", "web").stdout, 5)
        for node in (cluster.a, cluster.b):
            node.daemons["vrrpd"].kill()
            node.start("vrrpd")
            seen = len(spoken(dump))
            wait_for(lambda: len(spoken(dump)) >= seen + 5, 10)  # longer than b waits
            assert set(spoken(dump)[seen:]) == {("10.0.0.11", "10.0.0.12", 2, 51)}
        # One that was away for longer cannot know who hears what: it speaks as both until all run the generation.
        cluster.a.daemons["vrrpd"].kill()
        wait_for(lambda: spoken(dump)[-1] == ("10.0.0.12", "10.0.0.11", 2, 51), 15, "b to take over")
        cluster.a.start("vrrpd")
        wait_for(lambda: {s[3] for s in spoken(dump)[-2:] if s[0] == "10.0.0.11"} == {51, 53}, 15, "a to speak as both")
        wait_for(lambda: holders(cluster.holders, V4) == [cluster.holders[0]], 2)
        seen = len(spoken(dump))
        wait_for(lambda: len(spoken(dump)) >= seen + 8, 10)  # longer than b waits
        assert {s[0] for s in spoken(dump)[seen:]} == {"10.0.0.11"}
        cluster.b.daemons["control"].signal(signal.SIGCONT)
        wait_for(lambda: {s[3] for s in spoken(dump)[-3:]} == {53}, 15, "a to speak as the new one alone")
        assert holders(cluster.holders, V4) == [cluster.holders[0]]


def test_a_move_that_nobody_takes():
    """It is given up in time, without a loss, and says so; where it could not be taken it is refused at once."""
    with Lab("untaken") as lab:
        cluster = Cluster(lab, vip([V4 + "/24"], "100ms", {"a": 200, "b": 100}), peer_failure_threshold=60)
        a, b = cluster.a, cluster.b
        # b does not answer: each attempt is given up in time, and then the move is, without a loss.
        pings = Pings(lab, cluster.netns["client"], V4)
        heard = heartbeats(a)
        wait_for(lambda: heartbeats(a) >= heard + 2, 10, "a to hear that b is Backup again")
        b.daemons["vrrpd"].signal(signal.SIGSTOP)
        refused = a.ctl("move", "web", "b", check=False)
        assert refused.returncode == 6, refused
        assert "b does not take VIP web: the taker did not advertise in time" in refused.stderr and "a holds it" in refused.stderr
        assert "vip=web: handing over to b failed: the taker did not advertise in time" in a.daemons["vrrpd"].text()
        assert holders(cluster.holders, V4) == [cluster.holders[0]]
        lost, gap = pings.stop()
        print(f"a move that is given up: {lost} lost of one each 5 ms, longest gap {gap * 1000:.0f} ms")
        assert lost <= 3  # what a machine that stalls may cost
        # Where nobody could take it, a move is refused at once.
        b.daemons["vrrpd"].kill()
        wait_for(lambda: next(n for n in a.status()["nodes"] if n["name"] == "b")["daemons"]["vrrpd"]["state"] == "away", 15)
        refused = a.ctl("move", "web", "b", check=False)
        assert refused.returncode and "ballast-vrrpd of instance b is away: VIP web stays where it is" in refused.stderr, refused
