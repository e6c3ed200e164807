"""What network stories are made of: namespaces, processes, nodes, waiting.

A Lab owns everything that a test makes: a private folder, network namespaces with unique names and
processes. Leaving it ends them all, by their ids, and removes the rest. Nothing waits by sleeping: wait_for()
polls a claim until it holds or a deadline passes.
"""
import http.client
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BALLAST_BUILD", ROOT / "build")).resolve()
DAEMONS = ("control", "healthd", "data", "vrrpd")

_serial = itertools.count(1)


def wait_for(claim, within=10.0, what=None, every=0.02):
    """Calls claim() until it returns something true, and returns that. Past `within` seconds it fails, saying what."""
    deadline = time.monotonic() + within
    last = None
    while True:
        try:
            value = claim()
            if value:
                return value
        except (OSError, KeyError, IndexError, TypeError, ValueError, http.client.HTTPException) as error:
            last = error
        if time.monotonic() > deadline:
            name = what or "the awaited state"
            raise AssertionError(f"{name}: not within {within} s" + (f" (last: {last!r})" if last else ""))
        time.sleep(every)


# Below the range from which the kernel takes ports for outgoing connections, so that none is taken in between; of those
# each lane of a run (pytest-xdist) has its own.
_lane, _lanes = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
_ports = range(19000 + _lane, 32000, _lanes)
_ports = itertools.cycle(random.sample(_ports, len(_ports)))


def free_port(host="127.0.0.1"):
    """A TCP port that nobody listens on now, and that was not given out before."""
    for port in _ports:
        with socket.socket() as s:
            try:
                s.bind((host, port))
            except OSError:
                continue
            return port


class Process:
    """A process of the lab, its log in a file, ended by its own id."""

    def __init__(self, lab, name, argv, netns=None, env=None, notify=False):
        self.name = name
        self.log_path = lab.folder / f"{name}.{next(_serial)}.log"
        self.notify = None
        environment = dict(os.environ, **(env or {}))
        environment.pop("NOTIFY_SOCKET", None)
        if notify:
            path = lab.folder / f"notify.{next(_serial)}"
            self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.notify.bind(str(path))
            self.notify.setblocking(False)
            environment["NOTIFY_SOCKET"] = str(path)
        if netns:
            argv = ["nsenter", f"--net=/run/netns/{netns}", "--", *argv]
        self.argv = [str(a) for a in argv]
        self.log = open(self.log_path, "wb")
        self.popen = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=self.log,
                                      stderr=subprocess.STDOUT, env=environment)
        self.takes_children = False
        self._ready = False
        lab.processes.append(self)

    @property
    def pid(self):
        return self.popen.pid

    def is_running(self):
        return self.popen.poll() is None

    def is_ready(self):
        """READY=1 was said on the notify socket."""
        while self.notify and not self._ready:
            try:
                if b"READY=1" in self.notify.recv(4096).split(b"\n"):
                    self._ready = True
            except BlockingIOError:
                break
        if not self._ready and not self.is_running():
            raise AssertionError(f"{self.name} ended with {self.popen.returncode}:\n{self.text()[-4000:]}")
        return self._ready

    def wait_ready(self, within=10.0):
        wait_for(self.is_ready, within, f"{self.name} to be ready")
        return self

    def hear(self):
        """Takes what it said on its notify socket: that holds ten messages, and who writes the next one waits."""
        try:
            while self.notify:
                self._ready |= b"READY=1" in self.notify.recv(4096).split(b"\n")
        except BlockingIOError:
            pass

    def signal(self, number):
        self.hear()
        if self.is_running():
            self.popen.send_signal(number)

    def kill(self):
        """kill -9, and reaped; with its children where they are a part of it (takes_children)."""
        family = children(self.pid) if self.takes_children and self.is_running() else []
        self.signal(signal.SIGKILL)
        self.popen.wait(10)
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def stop(self, within=15.0):
        """SIGTERM; past the time kill -9. Returns the exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self.popen.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.popen.returncode

    def text(self):
        return self.log_path.read_text(errors="replace")


def children(pid):
    """The ids of a process's children."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class UnixHTTP(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Node:
    """One Ballast node: its folder, its node file, its four daemons."""

    def __init__(self, lab, name, netns=None, store="sqlite", workers=1, extra=""):
        self.lab, self.name, self.netns = lab, name, netns
        self.folder = lab.folder / name
        self.run = self.folder / "run"
        self.state = self.folder / "state"
        self.folder.mkdir()
        self.config = self.folder / "ballast.yaml"
        self.config.write_text(
            f"node: {self.name}\nrun_dir: {self.run}\nstate_dir: {self.state}\nstore: {store}\n"
            f"api:\n  listen: [unix]\ndata: {{workers: {workers}}}\nlog: {{level: debug}}\n{extra}")
        self.daemons = {}
        self.before = {}  # {daemon: words before its command}: a scheduling policy
        lab.closers.append(self.end_workers)

    def start(self, *names, wait=True):
        """Starts the named daemons (all of them without names) and waits until they are ready."""
        for name in names or DAEMONS:
            self.daemons[name] = Process(self.lab, f"{self.name}-{name}",
                                         [*self.before.get(name, []), self.program(name), "--config", self.config],
                                         netns=self.netns, notify=True)
        if wait:
            for name in names or DAEMONS:
                self.daemons[name].wait_ready()
        return self

    def program(self, name):
        return BUILD / name / f"ballast-{name}"

    def stop(self, *names):
        for name in names or DAEMONS:
            if name in self.daemons:
                self.daemons[name].stop()

    def restart_killed(self, name):
        """kill -9, then a new one; returns when that is ready."""
        self.daemons[name].kill()
        self.start(name)

    def data_processes(self, kind):
        """Process ids of data's children of a kind ("worker", "agent"), adopted and retired ones too."""
        found = set()
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            except OSError:
                continue
            if words[1:2] == [kind.encode()] and words[3:4] == [str(self.run).encode()]:
                found.add(int(entry.name))
        return found

    def replace_data(self, within=30):
        """SIGHUP to data, and wait until only new workers are left."""
        before = self.data_processes("worker")
        self.daemons["data"].signal(signal.SIGHUP)

        def is_replaced():
            workers = self.data_processes("worker")
            return len(workers) == len(before) and not workers & before

        wait_for(is_replaced, within, "the old workers to leave")

    def end_workers(self):
        """Ends processes that outlive a killed supervisor by design: those that name this node's file or folder."""
        mine = str(self.folder).encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if b"ballast-" in words[0] and any(mine in word for word in words[1:]):
                    os.kill(int(entry.name), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue

    def api(self, method, path, body=None, headers=None, timeout=30):
        """One request on the unix socket: (status, parsed JSON or text, headers)."""
        connection = UnixHTTP(str(self.run / "api.sock"), timeout)
        try:
            headers = dict(headers or {})
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
                headers.setdefault("Content-Type", "application/json")
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            if "json" in (answer.getheader("Content-Type") or ""):
                text = json.loads(text)
            return answer.status, text, dict(answer.getheaders())
        finally:
            connection.close()

    def put(self, document, stack=None, query="?wait=10s"):
        """PUTs a document (a dict) and fails unless it is taken; returns the answer's body."""
        stack = stack or document["stack"]
        status, body, _ = self.api("PUT", f"/v1/stacks/{stack}/document{query}", document)
        assert status in (200, 201), f"PUT document: {status} {body}"
        return body

    def status(self):
        status, body, _ = self.api("GET", "/v1/status")
        assert status == 200, body
        return body

    def ctl_argv(self, *args):
        return [str(BUILD / "control" / "ballastctl"), "--server", f"unix:{self.run}/api.sock", *map(str, args)]

    def ctl(self, *args, check=True, stdin=None):
        """Runs ballastctl; returns the completed process (text)."""
        done = subprocess.run(self.ctl_argv(*args), capture_output=True, text=True, input=stdin, timeout=120, check=False)
        if check:
            assert done.returncode == 0, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def server_states(self, pool):
        """{server: effective state} of a pool, from status."""
        for p in self.status()["pools"]:
            if p["name"] == pool:
                return {s["name"]: s["state"] for s in p["servers"]}
        return {}

    def vip_state(self, vip):
        """This node's own state of a VIP, from status; None while unknown."""
        for v in self.status()["vips"]:
            if v["name"] == vip:
                return v["states"].get(self.name)
        return None

    def workers(self):
        """Process ids of the data workers, from status."""
        for n in self.status()["nodes"]:
            if n["name"] == self.name:
                return [w["pid"] for w in n["daemons"]["data"].get("workers", [])]
        return []


class Lab:
    """Owner of a test's folder, namespaces and processes; a context manager."""

    def __init__(self, name="lab"):
        self.prefix = f"b{os.getpid()}x{next(_serial)}"
        self.folder = Path(tempfile.mkdtemp(prefix="ballast-"))
        self.folder.chmod(0o755)
        self.name = name
        self.switch = None
        self.processes, self.namespaces, self.closers = [], [], []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for process in reversed(self.processes):
            process.signal(signal.SIGTERM)  # all at once: one that waits for another waits less
        for process in reversed(self.processes):
            if process.is_running():
                process.stop(within=3.0)
            process.log.close()
            if process.notify:
                process.notify.close()
        for close in reversed(self.closers):
            close()
        for netns in self.namespaces:
            subprocess.run(["ip", "netns", "delete", netns], check=False, capture_output=True)
        if os.environ.get("BALLAST_KEEP_LOGS"):
            print(f"{self.name}: logs kept in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        return False

    def process(self, name, argv, netns=None, env=None):
        return Process(self, name, argv, netns=netns, env=env)

    def node(self, name, netns=None, **options):
        return Node(self, name, netns=netns, **options)

    def namespace(self, name):
        """A new network namespace with loopback up; returns its full, unique name."""
        full = f"{self.prefix}{name}"
        run("ip", "netns", "add", full)
        self.namespaces.append(full)
        run("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def segment(self, hosts):
        """One Ethernet segment. hosts: {name: [addresses with prefix]}; returns {name: namespace}.

        Each host has one interface, eth0; the switch is a bridge in a namespace of its own.
        """
        switch = self.switch = self.namespace("sw")
        run("ip", "-n", switch, "link", "add", "br0", "type", "bridge", "stp_state", "0", "mcast_snooping", "0")
        run("ip", "-n", switch, "link", "set", "br0", "up")
        return {name: self.host(name, addresses) for name, addresses in hosts.items()}

    def host(self, name, addresses):
        """A host on the segment, new or again after remove_host(); returns its namespace."""
        switch, netns = self.switch, self.namespace(name)
        run("ip", "-n", netns, "link", "add", "eth0", "type", "veth", "peer", "name", f"p-{name}", "netns", switch)
        run("ip", "-n", switch, "link", "set", f"p-{name}", "master", "br0", "up")
        for setting in ("all", "eth0"):
            run("nsenter", f"--net=/run/netns/{netns}", "sysctl", "-qw", f"net.ipv6.conf.{setting}.accept_dad=0")
        run("ip", "-n", netns, "link", "set", "eth0", "up")
        for address in addresses:
            extra = ["nodad"] if ":" in address else []
            run("ip", "-n", netns, "address", "add", address, "dev", "eth0", *extra)
        return netns

    def remove_host(self, name):
        """Takes a host away with its kernel's state: addresses, neighbours, sockets. Its processes must have ended."""
        netns = f"{self.prefix}{name}"
        run("ip", "-n", self.switch, "link", "delete", f"p-{name}")
        run("ip", "netns", "delete", netns)
        self.namespaces.remove(netns)

    def plug(self, host, is_in):
        """Pulls a host's cable at the switch, or puts it back."""
        run("ip", "-n", self.switch, "link", "set", f"p-{host}", "up" if is_in else "down")

    def http_server(self, name, host="127.0.0.1", port=None, netns=None):
        """A small HTTP/1.1 server that says its own name (server.py beside this file), once it accepts."""
        port = port or free_port(host)
        process = self.process(f"server-{name}",
                               ["/usr/bin/python3", ROOT / "tests" / "net" / "server.py", name, host, port], netns=netns)
        process.address = f"{host}:{port}"
        wait_for(lambda: "listening" in process.text(), 10, f"server {name} to listen")
        return process

    def nginx(self, name, body, host="127.0.0.1", port=None, netns=None):
        """nginx as a fast server, once it accepts: every path gives body; /files/N gives files of its .folder."""
        port = port or free_port(host)
        folder = self.folder / f"nginx-{name}"
        folder.mkdir(exist_ok=True)
        (folder / "nginx.conf").write_text(
            f"daemon off; user root; worker_processes 1; pid {folder}/pid; error_log stderr error;\n"
            f"events {{ worker_connections 8192; }}\n"
            f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n"
            f" fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
            f" keepalive_requests 100000000; keepalive_timeout 3600s; sendfile on; tcp_nodelay on;\n"
            f" server {{ listen {host}:{port} backlog=4096; root {folder};\n"
            f"  location / {{ return 200 '{body}'; }}\n  location /files/ {{ alias {folder}/;\n"
            f"   types {{ text/html html; text/css css; text/javascript js; image/svg+xml svg; text/plain txt; }} }} }} }}\n")
        process = self.process(f"nginx-{name}", ["nginx", "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"],
                               netns=netns)
        process.address, process.folder, process.takes_children = f"{host}:{port}", folder, True
        wait_for(lambda: connects(host, port, netns), 10, f"nginx {name} to listen")
        return process


    def client(self, host, port, netns=None, every_ms=5, timeout_ms=250):
        """A client that asks at a fixed pace (client.py beside this file); client.books() ends it and returns its sums."""
        process = self.process("client", ["/usr/bin/python3", "-B", ROOT / "tests" / "net" / "client.py",
                                          host, port, every_ms, timeout_ms], netns=netns)
        wait_for(lambda: "asking" in process.text(), 10, "the client to begin")

        def books():
            process.stop()
            return json.loads(process.text().splitlines()[-1])

        process.books = books
        process.wait_answered = lambda: wait_for(lambda: "answered" in process.text(), 10, "the client's first answers")
        return process

    def postgres(self):
        """A private PostgreSQL on a unix socket, reachable from every namespace."""
        return Postgres(self)


class Postgres:
    """A private PostgreSQL 15 without TCP; uri is what a node file's store takes."""

    def __init__(self, lab):
        self.programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        self.folder = lab.folder / "postgres"
        self.folder.mkdir(mode=0o700)
        shutil.chown(self.folder, "nobody", "nogroup")
        self.uri = f"postgresql:///postgres?host={self.folder}&user=ballast"
        self._command("initdb", "-D", self.folder / "data", "-U", "ballast", "-A", "trust", "--no-sync", "-E", "UTF8",
                      "--locale=C")
        self.start()
        lab.closers.append(self._end)

    def _command(self, program, *words, check=True):
        run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", f"HOME={self.folder}",
            self.programs / program, *words, check=check)

    def start(self):
        options = (f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c unix_socket_permissions=0777 "
                   f"-c fsync=off -c full_page_writes=off")
        self.folder.chmod(0o755)
        self._command("pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", "-o", options, "start")

    def stop(self, mode="fast"):
        self._command("pg_ctl", "-D", self.folder / "data", "-w", "-m", mode, "stop")

    def sql(self, text):
        """What psql prints for a statement, past the daemons: rows as lines, columns parted by |."""
        return run(self.programs / "psql", "-d", self.uri, "-X", "-A", "-t", "-c", text).strip()

    def _end(self):
        self._command("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop", check=False)


def run(*argv, check=True):
    """A command to its end; its output. Fails with its stderr unless check is False."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(map(str, argv))}: {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def connects(host, port, netns=None):
    """True when a TCP connection is accepted there (in that namespace)."""
    if netns:
        script = f"import socket; socket.create_connection(({host!r}, {port}), 1).close()"
        return subprocess.run(["nsenter", f"--net=/run/netns/{netns}", "/usr/bin/python3", "-c", script],
                              capture_output=True, check=False).returncode == 0
    try:
        socket.create_connection((host, port), 1).close()
        return True
    except OSError:
        return False


def http_get(address, path="/", timeout=5, headers=None):
    """One request on a connection of its own: (status, body)."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=timeout)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def rss_kib(pid):
    """Resident memory of a process in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise KeyError("VmRSS")


def cpu_seconds(pid):
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
