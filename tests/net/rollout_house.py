"""What stories of roll-outs share: a cluster of controls on one PostgreSQL, its documents, requests under way."""
import threading

from lab import wait_for

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


def cluster(lab, *names, before=None):
    """Controls of several nodes on one PostgreSQL; their other daemons are not needed for what is decided here.

    before: {node: words before its command}"""
    postgres = lab.postgres()
    nodes = [lab.node(name, store=postgres.uri) for name in names]
    for node in nodes:
        node.before["control"] = (before or {}).get(node.name, [])
        node.start("control")
    for node in nodes:
        wait_for(lambda node=node: node.status()["store"]["state"] == "connected", 15, "the store")
    return postgres, nodes


def is_live(node, name):
    """As this node sees it."""
    return any(n["name"] == name and n["state"] != "away" for n in node.status()["nodes"])


def see_each_other(*nodes):
    for node in nodes:
        for other in nodes:
            wait_for(lambda node=node, other=other: is_live(node, other.name), 10, f"{node.name} to see {other.name}")


def put(node, document, query="", key=None):
    headers = {"Idempotency-Key": key} if key else {}
    return node.api("PUT", f"/v1/stacks/shop/document{query}", document, headers)


def generations(postgres):
    return int(postgres.sql("select count(*) from ballast.generation"))


def proposals(postgres):
    return postgres.sql("select id from ballast.proposal")


class Later:
    """A request under way: its answer, or what became of the connection."""

    def __init__(self, call):
        self.answer = self.error = None
        self.thread = threading.Thread(target=self.run, args=(call,))
        self.thread.start()

    def run(self, call):
        try:
            self.answer = call()
        except Exception as error:  # killed within: no answer is what the story is about
            self.error = error

    def end(self, within=30):
        self.thread.join(within)
        assert not self.thread.is_alive(), "no answer in time"
        return self.answer


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


COMMANDS = "commands: {join: [/bin/true]}\n"


def with_bypass(*instances, command="join", **more):
    """A document that asks each instance for a command of its node file."""
    made = document(*instances, **more)
    for instance in made["instances"]:
        instance["ha"] = {"mode": "active-passive", "bypass": {"driver": "command", "command": command}}
    return made
