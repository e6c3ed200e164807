"""A node with all its daemons, and those who ask it: wrk with kept and with new
connections, h2load over TLS, and tunnels that check every byte."""
import re
import signal
import subprocess
import threading

from lab import ROOT, free_port, wait_for
from test_handover import Tunnels
from tls_house import Authority, resource

PYTHON = ["/usr/bin/python3", "-B"]


def servers(*addresses):
    return [{"name": f"w{n + 1}", "address": address} for n, address in enumerate(addresses)]


class Wrk:
    """wrk until ended. before: words before its command."""

    def __init__(self, name, *argv, before=()):
        self.name = name
        self.popen = subprocess.Popen([*before, "wrk", "-t1", "-d2h", "--timeout", "10s", *argv], stdout=subprocess.PIPE, text=True)

    def end(self):
        """(requests answered, failed). Failed are broken connections, time-outs, and answers other than 2xx or 3xx."""
        self.popen.send_signal(signal.SIGINT)
        text = self.popen.communicate(timeout=60)[0]
        failed = sum(int(n) for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", text))
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        return int(re.search(r"(\d+) requests in", text)[1]), failed + (int(bad[1]) if bad else 0)


class Rounds:
    """A program that makes a number of requests and ends, again and again until ended."""

    def __init__(self, name, requests, *argv):
        self.name, self.requests, self.argv = name, requests, [str(a) for a in argv]
        self.going, self.sums = True, [0, 0]
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def _ask(self):
        while self.going:
            done = subprocess.run(self.argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=600, check=False)
            succeeded = self.succeeded(done.stdout)
            self.sums[0] += succeeded
            self.sums[1] += self.requests - succeeded

    def end(self):
        self.going = False
        self.thread.join()
        return tuple(self.sums)


class H2load(Rounds):
    """h2load. It opens no second connection: where the first is ended, as by a GOAWAY, the rest of a round counts as failed."""

    def __init__(self, name, url):
        super().__init__(name, 5000, "h2load", "-t1", "-n5000", "-c8", "-m10", url)

    def succeeded(self, text):
        return int(re.search(r"(\d+) succeeded", text)[1])


class Curl(Rounds):
    """curl with twenty streams in one connection, and in the next after a GOAWAY."""

    def __init__(self, name, url):
        super().__init__(name, 1000, "curl", "-sk", "--http2", "--parallel", "--parallel-max", "20", "-w", "status %{http_code}\n",
                         "-o", "/dev/null", f"{url}[1-1000]")

    def succeeded(self, text):
        return text.count("status 200\n")


class House:
    """The node, what it balances, and who asks. tcp, upgrades, www and secure are the listeners' ports."""

    def __init__(self, lab, workers=2, node=None):
        self.lab = lab
        self.ports = {name: free_port() for name in ("tcp", "upgrades", "www", "secure")}
        echo = free_port()
        process = lab.process("echo", [*PYTHON, ROOT / "tests" / "net" / "echo.py", "127.0.0.1", echo])
        wait_for(lambda: "listening" in process.text(), 10, "the echo server")
        self.echo = f"127.0.0.1:{echo}"
        self.nginx = [lab.nginx(f"w{n}", "x" * 48) for n in (1, 2)]
        self.pair = Authority(lab.folder / "ca").issue("shop.example")
        self.node = node or lab.node("lb-a", workers=workers)
        self.node.start()
        self.loads = []
        lab.closers.append(lambda: [load.end() for load in self.loads])

    def document(self):
        web = [process.address for process in self.nginx]
        check = {"type": "http", "path": "/", "interval": "200ms", "timeout": "2s"}
        retry = {"attempts": 3, "on": ["connect-failure", "reset-before-response"]}

        def listener(name, protocol, pool, **more):
            return {"name": name, "bind": [f"127.0.0.1:{self.ports[name]}"], "protocol": protocol, "pool": pool,
                    "access_log": False, **more}

        return {
            "stack": "shop", "certificates": [resource("shop", self.pair)],
            "pools": [{"name": "echo", "protocol": "tcp", "servers": servers(self.echo)},
                      {"name": "sockets", "protocol": "http", "servers": servers(self.echo)},
                      {"name": "web", "protocol": "http", "servers": servers(*web), "check": check, "retry": retry}],
            "listeners": [listener("tcp", "tcp", "echo"), listener("upgrades", "http", "sockets"),
                          listener("www", "http", "web"), listener("secure", "https", "web", certificates=["shop"])]}

    def load(self, tunnels, h2=Curl):
        """Lets them ask; h2 is who speaks HTTP/2 over TLS, or None."""
        www, secure = f"http://127.0.0.1:{self.ports['www']}/", f"https://127.0.0.1:{self.ports['secure']}/"
        self.loads = [Wrk("kept", "-c64", www), Wrk("new", "-c16", "-H", "Connection: close", www)]
        if h2:
            self.loads.append(h2(f"HTTP/2 over TLS, {h2.__name__.lower()}", secure))
        self.tunnels = [Tunnels(tunnels // 2, self.ports["tcp"]), Tunnels(tunnels // 2, self.ports["upgrades"], "upgrade")]

    def tally(self, figure):
        """Ends all who ask: {name: (requests, failed)}, and the tunnels' books added up; both are printed."""
        loads = {load.name: load.end() for load in self.loads}
        self.loads = []
        tunnels = {"bytes": 0, "wrong": 0, "closed": 0}
        for t in self.tunnels:
            for key, value in t.tally().items():
                tunnels[key] += value
        for name, (requests, failed) in loads.items():
            figure(f"requests, failed ({name})", f"{requests}, {failed}")
        figure("tunnels", tunnels)
        figure("requests in all", sum(requests for requests, _ in loads.values()))
        return loads, tunnels
