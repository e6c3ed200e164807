"""A udp listener under load: steady flows, and a new one for each question as resolvers ask."""
import json
import subprocess
from pathlib import Path

import pytest

from lab import cpu_seconds, wait_for

HERE = Path(__file__).resolve().parent
SECONDS = 8


@pytest.fixture
def program(lab):
    path = lab.folder / "datagrams"
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", path, HERE / "datagrams.c"], check=True)
    return path


@pytest.fixture
def server(lab, program):
    process = lab.process("server", ["taskset", "-c", "1", program, "server", "127.0.0.1", 7053])
    wait_for(lambda: "listening" in process.text(), 10, "the server")


@pytest.fixture
def node(lab, server):
    node = lab.node("lb", workers=1)
    node.start("control", "data")
    node.put({"stack": "s", "pools": [{"name": "p", "protocol": "udp", "servers": [{"name": "s", "address": "127.0.0.1:7053"}]}],
              "listeners": [{"name": "l", "bind": ["127.0.0.1:5353"], "protocol": "udp", "pool": "p", "access_log": False,
                             "maximum_connections": 8000}]})
    subprocess.run(["taskset", "-p", "-c", "0", str(node.workers()[0])], check=True, stdout=subprocess.DEVNULL)
    return node


def load(program, port, sockets, is_new):
    done = subprocess.run(["taskset", "-c", "1", program, "client", "127.0.0.1", str(port), str(SECONDS), str(sockets),
                           str(int(is_new))], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("is_new", [False, True], ids=["steady", "new-each"])
def test_questions_and_answers(program, node, figure, is_new):
    worker = node.workers()[0]
    straight = load(program, 7053, 64, is_new)
    before = cpu_seconds(worker)
    balanced = load(program, 5353, 64, is_new)
    cpu_us = (cpu_seconds(worker) - before) * 1e6 / balanced["answered"]
    figure("questions a second", f"{balanced['answered'] / SECONDS:.0f} (straight to the server {straight['answered'] / SECONDS:.0f})")
    figure("CPU of the worker per question and answer", f"{cpu_us:.1f} us")
    figure("latency", f"p50 {balanced['p50_us']} us, p99 {balanced['p99_us']} us "
                      f"(straight: {straight['p50_us']}, {straight['p99_us']})")
    assert balanced["answered"] > 1000 * SECONDS
    assert balanced["lost"] == 0, balanced
