"""CPU microseconds per request of the whole process tree, proxied over loopback: bench.py [--runs N] [ROW...]

The proxy runs on core 0 with one worker; the load generator (wrk, 64 connections) and the server (nginx) share
core 1. Runs alternate between the proxies and the medians are printed with their ratios: absolute times on a
shared machine mean little. Access logs are off on all sides.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "net"))
from lab import Lab, connects, cpu_seconds, free_port, wait_for  # noqa: E402

BODY = "x" * 48
CLOSE_SCRIPT = 'request = function() return wrk.format("GET", "/", {["Connection"] = "close"}) end\n'

# row: (what is asked, seconds a run, kind of listener, wrk's arguments, goal in words)
ROWS = {
    "keep-alive": ("HTTP/1.1 keep-alive, 48 bytes", "http", ["/"], "<= 1.0 x HAProxy"),
    "new-connection": ("HTTP/1.1, new connection per request", "http", ["-s", "CLOSE", "/"], "<= 0.9 x nginx"),
    "tcp": ("TCP balancing, 48 bytes", "tcp", ["/"], "<= 0.97 x HAProxy"),
    "1mib": ("HTTP/1.1, 1 MiB responses", "http", ["/files/big"], "<= 1.0 x HAProxy with splice"),
}


def pinned(core, *argv):
    return ["taskset", "-c", str(core), *argv]


def tree(pid):
    """A process and all its descendants."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        for task in Path(f"/proc/{one}/task").glob("*"):
            todo += [int(word) for word in (task / "children").read_text().split()]
    return found


def tree_cpu(pid):
    return sum(cpu_seconds(one) for one in tree(pid))


class Proxy:
    """One of the measured programs: where its http and tcp listeners are, and its root process."""

    def __init__(self, name, process, ports):
        self.name, self.process, self.ports = name, process, ports


def haproxy(lab, server):
    ports = {"http": free_port(), "tcp": free_port()}
    path = lab.folder / "haproxy.cfg"
    path.write_text(f"""global
  nbthread 1
  maxconn 4000
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen http
  mode http
  option splice-response
  option forwardfor
  http-reuse always
  bind 127.0.0.1:{ports['http']}
  server s1 {server}
listen tcp
  mode tcp
  option splice-auto
  bind 127.0.0.1:{ports['tcp']}
  server s1 {server}
""")
    return Proxy("HAProxy", lab.process("haproxy", pinned(0, "haproxy", "-db", "-f", path)), ports)


def nginx(lab, server):
    ports = {"http": free_port(), "tcp": None}
    folder = lab.folder / "nginx-proxy"
    folder.mkdir()
    (folder / "nginx.conf").write_text(f"""daemon off; user root; worker_processes 1; pid {folder}/pid; error_log stderr error;
events {{ worker_connections 8192; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
 uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 100000000; tcp_nodelay on;
 upstream u {{ server {server}; keepalive 256; keepalive_requests 100000000; }}
 server {{ listen 127.0.0.1:{ports['http']} backlog=4096; location / {{ proxy_pass http://u; proxy_http_version 1.1;
  proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }} }}
""")
    process = lab.process("nginx-proxy", pinned(0, "nginx", "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"))
    return Proxy("nginx", process, ports)


def ballast(lab, server):
    ports = {"http": free_port(), "tcp": free_port()}
    node = lab.node("bench", workers=1)
    node.start("control", "data")
    listeners = [{"name": kind, "bind": [f"127.0.0.1:{port}"], "protocol": kind, "pool": kind, "access_log": False}
                 for kind, port in ports.items()]
    pools = [{"name": kind, "protocol": kind, "servers": [{"name": "s1", "address": server}]} for kind in ports]
    node.put({"stack": "bench", "pools": pools, "listeners": listeners})
    for pid in tree(node.daemons["data"].pid):
        subprocess.run(["taskset", "-p", "-c", "0", str(pid)], check=True, stdout=subprocess.DEVNULL)
    return Proxy("Ballast", node.daemons["data"], ports)


def load(lab, url, arguments, seconds):
    """wrk's requests, errors and p99 in milliseconds."""
    words = [str(lab.folder / "close.lua") if word == "CLOSE" else word for word in arguments]
    done = subprocess.run(pinned(1, "wrk", "-t1", "-c64", f"-d{seconds}s", "--latency", *words, url),
                          capture_output=True, text=True, check=True).stdout
    requests = int(re.search(r"(\d+) requests in", done).group(1))
    errors = sum(int(n) for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", done))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", done)
    scale = {"us": 0.001, "ms": 1, "s": 1000}[p99.group(2)]
    return requests, errors + (int(bad.group(1)) if bad else 0), float(p99.group(1)) * scale


def measure(lab, proxy, row, seconds):
    _, kind, arguments, _ = ROWS[row]
    url = f"http://127.0.0.1:{proxy.ports[kind]}{arguments[-1]}"
    before = tree_cpu(proxy.process.pid)
    requests, errors, p99 = load(lab, url, arguments[:-1], seconds)
    return (tree_cpu(proxy.process.pid) - before) * 1e6 / max(requests, 1), errors, p99


def print_row(row, results):
    medians = {name: statistics.median(r[0] for r in rows) for name, rows in results.items()}
    p99 = {name: statistics.median(r[2] for r in rows) for name, rows in results.items()}
    errors = {name: sum(r[1] for r in rows) for name, rows in results.items()}
    cells = " | ".join(f"{name} {medians[name]:.1f} us (p99 {p99[name]:.2f} ms, errors {errors[name]})" for name in medians)
    ratios = ", ".join(f"{medians['Ballast'] / value:.3f} x {name}" for name, value in medians.items() if name != "Ballast")
    print(f"{ROWS[row][0]}: {cells}\n    Ballast is {ratios}; goal {ROWS[row][3]}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("rows", nargs="*", choices=[[], *ROWS], default=[])
    options = parser.parse_args()
    with Lab("bench") as lab:
        (lab.folder / "close.lua").write_text(CLOSE_SCRIPT)
        server = lab.nginx("server", BODY)
        (server.folder / "big").write_bytes(os.urandom(1 << 20))
        for pid in tree(server.pid):
            subprocess.run(["taskset", "-p", "-c", "1", str(pid)], check=True, stdout=subprocess.DEVNULL)
        proxies = [haproxy(lab, server.address), nginx(lab, server.address), ballast(lab, server.address)]
        for proxy in proxies:
            wait_for(lambda p=proxy: connects("127.0.0.1", p.ports["http"]), 10, f"{proxy.name} to listen")
        print(f"CPU per request, medians of {options.runs} alternating runs of {options.seconds} s, wrk -c64")
        for row in options.rows or ROWS:
            results = {}
            for _ in range(options.runs):
                for proxy in proxies:
                    if proxy.ports[ROWS[row][1]]:
                        results.setdefault(proxy.name, []).append(measure(lab, proxy, row, options.seconds))
            print_row(row, results)


if __name__ == "__main__":
    main()
