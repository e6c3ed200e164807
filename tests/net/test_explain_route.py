"""Stories of `explain listener NAME URL`: what it says is what happens."""
import json
import random
from urllib.parse import quote

import pytest

from http_house import field
from lab import ROOT, Lab
from test_routes import House

ROUTES = [
    {"match": {"host": "shop.example", "path_prefix": "/api"}, "pool": "api",
     "rewrite": {"path_prefix": "/v1", "host": "api.internal"},
     "request_headers": {"set": {"X-From": "${client} ${method} ${path}"}, "remove": ["X-Debug"]},
     "limit": {"key": "header:x-key", "rate": "100/s", "burst": 5}},
    {"match": {"host": "shop.example", "path_prefix": "/api", "methods": ["DELETE"]}, "pool": "admin"},
    {"match": {"host": "shop.example", "path_prefix": "/api", "headers": {"X-Beta": "1"}}, "pool": "web"},
    {"match": {"host": "*.shop.example"}, "pool": "admin"},
    {"match": {"path": "/old"}, "redirect": {"to": "https://${host}/new${path}", "status": 302}},
    {"match": {"path": "/teapot"}, "respond": {"status": 418, "body": "short\n"}},
    {"match": {"path_prefix": "/admin", "query": {"v": "2"}}, "pool": "admin"},
    {"match": {"host": "gone.example", "path": "/"}, "respond": {"status": 410}},
]


@pytest.fixture(scope="module")
def house():
    with Lab("explain") as lab:
        made = House(lab)
        made.put(ROUTES)
        yield made
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal="):
            assert trouble not in text, text


def explain(house, url, listener="www", **more):
    query = "".join(f"&{name}={quote(value, safe='')}" for name, value in {"url": url, **more}.items())
    status, body, _ = house.node.api("GET", f"/v1/explain?object=listener/{listener}{query}")
    assert status == 200, body
    return body


def test_the_operator_is_told_why(house):
    text = house.node.ctl("explain", "listener", "www", "http://shop.example/api/x?y=1", "--client", "10.0.0.9",
                          "--header", "X-Key: 1").stdout
    for said in ("is sent to pool api: routes[0] is the most specific that matches", "the target becomes /v1/x?y=1",
                 "the host becomes api.internal", "to the server: sets X-From: 10.0.0.9 GET /api/x",
                 "to the server: without X-Debug", "limit of the route: 100/s by header x-key, 5 at once on top",
                 "routes[1] (host shop.example, path_prefix /api, method DELETE): does not match: another method",
                 "no header X-Beta: 1", "other routes are for other hosts and paths"):
        assert said in text, f"{said!r} is not in:\n{text}"
    text = house.node.ctl("explain", "listener", "www", "http://a.shop.example/old").stdout
    assert "routes[4] (path /old): lost: it is for any host" in text, text
    text = house.node.ctl("explain", "listener", "bare", "http://other.example/", "--method", "POST").stdout
    assert "is refused (404 no-route)" in text, text
    assert "www is open" in house.node.ctl("explain", "listener", "www").stdout


def test_bad_questions_are_refused(house):
    for words, code, said in (
            (["listener", "www", "shop.example/x"], 1, "is no address"),
            (["listener", "none", "http://a/"], 1, "no listener none"),
            (["pool", "web", "http://a/"], 2, "only explain listener"),
            (["listener", "www", "/", "--header", "nothing"], 2, "NAME: VALUE")):
        done = house.node.ctl("explain", *words, check=False)
        assert done.returncode == code and said in done.stderr, (words, done)
    house.node.daemons["data"].stop()
    done = house.node.ctl("explain", "listener", "www", "/", check=False)
    assert done.returncode == 1 and "data plane does not answer" in done.stderr
    house.node.start("data")
    house.node.put(house.document(ROUTES))


def test_what_is_explained_is_what_happens(house, figure):
    """A few hundred requests: the route, pool, status, target and address that explain names are those that come."""
    pick = random.Random(5).choice
    hosts = ["shop.example", "SHOP.example.:80", "a.shop.example", "x.a.shop.example", "other.example", "gone.example",
             "example", "shop.example.evil"]
    paths = ["/", "/api", "/api/", "/api/x%2Fy", "/apix", "/old", "/old/", "/teapot", "/admin", "/admin/x", "/%61pi/z",
             "/x/../api/q", "/api/../admin", "//api//w", "/admin%2fx", "/x/..%2fadmin", "/%zz", "/api;a=b/c", "/..",
             "/api/./z//../y", "/a/b/c/d/e/f"]
    queries = ["", "?v=2", "?v=1&v=2", "?a=b", "?v=%32"]
    headers = [{}, {"x-beta": "1"}, {"X-BETA": "1", "X-Debug": "1"}, {"x-beta": "2"}]
    asked = set()
    while len(asked) < 400:
        listener = pick(["www", "bare"])
        host, target, method = pick(hosts), pick(paths) + pick(queries), pick(["GET", "GET", "DELETE", "HEAD", "POST"])
        fields = pick(headers)
        question = (listener, host, target, method, json.dumps(fields))
        if question in asked:
            continue
        asked.add(question)
        said = explain(house, f"http://{host}{target}", listener, method=method, header=json.dumps(fields),
                       client="127.0.0.1")["request"]
        text = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        status, head, body = house.ask(target, host, listener, method, text)
        if said["outcome"] != "pool":
            assert status == said["status"], (question, said)
            assert field(head, b"location") == (said["location"].encode() if said.get("location") else []), question
            continue
        assert status == 200 and field(head, b"x-from").decode() == said["pool"], (question, said, status)
        if method != "HEAD":
            seen = json.loads(body)["head"].split("\r\n")
            assert seen[0] == f"{method} {said['target']} HTTP/1.1", (question, said)
            assert f"Host: {said['host']}" in seen, (question, said, seen)
    figure("requests as explained", len(asked))


def test_the_example_does_what_it_says(house):
    example = ROOT / "packaging" / "examples" / "routes.yaml"
    assert house.node.ctl("apply", "-f", example, "--dry-run").returncode == 0
