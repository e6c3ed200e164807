"""healthd alone: real little servers, real checks, and a publisher that plays control."""
import json
import signal
import socket
import subprocess
import time
import urllib.request

import pytest
from bus_lab import Caller, Publisher
from lab import BUILD, Lab, free_port, wait_for

DOCUMENT = """
stack: shop
pools:
- name: web
  protocol: http
  servers: [%s]
  check: {type: http, path: /health, interval: 100ms, timeout: 80ms, rise: 2, fall: 3, status_map: {"418": drain}}
"""


def snapshot(generation, document):
    done = subprocess.run([BUILD / "tests" / "bus" / "conf-encode", str(generation)], input=document, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def servers(**named):
    return DOCUMENT % ", ".join(f'{{name: {name}, address: "{address}"}}' for name, address in named.items())


class Health:
    """A node with healthd only; control is played by the test."""

    def __init__(self, lab):
        self.node = lab.node("lb-a")
        self.control = Publisher(self.node.run / "bus", "control")
        self.generation = 0
        lab.closers.append(self.control.close)

    def start(self):
        self.node.start("healthd")
        return self

    def run(self, document):
        self.generation += 1
        self.control.set("snapshot-healthd", "current", snapshot(self.generation, document))
        wait_for(lambda: self.table("daemon")["self"]["generation"] == self.generation, 5, "the generation to run")

    def table(self, name):
        caller = Caller(self.node.run / "bus" / "healthd.req")
        try:
            return caller.table(name)
        finally:
            caller.close()

    def verdict(self, server, pool="web"):
        return self.table("verdicts").get(f"pool/{pool}/{server}")

    def until(self, server, state, within=5.0):
        wait_for(lambda: self.verdict(server)["state"] == state, within, f"{server} to be {state}")
        return self.verdict(server)


@pytest.fixture
def health():
    with Lab("healthd") as lab:
        h = Health(lab)
        h.lab = lab
        yield h


def set_status(server, status):
    request = urllib.request.Request(f"http://{server.address}/health?status={status}", method="POST", data=b"")
    urllib.request.urlopen(request, timeout=5).read()


def test_verdicts_follow_the_server(health):
    w1 = health.lab.http_server("w1")
    health.start().run(servers(w1=w1.address, gone=f"127.0.0.1:{free_port()}"))
    up = health.until("w1", "up")
    assert up["reason"].startswith("200 in "), up
    assert health.until("gone", "down")["reason"] == "connect refused (3 of 3)"
    set_status(w1, 503)
    began = time.monotonic()
    assert health.until("w1", "down")["reason"] == "status 503 (3 of 3)"
    print(f"down after {(time.monotonic() - began) * 1000:.0f} ms (3 checks, 100 ms apart)")
    set_status(w1, 418)
    assert health.until("w1", "drain")["reason"].startswith("418 in ")
    set_status(w1, 200)
    row = health.until("w1", "up")
    assert [p["to"] for p in row["history"]] == ["up", "drain", "down", "up"]


def test_a_silent_server_times_out(health):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        health.start().run(servers(silent=f"127.0.0.1:{silent.getsockname()[1]}"))
        assert health.until("silent", "down")["reason"] == "no answer after 80 ms (3 of 3)"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGUSR2, signal.SIGHUP])
def test_a_restart_forgets_nothing(health, how):
    w1 = health.lab.http_server("w1")
    document = servers(w1=w1.address, gone=f"127.0.0.1:{free_port()}")
    health.start().run(document.replace("interval: 100ms", "interval: 500ms"))  # up stands for three intervals
    before = {name: health.until(name, state) for name, state in (("w1", "up"), ("gone", "down"))}
    daemon = health.node.daemons["healthd"]
    wait_for(lambda: "gone" in (health.node.state / "healthd.verdicts").read_text(), 5, "the verdicts on disk")
    wait_for(lambda: '"down"' in (health.node.state / "healthd.verdicts").read_text(), 5, "the verdict on disk")
    health.control.close()
    daemon.signal(how)
    if how == signal.SIGHUP:
        wait_for(lambda: daemon.text().count("starting version") == 2, 10, "the new program")
        wait_for(lambda: health.table("daemon")["self"]["generation"] == 1, 5, "the generation")
        assert daemon.is_running()
    else:
        daemon.popen.wait(10)
        health.node.start("healthd")
    for name, row in before.items():
        after = health.verdict(name)
        assert (after["state"], after["since"], after["reason"]) == (row["state"], row["since"], row["reason"])
        assert after["history"] == row["history"]
    assert health.table("daemon")["self"]["generation"] == 1


def test_a_new_generation_leaves_the_rest_alone(health):
    w1, w2 = health.lab.http_server("w1"), health.lab.http_server("w2")
    health.start().run(servers(w1=w1.address))
    before = health.until("w1", "up")
    health.run(servers(w1=w1.address, w2=w2.address))
    health.until("w2", "up")
    assert health.verdict("w1")["since"] == before["since"]
    health.run(servers(w2=w2.address))
    assert health.verdict("w1") is None
    health.control.set("snapshot-healthd", "current", dict(snapshot(9, servers(w1=w1.address)), digest="sha256:0"))
    row = wait_for(lambda: (lambda r: r if r["refused"] == 9 else None)(health.table("daemon")["self"]), 5, "the refusal")
    assert "digest" in row["reason"] and row["generation"] == 3 and row["state"] == "lagging"
    assert health.verdict("w2")["state"] == "up"


def test_names_are_resolved(health):
    w1 = health.lab.http_server("w1")
    port = w1.address.rsplit(":", 1)[1]
    health.start().run(servers(w1=f"localhost:{port}").replace("check:", "x-check:").split("  x-check")[0])
    row = wait_for(lambda: health.verdict("w1"), 5, "the address")
    assert row["address"] == w1.address and row["state"] == "unknown"


def checks_done(caller):
    """{"passed": N, "failed": N} so far."""
    samples = caller.ask("counters")["body"]["ballast_checks_total"]["samples"]
    return {s["labels"]["result"]: s["value"] for s in samples}


def test_many_checks_do_not_stall_the_loop(health):
    w1 = health.lab.nginx("w1", "ok")
    count = 2000
    document = servers(**{f"s{i}": w1.address for i in range(count)}).replace("100ms", "1s").replace("80ms", "900ms")
    health.start().run(document)
    wait_for(lambda: all(r["state"] == "up" for r in health.table("verdicts").values()), 20, "all up", every=0.5)
    caller = Caller(health.node.run / "bus" / "healthd.req")
    worst, end = 0.0, time.monotonic() + 3
    first = checks_done(caller)
    while time.monotonic() < end:
        began = time.monotonic()
        last = checks_done(caller)
        worst = max(worst, time.monotonic() - began)
    rate = (sum(last.values()) - sum(first.values())) / 3
    print(f"{count} checks a second: {rate:.0f} done a second, slowest answer of the loop {worst * 1000:.0f} ms")
    assert last["failed"] == first["failed"]
    assert worst < 0.5
