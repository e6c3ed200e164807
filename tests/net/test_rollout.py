"""Stories of changes on a cluster: who is asked, who may refuse, what races and lost answers cannot do."""
import threading

import pytest

from lab import wait_for

pytestmark = pytest.mark.skipif("os.geteuid() != 0", reason="PostgreSQL is started as nobody")

OVERLAY = "/v1/stacks/shop/pools/web/servers/%s/overlay"


def document(*instances, description="one", minimum_up=0, **more):
    servers = [{"name": f"w{n}", "address": f"127.0.0.1:{9000 + n}"} for n in (1, 2)]
    return {
        "stack": "shop",
        "description": description,
        "instances": [{"name": name, "address": f"10.9.0.{n}"} for n, name in enumerate(instances, 1)],
        "pools": [{"name": "web", "protocol": "http", "minimum_up": minimum_up, "servers": servers}],
        **more,
    }


def cluster(lab, *names):
    """Controls of several nodes on one PostgreSQL; their other daemons are not needed for what is decided here."""
    postgres = lab.postgres()
    nodes = [lab.node(name, store=postgres.uri).start("control") for name in names]
    for node in nodes:
        wait_for(lambda node=node: node.status()["store"]["state"] == "connected", 15, "the store")
    return postgres, nodes


def at_once(*calls):
    """The answers of several requests sent at the same time."""
    barrier, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(i, call):
        barrier.wait()
        answers[i] = call()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_two_drains_only_one_passes(lab):
    """Each alone would leave minimum_up, both together not: on two nodes at the same time, one is refused, every time."""
    _, nodes = cluster(lab, "lb-a", "lb-b")
    nodes[0].put(document("lb-a", "lb-b", minimum_up=1), query="")
    for node in nodes:
        wait_for(lambda node=node: node.server_states("web") == {"w1": "unchecked", "w2": "unchecked"}, 10, "the pool")
    for _ in range(8):
        calls = [lambda n=n, w=w: n.api("PUT", OVERLAY % w, {"state": "drain"}) for n, w in zip(nodes, ("w1", "w2"))]
        answers = at_once(*calls)
        assert sorted(status for status, _, _ in answers) == [200, 409], answers
        refusal = next(body for status, body, _ in answers if status == 409)
        assert "minimum_up" in refusal["detail"], refusal
        for server in ("w1", "w2"):
            assert nodes[0].api("DELETE", OVERLAY % server)[0] == 200
        wait_for(lambda: "drain" not in nodes[1].server_states("web").values(), 5, "the drain to end on the other node")
