"""The rows of the table: what is asked of whom, and what Ballast is to reach. A Row's run() gives its line."""
import statistics
from dataclasses import dataclass, field

import peers
from measure import h2load, idle_connections, tree_memory, with_cpu, wrk

CLOSE = 'request = function() return wrk.format("GET", "/", {["Connection"] = "close"}) end\n'


@dataclass
class Line:
    """One line of the table: a value for each program, and goals as (words, value, limit)."""

    text: str
    values: dict
    unit: str
    goals: list = field(default_factory=list)
    notes: str = ""

    def print(self):
        cells = " · ".join(f"{name} {value:.2f}" for name, value in self.values.items())
        print(f"{self.text}: {cells} {self.unit}{'  (' + self.notes + ')' if self.notes else ''}")
        for words, value, limit in self.goals:
            print(f"    {'met    ' if value <= limit else 'NOT MET'}  {value:.3f} {words}, goal <= {limit}", flush=True)


class Bench:
    """What all rows share: the lab, the server, the certificate, the programs, how long and how often."""

    def __init__(self, lab, server, certificate, options):
        self.lab, self.server, self.certificate, self.options = lab, server, certificate, options
        made = [factory(lab, server, certificate).wait() for factory in peers.FACTORIES]
        self.peers = {peer.name: peer for peer in made}
        (lab.folder / "close.lua").write_text(CLOSE)

    def alternate(self, programs, load):
        """{name: [Result]}: load(peer) for each program in turn, as often as asked."""
        results = {peer.name: [] for peer in programs}
        for _ in range(self.options.runs):
            for peer in programs:
                results[peer.name].append(with_cpu(peer.process.pid, lambda p=peer: load(p)))
        return results

    def who(self, kind):
        return [peer for peer in self.peers.values() if kind in peer.ports]


def medians(results, what):
    return {name: statistics.median(getattr(one, what) for one in rows) for name, rows in results.items()}


@dataclass
class Cost:
    """CPU per request beside the peers: limits are {peer: ratio}."""

    text: str
    kind: str
    limits: dict
    arguments: tuple = ()
    path: str = "/"
    load: object = staticmethod(wrk)
    p99_against: str = None

    def run(self, bench):
        arguments = [str(bench.lab.folder / word) if word.endswith(".lua") else word for word in self.arguments]
        results = bench.alternate(bench.who(self.kind), lambda peer: self.load(
            peer.url(self.kind, self.path), bench.options.seconds, *arguments))
        if not all(one.requests for one in results["Ballast"]):
            return None
        values = medians(results, "cpu_us")
        line = Line(self.text, values, "us CPU per request")
        for peer, limit in self.limits.items():
            line.goals.append((f"x {peer}", values["Ballast"] / values[peer], limit))
        if self.p99_against:
            p99 = medians(results, "p99_ms")
            line.notes = "p99 " + ", ".join(f"{name} {value:.2f} ms" for name, value in p99.items())
            line.goals.append((f"x the p99 of {self.p99_against}", p99["Ballast"] / p99[self.p99_against], 1.0))
        errors = {name: sum(one.errors for one in rows) for name, rows in results.items()}
        if any(errors.values()):
            line.notes += f" errors {errors}"
        return line


@dataclass
class IdleMemory:
    """Memory per client connection that has had an answer and waits, in programs that were just started. What a program
    sets aside at its start for connections to come (nginx) is not counted.
    """

    text: str
    kind: str
    count: int = 4000

    def _once(self, bench, factory, serial):
        peer = factory(bench.lab, bench.server, bench.certificate, f"memory-{self.kind}-{factory.__name__}-{serial}").wait()
        idle_connections(peer.ports[self.kind], 1, tls_client if self.kind == "https" else None)[0].close()
        before = tree_memory(peer.process.pid)
        sockets = idle_connections(peer.ports[self.kind], self.count, tls_client if self.kind == "https" else None)
        grown = tree_memory(peer.process.pid) - before
        for s in sockets:
            s.close()
        peer.stop()
        return peer.name, grown / self.count

    def run(self, bench):
        found = {}
        for serial in range(bench.options.runs):
            for factory in peers.FACTORIES:
                name, grown = self._once(bench, factory, serial)
                found.setdefault(name, []).append(grown)
        values = {name: statistics.median(rows) for name, rows in found.items()}
        line = Line(self.text, values, "bytes per connection", notes=f"{self.count} connections")
        line.goals = [(f"x {name}", values["Ballast"] / max(value, 1), 0.999) for name, value in values.items() if name != "Ballast"]
        return line


def tls_client(s):
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(s)


@dataclass
class Workers:
    """CPU per request of two workers on two cores, against one under the same load."""

    text: str

    def run(self, bench):
        made = {}
        for workers in (1, 2):
            peer = peers.ballast(bench.lab, bench.server, bench.certificate, f"bench-{workers}", workers, core=None).wait()
            peer.name = f"{workers} worker{'s' * (workers > 1)}"
            made[workers] = peer
        results = bench.alternate(made.values(), lambda peer: wrk(peer.url("http"), bench.options.seconds, core=None))
        for peer in made.values():
            peer.stop()
        values = medians(results, "cpu_us")
        one, two = (values[peer.name] for peer in made.values())
        return Line(self.text, values, "us CPU per request", [("x one worker", two / one, 1.05)])


ASKED = 10  # hosts that are asked for, however many there are; each has a pool of its own


def hosts_document(server, count, port):
    """count hosts, each routed to one of count / 10 pools (ten at least) of ten servers."""
    pools = max(ASKED, count // 10)
    routes = [{"match": {"host": f"h{n}.example"}, "pool": f"p{n * pools // count}"} for n in range(count)]
    return {"stack": "growth", "pools": [
        {"name": f"p{n}", "protocol": "http", "servers": [{"name": f"s{m}", "address": server} for m in range(10)]} for n in range(pools)
    ], "listeners": [
        {"name": "growth", "bind": [f"127.0.0.1:{port}"], "protocol": "http", "access_log": False, "routes": routes, "pool": "p0"}]}


@dataclass
class Growth:
    """CPU per request with ever more hosts, routes, pools and servers; ten of the hosts, spread over all, are asked for."""

    text: str
    counts: tuple = (10, 1000, 20000)
    limit: float = 1.05

    def run(self, bench):
        made = []
        for count in self.counts:
            peer = peers.ballast_with(bench.lab, f"growth-{count}", lambda port, n=count: hosts_document(bench.server, n, port))
            if not peer:
                return None
            peer.name = f"{count} hosts"
            script = bench.lab.folder / f"hosts-{count}.lua"
            script.write_text(f"n = 0\nrequest = function() n = (n + 1) % {ASKED}; "
                              f'return wrk.format("GET", "/", {{["Host"] = "h" .. n * {count // ASKED} .. ".example"}}) end\n')
            peer.script = script
            made.append(peer.wait())
        results = bench.alternate(made, lambda peer: wrk(peer.url("http"), bench.options.seconds, "-s", peer.script))
        for peer in made:
            peer.stop()
        values = medians(results, "cpu_us")
        first = next(iter(values.values()))
        errors = sum(one.errors for rows in results.values() for one in rows)
        return Line(self.text, values, "us CPU per request", notes=f"errors {errors}" if errors else "",
                    goals=[(f"x {self.counts[0]} hosts, with {name}", value / first, self.limit) for name, value in list(values.items())[1:]])


ROWS = {
    "keep-alive": Cost("HTTP/1.1 keep-alive, 48 bytes", "http", {"HAProxy": 0.87, "nginx": 0.92}, p99_against="HAProxy"),
    "new-connection": Cost("HTTP/1.1, new connection per request", "http", {"nginx": 0.9}, ("-s", "close.lua")),
    "tls": Cost("HTTP/1.1 over TLS 1.3, keep-alive", "https", {"nginx": 0.95}),
    "1mib": Cost("HTTP/1.1, 1 MiB responses", "http", {"HAProxy": 1.0}, path="/files/big"),
    "tcp": Cost("TCP balancing, 48 bytes", "tcp", {"HAProxy": 0.97}),
    "h2": Cost("HTTP/2 over TLS in, HTTP/1.1 out", "https", {"HAProxy": 0.9}, load=staticmethod(h2load)),
    "memory": IdleMemory("idle client connection", "http"),
    "memory-tls": IdleMemory("idle client connection over TLS", "https", 1000),
    "workers": Workers("two workers against one"),
    "growth": Growth("growth with hosts, pools and servers"),
}
