"""Instructions per request that a worker executes in user space: instructions.py [--top N] [--keep FOLDER] [LOAD...]

The worker runs under callgrind twice for each kind of load, with few and with many requests, one after the other; the
difference is exact but for timers. The loads with hosts ask for 64 of them, each with two routes, of one pool.
--keep copies the profile of the longer run of each kind there, for callgrind_annotate.
"""
import argparse
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "net"))
from tls_house import Authority  # noqa: E402
from lab import BUILD, Lab, Process, connects, free_port, wait_for  # noqa: E402

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
FEW, MANY = 200, 1200


def ask(s):
    s.sendall(REQUEST)
    answer = b""
    while not answer.endswith(b"x" * 48):
        answer += s.recv(4096)


def keep_alive(port, count):
    with socket.create_connection(("127.0.0.1", port), 60) as s:
        for _ in range(count):
            ask(s)


def new_connection(port, count):
    for _ in range(count):
        with socket.create_connection(("127.0.0.1", port), 60) as s:
            ask(s)


def tls_keep_alive(port, count):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 60)) as s:
        for _ in range(count):
            ask(s)


def hosts_load(hosts):
    """A load for 64 of so many hosts, spread over all."""

    def load(port, count):
        with socket.create_connection(("127.0.0.1", port), 60) as s:
            for n in range(count):
                host = n % 64 * max(1, hosts // 64) % hosts
                s.sendall(b"GET /api/x HTTP/1.1\r\nHost: h%05d.example\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n" % host)
                answer = b""
                while not answer.endswith(b"x" * 48):
                    answer += s.recv(4096)

    load.__name__ = f"hosts_{hosts}"
    load.routes = [{"match": {"host": f"h{n:05}.example", **path}, "pool": "web"}
                   for n in range(hosts) for path in ({"path_prefix": "/api"}, {})]
    return load


def http2(port, count):
    subprocess.run(["h2load", "-c1", "-m10", f"-n{count}", f"http://127.0.0.1:{port}/"], check=True, capture_output=True)


def under_callgrind(node, out, document):
    """The worker of a running data daemon is replaced by one under callgrind. The supervisor must not run there itself:
    valgrind knows no pidfd. So its file becomes a script once it has started, and its worker is killed.
    """
    program = node.folder / "ballast-data"
    shutil.copy(BUILD / "data" / "ballast-data", program)
    node.daemons["data"] = Process(node.lab, "data", [program, "--config", node.config], notify=True).wait_ready()
    node.put(document)
    first = wait_for(node.workers, 10, "the first worker")[0]
    script = node.folder / "script"
    script.write_text(f"""#!/bin/sh
case $1 in worker) exec valgrind --tool=callgrind --callgrind-out-file={out} {BUILD}/data/ballast-data "$@" ;; esac
exec {BUILD}/data/ballast-data "$@"
""")
    script.chmod(0o755)
    script.rename(program)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: node.workers() not in ([], [first]), 300, "the worker under callgrind")


def costs(text):
    """{function: its own instructions} of a profile."""
    names, found, function, is_call = {}, {}, None, False
    for line in text.splitlines():
        if match := re.match(r"fn=\((\d+)\)(?: (.*))?", line):
            function = names.setdefault(match[1], match[2])
        elif match := re.match(r"cfn=\((\d+)\) (.*)", line):
            names[match[1]] = match[2]
        elif line.startswith("calls="):
            is_call = True  # the next line is what the called one cost
        elif match := re.match(r"[+\-*\d]\S* (\d+)$", line):
            if not is_call:
                found[function] = found.get(function, 0) + int(match[1])
            is_call = False
    return found


def executed(lab, load, count, keep):
    """{function: instructions} of a worker that starts, serves so many requests, and leaves."""
    server = lab.nginx(f"server-{count}", "x" * 48)
    node = lab.node(f"node-{count}", workers=1).start("control")
    out = node.folder / "profile"
    port = free_port()
    document = {"stack": "i", "pools": [{"name": "web", "protocol": "http", "servers": [{"name": "s", "address": server.address}]}],
                "listeners": [{"name": "www", "bind": [f"127.0.0.1:{port}"], "protocol": "http", "pool": "web", "access_log": False,
                               "routes": getattr(load, "routes", [])}]}
    if load is tls_keep_alive:
        pem, key = Authority(node.folder / "ca").issue("localhost")
        document["certificates"] = [{"name": "c", "certificate_pem": pem, "key_pem": key}]
        document["listeners"][0].update(protocol="https", certificates=["c"])
    under_callgrind(node, out, document)
    wait_for(lambda: connects("127.0.0.1", port), 30, "the listener")
    load(port, count)
    node.daemons["data"].stop(60)
    node.stop("control")
    text = wait_for(lambda: "totals:" in out.read_text() and out.read_text(), 30, "the worker's profile")
    if keep:
        shutil.copy(out, Path(keep) / f"callgrind.{load.__name__}")
    return costs(text)


LOADS = {load.__name__.replace('_', '-'): load for load in (
    keep_alive, new_connection, tls_keep_alive, http2, hosts_load(10), hosts_load(1000), hosts_load(20000))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", metavar="FOLDER")
    parser.add_argument("--top", type=int, default=0, metavar="N", help="print the N most expensive functions")
    parser.add_argument("loads", nargs="*", metavar="LOAD", help=", ".join(LOADS))
    options = parser.parse_args()
    for name in options.loads or LOADS:
        load = LOADS[name]
        with Lab("instructions") as lab:
            few, many = (executed(lab, load, count, options.keep if count == MANY else None) for count in (FEW, MANY))
        each = {function: (cost - few.get(function, 0)) / (MANY - FEW) for function, cost in many.items()}
        print(f"{name}: {sum(each.values()):.0f} instructions per request", flush=True)
        for function, cost in sorted(each.items(), key=lambda item: -item[1])[:options.top]:
            print(f"    {cost:6.0f} {function}")


if __name__ == "__main__":
    main()
