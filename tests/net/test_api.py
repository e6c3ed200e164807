"""The API of one ballast-control, alone with its store: writes, conflicts, bad input, slow clients, events, restarts."""
import concurrent.futures
import json
import signal
import socket
import time

import pytest

from lab import free_port, run, wait_for

DOCUMENT = "/v1/stacks/shop/document"
OVERLAY = "/v1/stacks/shop/pools/web/servers/w1/overlay"


def document(**changes):
    return {
        "stack": "shop",
        "pools": [{"name": "web", "protocol": "http", "minimum_up": 1, "servers": [
            {"name": "w1", "address": "127.0.0.1:18081"}, {"name": "w2", "address": "127.0.0.1:18082"}]}],
        "listeners": [{"name": "www", "bind": ["127.0.0.1:18080"], "protocol": "http", "pool": "web"}],
        **changes,
    }


@pytest.fixture
def node(lab):
    return lab.node("lb-a").start("control")


def raw(node, data, timeout=5.0):
    """Sends bytes as they are; the first line of what comes back, and all of it."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(str(node.run / "api.sock"))
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    return answer.split(b"\r\n", 1)[0].decode(), answer.decode(errors="replace")


class Follower:
    """A client of /v1/events."""

    def __init__(self, node, last_id=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(node.run / "api.sock"))
        resume = f"Last-Event-ID: {last_id}\r\n" if last_id is not None else ""
        self.socket.sendall(f"GET /v1/events HTTP/1.1\r\nHost: x\r\n{resume}\r\n".encode())
        self.text = ""
        while "\r\n\r\n" not in self.text:
            self._read()
        assert self.text.startswith("HTTP/1.1 200"), self.text

    def _read(self):
        chunk = self.socket.recv(65536)
        assert chunk, "the stream ended"
        self.text += chunk.decode()

    def events(self):
        """All whole events so far."""
        return [json.loads(line[6:]) for line in self.text.splitlines() if line.startswith("data: ") and line.endswith("}")]

    def wait(self, claim, within=10.0):
        deadline = time.monotonic() + within
        while not any(claim(e) for e in self.events()):
            assert time.monotonic() < deadline, f"no such event within {within} s: {self.text[-2000:]}"
            self._read()
        return next(e for e in self.events() if claim(e))

    def close(self):
        self.socket.close()


def test_a_document_is_put_read_changed_and_deleted(node):
    status, body, headers = node.api("PUT", DOCUMENT, document())
    assert (status, headers["ETag"]) == (201, f'"{body["generation"]}"')
    first = body["generation"]
    status, read, headers = node.api("GET", DOCUMENT)
    assert status == 200 and headers["ETag"] == f'"{first}"'
    assert read["pools"][0]["servers"][1]["address"] == "127.0.0.1:18082"
    assert node.api("PUT", DOCUMENT, read)[1]["unchanged"] is True

    status, body, _ = node.api("PUT", DOCUMENT + "?dry_run=1", document(description="new"))
    assert (status, body["dry_run"], body["changes"][0]["where"]) == (200, True, "description")
    assert node.api("GET", DOCUMENT)[2]["ETag"] == f'"{first}"'

    yaml = "stack: shop\npools:\n- name: web\n  protocol: http\n  servers:\n  - {name: w1, address: '127.0.0.1:18081'}\n"
    status, body, _ = node.api("PUT", DOCUMENT, yaml, {"Content-Type": "application/yaml"})
    assert status == 200 and body["generation"] > first
    assert node.api("GET", DOCUMENT, headers={"Accept": "application/yaml"})[1].startswith("stack: shop")

    assert [s["name"] for s in node.api("GET", "/v1/stacks")[1]] == ["shop"]
    assert node.api("DELETE", "/v1/stacks/shop")[0] == 200
    assert node.api("GET", DOCUMENT)[0] == 404
    assert node.api("DELETE", "/v1/stacks/shop")[0] == 404


def test_a_stale_if_match_is_a_conflict_that_shows_the_difference(node):
    first = node.api("PUT", DOCUMENT, document())[1]["generation"]
    node.api("PUT", DOCUMENT, document(description="theirs"))
    status, problem, headers = node.api("PUT", DOCUMENT, document(description="mine"), {"If-Match": f'"{first}"'})
    assert status == 409
    assert {"where": "description", "what": problem["errors"][0]["what"]} in problem["errors"]
    now = headers["ETag"]
    assert node.api("PUT", DOCUMENT, document(description="mine"), {"If-Match": now})[0] == 200
    assert node.api("DELETE", "/v1/stacks/shop", headers={"If-Match": now})[0] == 409
    assert node.api("PUT", "/v1/stacks/new/document", document(stack="new"), {"If-Match": "*"})[0] == 409


def test_what_is_wrong_with_a_document_is_said_all_at_once(node):
    wrong = document()
    wrong["pools"][0]["servers"][0]["adress"] = "x"
    wrong["listeners"][0]["pool"] = "webb"
    status, problem, headers = node.api("PUT", DOCUMENT, wrong)
    assert status == 422 and headers["Content-Type"] == "application/problem+json"
    places = {e["where"]: e["what"] for e in problem["errors"]}
    assert "did you mean address?" in places["pools[web].servers[w1].adress"]
    assert any(where.startswith("listeners[www]") for where in places)
    status, problem, _ = node.api("PUT", DOCUMENT, document(stack="other"))
    assert (status, problem["errors"][0]["where"]) == (422, "stack")
    assert node.api("GET", "/v1/stacks")[1] == []


def test_objects_are_edited_one_by_one_and_at_once(node):
    node.api("PUT", DOCUMENT, document())
    servers = "/v1/stacks/shop/pools/web/servers"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda i: node.api("PUT", f"{servers}/s{i}", {"address": f"127.0.0.1:{19000 + i}"})[0],
                                 range(8)))
    assert statuses == [200] * 8
    assert {s["name"] for s in node.api("GET", servers)[1]} == {"w1", "w2"} | {f"s{i}" for i in range(8)}
    assert node.api("DELETE", f"{servers}/s3")[0] == 200
    assert node.api("GET", f"{servers}/s3")[0] == 404
    assert node.api("DELETE", f"{servers}/s3")[0] == 404
    assert node.api("PUT", f"{servers}/s4", {"address": "nonsense"})[0] == 422
    assert node.api("PUT", f"{servers}/s4", {"name": "s5", "address": "127.0.0.1:1"})[0] == 422
    assert node.api("PUT", "/v1/stacks/shop/pools/none/servers/x", {"address": "127.0.0.1:1"})[0] == 404
    yaml = "protocol: tcp\nservers:\n- {name: d1, address: '127.0.0.1:5432'}\n"
    assert node.api("PUT", "/v1/stacks/shop/pools/db", yaml, {"Content-Type": "text/yaml"})[0] == 200
    assert node.api("GET", "/v1/stacks/shop/pools/db")[1]["protocol"] == "tcp"
    status, problem, _ = node.api("DELETE", "/v1/stacks/shop/pools/web")
    assert status == 422 and "listeners[www]" in problem["errors"][0]["where"]


def test_the_operators_hand_is_set_kept_and_taken_away(node):
    node.api("PUT", DOCUMENT, document())
    status, body, _ = node.api("PUT", OVERLAY, {"state": "drain", "why": "kernel"})
    assert (status, body["state"], body["why"]) == (200, "drain", "kernel")
    assert body["who"].startswith("uid:")
    assert node.server_states("web")["w1"] == "drain"
    status, problem, _ = node.api("PUT", OVERLAY.replace("w1", "w2"), {"state": "disabled"})
    assert status == 409 and "web" in problem["detail"]
    assert node.api("PUT", OVERLAY.replace("w1", "w2") + "?force=1", {"state": "disabled"})[0] == 200
    assert node.api("PUT", OVERLAY, {"weight": 5})[1]["state"] == "drain"
    assert node.api("PUT", OVERLAY, {"state": "asleep", "for": "1h"})[0] == 422
    node.restart_killed("control")
    wait_for(lambda: node.server_states("web") == {"w1": "drain", "w2": "disabled"}, 5, "the overlay to be kept")
    assert node.api("DELETE", OVERLAY)[0] == 200
    assert node.api("GET", OVERLAY)[0] == 404
    assert node.api("DELETE", OVERLAY)[0] == 200
    assert node.server_states("web")["w1"] == "unchecked"


def test_an_overlay_ends_when_its_time_is_over(node):
    node.api("PUT", DOCUMENT, document())
    assert node.api("PUT", OVERLAY, {"state": "drain", "expires_in": "1s"})[0] == 200
    assert node.server_states("web")["w1"] == "drain"
    wait_for(lambda: node.server_states("web")["w1"] == "unchecked", 5, "the drain to end")
    wait_for(lambda: node.api("GET", OVERLAY)[0] == 404, 5, "the row to go")


BAD_REQUESTS = [
    ("GET", "/v1/nothing", None, {}, 404),
    ("GET", "/v1/stacks/none", None, {}, 404),
    ("GET", "/v1/status?stac=shop", None, {}, 400),
    ("GET", "/v1/status?stack=none", None, {}, 404),
    ("GET", "/v1/%zz", None, {}, 400),
    ("GET", "/" + "x" * 5000, None, {}, 400),
    ("PUT", "/v1/status", "", {}, 405),
    ("PATCH", DOCUMENT, "", {}, 501),
    ("PUT", DOCUMENT, "", {}, 400),
    ("PUT", DOCUMENT, "{", {"Content-Type": "application/json"}, 422),
    ("PUT", DOCUMENT, "{}", {"Content-Type": "text/html"}, 415),
    ("PUT", DOCUMENT + "?wait=soon", document(), {}, 400),
    ("PUT", DOCUMENT + "?wait=1h", document(), {}, 400),
    ("PUT", DOCUMENT + "?confirm_within=soon", document(), {}, 400),
    ("PUT", DOCUMENT + "?skip=LB", document(), {}, 400),
    ("POST", "/v1/stacks/none/generations/1/confirm", "", {}, 404),
    ("PUT", DOCUMENT, document(), {"If-Match": "17"}, 400),
    ("PUT", "/v1/stacks/UPPER/document", document(), {}, 404),
    ("GET", "/v1/explain", None, {}, 400),
    ("GET", "/v1/explain?object=web/none", None, {}, 404),
    ("GET", "/v1/events?since=x", None, {}, 400),
    ("GET", "/v1/audit?limit=0", None, {}, 400),
    ("POST", "/v1/stacks/shop/generations/x/rollback", "", {}, 400),
    ("POST", "/v1/stacks/shop/vips/web/move", "{}", {}, 404),
    ("PUT", "/v1/instances/none/maintenance", "{}", {}, 404),
    ("GET", "/v1/tokens", None, {}, 501),
]


@pytest.mark.parametrize("method,path,body,headers,expected", BAD_REQUESTS,
                         ids=[f"{r[0]} {r[1][:40]} {r[4]}" for r in BAD_REQUESTS])
def test_bad_requests_get_a_status_and_a_sentence(shared, method, path, body, headers, expected):
    status, problem, answered = shared.api(method, path, body, headers)
    assert status == expected, problem
    assert problem["status"] == expected and len(problem["detail"]) > 5 and answered["Content-Type"].endswith("problem+json")
    if expected == 405:
        assert answered["Allow"] == "GET, HEAD"


@pytest.fixture(scope="module")
def shared():
    from lab import Lab
    with Lab("bad-requests") as lab:
        yield lab.node("lb-a").start("control")


def test_garbage_and_large_bodies_are_refused_and_harm_nothing(node):
    for data in (b"\0\1\2\3\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A" * 100000,
                 b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100000 + b"\r\n\r\n"):
        try:
            line, _ = raw(node, data, timeout=1.0)
        except (ConnectionResetError, BrokenPipeError, TimeoutError):
            continue  # closed, or taken for the beginning of a line: its time is bounded
        assert line == "" or line.split()[1][0] in "45", line
    head = f"PUT {DOCUMENT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    line, _ = raw(node, f"{head}Content-Length: 17000000\r\nExpect: 100-continue\r\n\r\n".encode())
    assert " 413 " in line
    line, text = raw(node, f"{head}Content-Length: 17000000\r\n\r\n".encode() + b"x" * 17000000, 30)
    assert " 413 " in line and "16 MiB" in text
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    line, _ = raw(node, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 17 + b"0\r\n\r\n", 30)
    assert " 413 " in line
    assert node.api("GET", "/healthz")[0] == 200


def test_slow_clients_lock_nobody_out(node, figure):
    slow = []
    for i in range(600):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5)
        s.connect(str(node.run / "api.sock"))
        s.sendall(b"PUT /v1/stacks/shop/document HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"[:i % 80])
        slow.append(s)
        if i % 100 == 99:
            begun = time.monotonic()
            assert node.api("GET", "/v1/status", timeout=5)[0] == 200
            assert time.monotonic() - begun < 1.0
    figure("answer beside 600 slow connections", f"{(time.monotonic() - begun) * 1000:.1f} ms")
    for s in slow:
        s.close()


def test_events_are_followed_and_resumed_over_a_kill(node):
    follower = Follower(node)
    node.api("PUT", DOCUMENT, document())
    made = follower.wait(lambda e: e["kind"] == "generation")
    assert (made["stack"], made["node"]) == ("shop", "lb-a")
    node.api("PUT", OVERLAY, {"state": "drain", "why": "kernel"})
    drained = follower.wait(lambda e: e["kind"] == "overlay")
    assert (drained["object"], drained["to"]) == ("web/w1", "drain") and "kernel" in drained["why"]
    follower.close()

    node.daemons["control"].kill()
    node.start("control")
    node.api("DELETE", OVERLAY)
    follower = Follower(node, last_id=made["id"])
    follower.wait(lambda e: e["kind"] == "overlay" and e["to"] == "none")
    ids = [e["id"] for e in follower.events()]
    assert drained["id"] in ids and made["id"] not in ids
    assert ids == sorted(set(ids))
    follower.close()
    listed = node.api("GET", f"/v1/events?follow=0&since={made['id']}")[1]
    assert [e["id"] for e in listed] == [e["id"] for e in listed if e["id"] > made["id"]] and len(listed) >= 2


def test_followers_are_bounded(node):
    followers = [Follower(node) for _ in range(64)]
    status, problem, _ = node.api("GET", "/v1/events")
    assert status == 503 and "64" in problem["detail"]
    for f in followers:
        f.close()
    # Those who left are noticed at the next sign of life.
    wait_for(lambda: "200" in stream_head(node), 15, "a free place", every=0.5)


def stream_head(node):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(2)
        s.connect(str(node.run / "api.sock"))
        s.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        return s.recv(4096).decode().split("\r\n")[0]


def test_history_rollback_and_audit(node):
    first = node.api("PUT", DOCUMENT, document())[1]["generation"]
    node.api("PUT", DOCUMENT, document(description="second"))
    listed = node.api("GET", "/v1/stacks/shop/generations")[1]
    assert listed[-1]["generation"] == first and len(listed) == 2
    status, body, _ = node.api("POST", f"/v1/stacks/shop/generations/{first}/rollback")
    assert status == 200 and body["generation"] > first
    assert "description" not in node.api("GET", DOCUMENT)[1]
    assert node.api("GET", f"/v1/stacks/shop/generations/{first}")[1]["document"] == node.api("GET", DOCUMENT)[1]
    assert node.api("POST", "/v1/stacks/shop/generations/999999/rollback")[0] == 404
    trail = node.api("GET", "/v1/audit?stack=shop")[1]
    assert [e["action"] for e in trail[:3]] == ["rollback", "document", "document"]
    assert all(e["who"].startswith("uid:") for e in trail)


def test_waiting_without_daemons_ends_in_time_and_says_who_is_missing(node):
    begun = time.monotonic()
    status, body, _ = node.api("PUT", DOCUMENT + "?wait=1s", document())
    assert status == 201 and body["complete"] is False and body["why"]
    assert 0.9 < time.monotonic() - begun < 4.0
    assert set(body["nodes"]["lb-a"]) >= {"data", "vrrpd", "healthd"}
    status, text, _ = node.api("GET", "/readyz")
    assert status == 503 and "away" in text


def test_tcp_answers_only_what_anybody_may_know(lab):
    port = free_port()
    node = lab.node("lb-a")
    node.config.write_text(node.config.read_text().replace("[unix]", f'[unix, "127.0.0.1:{port}"]'))
    node.start("control")

    def ask(method, path):
        import http.client
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request(method, path, body=b"{}" if method == "PUT" else None)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    assert ask("GET", "/healthz")[0] == 200
    assert ask("GET", "/readyz")[0] == 503
    status, text = ask("GET", "/metrics")
    assert status == 200 and 'ballast_up{daemon="control"} 1' in text and 'ballast_generation{daemon="data"} 0' in text
    for method, path in (("GET", "/v1/status"), ("PUT", DOCUMENT), ("GET", "/v1/none"), ("DELETE", "/v1/stacks/shop")):
        status, text = ask(method, path)
        assert status == 401 and "unix socket" in text


def test_the_description_lists_every_path(node):
    description = node.api("GET", "/v1/openapi.json")[1]
    assert "put" in description["paths"]["/v1/stacks/{stack}/document"]
    assert description["components"]["schemas"]["pool"]["properties"]["balance"]["enum"][0] == "round-robin"


def test_without_its_store_control_reads_refuses_writes_and_starts(lab):
    postgres = lab.postgres()
    node = lab.node("lb-a", store=postgres.uri).start("control")
    wait_for(lambda: node.status()["store"]["state"] == "connected", 10, "the store")
    generation = node.put(document(), query="")["generation"]
    wait_for(lambda: node.status()["generation"] == generation, 5, "the snapshot")

    postgres.stop("immediate")
    wait_for(lambda: node.status()["store"]["state"] != "connected", 10, "the loss to be seen")
    assert node.api("GET", DOCUMENT)[0] == 200
    status, problem, _ = node.api("PUT", DOCUMENT, document(description="late"))
    assert status == 503 and "store" in problem["detail"]
    assert node.api("PUT", OVERLAY, {"state": "drain"})[0] == 503
    assert any(p["object"] == "store" for p in node.status()["problems"])

    node.restart_killed("control")
    assert node.status()["generation"] == generation
    assert node.api("GET", DOCUMENT)[0] == 200
    assert node.api("PUT", DOCUMENT, document(description="late"))[0] == 503

    postgres.start()
    wait_for(lambda: node.api("PUT", DOCUMENT, document(description="late"))[0] == 200, 10, "writes to go on")
    wait_for(lambda: {"store", "generation"} <= {e["kind"] for e in node.api("GET", "/v1/events?follow=0&since=0")[1]},
             5, "what happened meanwhile to be told")


def test_two_nodes_show_each_other_and_the_same_events(lab):
    postgres = lab.postgres()
    a = lab.node("lb-a", store=postgres.uri).start("control")
    b = lab.node("lb-b", store=postgres.uri).start("control")
    pair = document(instances=[{"name": "lb-a", "address": "127.0.0.1"}, {"name": "lb-b", "address": "127.0.0.2"}])
    follower = Follower(b)
    generation = a.put(pair, query="")["generation"]
    wait_for(lambda: b.status()["generation"] == generation, 1, "the other node to load it: announced, not polled for")
    made = follower.wait(lambda e: e["kind"] == "generation")
    assert made["node"] == "lb-a"
    assert {n["name"] for n in b.status()["nodes"]} == {"lb-a", "lb-b"}
    a.api("PUT", OVERLAY, {"state": "drain"})
    wait_for(lambda: b.server_states("web")["w1"] == "drain", 5, "the overlay on the other node")

    a.daemons["control"].kill()
    wait_for(lambda: {n["name"]: n["state"] for n in b.status()["nodes"]}["lb-a"] == "away", 10, "lb-a away")
    follower.wait(lambda e: e["kind"] == "node" and e["to"] == "away")
    a.start("control")
    follower.wait(lambda e: e["kind"] == "node" and e["to"] != "away")
    follower.close()


def test_the_end_of_a_stack_is_waited_for_on_each_of_its_nodes(lab):
    postgres = lab.postgres()
    a = lab.node("lb-a", store=postgres.uri).start("control", "data")
    b = lab.node("lb-b", store=postgres.uri).start("control", "data")
    a.put(document(instances=[{"name": "lb-a", "address": "127.0.0.1"}, {"name": "lb-b", "address": "127.0.0.2"}],
                   listeners=[{"name": "www", "bind": [f"127.0.0.1:{free_port()}"], "protocol": "http", "pool": "web"}]))
    wait_for(lambda: all(n["daemons"]["data"]["state"] == "running" for n in a.status()["nodes"]), 10, "both to run it")
    b.daemons["data"].signal(signal.SIGSTOP)
    try:
        answer = a.api("DELETE", "/v1/stacks/shop?wait=1s")[1]
    finally:
        b.daemons["data"].signal(signal.SIGCONT)
    assert answer.get("complete") is False and answer["why"].startswith("lb-b: "), answer
    a.put(document(instances=[{"name": "lb-a", "address": "127.0.0.1"}, {"name": "lb-b", "address": "127.0.0.2"}]))
    assert a.api("DELETE", "/v1/stacks/shop?wait=20s")[1]["complete"] is True
    assert all(n["stack"] is None and n["daemons"]["data"]["state"] == "running" for n in a.status()["nodes"])


def test_a_re_execution_turns_nobody_away(node):
    node.put(document(), query="")
    pid, failed, asked = node.daemons["control"].pid, [], 0
    node.daemons["control"].signal(signal.SIGHUP)
    started = node.status()["nodes"][0]["daemons"]["control"]["started"]

    def is_new():
        nonlocal asked
        asked += 1
        try:
            return node.status()["nodes"][0]["daemons"]["control"]["started"] != started
        except ConnectionRefusedError as error:
            failed.append(error)
            return False

    wait_for(is_new, 10, "the new image to answer", every=0.001)
    assert node.daemons["control"].pid == pid and node.daemons["control"].is_running()
    assert failed == [] and asked > 0
    assert node.api("GET", DOCUMENT)[0] == 200


def test_control_leaves_in_order(node):
    follower = Follower(node)
    assert node.daemons["control"].stop() == 0
    follower.close()


def test_tls_where_the_node_file_asks_for_it(lab):
    port, key, certificate = free_port(), lab.folder / "key.pem", lab.folder / "certificate.pem"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
        "-subj", "/CN=localhost", "-keyout", key, "-out", certificate)
    node = lab.node("lb-a")
    node.config.write_text(node.config.read_text().replace(
        "  listen: [unix]", f'  listen: [unix, "127.0.0.1:{port}"]\n  tls: {{certificate: {certificate}, key: {key}}}'))
    node.start("control")
    assert run("curl", "-sS", "--cacert", certificate, "--resolve", f"localhost:{port}:127.0.0.1",
               f"https://localhost:{port}/healthz") == "ok\n"


def test_listening_beyond_loopback_needs_tls(lab):
    node = lab.node("lb-a")
    node.config.write_text(node.config.read_text().replace("[unix]", '[unix, "0.0.0.0:7600"]'))
    node.start("control", wait=False)
    wait_for(lambda: not node.daemons["control"].is_running(), 5, "control to refuse")
    assert node.daemons["control"].popen.returncode in (1, 78) and "tls" in node.daemons["control"].text().lower()
