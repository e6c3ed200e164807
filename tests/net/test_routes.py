"""Stories of routes: one listener, many applications behind it."""
import json
import re
import subprocess
import threading

import pytest

from http_house import Peer, Server, field
from lab import Lab, free_port, wait_for
import socket


def echoing(name):
    """A script that answers with its name, the request's head, and a field of its own."""

    def script(peer, _number):
        while True:
            head = peer.head()
            length = field(head, b"content-length")
            body = json.dumps({"server": name, "head": head.decode("latin-1"),
                               "body": peer.exactly(int(length)).decode("latin-1") if length else ""}).encode()
            peer.send(b"HTTP/1.1 200 OK\r\nServer: echo/1\r\nX-From: %s\r\nContent-Length: %d\r\n\r\n%s"
                      % (name.encode(), len(body), body))

    return script


class House:
    """A node with an http listener www (and bare, which has no pool) whose routes a story sets."""

    def __init__(self, lab, **options):
        self.servers = {name: Server() for name in ("web", "api", "admin")}
        for name, server in self.servers.items():
            server.play(echoing(name))
        self.ports = {"www": free_port(), "bare": free_port()}
        self.node = lab.node("lb-a", **options).start("control", "data")
        self.log = self.node.state / "log" / "www.log"

    def document(self, routes, **more):
        pools = [{"name": name, "protocol": "http",
                  "servers": [{"name": "s1", "address": f"127.0.0.1:{server.port}"}]}
                 for name, server in self.servers.items()]
        listeners = [{"name": name, "bind": [f"127.0.0.1:{port}"], "protocol": "http", "routes": routes,
                      "access_log": {"format": "json"}, **more} for name, port in self.ports.items()]
        listeners[0]["pool"] = "web"
        return {"stack": "shop", "pools": pools, "listeners": listeners}

    def put(self, routes, **more):
        self.node.put(self.document(routes, **more))

    def client(self, listener="www"):
        return Peer(socket.create_connection(("127.0.0.1", self.ports[listener]), timeout=10))

    def ask(self, target, host="shop.example", listener="www", method="GET", headers="", body=b""):
        peer = self.client(listener)
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        peer.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{headers}{length}\r\n".encode("latin-1") + body)
        status, head, text = peer.response(is_for_head=method == "HEAD")
        peer.s.close()
        return status, head, text

    def server_of(self, *args, **how):
        status, _, body = self.ask(*args, **how)
        return json.loads(body)["server"] if status == 200 else status

    def seen(self, *args, **how):
        """The head that the server saw, its request line first."""
        status, _, body = self.ask(*args, **how)
        assert status == 200, body
        return json.loads(body)["head"].split("\r\n")

    def logged(self, path):
        def find():
            for line in self.log.read_text().splitlines():
                entry = json.loads(line)
                if entry["path"] == path:
                    return entry
            return None

        return wait_for(find, 3, f"a log line for {path}")


@pytest.fixture(scope="module")
def house():
    with Lab("routes") as lab:
        made = House(lab)
        yield made
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal="):
            assert trouble not in text, text


def test_hosts_and_paths_choose_the_pool(house):
    house.put([
        {"match": {"host": "shop.example", "path_prefix": "/api"}, "pool": "api"},
        {"match": {"host": "*.shop.example"}, "pool": "admin"},
        {"match": {"path_prefix": "/admin"}, "pool": "admin"},
        {"match": {"host": "shop.example", "methods": ["DELETE"]}, "pool": "admin"},
    ])
    assert house.server_of("/") == "web"
    assert house.server_of("/api") == house.server_of("/api/x") == "api"
    assert house.server_of("/apix") == "web"
    assert house.server_of("/", host="a.SHOP.example:81") == "admin"
    assert house.server_of("/api/../admin", host="other") == "admin"
    assert house.server_of("/", method="DELETE") == "admin"
    for target in ("/x/..%2fadmin", "/x/%2e%2e%2fadmin", "/admin%2fx", "/x/..;/admin", "/x//../admin"):
        assert house.server_of(target, host="other") == 400
    assert house.logged("/x/..;/admin")["end"] == "ambiguous-path"
    assert house.logged("/api/x")["pool"] == "api" and house.logged("/apix")["pool"] == "web"


def test_what_no_route_takes_is_404_and_a_strange_host_421(house):
    house.put([{"match": {"host": "shop.example", "path_prefix": "/api"}, "pool": "api"}])
    client = house.client("bare")
    client.send(b"GET /x HTTP/1.1\r\nHost: shop.example\r\n\r\nGET /x HTTP/1.1\r\nHost: o\r\n\r\n"
                b"GET /api HTTP/1.1\r\nHost: shop.example\r\n\r\n")
    assert [client.response()[0] for _ in range(3)] == [404, 421, 200], "one connection serves all three"


def test_redirects_and_answers_of_the_listener_itself(house):
    house.put([
        {"match": {"path": "/old"}, "redirect": {"to": "/new"}},
        {"match": {"host": "plain.example"},
         "redirect": {"to": "https://${host}${path}", "status": 301},
         "response_headers": {"set": {"Strict-Transport-Security": "max-age=1"}}},
        {"match": {"path": "/robots.txt"}, "respond": {"status": 200, "body": "User-agent: *\n"},
         "response_headers": {"set": {"X-Listener": "${listener}"}}},
        {"match": {"path": "/page"}, "respond": {"status": 410, "body": "<p>gone</p>"}},
        {"match": {"path": "/none"}, "respond": {"status": 204}},
        {"match": {"path_prefix": "/open"}, "redirect": {"to": "${path}/"}},
    ])
    status, head, _ = house.ask("/old?a=1")
    assert (status, field(head, b"location")) == (308, b"/new?a=1")
    status, head, _ = house.ask("/a/b?c", host="plain.example:80")
    assert (status, field(head, b"location")) == (301, b"https://plain.example/a/b?c")
    assert field(head, b"strict-transport-security") == b"max-age=1"
    status, head, body = house.ask("/robots.txt")
    assert (status, body, field(head, b"x-listener")) == (200, b"User-agent: *\n", b"www")
    assert field(head, b"content-type").startswith(b"text/plain")
    status, head, body = house.ask("/page")
    assert (status, body) == (410, b"<p>gone</p>") and field(head, b"content-type").startswith(b"text/html")
    assert house.ask("/none")[0] == 204
    status, head, body = house.ask("/robots.txt", method="HEAD")
    assert (status, body, field(head, b"content-length")) == (200, b"", b"14")
    assert field(house.ask("//open")[1], b"location") == b"/open/", "never to another host"
    assert house.ask("/old", method="POST", body=b"x" * 5000)[0] == 308
    entry = house.logged("/old?a=1")
    assert (entry["end"], entry["status"], entry["pool"]) == ("ok", 308, None)


def test_heads_are_changed_on_both_ways(house):
    house.put([{
        "match": {"path_prefix": "/shop/v1"}, "pool": "api", "rewrite": {"path_prefix": "/", "host": "api.internal:81"},
        "request_headers": {"set": {"X-Stack": "${listener}/${proto}/${route}", "X-Client": "${client}:${client_port}",
                                    "X-Target": "${method} ${host} ${path} ${query}"},
                            "add": {"Via": "1.1 ballast"}, "remove": ["X-Debug"]},
        "response_headers": {"set": {"X-Served": "${server} ${path} ${query}", "X-Id": "${request_id}"},
                             "remove": ["Server"]}}])
    sender = "X-Debug: 1\r\nx-stack: forged\r\nVia: 1.0 me\r\nX-Request-Id: id-1\r\n"
    status, head, body = house.ask("/shop/v1//a/%2F?b=1", headers=sender)
    seen = json.loads(body)["head"].split("\r\n")
    assert status == 200 and seen[0] == "GET /a/%2F?b=1 HTTP/1.1", seen[0]
    names = [line.split(":")[0].lower() for line in seen[1:]]
    assert "x-debug" not in names and names.count("x-stack") == 1 and names.count("via") == 2
    assert "X-Stack: www/http/0" in seen and "Host: api.internal:81" in seen
    assert "X-Forwarded-Host: shop.example" in seen
    assert any(re.fullmatch(r"X-Client: 127\.0\.0\.1:\d+", line) for line in seen)
    assert "X-Target: GET shop.example /shop/v1//a/%2F b=1" in seen
    assert field(head, b"x-served") == b"s1 /shop/v1//a/%2F b=1" and field(head, b"x-id") == b"id-1"
    assert field(head, b"server") == [] and field(head, b"x-from") == b"api"
    assert house.seen("/shop/v1")[0] == "GET / HTTP/1.1"
    assert house.seen("/shop/../shop/v1/x")[0] == "GET /x HTTP/1.1"
    body = b"z" * 100000
    status, _, text = house.ask("/shop/v1/up", method="POST", body=body)
    assert status == 200 and json.loads(text)["body"] == body.decode()


def test_heads_that_outgrow_their_buffer_are_refused_whole(house):
    house.put([{"match": {"path_prefix": "/in"}, "pool": "api", "request_headers": {"set": {"X-A": "a" * 6000}}},
               {"match": {"path_prefix": "/out"}, "pool": "api", "response_headers": {"set": {"X-A": "a" * 16000}}},
               {"match": {"path_prefix": "/rewrite"}, "pool": "api", "rewrite": {"path_prefix": "/" + "a" * 1000}}])
    assert house.ask("/in/1", headers="X: " + "b" * 5000 + "\r\n")[0] == 200
    assert house.ask("/in/2", headers="X: " + "b" * 12000 + "\r\n")[0] == 431
    assert house.ask("/out/1")[0] == 500
    assert house.ask("/rewrite/" + "b" * 8000)[0] == 431
    assert house.logged("/in/2")["end"] == "head-too-large"
    assert house.logged("/out/1")["end"] == "response-too-large"


def test_a_route_has_a_time_limit_of_its_own(house):
    def silent(peer, _):
        peer.head()
        peer.s.recv(1)

    house.servers["admin"].play(silent)
    house.put([{"match": {"path": "/slow"}, "pool": "admin", "timeouts": {"response": "300ms"}}])
    assert house.ask("/slow")[0] == 504
    assert house.logged("/slow")["end"] == "response-timeout"
    house.servers["admin"].play(echoing("admin"))


def test_error_pages_are_the_operators(house):
    pages = {"404": "<h1>nothing here</h1>", "421": "who?"}
    house.put([{"match": {"host": "shop.example", "path": "/a"}, "pool": "api"}], error_pages=pages)
    status, head, body = house.ask("/b", listener="bare")
    assert (status, body) == (404, b"<h1>nothing here</h1>") and field(head, b"content-type").startswith(b"text/html")
    status, head, body = house.ask("/b", host="o", listener="bare")
    assert (status, body) == (421, b"who?") and field(head, b"content-type").startswith(b"text/plain")
    pages["404"] = "changed"
    house.put([{"match": {"host": "shop.example", "path": "/a"}, "pool": "api"}], error_pages=pages)
    assert house.ask("/b", listener="bare")[2] == b"changed"


def test_routes_change_under_load_without_a_failed_request(house, figure):
    """wrk asks while routes are added, moved to other pools, reordered and removed, and pools come and go."""
    def routes(n):
        every = [{"match": {"path_prefix": f"/p{i}"}, "pool": ("web", "api", "admin")[(i + n) % 3]} for i in range(50)]
        every.append({"match": {"path_prefix": "/load"}, "pool": "api" if n % 2 else "admin"})
        return every[::-1] if n % 3 else every

    house.put(routes(0))
    with Lab("load") as lab:
        fast = [lab.nginx(name, name) for name in ("one", "two")]
        document = house.document(routes(0))
        for pool, server in zip(("api", "admin"), fast):
            pools = {p["name"]: p for p in document["pools"]}
            pools[pool]["servers"] = [{"name": "n1", "address": server.address}]
        house.node.put(document)
        done = {}

        def load():
            done["text"] = subprocess.run(
                ["wrk", "-t1", "-c16", "-d3s", f"http://127.0.0.1:{house.ports['www']}/load"],
                capture_output=True, text=True, check=True).stdout

        thread = threading.Thread(target=load)
        thread.start()
        changes = 0
        while thread.is_alive():
            changes += 1
            for listener in document["listeners"]:
                listener["routes"] = routes(changes)
            spare = [p for p in document["pools"] if p["name"] != "spare"]
            document["pools"] = spare + [{"name": "spare", "protocol": "http", "servers": []}] * (changes % 2)
            house.node.put(document)
        thread.join()
        requests = int(re.search(r"(\d+) requests in", done["text"])[1])
        figure("requests through changes of routes", f"{requests} through {changes}")
        assert "Non-2xx" not in done["text"] and "Socket errors" not in done["text"], done["text"]
        assert changes > 3 and requests > 100


def test_a_pool_that_a_route_no_longer_names_ends_its_requests_first(house):
    """A request under way in a pool that is removed is answered all the same."""
    gate = threading.Event()

    def slow(peer, _):
        peer.head()
        gate.wait(10)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    document = house.document([{"match": {"path": "/slow-pool"}, "pool": "slow"}])
    server = Server()
    server.play(slow)
    document["pools"].append({"name": "slow", "protocol": "http",
                              "servers": [{"name": "s1", "address": f"127.0.0.1:{server.port}"}]})
    house.node.put(document)
    client = house.client()
    client.send(b"GET /slow-pool HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for(lambda: server.heads, 5, "the request to reach its server")
    house.put([{"match": {"path": "/other"}, "pool": "api"}])
    assert house.server_of("/slow-pool") == "web"
    gate.set()
    assert client.response()[2] == b"ok"


def test_streams_of_http2_take_the_same_routes(house):
    """Routes, edits, limits and error pages, asked for by curl with prior knowledge."""
    house.put([
        {"match": {"host": "shop.example", "path_prefix": "/api"}, "pool": "api", "rewrite": {"path_prefix": "/"},
         "request_headers": {"set": {"X-Client": "${client} ${host}"}}, "response_headers": {"set": {"X-Served": "${server}"}}},
        {"match": {"host": "shop.example", "path": "/old"}, "redirect": {"to": "${proto}://${host}/new"}},
        {"match": {"host": "shop.example", "path": "/once"}, "respond": {"status": 200, "body": "once"},
         "limit": {"key": "header:k", "rate": "1/h"}},
    ], error_pages={"421": "<p>who?</p>"})

    def curl(path, *more, host="shop.example", listener="bare"):
        text = subprocess.run(["curl", "-s", "-i", "--http2-prior-knowledge", "--path-as-is", "-H", f"Host: {host}", *more,
                               f"http://127.0.0.1:{house.ports[listener]}{path}"], capture_output=True, text=True, check=True).stdout
        head, _, body = text.replace("\r\n", "\n").partition("\n\n")
        return int(head.split()[1]), head.lower(), body

    status, head, body = curl("/api/x?y=1")
    seen = json.loads(body)["head"].split("\r\n")
    assert status == 200 and seen[0] == "GET /x?y=1 HTTP/1.1" and "X-Client: 127.0.0.1 shop.example" in seen
    assert "x-served: s1" in head
    status, head, _ = curl("/old?a=b")
    assert status == 308 and "location: http://shop.example/new?a=b" in head
    assert [curl("/once", "-H", "k: h2")[0] for _ in range(2)] == [200, 429]
    assert curl("/nothing")[0] == 404 and curl("/api/..%2fx")[0] == 400
    assert curl("/", host="other")[::2] == (421, "<p>who?</p>")
