"""VIPs come, change and go with generations, beside VIPs that are not touched."""
import pytest

from lab import Lab, run, wait_for
from vrrp import addresses, holds, instance, vip

HOSTS = {"a": ["10.0.0.11/24"], "client": ["10.0.0.99/24"]}


@pytest.fixture
def node(request):
    with Lab(request.node.name) as lab:
        netns = lab.segment(HOSTS)["a"]
        yield lab.node("a", netns).start("control", "vrrpd")


def document(*vips):
    return {"stack": "shop", "instances": [instance("a", "10.0.0.11")], "vips": list(vips)}


def web(**changes):
    return {**vip(["10.0.0.100/24"], "100ms"), **changes}


def mail(**changes):
    return {**vip(["10.0.0.101/24"], "100ms"), "name": "mail", "virtual_router_id": 52, **changes}


def seen(node, name):
    return next((v for v in node.status()["vips"] if v["name"] == name), None)


def log(node):
    return node.daemons["vrrpd"].text()


def is_active(node, name, *held):
    return node.vip_state(name) == "active" and all(holds(node.netns, a) for a in held)


def test_vips_come_change_and_go(node):
    node.put(document(web()))
    wait_for(lambda: is_active(node, "web", "10.0.0.100"), 5)
    before = seen(node, "web")
    transitions = log(node).count("vip=web")

    # Another VIP comes, changes priority and interval, gets and loses an address, changes its router id (V8), and goes.
    node.put(document(web(), mail()))
    wait_for(lambda: is_active(node, "mail", "10.0.0.101"), 5)
    activations = log(node).count("vip=mail backup -> active")
    node.put(document(web(), mail(priority={"a": 150}, advertisement_interval="200ms")))
    node.put(document(web(), mail(addresses=["10.0.0.101/24", "10.0.0.102/24"])))
    wait_for(lambda: is_active(node, "mail", "10.0.0.101", "10.0.0.102"), 5)
    node.put(document(web(), mail(addresses=["10.0.0.102/24"])))
    wait_for(lambda: not holds(node.netns, "10.0.0.101"), 5)
    assert is_active(node, "mail", "10.0.0.102")
    assert log(node).count("vip=mail backup -> active") == activations
    node.put(document(web(), mail(virtual_router_id=53)))
    wait_for(lambda: is_active(node, "mail", "10.0.0.101"), 10)
    assert log(node).count("vip=mail backup -> active") == activations

    # An interface that is not there is refused; where one cannot be spoken on, the VIP stays what it was.
    status, body, _ = node.api("PUT", "/v1/stacks/shop/document", document(web(), mail(interface="eth9")))
    assert status == 422 and "node a has no interface eth9" in str(body), body
    run("ip", "-n", node.netns, "link", "add", "eth9", "type", "veth", "peer", "name", "eth8")
    node.put(document(web(), mail(virtual_router_id=53, interface="eth9")))
    wait_for(lambda: "interface eth9 is down: put it up" in (seen(node, "mail")["why"] or ""), 5)
    assert is_active(node, "mail", "10.0.0.101")
    node.put(document(web()))
    wait_for(lambda: not holds(node.netns, "10.0.0.101"), 5)
    wait_for(lambda: seen(node, "mail") is None, 5)
    node.put(document(web(), mail(interface="eth9")))
    run("ip", "-n", node.netns, "link", "delete", "eth9")
    wait_for(lambda: any("mail of stack shop cannot run on a: there is no interface eth9: create it" in p["what"]
                         for p in node.status()["problems"]), 5)
    node.put(document(web()))

    # The first one has not noticed.
    assert seen(node, "web")["since"] == before["since"]
    assert log(node).count("vip=web") == transitions


def test_runs_without_control(node):
    """kill -9 of vrrpd and control: vrrpd resumes from its last good snapshot; control finds it running it."""
    answer = node.put(document(web()))
    wait_for(lambda: is_active(node, "web", "10.0.0.100"), 5)
    wait_for((node.state / "vrrpd.snapshot").exists, 5)
    wait_for(lambda: '"active"' in (node.run / "vrrpd.past").read_text(), 5)
    since = seen(node, "web")["since"]
    node.daemons["control"].kill()
    node.daemons["vrrpd"].kill()
    node.start("vrrpd")
    wait_for(lambda: "initialize -> active" in log(node), 5)
    assert holds(node.netns, "10.0.0.100")
    node.start("control")
    wait_for(lambda: is_active(node, "web"), 10)
    me = wait_for(lambda: node.status()["nodes"][0]["daemons"]["vrrpd"], 5)
    wait_for(lambda: node.status()["nodes"][0]["daemons"]["vrrpd"]["generation"] == answer["generation"], 5)
    assert me["pid"] == node.daemons["vrrpd"].pid
    assert seen(node, "web")["since"] == since  # nobody noticed, and so it is told


def test_stop_lets_go(node):
    node.put(document(web()))
    wait_for(lambda: is_active(node, "web", "10.0.0.100"), 5)
    assert node.daemons["vrrpd"].stop() == 0
    assert "10.0.0.100" not in addresses(node.netns)


def test_metrics(node):
    node.put(document(web()))
    wait_for(lambda: is_active(node, "web", "10.0.0.100"), 5)
    # control asks its daemons once a second at most.
    samples = wait_for(lambda: told(node), 5, "the transitions to be told by cause")
    assert samples['ballast_vip_active{stack="shop",vip="web"}'] == "1"
    assert int(samples['ballast_vip_advertisements_sent_total{stack="shop",vip="web"}']) > 0
    assert samples['ballast_vip_advertisements_dropped_total{stack="shop",vip="web",why="wrong_ttl"}'] == "0"


def told(node):
    """The samples of a scrape, once they name the transition by its cause."""
    status, text, _ = node.api("GET", "/metrics")
    assert status == 200
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")
    cause = 'ballast_vip_transitions_total{stack="shop",vip="web",to="active",why="active_down"}'
    return samples if samples.get(cause) == "1" else None
