"""What a benchmark reads and drives: CPU and memory of a process tree, wrk, h2load, idle connections."""
import os
import re
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab import cpu_seconds

MEASURED, OTHERS = 0, 1  # cores: of the measured program, and of load and servers


def pinned(core, *argv):
    return ["taskset", "-c", str(core), *argv]


def pin(pid, core):
    """The process and all its descendants, from now on."""
    for one in tree(pid):
        subprocess.run(["taskset", "-p", "-c", str(core), str(one)], check=True, stdout=subprocess.DEVNULL)


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


def tree_memory(pid):
    """Bytes of memory that the tree alone would free: proportional set sizes."""
    total = 0
    for one in tree(pid):
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{one}/smaps_rollup").read_text(), re.M)
        total += int(found[1]) * 1024
    return total


@dataclass
class Result:
    requests: int
    errors: int
    p99_ms: float = 0.0
    cpu_us: float = 0.0  # per request, of the measured tree


def wrk(url, seconds, *arguments, core=OTHERS, connections=64):
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *arguments, url]
    done = subprocess.run(pinned(core, *argv) if core is not None else argv, capture_output=True, text=True, check=True).stdout
    errors = sum(int(n) for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", done))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", done)
    return Result(int(re.search(r"(\d+) requests in", done)[1]), errors + (int(bad[1]) if bad else 0),
                  float(p99[1]) * {"us": 0.001, "ms": 1, "s": 1000}[p99[2]])


def h2load(url, seconds, *arguments, core=OTHERS, connections=64):
    done = subprocess.run(pinned(core, "h2load", "-t1", f"-c{connections}", "-m10", f"-D{seconds}", *arguments, url),
                          capture_output=True, text=True, check=True).stdout
    found = re.search(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded", done)
    return Result(int(found[1]), int(found[1]) - int(found[2]))


def with_cpu(pid, load):
    """The result of a load, with the CPU time per request of the tree below pid meanwhile."""
    before = tree_cpu(pid)
    result = load()
    result.cpu_us = (tree_cpu(pid) - before) * 1e6 / max(result.requests, 1)
    return result


def idle_connections(port, count, wrap=None):
    """That many connections that have had one answer each and wait; a list of sockets."""
    made = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", port), timeout=10)
        s = wrap(s) if wrap else s
        s.sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += s.recv(4096)
        made.append(s)
    return made


def certificate(folder):
    """A self-signed certificate for localhost (P-256): (certificate file, key file)."""
    crt, key = folder / "bench.crt", folder / "bench.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", crt],
                   check=True, capture_output=True)
    os.chmod(key, 0o600)
    return crt, key
