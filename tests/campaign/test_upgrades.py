"""Fifty upgrades of data in a row under load (decision D4): no request fails, no plaintext tunnel closes, no byte is wrong."""
import re
import signal
import subprocess

import pytest

from lab import Lab
from test_handover import House, Tunnels

UPGRADES = 50
TUNNELS = 2000


def load(*argv):
    return subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, text=True)


def memory_kib(pids):
    return [int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read())[1]) for pid in pids]


@pytest.fixture
def house():
    with Lab("upgrades") as lab:
        yield House(lab)


def test_fifty_upgrades(house, figure):
    tunnels = [Tunnels(TUNNELS // 2, house.tcp), Tunnels(TUNNELS // 2, house.www, "upgrade")]
    url = f"http://127.0.0.1:{house.fast}/"
    kept = load("wrk", "-c64", "-t1", "-d20m", "--timeout", "10s", url)
    fresh = load("wrk", "-c16", "-t1", "-d20m", "--timeout", "10s", "-H", "Connection: close", url)
    house.replace(within=60)
    before = memory_kib(house.workers())
    for _ in range(UPGRADES - 1):
        house.replace(within=60)
    after = memory_kib(house.workers())
    total = 0
    for name, process in (("kept", kept), ("new connections", fresh)):
        process.send_signal(signal.SIGINT)
        text = process.communicate(timeout=60)[0]
        requests = int(re.search(r"(\d+) requests in", text)[1])
        total += requests
        figure(f"requests over {UPGRADES} upgrades, {name}", requests)
        assert "Socket errors" not in text and "Non-2xx" not in text, text
    for t in tunnels:
        tally = t.tally()
        figure("tunnels", tally)
        assert tally["bytes"] > 0 and tally["wrong"] == 0 and tally["closed"] == 0
    figure("requests in all", total)
    figure("memory of the workers in KiB, after the first and after the last upgrade", (before, after))
    assert len(house.workers()) == 2
    assert max(after) < max(before) * 1.5
