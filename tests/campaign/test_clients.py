"""Clients that people use, through a real node: curl, h2load, nghttp, WebSockets by the thousand, Chromium."""
import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from lab import Lab, free_port, rss_kib, run, wait_for
from tls_house import Authority, resource

HERE = Path(__file__).resolve().parent
PAGE = """<!doctype html><title>loading</title><link rel=stylesheet href=style.css><script src=script.js></script>
<body><img id=image src=image.svg>"""
# what the page has to say once it is loaded: which protocol each object came by, that the parts are right, that the
# style holds, that the image has its size; it runs only if the script was loaded
SCRIPT = """
addEventListener("load", async () => {
  const bodies = await Promise.all([...Array(60).keys()].map(n => fetch("part" + n + ".txt").then(r => r.text())));
  const objects = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  document.title = [[...new Set(objects.map(e => e.nextHopProtocol))].join(), objects.length,
    bodies.filter((b, n) => b == "part " + n).length, getComputedStyle(document.body).color,
    document.getElementById("image").naturalWidth].join(" ");
});
"""
IMAGE = '<svg xmlns="http://www.w3.org/2000/svg" width="37" height="11"><rect width="37" height="11"/></svg>'


class House:
    """One node: www (cleartext), secure (TLS), both to a small server (web), a fast one (files) and an echo (sockets)."""

    def __init__(self, lab):
        self.lab = lab
        self.web = lab.http_server("w1")
        self.files = lab.nginx("files", "hello")
        self.folder = self.files.folder
        self.echo = f"127.0.0.1:{free_port()}"
        process = lab.process("echo", ["/usr/bin/python3", HERE / "websocket_server.py", *self.echo.split(":")])
        wait_for(lambda: "listening" in process.text(), 10, "the echo")
        self.authority = Authority(lab.folder / "ca")
        self.ports = {name: free_port() for name in ("www", "secure")}
        self.node = lab.node("lb-a").start("control", "data")
        routes = [{"match": {"path_prefix": "/files"}, "pool": "files"}, {"match": {"path_prefix": "/socket"}, "pool": "sockets"}]
        self.node.put({
            "stack": "shop", "certificates": [resource("shop", self.authority.issue("shop.example"))],
            "pools": [{"name": name, "protocol": "http", "servers": [{"name": "s1", "address": address}]}
                      for name, address in (("web", self.web.address), ("files", self.files.address), ("sockets", self.echo))],
            "listeners": [
                {"name": "www", "bind": [f"127.0.0.1:{self.ports['www']}"], "protocol": "http", "pool": "web", "routes": routes},
                {"name": "secure", "bind": [f"127.0.0.1:{self.ports['secure']}"], "protocol": "https", "certificates": ["shop"],
                 "pool": "web", "routes": routes, "access_log": {"format": "json"}}]})

    def url(self, listener, path):
        return f"{'https' if listener == 'secure' else 'http'}://shop.example:{self.ports[listener]}{path}"

    def curl(self, listener, path, *words):
        """(what -w tells of the last request as JSON, its body)."""
        port = self.ports[listener]
        body = self.lab.folder / "body"
        done = subprocess.run(["curl", "-sS", "--max-time", "60", "--cacert", self.authority.file, "--resolve", f"shop.example:{port}:127.0.0.1",
                               "-o", body, "-w", "%{json}\n", *map(str, words), self.url(listener, path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout.splitlines()[-1]), body.read_bytes() if body.exists() else b""


@pytest.fixture(scope="module")
def house():
    with Lab("clients") as lab:
        made = House(lab)
        yield made
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal="):
            assert trouble not in text, text


# curl


WAYS = [("www", "--http1.1", "1.1"), ("www", "--http1.0", "1.1"), ("secure", "--http1.1", "1.1"), ("secure", "--http2", "2"),
        ("www", "--http2-prior-knowledge", "2"), ("www", "--http2", "1.1")]


@pytest.mark.parametrize("listener, way, version", WAYS)
def test_curl_downloads_and_uploads(house, listener, way, version):
    told, body = house.curl(listener, "/bytes/3000000", way)
    assert (told["http_code"], len(body), told["http_version"]) == (200, 3000000, version)
    if way == "--http1.0":
        return
    upload = house.lab.folder / "upload"
    upload.write_bytes(bytes(range(256)) * 20000)
    digest = hashlib.sha256(upload.read_bytes()).hexdigest()
    for words in (["-T", upload, "-X", "POST"], ["--data-binary", f"@{upload}", "-H", "Expect: 100-continue"],
                  ["--data-binary", f"@{upload}", "-H", "Transfer-Encoding: chunked"] if version == "1.1" else ["-T", upload, "-X", "POST", "-H", "Content-Length:"]):
        told, body = house.curl(listener, "/digest", way, *words)
        assert (told["http_code"], body.decode()) == (200, f"{digest} 5120000\n"), words


# (curl 7.88 cannot use a cleartext HTTP/2 connection twice, with any server.)
@pytest.mark.parametrize("listener, way, version", WAYS[:1] + WAYS[2:4])
def test_curl_asks_many_times_on_one_connection(house, listener, way, version):
    told, _ = house.curl(listener, "/bytes/[1-200]", way)
    assert told["http_code"] == 200 and told["http_version"] == version and told["num_connects"] == 0  # of the last


def test_curl_gets_what_is_in_a_file_and_parts_of_it(house):
    (house.folder / "big").write_bytes(bytes(range(251)) * 100000)
    for listener, way, _ in WAYS[2:5]:
        told, body = house.curl(listener, "/files/big", way)
        assert told["http_code"] == 200 and body == bytes(range(251)) * 100000
        told, body = house.curl(listener, "/files/big", way, "-r", "1000-1999")
        assert told["http_code"] == 206 and body == (bytes(range(251)) * 100)[1000:2000]
        assert house.curl(listener, "/files/big", way, "-I")[0]["http_code"] == 200
        assert house.curl(listener, "/files/none", way)[0]["http_code"] == 404


# h2load, nghttp


@pytest.mark.parametrize("listener, path, words", [
    ("secure", "/files/small", ["-c50", "-m20", "-n50000"]), ("www", "/files/small", ["-c50", "-m20", "-n50000"]),
    ("secure", "/files/big", ["-c5", "-m10", "-n200"]), ("secure", "/files/small", ["-c200", "-m1", "-n20000"]),
    ("secure", "/files/small", ["--h1", "-c50", "-m1", "-n20000"]),
])
def test_h2load_has_all_its_answers(house, figure, listener, path, words):
    (house.folder / "small").write_bytes(b"s" * 300)
    (house.folder / "big").write_bytes(bytes(range(251)) * 100000)
    url = house.url(listener, path).replace("shop.example", "127.0.0.1")
    out = run("h2load", "-t1", "-H", ":authority: shop.example", *words, url)
    total, good = int(words[-1][2:]), int(re.search(r"status codes: (\d+) 2xx", out)[1])
    assert good == total and " 0 failed, 0 errored, 0 timeout" in out, out
    figure(f"{' '.join(words)} {path}", re.search(r"finished in .*", out)[0])


def test_nghttp_gets_a_page_with_its_parts(house):
    (house.folder / "index.html").write_text("<html>" + "".join(f"<img src=/files/p{n}>" for n in range(40)))
    for n in range(40):
        (house.folder / f"p{n}").write_bytes(b"p" * (n * 1000 + 1))
    out = run("nghttp", "-nas", "--no-verify-peer", house.url("secure", "/files/index.html").replace("shop.example", "127.0.0.1"))
    assert len(re.findall(r" 200 +\S+ /files/", out)) >= 1, out
    assert not re.search(r" [45]\d\d +\S+ /files/", out), out


# WebSockets


@pytest.mark.parametrize("count", [5000])
def test_thousands_of_websockets_are_open_at_once(house, figure, count):
    worker = house.node.workers()[0]
    before = rss_kib(worker)
    out = run("/usr/bin/python3", HERE / "websocket_clients.py", f"ws://127.0.0.1:{house.ports['www']}/socket", count, 3)
    assert out == f"open {count} right {count * 3}\n"
    figure("WebSockets open at once, echoes right", out.strip())
    figure("memory of the worker grown meanwhile and kept", f"{rss_kib(worker) - before} KiB")


# A browser


def accepted(house):
    """Connections that the listener has accepted so far."""
    line = re.search(r'^ballast_listener_accepted_total\{[^}]*listener="secure"[^}]*\} (\d+)$', house.node.api("GET", "/metrics")[1], re.M)
    return int(line[1])


def test_a_browser_loads_a_page_over_http2(house, figure):
    objects = {"page.html": PAGE, "script.js": SCRIPT, "style.css": "body { color: rgb(1, 2, 3) }", "image.svg": IMAGE,
               **{f"part{n}.txt": f"part {n}" for n in range(60)}}
    for name, text in objects.items():
        (house.folder / name).write_text(text)
    before = accepted(house)
    out = run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
              "--disable-component-update", "--disable-sync", "--ignore-certificate-errors", f"--user-data-dir={house.lab.folder}/chromium",
              f"--host-resolver-rules=MAP shop.example 127.0.0.1", "--virtual-time-budget=20000", "--dump-dom", house.url("secure", "/files/page.html"))
    title = re.search(r"<title>(.*)</title>", out)[1]
    figure("Chromium: protocol, objects, right parts, colour, width of the image", title)
    assert title == "h2 64 60 rgb(1, 2, 3) 37", out[:500]

    def logged():
        lines = map(json.loads, (house.node.state / "log" / "secure.log").read_text().splitlines())
        return {entry["path"]: entry for entry in lines if entry["path"].startswith("/files/")}

    wait_for(lambda: set(logged()) >= {f"/files/{name}" for name in objects}, 10, "the log to name each object")
    entries = [logged()[f"/files/{name}"] for name in objects]
    assert {(e["protocol"], e["status"], e["end"]) for e in entries} == {("h2", 200, "ok")}, entries
    wait_for(lambda: accepted(house) > before, 10, "the connection to be counted")
    figure("connections that Chromium opened", accepted(house) - before)
    assert accepted(house) - before <= 2  # it ends a first one over the unknown certificate
