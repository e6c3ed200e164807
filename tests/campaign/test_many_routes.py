"""A listener with 20,000 hosts: what a change of one of them costs those who ask meanwhile."""
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "net"))
from lab import free_port, http_get, wait_for  # noqa: E402

HOSTS = 20000


def test_routes_of_20000_hosts_change_under_load(lab, figure):
    port = free_port()
    server = lab.nginx("web", "ok")
    node = lab.node("lb-a").start("control", "data")
    routes = [{"match": {"host": f"h{n:05}.shop.example", "path_prefix": "/"}, "pool": "web"} for n in range(HOSTS)]
    document = {"stack": "shop",
                "pools": [{"name": "web", "protocol": "http", "servers": [{"name": "s1", "address": server.address}]}],
                "listeners": [{"name": "www", "bind": [f"127.0.0.1:{port}"], "protocol": "http", "routes": routes,
                               "access_log": False}]}

    def put():
        began = time.monotonic()
        node.put(document, query="?wait=60s")
        return time.monotonic() - began

    figure("first document", f"{put():.2f} s")
    for host, status in (("h00000.shop.example", 200), ("H19999.shop.example:80", 200), ("h20000.shop.example", 421)):
        assert http_get(f"127.0.0.1:{port}", headers={"Host": host})[0] == status
    done = {}

    def load():
        done["text"] = subprocess.run(["wrk", "-t1", "-c16", "-d20s", "--latency", "-H", "Host: h10000.shop.example",
                                       f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True).stdout

    thread = threading.Thread(target=load)
    thread.start()
    wait_for(lambda: http_get(f"127.0.0.1:{port}", headers={"Host": "h00001.shop.example"})[0] == 200, 5)
    took = []
    for n in range(3):
        routes[n] = {"match": {"host": f"n{n}.shop.example"}, "respond": {"status": 204}}
        took.append(put())
        assert http_get(f"127.0.0.1:{port}", headers={"Host": f"n{n}.shop.example"})[0] == 204
    figure("changes of one route", ", ".join(f"{t:.2f} s" for t in took))
    document["description"] = "changed"
    figure("a change elsewhere", f"{put():.2f} s")
    thread.join()
    longest, unit = re.search(r"Latency\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)\s", done["text"]).groups()
    figure("slowest answer meanwhile", longest + unit)
    assert float(longest) * {"us": 1e-6, "ms": 1e-3, "s": 1}[unit] < 1
    figure("requests", re.search(r"(\d+) requests in", done["text"])[1])
    assert "Non-2xx" not in done["text"] and "Socket errors" not in done["text"], done["text"]
