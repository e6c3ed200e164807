"""Stories of changes on a cluster: who is asked, who may refuse, what races and lost answers cannot do."""
import json
import signal
import time

import pytest

from lab import free_port, http_get, wait_for
from rollout_house import (COMMANDS, OVERLAY, Later, at_once, cluster, document, generations, proposals, put,
                           see_each_other, with_bypass)

pytestmark = pytest.mark.skipif("os.geteuid() != 0", reason="PostgreSQL is started as nobody")

def test_of_two_drains_only_one_passes(lab):
    """Each alone would leave minimum_up, both together not: on two nodes at the same time, one is refused, every time."""
    _, nodes = cluster(lab, "lb-a", "lb-b")
    assert nodes[0].status()["store"]["durability"] == "async"  # one server: an answered write is on one machine
    nodes[0].put(document("lb-a", "lb-b", minimum_up=1), query="")
    for node in nodes:
        wait_for(lambda node=node: node.server_states("web") == {"w1": "unchecked", "w2": "unchecked"}, 10, "the pool")
    for _ in range(4):
        calls = [lambda n=n, w=w: n.api("PUT", OVERLAY % w, {"state": "drain"}) for n, w in zip(nodes, ("w1", "w2"))]
        answers = at_once(*calls)
        assert sorted(status for status, _, _ in answers) == [200, 409], answers
        refusal = next(body for status, body, _ in answers if status == 409)
        assert "minimum_up" in refusal["detail"], refusal
        for server in ("w1", "w2"):
            assert nodes[0].api("DELETE", OVERLAY % server)[0] == 200
        wait_for(lambda: "drain" not in nodes[1].server_states("web").values(), 5, "the drain to end on the other node")


def test_a_node_that_cannot_run_it_refuses_it(lab, figure):
    """Asked before it is stored: the reason is that node's, nothing has changed; --skip leaves a node out."""
    postgres = lab.postgres()
    nodes = [lab.node(name, store=postgres.uri, extra=extra).start("control")
             for name, extra in (("lb-a", COMMANDS), ("lb-b", ""), ("lb-c", COMMANDS))]
    names = [node.name for node in nodes]
    see_each_other(*nodes)
    nodes[0].put(document(*names), query="")

    status, problem, _ = put(nodes[0], with_bypass(*names))
    assert status == 422, problem
    assert problem["errors"] == [{"where": "nodes[lb-b]", "what": "instances[lb-b].ha.bypass.command: node lb-b has no "
                                  "command join: name it under commands: in its node file"}], problem
    assert generations(postgres) == 1 and proposals(postgres) == ""
    # The node's own no is told at once, with its place in the document.
    status, problem, _ = put(nodes[1], with_bypass(*names))
    assert status == 422 and problem["errors"][0]["where"] == "instances[lb-b].ha.bypass.command", problem

    file = lab.folder / "shop.json"
    file.write_text(json.dumps(with_bypass(*names)))
    refused = nodes[0].ctl("apply", "-f", file, check=False)
    assert refused.returncode == 1 and "nodes[lb-b]: instances[lb-b].ha.bypass.command" in refused.stderr, refused
    assert "generation 2" in nodes[0].ctl("apply", "-f", file, "--skip", "lb-b").stdout
    status, answer, _ = put(nodes[2], document(*names, description="three"))
    assert status == 200 and answer["generation"] == 3 and "away" not in answer, answer
    # A roll-back is judged like any other write.
    status, problem, _ = nodes[0].api("POST", "/v1/stacks/shop/generations/2/rollback")
    assert status == 422 and problem["errors"][0]["where"] == "nodes[lb-b]", problem
    assert "generation 4" in nodes[0].ctl("rollback", "1").stdout
    newest = nodes[1].ctl("history").stdout.splitlines()[1]
    assert newest.split()[0] == "4" and "back to generation 1" in newest, newest

    took = []
    for number in range(10):
        began = time.monotonic()
        status, answer, _ = put(nodes[0], document(*names, description=f"number {number}"))
        took.append(time.monotonic() - began)
        assert status == 200, answer
    figure("a write that three nodes judge, median and greatest, ms",
           (round(sorted(took)[5] * 1000, 1), round(max(took) * 1000, 1)))
    # Two at once on two nodes take turns.
    answers = at_once(*(lambda node=node: put(node, document(*names, description=f"by {node.name}")) for node in nodes))
    assert [status for status, _, _ in answers] == [200] * 3, answers
    assert len({body["generation"] for _, body, _ in answers}) == 3


def test_silence_is_away_and_lost_answers_are_found(lab, figure):
    """A stopped control is waited for, not longer than 3 s; the proposer killed meanwhile leaves nothing by half."""
    postgres, nodes = cluster(lab, "lb-a", "lb-b")
    see_each_other(*nodes)
    a, b = nodes
    first = document("lb-a", "lb-b")
    a.put(first, query="")

    # Killed while it waits for votes: nothing is stored, and the same key carries it out once.
    b.daemons["control"].signal(signal.SIGSTOP)
    second = document("lb-a", "lb-b", description="two")
    lost = Later(lambda: put(a, second, key="the-second"))
    wait_for(lambda: proposals(postgres) == "the-second", 5, "the proposal")
    a.restart_killed("control")
    assert lost.end() is None and generations(postgres) == 1
    wait_for(lambda: a.status()["store"]["state"] == "connected", 10, "the store")
    began = time.monotonic()
    status, answer, _ = put(a, second, key="the-second")
    figure("a write beside a silent node, s", round(time.monotonic() - began, 2))
    assert status == 200 and answer["generation"] == 2 and answer["away"] == ["lb-b"], answer
    assert generations(postgres) == 2 and proposals(postgres) == ""

    # The same key again is the same answer, on any node; another request with it is refused.
    b.daemons["control"].signal(signal.SIGCONT)
    wait_for(lambda: b.status()["stacks"][0]["generation"] == 2, 10, "the other to catch up")
    for node in nodes:
        status, again, headers = put(node, second, key="the-second")
        assert (status, again["generation"], again["digest"]) == (200, 2, answer["digest"]), again
        assert headers["ETag"] == '"2"'
    status, problem, _ = put(a, first, key="the-second")
    assert status == 409 and "another write" in problem["detail"], problem

    # Killed when it is stored and not yet answered: the condition that held is not asked again.
    third = document("lb-a", "lb-b", description="three")
    headers = {"Idempotency-Key": "the-third", "If-Match": '"2"'}
    see_each_other(a, b)
    lost = Later(lambda: a.api("PUT", "/v1/stacks/shop/document", third, headers))
    wait_for(lambda: generations(postgres) == 3, 10, "the third generation", every=0.001)
    a.restart_killed("control")
    lost.end()
    status, answer, _ = b.api("PUT", "/v1/stacks/shop/document", third, headers)
    assert status == 200 and answer["generation"] == 3 and generations(postgres) == 3, answer
    status, problem, _ = b.api("PUT", "/v1/stacks/shop/document", third, {"If-Match": '"2"'})
    assert status == 409, problem


def runs(node):
    """What this node runs, and what it says of a generation that is to be confirmed."""
    status = node.status()
    return status["generation"], (status["stacks"][0]["confirm"] or {}).get("state")


def test_what_nobody_confirms_goes_back(lab, figure):
    """Each node counts for itself, over a restart of its control; the confirmation keeps it; writes meanwhile are 409."""
    server = lab.http_server("w1")
    bind = f"127.0.0.1:{free_port()}"
    node = lab.node("lb-a").start()

    def made(description, answer):
        return {"stack": "shop", "description": description,
                "pools": [{"name": "web", "protocol": "http", "servers": [{"name": "w1", "address": server.address}]}],
                "listeners": [{"name": "www", "bind": [bind], "protocol": "http", "pool": "web",
                               "routes": [{"match": {"path": "/who"}, "respond": {"status": 200, "body": answer}}]}]}

    def served():
        return http_get(bind, "/who")[1]

    node.put(made("one", "one"))
    assert served() == "one"
    status, problem, _ = put(node, made("none", "none"), "?confirm_within=0s")
    assert status == 400, problem

    # Confirmed: it stays.
    answer = node.put(made("two", "two"), query="?confirm_within=1m&wait=10s")
    assert answer["confirm_within_ms"] == 60000 and runs(node) == (2, "waiting") and served() == "two"
    status, problem, _ = put(node, made("three", "three"))
    assert status == 409 and "to be confirmed" in problem["detail"], problem
    assert any("is to be confirmed within 1m" in p["what"] for p in node.status()["problems"])
    assert "generation 2 is confirmed" in node.ctl("confirm").stdout
    assert runs(node) == (2, None)
    assert node.ctl("confirm", check=False).returncode == 1

    # Not confirmed: control is killed in between, and goes on counting from where it was.
    node.put(made("three", "three"), query="?confirm_within=1s&wait=10s")
    began = time.monotonic()
    assert served() == "three"
    node.restart_killed("control")
    wait_for(lambda: runs(node) == (2, "lapsed"), 10, "the node to go back")
    wait_for(lambda: served() == "two", 5, "traffic to go back")
    figure("back after confirm_within=1s, s", round(time.monotonic() - began, 2))
    assert time.monotonic() - began > 0.5
    assert any("went back to 2" in p["what"] for p in node.status()["problems"])
    status, problem, _ = node.api("POST", "/v1/stacks/shop/generations/3/confirm")
    assert status == 409 and "not confirmed in time" in problem["detail"], problem
    status, problem, _ = node.api("DELETE", "/v1/stacks/shop/listeners/www")
    assert status == 409 and "roll back to 2" in problem["detail"], problem
    node.restart_killed("control")
    assert runs(node) == (2, "lapsed") and served() == "two"
    # The way out: for good.
    assert "generation 4" in node.ctl("rollback", "2", "--wait").stdout
    assert runs(node) == (4, None) and served() == "two"

    # Rebooted: back at once, whatever time is left; a confirmation found later takes it forward.
    node.put(made("five", "five"), query="?confirm_within=10m&wait=10s")
    assert served() == "five"
    node.stop("control")
    file = node.state / "confirmations"
    before = json.loads(file.read_text())
    before["shop"]["boot"] = "00000000-0000-4000-8000-000000000000"
    file.write_text(json.dumps(before))
    node.start("control")
    wait_for(lambda: runs(node) == (4, "lapsed") and served() == "two", 10, "the node to go back after a reboot")
    status, answer, _ = node.api("POST", "/v1/stacks/shop/generations/5/confirm")
    assert status == 200 and answer["confirmed"], answer
    wait_for(lambda: runs(node) == (5, None) and served() == "five", 10, "the node to go forward")


def test_a_hand_while_the_store_is_away(lab):
    """Refused without --local; with it on this node alone, kept over a restart, and replayed: the more restrictive counts."""
    postgres, nodes = cluster(lab, "lb-a", "lb-b")
    see_each_other(*nodes)
    a, b = nodes
    a.put(document("lb-a", "lb-b"), query="")
    wait_for(lambda: b.server_states("web") == {"w1": "unchecked", "w2": "unchecked"}, 10, "the pool on the other node")
    assert a.ctl("disable", "web/w2", "--local").returncode == 0  # the store is there: for all
    wait_for(lambda: b.server_states("web")["w2"] == "disabled", 5, "the overlay on the other node")

    postgres.stop("immediate")
    for node in nodes:
        wait_for(lambda node=node: node.status()["store"]["state"] == "away", 5, "the store to be away")
    refused = a.ctl("drain", "web/w1", check=False)
    assert refused.returncode == 1 and "is away, so nothing was changed" in refused.stderr, refused
    done = a.ctl("drain", "web/w1", "--local", "--why", "kernel update", check=False)
    assert done.returncode == 4 and "on this node only" in done.stdout, done
    assert a.server_states("web")["w1"] == "drain" and b.server_states("web")["w1"] == "unchecked"
    row = next(s for s in a.status()["pools"][0]["servers"] if s["name"] == "w1")["overlay"]
    assert row["local"] and row["why"] == "kernel update", row
    assert any("this node's alone" in p["what"] for p in a.status()["problems"])
    weaker = a.ctl("drain", "web/w2", "--local", check=False)
    assert weaker.returncode == 1 and "more restrictive" in weaker.stderr, weaker
    # The other node's operator is stricter about the same server; and it is taken back as it was set.
    assert b.ctl("disable", "web/w1", "--local", check=False).returncode == 4
    assert b.ctl("ready", "web/w1", "--local", check=False).returncode == 4
    assert b.server_states("web")["w1"] == "unchecked"
    assert b.ctl("disable", "web/w1", "--local", check=False).returncode == 4
    a.restart_killed("control")
    assert next(s for s in a.status()["pools"][0]["servers"] if s["name"] == "w1")["overlay"]["local"]

    postgres.start()
    for node in nodes:
        wait_for(lambda node=node: node.server_states("web") == {"w1": "disabled", "w2": "disabled"}, 15, "the stricter hand")
        wait_for(lambda node=node: not any("alone" in p["what"] for p in node.status()["problems"]), 10, "the replay")
    audit = a.api("GET", "/v1/audit")[1]
    assert any("at lb-b, while the store was away" in entry["who"] for entry in audit), audit
