"""The access log: every field true, both formats strict, ids and traces passed on, connections at their end, opened anew."""
import json
import os
import re
import signal
import time

import pytest

from http_house import OK, House, answering, field
from lab import Lab, free_port, wait_for

REQUEST_FIELDS = ["time", "listener", "client", "protocol", "method", "host", "status", "bytes", "route", "pool", "server", "retries",
                  "end", "queue_ms", "connect_ms", "response_ms", "total_ms", "request_id", "trace_id", "path"]
CONNECTION_FIELDS = ["time", "listener", "client", "bytes", "bytes_in", "pool", "server", "retries", "end",
                     "queue_ms", "connect_ms", "total_ms"]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def logfmt(line):
    """{name: value} of a line, strictly: bare values without blanks or quotes, quoted ones with known escapes."""
    entry, at = {}, 0
    pair = re.compile(r'([a-z_]+)=(?:([^\s"=\\]+)|"((?:[^"\\\x00-\x1f\x7f-\uffff]|\\["\\]|\\x[0-9a-f]{2})*)")(?: |$)')
    while at < len(line):
        found = pair.match(line, at)
        assert found, line[at:]
        name, bare, quoted = found.groups()
        assert name not in entry
        entry[name] = bare if bare is not None else re.sub(
            r'\\(?:x([0-9a-f]{2})|(.))', lambda m: chr(int(m[1], 16)) if m[1] else m[2], quoted)
        at = found.end()
    return entry


class Logged(House):
    def document(self):
        document = super().document()
        for name in ("raw", "rawjson"):
            self.ports.setdefault(name, free_port())
            document["listeners"].append({
                "name": name, "bind": [f"127.0.0.1:{self.ports[name]}"], "protocol": "tcp", "pool": "raw",
                "access_log": {"format": "json" if name == "rawjson" else "logfmt"}})
        document["pools"] += [{"name": "raw", "protocol": "tcp", "servers": [
            {"name": "s0", "address": f"127.0.0.1:{self.server.port}"}]}]
        www = next(l for l in document["listeners"] if l["name"] == "www")
        www["routes"] = [{"name": "api", "match": {"path_prefix": "/api"}, "pool": "web"}]
        return document

    def lines(self, listener, count):
        """The log's lines, once there are so many."""
        path = self.node.state / "log" / f"{listener}.log"

        def read():
            lines = path.read_text().splitlines() if path.exists() else []
            return lines if len(lines) >= count else None

        return wait_for(read, 5, f"{count} lines in {path}")


@pytest.fixture(scope="module")
def house():
    with Lab("log") as lab:
        yield Logged(lab)


def strict_json(line):
    def once(pairs):
        assert len(dict(pairs)) == len(pairs), line
        return dict(pairs)

    return json.loads(line, object_pairs_hook=once, parse_constant=lambda c: pytest.fail(c))


def test_both_formats_say_the_same_of_a_request(house):
    def script(peer, _):
        while True:
            peer.head()
            time.sleep(0.05)
            peer.send(OK)

    house.server.play(script)
    before = time.time()
    request = b"GET /api/a%20b?c=d HTTP/1.1\r\nHost: a.example:8080\r\nX-Request-Id: id-7\r\ntraceparent: " + PARENT.encode() + b"\r\n\r\n"
    for listener in ("www", "trusting"):
        assert house.ask(request, listener=listener)[0] == 200
    one = strict_json(house.lines("www", 1)[0])
    other = logfmt(house.lines("trusting", 1)[0])
    assert list(one) == list(other) == REQUEST_FIELDS
    for entry in (one, other):
        assert entry["method"] == "GET" and entry["host"] == "a.example:8080" and entry["path"] == "/api/a%20b?c=d"
        assert entry["client"] == "127.0.0.1" and str(entry["status"]) == "200" and entry["server"] == "w0"
        assert entry["request_id"] == "id-7" and entry["trace_id"] == TRACE and entry["end"] == "ok" and str(entry["retries"]) == "0"
        assert int(entry["bytes"]) == len(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        phases = [float(entry[k]) for k in ("queue_ms", "connect_ms", "response_ms", "total_ms")]
        assert phases[2] >= 50 and phases[3] >= sum(phases[:3]) - 0.002 and all(p >= 0 for p in phases)
        stamp = time.strptime(entry["time"][:19], "%Y-%m-%dT%H:%M:%S")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"])
        assert before - 1.1 <= time.mktime(stamp) - time.timezone <= time.time()
    assert (one["listener"], one["route"], one["pool"]) == ("www", "api", "web")
    assert (other["listener"], other["route"], other["pool"]) == ("trusting", "-", "web")


@pytest.mark.parametrize("path", ["/quote\"", "/back\\slash", "/equals=", "/%22%5c", "/trick\" end=ok status=200", "/\xe9\xff"])
def test_no_request_forges_a_line_or_a_field(house, path):
    house.server.play(answering(OK))
    count = len(house.lines("www", 1)), len(house.lines("trusting", 1))
    for listener in ("www", "trusting"):
        client = house.client(listener)
        client.send(b"GET " + path.encode("latin1") + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        client.response()
        client.s.close()
    one = strict_json(house.lines("www", count[0] + 1)[-1])
    other = logfmt(house.lines("trusting", count[1] + 1)[-1])
    assert list(one) == list(other) == REQUEST_FIELDS
    assert one["path"] is None or path.startswith(one["path"]) or one["path"] == path
    assert str(one["status"]) == other["status"] and one["end"] == other["end"]


def test_ids_are_accepted_or_made_and_passed_on(house):
    house.server.play(answering(OK))
    for sent, is_kept in ((b"abc-1", True), (b"no good", False), (b"x" * 65, False), (None, False)):
        count = len(house.lines("www", 1))
        house.ask(b"GET / HTTP/1.1\r\nHost: a\r\n" + (b"X-Request-Id: %s\r\n" % sent if sent else b"") + b"\r\n")
        got = field(house.server.heads[-1], b"x-request-id")
        assert got == sent if is_kept else re.fullmatch(rb"[0-9a-f]{32}", got)
        assert strict_json(house.lines("www", count + 1)[-1])["request_id"].encode() == got


@pytest.mark.parametrize("fields, kept, state_kept", [
    ([f"traceparent: {PARENT}"], True, False),
    ([f"traceparent: {PARENT}", "tracestate: rojo=1,congo=2"], True, True),
    ([f"Traceparent: {PARENT}", "Tracestate: a=1", "tracestate: b=2"], True, True),
    ([f"traceparent: cc-{TRACE}-00f067aa0ba902b7-01-more", "tracestate: a=1"], True, True),
    ([f"traceparent: {PARENT}", "tracestate: BAD"], True, False),
    ([f"traceparent: {PARENT}-more", "tracestate: a=1"], False, False),
    ([f"traceparent: {PARENT.upper()}"], False, False),
    ([f"traceparent: {PARENT}", f"traceparent: {PARENT}"], False, False),
    (["traceparent: 00-" + "0" * 32 + "-00f067aa0ba902b7-01", "tracestate: a=1"], False, False),
    (["tracestate: a=1"], False, False),
    ([], False, False),
])
def test_traces_pass_or_are_dropped(house, fields, kept, state_kept):
    house.server.play(answering(OK))
    count = len(house.lines("www", 1))
    house.ask("".join(f + "\r\n" for f in ["GET / HTTP/1.1", "Host: a", *fields, ""]).encode())
    head = house.server.heads[-1].lower().decode()
    assert [f.lower() in head for f in fields] == [kept if f.lower().startswith("traceparent") else state_kept for f in fields]
    assert ("traceparent" in head, "tracestate" in head) == (kept, state_kept)
    assert strict_json(house.lines("www", count + 1)[-1])["trace_id"] == (TRACE if kept else None)


def test_a_tunnels_bytes_are_logged_at_its_end(house):
    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
        peer.exactly(3)
        peer.send(b"y" * 5000)

    house.server.play(script)
    count = len(house.lines("www", 1))
    client = house.client()
    client.send(b"GET /tunnel HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc")
    client.head()
    client.exactly(5000)
    client.s.close()
    entry = strict_json(house.lines("www", count + 1)[-1])
    assert entry["status"] == 101 and entry["bytes"] >= 5000


@pytest.mark.parametrize("listener, parse", [("raw", logfmt), ("rawjson", strict_json)])
def test_a_connection_is_a_line_at_its_end(house, listener, parse):
    def script(peer, _):
        peer.exactly(5)
        peer.send(b"z" * 100_000)

    house.server.play(script)
    log = house.node.state / "log" / f"{listener}.log"
    client = house.client(listener)
    client.send(b"hello")
    client.exactly(100_000)
    assert not log.exists() or not log.read_text(), "it is not over yet"
    client.s.close()
    entry = parse(house.lines(listener, 1)[0])
    assert list(entry) == CONNECTION_FIELDS
    assert (int(entry["bytes"]), int(entry["bytes_in"])) == (100_000, 5)
    assert (entry["listener"], entry["pool"], entry["server"], entry["end"]) == (listener, "raw", "s0", "ok")
    assert float(entry["total_ms"]) >= float(entry["connect_ms"]) >= 0


def test_connections_that_fail_say_how(house):
    house.server.play(lambda peer, _: peer.reset() if peer.exactly(1) else None)
    client = house.client("raw")
    count = len(house.lines("raw", 1))
    client.send(b"x")
    assert client.is_ended()
    assert logfmt(house.lines("raw", count + 1)[-1])["end"] == "server-reset"
    house.server.play(lambda peer, _: peer.more())
    client = house.client("raw")
    client.send(b"x")
    wait_for(lambda: house.server.accepted, 5, "a connection to the server")
    client.reset()
    assert logfmt(house.lines("raw", count + 2)[-1])["end"] == "client-abort"
    document = house.document()
    pool = next(p for p in document["pools"] if p["name"] == "raw")
    pool["servers"][0]["address"] = f"127.0.0.1:{house.dead}"
    house.node.put(document)
    try:
        assert house.client("raw").is_ended()
    except ConnectionResetError:
        pass  # so soon
    entry = logfmt(house.lines("raw", count + 3)[-1])
    assert (entry["end"], entry["bytes"], entry["connect_ms"]) == ("connect-failed", "0", "-") and int(entry["retries"]) > 0
    house.node.put(house.document())


def test_it_is_opened_anew_when_asked(house):
    house.server.play(answering(OK))
    log, old = house.node.state / "log" / "www.log", house.node.state / "log" / "www.log.1"
    before = len(house.lines("www", 1))
    os.rename(log, old)
    house.ask(b"GET /old HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for(lambda: len(old.read_text().splitlines()) == before + 1, 5, "a line in the old file")
    os.kill(house.node.daemons["data"].popen.pid, signal.SIGUSR1)
    wait_for(log.exists, 5, "the new file")
    house.ask(b"GET /new HTTP/1.1\r\nHost: a\r\n\r\n")
    assert strict_json(house.lines("www", 1)[0])["path"] == "/new"
    assert len(old.read_text().splitlines()) == before + 1
