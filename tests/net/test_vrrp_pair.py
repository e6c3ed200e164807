"""Two ballast-vrrpd on one segment, without control and data: what a client sees when one dies, stops, stalls, or
is replaced, and what stays on the interfaces.
"""
import random
import signal
import socket
import threading
import time

import pytest

from lab import Lab, run, wait_for
from vrrp import Pings, Vrrpd, holders, holds, instance, vip, wait_holder

V4, V6 = "10.0.0.100", "fd00::100"
HOSTS = {"a": ["10.0.0.11/24", "fd00::11/64"], "b": ["10.0.0.12/24", "fd00::12/64"],
         "client": ["10.0.0.99/24", "fd00::99/64"]}
SLACK = 0.1  # of a shared machine; the goal is 15 ms, and the figures are printed
STALLED = 3  # answers, on a shared machine


class Pair:
    """Nodes a (priority 200) and b (254 less what a test says); a is Active to begin with."""

    before, ha = (), {}  # words before each node's command; fields of each instance's ha

    def __init__(self, lab, interval="100ms", addresses=(V4 + "/24",), b_priority=100, track=(), **more):
        self.lab = lab
        self.netns = lab.segment(HOSTS)
        self.document = {
            "stack": "shop",
            "instances": [instance("a", "10.0.0.11", **self.ha), instance("b", "10.0.0.12", **self.ha)],
            "vips": [vip(list(addresses), interval, {"a": 200, "b": b_priority}, track=track, **more)]}
        self.a = Vrrpd(lab, "a", self.netns["a"], self.document, before=self.before)
        self.b = Vrrpd(lab, "b", self.netns["b"], self.document, before=self.before)
        self.address = addresses[0].split("/")[0]

    @property
    def nodes(self):
        return [self.a, self.b]

    def settle(self, within=10):
        """a holds the address alone, and both know each other to live (so addresses are leases)."""
        wait_holder(self.nodes, self.a, self.address, within)
        for node, other in ((self.a, "b"), (self.b, "a")):
            wait_for(lambda: f"peer={other} state=healthy" in node.text(), 10, f"{other} to be known to live")
        wait_for(lambda: lease(self.a, self.address) <= 10, 5, "the address to be a lease")
        return self

    def ping(self):
        return Pings(self.lab, self.netns["client"], self.address)


def lease(node, address):
    """Seconds left, as the kernel says."""
    from vrrp import addresses
    return addresses(node.netns)[address]["valid_life_time"]


def more_answers(pings, count=30):
    before = pings.answered()
    wait_for(lambda: pings.answered() >= before + count, 10, "the client to get answers")


@pytest.fixture
def lab(request):
    with Lab(request.node.name) as made:
        yield made


@pytest.mark.parametrize("interval,interval_s,kills,address", [
    ("100ms", 0.1, 3, V4), ("100ms", 0.1, 3, V6), ("1s", 1.0, 1, V4)])
def test_node_dies(lab, interval, interval_s, kills, address):
    """The Active node is cut off and killed at a random phase: the outage is Active-down at most."""
    addresses = [f"{V4}/24"] if address == V4 else ["fe80::100/64", f"{V6}/64"]
    pair = Pair(lab, interval, addresses, b_priority=254 - 100)
    pair.address = address
    active_down = interval_s * (3 + (256 - 154) / 256)
    gaps = []
    for _ in range(kills):
        pair.settle(within=15)
        pings = pair.ping()
        time.sleep(random.random() * interval_s)  # the phase
        lab.plug("a", False)
        pair.a.process.kill()
        wait_for(lambda: pair.b.holds(address), active_down + 2)
        more_answers(pings)
        gaps.append(pings.stop()[1])
        lab.plug("a", True)
        wait_for(lambda: not pair.a.holds(address), 5, "the lease to run out")
        pair.a.start()
    print(f"node dies, {address}, {interval}: outages {', '.join(f'{g * 1000:.0f}' for g in gaps)} ms, "
          f"Active-down {active_down * 1000:.0f} ms")
    assert max(gaps) <= active_down + SLACK


@pytest.mark.parametrize("interval", ["100ms", "1s"])
@pytest.mark.parametrize("address", [V4, V6])
def test_orderly_stop(lab, interval, address):
    """SIGTERM hands the address over before it is let go: at most one answer is lost, there and back."""
    addresses = [f"{V4}/24"] if address == V4 else ["fe80::100/64", f"{V6}/64"]
    pair = Pair(lab, interval, addresses)
    pair.address = address
    pair.settle(within=15)
    pings = pair.ping()
    assert pair.a.process.stop() == 0
    assert holders(pair.nodes, address) == [pair.b]
    more_answers(pings)
    pair.a.start()
    wait_holder(pair.nodes, pair.a, address, 15)
    more_answers(pings)
    lost, gap = pings.stop()
    print(f"orderly stop and return, {address}, {interval}: {lost} lost of one each 5 ms, longest gap {gap * 1000:.0f} ms")
    assert lost <= 1 + STALLED  # the goal is 1; the rest is for a machine that stalls its client
    assert 'why="the Active asked us to take over"' in pair.b.text() or "-> active" in pair.b.text()


@pytest.mark.parametrize("how", ["kill", "replace", "step-out"])
def test_replaced_without_a_move(lab, how):
    """kill -9 and restart, SIGHUP, SIGUSR2 and restart: the address stays, the peer never becomes Active."""
    pair = Pair(lab, "1s").settle(within=15)
    pings = pair.ping()
    for _ in range(3):
        starts = pair.a.text().count("starting version=")
        if how == "kill":
            pair.a.process.kill()
            pair.a.start()
        elif how == "step-out":
            pair.a.process.signal(signal.SIGUSR2)
            wait_for(lambda: not pair.a.process.is_running(), 5)
            assert pair.a.holds(pair.address)
            pair.a.start()
        else:
            pair.a.process.signal(signal.SIGHUP)
            wait_for(lambda: pair.a.text().count("starting version=") > starts, 5)
        wait_for(lambda: 'initialize -> active' in pair.a.text(), 5, "a to resume as Active")
    time.sleep(4)  # longer than Active-down: b would have moved by now
    lost, gap = pings.stop()
    print(f"{how}: {lost} lost, longest gap {gap * 1000:.0f} ms")
    assert lost == 0
    assert "-> active" not in pair.b.text()
    assert holders(pair.nodes, pair.address) == [pair.a]


def test_killed_for_good(lab):
    """vrrpd dies and nobody restarts it: its kernel lets the address go when the lease ends (V1)."""
    pair = Pair(lab, "100ms").settle()
    valid = lease(pair.a, pair.address)
    pair.a.process.kill()
    killed = time.monotonic()
    wait_for(lambda: pair.b.holds(pair.address), 3, every=0.005)
    both = time.monotonic()
    wait_for(lambda: not pair.a.holds(pair.address), 10, every=0.005)
    gone = time.monotonic()
    print(f"killed for good: lease {valid} s, taken over after {both - killed:.2f} s, gone after {gone - killed:.2f} s")
    assert gone - killed <= valid + 1.1  # the kernel counts whole seconds
    assert holders(pair.nodes, pair.address) == [pair.b]


def test_late_restart_lets_go_first(lab):
    """Restarted after its time: it is Backup, and the address is off before anything else (V2)."""
    pair = Pair(lab, "1s", b_priority=250)
    pair.address = V4
    wait_holder(pair.nodes, pair.b, V4, 15)
    for node, other in ((pair.a, "b"), (pair.b, "a")):
        wait_for(lambda: f"peer={other} state=healthy" in node.text(), 10)
    wait_for(lambda: lease(pair.b, V4) <= 10, 5)
    pair.b.process.kill()
    wait_for(lambda: pair.a.holds(V4), 6)
    pair.b.start()
    wait_for(lambda: "starting as backup" in pair.b.text(), 2)
    wait_holder(pair.nodes, pair.b, V4, 10)  # by preemption, in order
    # Who has just yielded has nothing to resume, however soon it is back.
    pair.a.process.kill()
    pair.a.start()
    wait_for(lambda: "starting as backup" in pair.a.text(), 2)


def test_stalled(lab):
    """A stopped process holds nothing past its lease, and does not wake up as a second Active."""
    pair = Pair(lab, "100ms", preempt=False).settle()
    pair.a.process.signal(signal.SIGSTOP)
    try:
        wait_for(lambda: pair.b.holds(V4), 3)
        wait_for(lambda: not pair.a.holds(V4), 5, "the lease to run out")
    finally:
        pair.a.process.signal(signal.SIGCONT)
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        assert holders(pair.nodes, V4) == [pair.b]
        time.sleep(0.01)
    assert "active -> backup" in pair.a.text()


@pytest.mark.parametrize("address,length", [(V4, 24), (V6, 64)])
def test_hands_off(lab, address, length):
    """An address that somebody removes comes back, one that somebody adds at the Backup goes, at once."""
    pair = Pair(lab, "100ms", [f"{address}/{length}"]).settle()
    on = {"a": ("-n", pair.netns["a"]), "b": ("-n", pair.netns["b"])}
    run("ip", *on["a"], "address", "delete", f"{address}/{length}", "dev", "eth0")
    wait_for(lambda: pair.a.holds(address), 1, f"{address} to come back", every=0.002)
    for added in (f"{address}/{length}", f"{address}/{length + 8}"):  # of any prefix length
        run("ip", *on["b"], "address", "add", added, "dev", "eth0", *(["nodad"] if ":" in address else []))
        wait_for(lambda: not pair.b.holds(address), 1, f"{added} to go", every=0.002)
    assert holders(pair.nodes, address) == [pair.a]
    assert "were not as they should be" in pair.a.text()


def test_link_goes_and_comes(lab):
    """The Active node loses its link: the peer takes over, and the node that is cut off says why it is not Active."""
    pair = Pair(lab, "100ms").settle()
    lab.plug("a", False)
    wait_for(lambda: pair.b.holds(V4), 2)
    wait_for(lambda: "active -> initialize" in pair.a.text(), 2)
    assert "interface eth0 is down" in pair.a.text()
    assert not pair.a.holds(V4)
    lab.plug("a", True)
    wait_holder(pair.nodes, pair.a, V4, 5)


@pytest.mark.parametrize("way", ["ipv4-multicast", "ipv4-unicast", "ipv6-multicast", "ipv6-unicast"])
def test_parted_and_joined(lab, way):
    """The segment falls apart: both are Active, neither can know better. Joined again, equal priorities: one yields."""
    netns = lab.segment(HOSTS)
    is_v6, unicast = "ipv6" in way, {"unicast": True} if "unicast" in way else {}
    watched = V6 if is_v6 else V4
    host = "fd00::1" if is_v6 else "10.0.0.1"
    document = {"stack": "shop", "instances": [instance("a", host + "1"), instance("b", host + "2")],
                "vips": [vip(["fe80::100/64", f"{V6}/64"] if is_v6 else [f"{V4}/24"], "100ms", {"a": 150, "b": 150},
                             **unicast)]}
    nodes = [Vrrpd(lab, name, netns[name], document) for name in ("a", "b")]
    wait_for(lambda: len(holders(nodes, watched)) == 1, 5)
    for node, other in zip(nodes, "ba"):
        wait_for(lambda: f"peer={other} state=healthy" in node.text(), 10)
    run("ip", "-n", lab.switch, "link", "set", "p-b", "nomaster")
    wait_for(lambda: len(holders(nodes, watched)) == 2, 5, "both to be Active")
    run("ip", "-n", lab.switch, "link", "set", "p-b", "master", "br0")
    wait_for(lambda: len(holders(nodes, watched)) == 1, 5, "one to yield")
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        assert len(holders(nodes, watched)) <= 1, nodes[0].text() + nodes[1].text()
        time.sleep(0.01)
    wait_for(lambda: len(holders(nodes, watched)) == 1, 2, "one to hold it")


def test_interface_appears_later(lab):
    """A VIP on an interface that is not there waits for it."""
    netns = lab.segment({"a": ["10.0.0.11/24"]})["a"]
    document = {"stack": "shop", "instances": [instance("a", "10.0.0.11")],
                "vips": [{**vip(["10.1.0.100/24"], "100ms"), "interface": "late0"}]}
    node = Vrrpd(lab, "a", netns, document)
    wait_for(lambda: "there is no interface late0" in node.text(), 5)
    run("ip", "-n", netns, "link", "add", "late0", "type", "veth", "peer", "name", "late1")
    run("ip", "-n", netns, "link", "set", "late1", "up")
    run("ip", "-n", netns, "link", "set", "late0", "up")
    run("ip", "-n", netns, "address", "add", "10.1.0.1/24", "dev", "late0")
    wait_for(lambda: holds_on(netns, "late0", "10.1.0.100"), 5, "the VIP to start")
    run("ip", "-n", netns, "link", "delete", "late0")
    wait_for(lambda: "active -> initialize" in node.text(), 5)


def holds_on(netns, interface, address):
    from vrrp import addresses
    return address in addresses(netns, interface)


class Worker:
    """What data's workers do on run_dir/data/worker-N.sock: send back what comes."""

    def __init__(self, node):
        folder = node.node.run / "data"
        folder.mkdir(exist_ok=True)
        self.is_answering = True
        self.connections = []
        path = folder / "worker-0.sock"
        path.unlink(missing_ok=True)
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listening.bind(str(path))
        self.listening.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection = self.listening.accept()[0]
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            while message := connection.recv(64):
                if self.is_answering:
                    connection.send(message)
        except OSError:
            pass

    def die(self):
        for s in (self.listening, *self.connections):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


def test_data_dies(lab):
    """No worker lives for 60 ms: the VIP is at the peer, handed over, soon after; a silent one is given data_timeout."""
    # No data daemon says which generation it runs: that bars preemption for startup_hold only.
    pair = Pair(lab, "1s", track=[{"data": True, "weight": "down"}], startup_hold="100ms")
    workers = {node: Worker(node) for node in pair.nodes}
    wait_holder(pair.nodes, pair.a, V4, 15)
    for node, other in ((pair.a, "b"), (pair.b, "a")):
        wait_for(lambda: f"peer={other} state=healthy" in node.text(), 10)
    pings = pair.ping()

    workers[pair.a].die()
    took = timed(lambda: pair.b.holds(V4), 2)
    print(f"data dies: VIP at the peer after {took * 1000:.0f} ms")
    assert 0.05 <= took <= 0.1 + SLACK
    wait_holder(pair.nodes, pair.b, V4, 3)

    workers[pair.a] = Worker(pair.a)
    wait_holder(pair.nodes, pair.a, V4, 10)
    workers[pair.a].is_answering = False
    took = timed(lambda: pair.b.holds(V4), 4)
    print(f"data is silent: VIP at the peer after {took * 1000:.0f} ms")
    assert 0.9 <= took <= 1.1 + SLACK
    lost, gap = pings.stop()
    print(f"data dies, returns, is silent: {lost} pings lost, longest gap {gap * 1000:.0f} ms")
    assert lost <= 3


def timed(claim, within):
    begun = time.monotonic()
    wait_for(claim, within, every=0.002)
    return time.monotonic() - begun


def test_mode_off_serves_no_vip(lab):
    """A node whose ha.mode is off has no VIPs and sends nothing; the other one has them to itself."""
    netns = lab.segment(HOSTS)
    document = {"stack": "shop", "instances": [instance("a", "10.0.0.11", mode="off"), instance("b", "10.0.0.12")],
                "vips": [vip([f"{V4}/24"], "100ms", {"b": 100})]}
    a, b = (Vrrpd(lab, name, netns[name], document) for name in ("a", "b"))
    wait_for(lambda: b.holds(V4), 5)
    assert "generation=1" in a.text() and "vip=web" not in a.text()
    assert "peer=a" not in b.text()


def test_wrong_key_is_nobody(lab):
    """A node with another cluster key is not known to live: VRRP goes on, without leases, and it is counted."""
    pair = Pair(lab, "100ms")
    pair.b.process.stop()
    key = pair.b.node.folder / "cluster.key"
    key.write_text("1:" + "A" * 43 + "=\n")
    pair.b.start()
    wait_holder(pair.nodes, pair.a, V4, 5)
    time.sleep(2)
    assert "state=healthy" not in pair.a.text().rsplit("peer=b", 1)[1]
    wait_for(lambda: lease(pair.a, V4) > 1000, 5, "the address to be held for ever")
