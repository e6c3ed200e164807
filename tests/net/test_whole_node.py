"""One node with all four daemons under load: nothing that happens to it costs a request."""
import re
import subprocess
import threading

from lab import free_port, http_get, rss_kib, wait_for

BODY = "x" * 48


def document(listener_port, servers, extra_pools=(), extra_listeners=()):
    return {
        "stack": "shop",
        "pools": [{
            "name": "web", "protocol": "http",
            "servers": [{"name": name, "address": address} for name, address in servers.items()],
            "check": {"type": "http", "path": "/", "interval": "100ms", "timeout": "500ms", "rise": 2, "fall": 2},
            "retry": {"attempts": 3, "on": ["connect-failure", "reset-before-response"]},
        }, *extra_pools],
        "listeners": [{"name": "www", "bind": [f"127.0.0.1:{listener_port}"], "protocol": "http", "pool": "web"},
                      *extra_listeners],
    }


class Load:
    """wrk at 64 connections for a time, in the background; result() gives its sums."""

    def __init__(self, port, seconds):
        self.popen = subprocess.Popen(["wrk", "-t1", "-c64", f"-d{seconds}s", "--timeout", "5s", f"http://127.0.0.1:{port}/"],
                                      stdout=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        self.text = self.popen.communicate()[0]

    def is_running(self):
        return self.thread.is_alive()

    def result(self):
        """(requests, failed): socket errors of any kind and answers that are not 2xx or 3xx count as failed."""
        self.thread.join()
        requests = int(re.search(r"(\d+) requests in", self.text).group(1))
        failed = sum(int(n) for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", self.text))
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", self.text)
        return requests, failed + (int(bad.group(1)) if bad else 0)


def kill_and_start_a_server(lab, node, name, port):
    next(p for p in reversed(lab.processes) if p.name == f"nginx-{name}").kill()
    wait_for(lambda: node.server_states("web")[name] == "down", 10, f"{name} down")
    lab.nginx(name, BODY, port=port)
    wait_for(lambda: node.server_states("web")[name] == "up", 10, f"{name} up again")


def test_no_request_fails_while_everything_around_it_changes(lab, figure):
    ports = {name: free_port() for name in ("w1", "w2", "w3")}
    for name, port in ports.items():
        lab.nginx(name, BODY, port=port)
    node = lab.node("lb-a", workers=2).start()
    www, second = free_port(), free_port()
    two = {name: f"127.0.0.1:{ports[name]}" for name in ("w1", "w2")}
    three = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    node.put(document(www, two))
    wait_for(lambda: set(node.server_states("web").values()) == {"up"}, 10, "both servers up")
    wait_for(lambda: len(node.workers()) == 2, 10, "both workers reported")
    load = Load(www, 30)
    memory = {pid: rss_kib(pid) for pid in node.workers()}

    kill_and_start_a_server(lab, node, "w1", ports["w1"])
    node.put(document(www, three))
    wait_for(lambda: node.server_states("web").get("w3") == "up", 10, "the added server up")
    extra_pool = {"name": "api", "protocol": "http", "servers": [{"name": "a1", "address": two["w1"]}]}
    extra_listener = {"name": "second", "bind": [f"127.0.0.1:{second}"], "protocol": "http", "pool": "api"}
    node.put(document(www, three, [extra_pool], [extra_listener]))
    assert http_get(f"127.0.0.1:{second}")[0] == 200
    node.restart_killed("healthd")
    kill_and_start_a_server(lab, node, "w2", ports["w2"])
    node.restart_killed("vrrpd")
    node.put(document(www, three))
    wait_for(lambda: not listens(second), 10, "the removed listener closed")
    node.restart_killed("control")
    node.put(document(www, two))
    assert set(node.server_states("web")) == {"w1", "w2"}
    kill_and_start_a_server(lab, node, "w1", ports["w1"])
    assert load.is_running(), "the load ended before the changes did"
    requests, failed = load.result()
    figure("requests", requests)
    figure("failed", failed)
    figure("worker memory, KiB before and after", {pid: (kib, rss_kib(pid)) for pid, kib in memory.items()})
    assert failed == 0
    assert requests > 10000
    assert set(node.workers()) == set(memory), "a worker was replaced"


def listens(port):
    try:
        http_get(f"127.0.0.1:{port}")
        return True
    except OSError:
        return False
