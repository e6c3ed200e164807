"""What /metrics says: strictly well-formed, and true of the traffic that was."""
import re
import threading
import time

import pytest

from http_house import OK, House, answering
from lab import Lab, wait_for

LINE = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9.e+-]+|\+Inf|NaN)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')


class Metrics:
    """Prometheus text, read strictly: samples by name and labels; kinds by family."""

    def __init__(self, text):
        self.kinds, self.samples = {}, {}
        family = None
        assert text.endswith("\n")
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family = line.split(" ")[2]
                assert family not in self.kinds, f"{family} is in two groups"
                continue
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name == family and kind in ("counter", "gauge", "histogram")
                self.kinds[name] = kind
                continue
            found = LINE.fullmatch(line)
            assert found, line
            name, labels, value = found[1], tuple(LABEL.findall(found[2] or "")), float(found[3])
            suffixes = ("_bucket", "_sum", "_count") if self.kinds[family] == "histogram" else ("",)
            assert name in [family + s for s in suffixes], f"{name} below {family}"
            assert self.kinds[family] == "gauge" or value >= 0
            assert (name, labels) not in self.samples, f"{line} twice"
            assert self.kinds[family] != "counter" or name.endswith("_total"), name
            self.samples[name, labels] = value

    def get(self, name, **labels):
        found = [v for (n, l), v in self.samples.items() if n == name and labels.items() <= dict(l).items()]
        assert len(found) <= 1, (name, labels)
        return found[0] if found else None

    def buckets(self, name, **labels):
        """[(le, how many up to it)], rising."""
        found = [(float(dict(l)["le"]), v) for (n, l), v in self.samples.items()
                 if n == name + "_bucket" and labels.items() <= dict(l).items()]
        assert found == sorted(found) and found[-1][0] == float("inf")
        assert all(a[1] <= b[1] for a, b in zip(found, found[1:]))
        assert found[-1][1] == self.get(name + "_count", **labels)
        return found

    def up_to(self, name, le, **labels):
        return dict(self.buckets(name, **labels))[le]


class Timed(House):
    """A house with routes that have names, and a pool that takes one request at a time."""

    def document(self):
        document = super().document()
        www = next(l for l in document["listeners"] if l["name"] == "www")
        www["routes"] = [{"name": "api", "match": {"path_prefix": "/api"}, "pool": "web"},
                         {"name": "gone", "match": {"path": "/gone"}, "respond": {"status": 410, "body": "gone"}},
                         {"match": {"path": "/nameless"}, "pool": "web"}]
        narrow = next(p for p in document["pools"] if p["name"] == "narrow")
        narrow.update(queue={"maximum": 1, "timeout": "60s"}, timeouts={"connect": "60s", "response": "60s", "idle": "60s"})
        for listener in document["listeners"]:
            listener["timeouts"]["idle"] = "60s"
        return document

    def metrics(self):
        status, text, _ = self.node.api("GET", "/metrics")
        assert status == 200
        return Metrics(text)


@pytest.fixture(scope="module")
def house():
    with Lab("metrics") as lab:
        yield Timed(lab)


def get(path):
    return b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n"


def wait_until(house, claim):
    """The first scrape of which the claim holds: answers are kept for a second."""

    def look():
        metrics = house.metrics()
        return metrics if claim(metrics) else None

    return wait_for(look, 10, "figures")


def test_times_fall_into_their_buckets(house):
    def script(peer, _):
        while True:
            if peer.head().startswith(b"GET /api/slow"):
                time.sleep(0.3)
            peer.send(OK)

    house.server.play(script)
    client = house.client()
    for path in [b"/api/slow"] * 2 + [b"/api/fast"] * 6 + [b"/nameless"] * 3 + [b"/gone"] * 4:
        client.send(get(path))
        client.response()
    www = {"stack": "shop", "listener": "www"}
    m = wait_until(house, lambda m: m.get("ballast_listener_request_duration_seconds_count", **www) == 15)
    for name, labels, count, slow in [
            ("ballast_listener_request_duration_seconds", www, 15, 2),
            ("ballast_listener_first_byte_seconds", www, 11, 2),
            ("ballast_route_request_duration_seconds", {**www, "route": "api"}, 8, 2),
            ("ballast_route_request_duration_seconds", {**www, "route": "gone"}, 4, 0),
            ("ballast_pool_queue_duration_seconds", {"stack": "shop", "pool": "web"}, 11, 0),
            ("ballast_pool_response_duration_seconds", {"stack": "shop", "pool": "web"}, 11, 2),
            ("ballast_server_response_duration_seconds", {"stack": "shop", "pool": "web", "server": "w0"}, 11, 2)]:
        assert m.get(name + "_count", **labels) == count, (name, labels)
        assert m.up_to(name, 0.256, **labels) == count - slow, (name, labels)
        assert m.get(name + "_sum", **labels) >= 0.3 * slow
    assert m.get("ballast_server_connect_duration_seconds_count", stack="shop", pool="web", server="w0") >= 1
    assert m.get("ballast_route_requests_total", **www, route="api", code="2xx") == 8
    assert m.get("ballast_route_requests_total", **www, route="gone", code="4xx") == 4
    assert m.get("ballast_listener_requests_total", **www, code="2xx") == 11
    assert not [l for (n, l) in m.samples if n.startswith("ballast_route") and dict(l)["route"] not in ("api", "gone")]


def test_a_queue_shows_while_it_waits_and_after(house):
    free = threading.Event()

    def script(peer, _):
        while True:
            peer.head()
            assert free.wait(20)
            peer.send(OK)

    house.server.play(script)
    clients = [house.client("narrow"), house.client("narrow")]
    for client in clients:
        client.send(get(b"/"))
    pool = {"stack": "shop", "pool": "narrow"}
    wait_until(house, lambda m: m.get("ballast_pool_waiting", **pool) == 1)
    free.set()
    assert [client.response()[0] for client in clients] == [200, 200]
    m = wait_until(house, lambda m: m.get("ballast_pool_waiting", **pool) == 0)
    assert m.get("ballast_pool_queue_duration_seconds_count", **pool) == 2


def test_a_route_keeps_its_figures_when_others_come(house):
    house.server.play(answering(OK))
    www = {"stack": "shop", "listener": "www"}
    before = house.metrics().get("ballast_route_requests_total", **www, route="api", code="2xx")
    document = house.document()
    routes = next(l for l in document["listeners"] if l["name"] == "www")["routes"]
    routes.insert(0, {"name": "new", "match": {"path_prefix": "/api/new"}, "pool": "one"})
    house.node.put(document)
    client = house.client()
    for path in (b"/api/x", b"/api/new", b"/api/new"):
        client.send(get(path))
        assert client.response()[0] == 200
    m = wait_until(house, lambda m: m.get("ballast_route_requests_total", **www, route="new", code="2xx") == 2)
    assert m.get("ballast_route_requests_total", **www, route="api", code="2xx") == (before or 0) + 1
    house.node.put(house.document())
    m = wait_until(house, lambda m: m.get("ballast_route_requests_total", **www, route="new", code="2xx") is None)
    assert m.get("ballast_route_requests_total", **www, route="api", code="2xx") == (before or 0) + 1


def test_names_are_as_they_were_promised(house):
    m = house.metrics()
    promised = {"ballast_server_requests_total": {"stack", "pool", "server", "code"},
                "ballast_server_state": {"stack", "pool", "server", "state"},
                "ballast_listener_connections": {"stack", "listener"},
                "ballast_generation": {"daemon"}}
    for name, labels in promised.items():
        found = [set(dict(l)) for (n, l) in m.samples if n == name]
        assert found and all(f == labels for f in found), name
