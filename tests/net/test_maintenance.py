"""Maintenance of a node (decision C7): who may leave, who not and why, and that it outlives those who carry it out.

Under load, with all daemons killed, and as whole upgrades: tests/campaign/test_maintenance.py.
"""
import threading

from lab import run, wait_for
from maintenance_house import Pair


def asks_to_close(pair, address):
    head = run("ip", "netns", "exec", pair.netns["client"], "curl", "-si", f"http://{address}/")
    return "connection: close" in head.lower()


def refused_for_all_reasons(pair):
    """b is drained: it could not take what a carries. Its data says the same to its clients."""
    a = pair.a
    assert not asks_to_close(pair, "10.0.0.12")
    assert a.api("PUT", "/v1/instances/b/overlay", {"state": "drain", "why": "look at its disk"})[0] == 200
    wait_for(lambda: asks_to_close(pair, "10.0.0.12"), 5, "b to drain its connections")
    refused = a.ctl("maintenance", "start", "a", check=False)
    assert refused.returncode == 1 and "the others cannot carry" in refused.stderr, refused
    assert "instances[b]: it is in drain by" in refused.stderr and "look at its disk" in refused.stderr, refused
    assert a.ctl("maintenance", "start", "c", check=False).returncode == 1
    # A drain is judged alike, and so is what is only asked for to be disabled; the force is the operator's.
    for state in ("drain", "disabled"):
        status, refusal, _ = pair.b.api("PUT", "/v1/instances/a/overlay", {"state": state})
        assert status == 409 and "the others cannot carry what a carries" in refusal["detail"], refusal
        assert [(e["where"], e["what"].split(" by ")[0]) for e in refusal["errors"]] == [("instances[b]", "it is in drain")], refusal
    assert a.api("PUT", "/v1/instances/b/overlay", {"state": "disabled"})[0] == 200  # b is out already
    assert pair.b.api("PUT", "/v1/instances/a/overlay?force=1", {"state": "drain"})[0] == 200
    assert pair.b.api("DELETE", "/v1/instances/a/overlay")[0] == 200
    assert a.api("DELETE", "/v1/instances/b/overlay")[0] == 200
    wait_for(lambda: not asks_to_close(pair, "10.0.0.12"), 5)
    wait_for(lambda: all(pair.states(n) == ["ready", "ready"] for n in (a, pair.b)), 10)


def one_of_two_at_once(pair):
    """Each is asked for at its own node: one is first, the other is told who that is, and why."""
    outcomes = {}

    def ask(name):
        outcomes[name] = pair.nodes[name].ctl("maintenance", "start", name, "--why", f"kernel of {name}", check=False)

    threads = [threading.Thread(target=ask, args=(n,)) for n in "ab"]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    first, second = ("a", "b") if outcomes["a"].returncode == 0 else ("b", "a")
    assert outcomes[first].returncode == 0 and outcomes[second].returncode == 1, outcomes
    assert f"{first} of stack shop is in maintenance since" in outcomes[second].stderr, outcomes[second].stderr
    assert f"kernel of {first}" in outcomes[second].stderr
    pair.a.ctl("maintenance", "stop", first, "--wait")


def one_of_two_drains_at_once(pair):
    """Each node is drained through the other at the same moment: one of them stays."""
    statuses = {}

    def drain(name, via):
        statuses[name] = via.api("PUT", f"/v1/instances/{name}/overlay", {"state": "drain"})[0]

    threads = [threading.Thread(target=drain, args=(n, v)) for n, v in (("a", pair.b), ("b", pair.a))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(statuses.values()) == [200, 409], statuses
    assert pair.a.api("DELETE", f"/v1/instances/{min(statuses, key=statuses.get)}/overlay")[0] == 200
    wait_for(lambda: all(pair.states(n) == ["ready", "ready"] for n in (pair.a, pair.b)), 10)


def test_a_node_leaves_and_comes_back(lab, figure):
    pair = Pair(lab)
    a, b = pair.a, pair.b
    refused_for_all_reasons(pair)
    one_of_two_at_once(pair)
    one_of_two_drains_at_once(pair)

    # Both controls are killed in the middle: the wait goes on when they are back, the lease is what it was.
    client = pair.lost()
    waiting = pair.background(*b.ctl_argv("maintenance", "start", "a", "--wait", "--why", "kernel of a"))
    wait_for(lambda: pair.maintenance("b", "a")["overlay"], 10)
    b.restart_killed("control")
    a.restart_killed("control")
    text = waiting.communicate(timeout=60)[0]
    assert waiting.returncode == 0 and "a: in maintenance and idle: it is safe" in text, text
    assert pair.held() == ["b"]
    wait_for(lambda: (pair.maintenance("a", "a")["overlay"] or {}).get("why") == "kernel of a", 5)

    assert "kernel of a" in (a.state / "control.overlays").read_text()  # what a start without the store goes by

    # vrrpd comes back with nobody to tell it: still the last resort, though it has the higher priority.
    a.daemons["control"].kill()
    a.restart_killed("vrrpd")
    wait_for(lambda: "state=healthy" in a.daemons["vrrpd"].text(), 10, "the peer to be known")
    assert pair.held() == ["b"]
    a.start("control")

    done = b.ctl("maintenance", "stop", "a", "--wait")
    assert "a: ready, with the VIPs that are its own" in done.stdout and pair.held() == ["a"], done
    books = client.books()
    figure("a client that asks every 5 ms, over start and stop", books)
    assert books["lost"] <= 4, books  # one each way, and a machine that may be loaded
    events = [e["to"] for e in a.api("GET", "/v1/events?follow=0&limit=1000")[1] if e["kind"] == "overlay"]
    assert "maintenance" in events, events
    assert len([r for r in a.api("GET", "/v1/audit")[1] if r["object"] == "instance/a"]) >= 2
