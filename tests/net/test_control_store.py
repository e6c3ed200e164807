"""Stories of control and its store: PostgreSQL stopped and started, two controls on one, control killed while it writes."""
import signal
import threading

import pytest

from lab import wait_for

pytestmark = pytest.mark.skipif("os.geteuid() != 0", reason="needs root for namespaces")


def document(server, bind, *instances, description="one"):
    """A stack with one http listener and one server."""
    made = {
        "stack": "shop",
        "description": description,
        "pools": [{"name": "web", "protocol": "http", "servers": [{"name": "w1", "address": server.address}]}],
        "listeners": [{"name": "www", "bind": [bind], "protocol": "http", "pool": "web"}],
    }
    if instances:
        made["instances"] = [{"name": name, "address": address} for name, address in instances]
    return made


def store_is(node, state):
    return lambda: node.status()["store"]["state"] == state


def refused_write(node, body):
    """PUTs while the store is away: the status, the sentence, and the time are as promised."""
    status, problem, _ = node.api("PUT", "/v1/stacks/shop/document", body, timeout=5)
    assert status == 503, problem
    assert "the store (PostgreSQL) is away, so nothing was changed" in problem["detail"]
    return problem


def test_serves_while_postgresql_is_stopped(lab):
    """Traffic, reads and the picture go on; writes are refused with a sentence; the return needs no restart."""
    postgres = lab.postgres()
    hosts = lab.segment({"a": ["10.9.0.1/24"], "c": ["10.9.0.9/24"]})
    server = lab.http_server("w1", "10.9.0.9", 8080, netns=hosts["c"])
    node = lab.node("lb-a", netns=hosts["a"], store=postgres.uri).start()
    first = node.put(document(server, "10.9.0.1:8000"))
    assert node.status()["store"]["kind"] == "postgres"
    client = lab.client("10.9.0.1", 8000, netns=hosts["c"])

    postgres.stop("immediate")
    wait_for(store_is(node, "away"), 5, "the store to be away")
    refused_write(node, document(server, "10.9.0.1:8000", description="two"))
    status, body, _ = node.api("PUT", "/v1/stacks/shop/pools/web/servers/w1/overlay", {"state": "disabled"})
    assert status == 503, body
    status, body, headers = node.api("GET", "/v1/stacks/shop/document")
    assert status == 200 and body["description"] == "one"
    assert any("store" in str(problem) for problem in node.status()["problems"])

    postgres.start()
    wait_for(store_is(node, "connected"), 10, "the store to be back")
    second = node.put(document(server, "10.9.0.1:8000", description="two"))
    assert second["generation"] == first["generation"] + 1
    books = client.books()
    assert books["sent"] > 100 and books["lost"] == 0, books


def test_starts_cold_without_postgresql(lab):
    """Every daemon stopped, PostgreSQL stopped: the node serves its last snapshot, and catches up later."""
    postgres = lab.postgres()
    hosts = lab.segment({"a": ["10.9.0.1/24"], "b": ["10.9.0.2/24"], "c": ["10.9.0.9/24"]})
    server = lab.http_server("w1", "10.9.0.9", 8080, netns=hosts["c"])
    node = lab.node("lb-a", netns=hosts["a"], store=postgres.uri).start()
    first = node.put(document(server, "10.9.0.1:8000"))
    node.stop()
    postgres.stop("immediate")

    node.start()
    wait_for(lambda: node.status()["generation"] == first["generation"], 10, "the last snapshot to be served")
    client = lab.client("10.9.0.1", 8000, netns=hosts["c"])
    wait_for(store_is(node, "away"), 10, "the store to be away")
    refused_write(node, document(server, "10.9.0.1:8000", description="two"))

    # Somebody else writes meanwhile: another node, once the server is back.
    postgres.start()
    wait_for(store_is(node, "connected"), 10, "the store to be back")
    other = lab.node("lb-b", netns=hosts["b"], store=postgres.uri).start("control")
    wait_for(store_is(other, "connected"), 10, "the other's store")
    second = other.put(document(server, "10.9.0.1:8000", description="two"), query="")
    wait_for(lambda: node.status()["generation"] == second["generation"], 10, "the new generation to arrive")
    books = client.books()
    assert books["sent"] > 0 and books["lost"] == 0, books


def test_two_controls_on_one_postgresql(lab):
    """A document put on one is run and acknowledged by both; of two writers that saw the same one wins."""
    postgres = lab.postgres()
    hosts = lab.segment({"a": ["10.9.0.1/24"], "b": ["10.9.0.2/24"], "c": ["10.9.0.9/24"]})
    server = lab.http_server("w1", "10.9.0.9", 8080, netns=hosts["c"])
    nodes = [lab.node(f"lb-{n}", netns=hosts[n], store=postgres.uri).start() for n in "ab"]
    for node in nodes:
        wait_for(store_is(node, "connected"), 10, "the store")
    instances = [("lb-a", "10.9.0.1"), ("lb-b", "10.9.0.2")]

    def state_of(name):
        return {n["name"]: n["state"] for n in nodes[0].status()["nodes"]}[name]

    def both_live():
        return state_of("lb-a") == "ready" and state_of("lb-b") == "ready"

    nodes[0].put(document(server, "0.0.0.0:8000", *instances), query="")
    wait_for(both_live, 10, "both nodes to be seen")
    put = nodes[0].put(document(server, "0.0.0.0:8000", *instances, description="two"))
    assert put["complete"], put
    for name in ("lb-a", "lb-b"):
        for daemon in ("data", "vrrpd", "healthd"):
            assert put["nodes"][name][daemon]["generation"] == put["generation"], put
    status, body, headers = nodes[1].api("GET", "/v1/stacks/shop/document")
    assert status == 200 and body["description"] == "two" and headers["ETag"] == f'"{put["generation"]}"'

    answers = {}

    def write(node):
        body = document(server, "0.0.0.0:8000", *instances, description=node.name)
        answers[node.name] = node.api("PUT", "/v1/stacks/shop/document", body, {"If-Match": headers["ETag"]})

    writers = [threading.Thread(target=write, args=(node,)) for node in nodes]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(answer[0] for answer in answers.values()) == [200, 409], answers
    winner = next(name for name, answer in answers.items() if answer[0] == 200)
    for node in nodes:
        wait_for(lambda node=node: node.api("GET", "/v1/stacks/shop/document")[1]["description"] == winner, 5,
                 f"{node.name} to show the winner's document")

    # One is lost sight of with the store: the other does not claim to know it any more.
    postgres.stop("immediate")
    wait_for(lambda: state_of("lb-b") == "away", 12, "lb-b to be out of sight")
    assert state_of("lb-a") == "ready"
    postgres.start()
    wait_for(lambda: state_of("lb-b") == "ready", 10, "lb-b to be back in sight")

    # One leaves in order: the other sees it at once, not when its heartbeat is too old.
    nodes[1].stop()
    wait_for(lambda: state_of("lb-b") == "away", 3, "lb-b to be away")


def test_a_second_claimant_of_a_name_is_refused(lab):
    """Two nodes with one name on one store: the one that lives keeps it, the other says so and takes it when it is free."""
    postgres = lab.postgres()
    first = lab.node("lb-a", store=postgres.uri).start("control")
    wait_for(lambda: first.status()["nodes"][0]["state"] != "away", 10, "the first to be seen")
    second = lab.node("lb-b", store=postgres.uri)
    second.config.write_text(second.config.read_text().replace("node: lb-b", "node: lb-a"))
    second.start("control")

    def claim():
        return [p["what"] for p in second.status()["problems"] if "is held by another node that is alive" in p["what"]]

    wait_for(claim, 5, "the second to say that its name is taken")
    assert not any("held by another" in p["what"] for p in first.status()["problems"])
    first.stop("control")
    wait_for(lambda: not claim(), 5, "the second to take the name")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_control_is_killed_while_it_writes(lab, kind):
    """kill -9 between and during writes: what was answered is there, nothing is there by half, and it goes on."""
    store = lab.postgres().uri if kind == "postgres" else "sqlite"
    hosts = lab.segment({"a": ["10.9.0.1/24"], "c": ["10.9.0.9/24"]})
    server = lab.http_server("w1", "10.9.0.9", 8080, netns=hosts["c"])
    node = lab.node("lb-a", netns=hosts["a"], store=store).start()
    node.put(document(server, "10.9.0.1:8000"))
    # Of what is lost, not of what is slow: a loaded machine may take its time.
    client = lab.client("10.9.0.1", 8000, netns=hosts["c"], timeout_ms=5000)
    answered, is_over = {}, threading.Event()

    def write():
        number = 0
        while not is_over.is_set():
            number += 1
            body = document(server, "10.9.0.1:8000", description=f"write {number}")
            try:
                status, answer, _ = node.api("PUT", "/v1/stacks/shop/document", body, timeout=5)
            except OSError:
                continue
            except Exception as error:  # the connection ended within an answer: it counts as none
                assert "HTTP" in type(error).__mro__[1].__name__ or isinstance(error, ValueError), error
                continue
            if status == 200:
                answered[answer["generation"]] = body["description"]

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(4):
            before = len(answered)
            wait_for(lambda before=before: len(answered) >= before + 5, 20, "five writes to be answered")
            node.restart_killed("control")
    finally:
        is_over.set()
        writer.join()

    wait_for(store_is(node, "connected"), 10, "the store")
    status, history, _ = node.api("GET", "/v1/stacks/shop/generations?limit=1000")
    assert status == 200
    numbers = sorted(g["generation"] for g in history)
    assert numbers == list(range(1, numbers[-1] + 1)), "a generation is missing"
    for generation, description in answered.items():
        status, body, _ = node.api("GET", f"/v1/stacks/shop/generations/{generation}")
        assert status == 200 and body["document"]["description"] == description, body
    last = node.put(document(server, "10.9.0.1:8000", description="last"))
    assert last["complete"] and last["generation"] == numbers[-1] + 1
    node.daemons["control"].signal(signal.SIGTERM)
    books = client.books()
    assert books["lost"] == 0, books
