"""Stories of limits: how often clients may ask, over all workers together."""
import json
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from http_house import field
from lab import Lab, wait_for
from test_routes import House

LIMITED = {"key": "client", "rate": "5/m", "burst": 2}


@pytest.fixture(scope="module")
def house():
    with Lab("limits") as lab:
        made = House(lab, workers=2)
        yield made
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal="):
            assert trouble not in text, text


def statuses(house, count, target="/", **how):
    return [house.ask(target, **how)[0] for _ in range(count)]


def test_clients_over_the_rate_are_told_when_to_come_back(house):
    house.put([{"match": {"path": "/other"}, "pool": "web"}], limit=LIMITED, error_pages={"429": "<p>slower</p>"})
    assert statuses(house, 3) == [200, 200, 200]
    status, head, body = house.ask("/over")
    assert (status, body) == (429, b"<p>slower</p>")
    assert 10 <= int(field(head, b"retry-after")) <= 12
    assert house.logged("/over")["end"] == "limited"
    client = house.client()
    client.send(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert [client.response()[0] for _ in range(2)] == [429, 429], "the connection stays"
    assert house.ask("/", listener="bare")[0] == 404, "each listener counts for itself"


def test_routes_count_by_header_and_cookie(house):
    house.put([
        {"match": {"path_prefix": "/key"}, "pool": "api", "limit": {"key": "header:X-Api-Key", "rate": "1/h", "burst": 1}},
        {"match": {"path_prefix": "/session"}, "pool": "api", "limit": {"key": "cookie:sid", "rate": "1/h"}},
        {"match": {"path_prefix": "/log"}, "pool": "api", "limit": {"key": "client", "rate": "1/h", "action": "log"}},
        {"match": {"path_prefix": "/own"}, "respond": {"status": 200}, "limit": {"key": "client", "rate": "1/h"}},
    ])
    for key in ("a", "b"):
        assert statuses(house, 3, "/key", headers=f"X-Api-Key: {key}\r\n") == [200, 200, 429]
        assert statuses(house, 2, "/session", headers=f"Cookie: x=y; sid={key}\r\n") == [200, 429]
    assert statuses(house, 3, "/key") == [200, 200, 429], "without a key the address counts"
    assert statuses(house, 2, "/own") == [200, 429]
    assert statuses(house, 3, "/log/1") == [200] * 3
    wait_for(lambda: sorted(json.loads(line)["end"] for line in house.log.read_text().splitlines()
                            if "/log/1" in line) == ["ok"] + ["ok-over-limit"] * 2, 3, "the log to tell")
    assert statuses(house, 2) == [200, 200], "other routes are not limited"


def test_a_limit_changes_live_and_forgets_nobody(house):
    def put(rate, more=()):
        house.put([*more, {"match": {"path": "/live"}, "pool": "api", "limit": {"key": "header:k", "rate": rate}}])

    put("1/h")
    assert statuses(house, 2, "/live", headers="k: a\r\n") == [200, 429]
    put("2/h", [{"match": {"path": "/before"}, "pool": "web"}])
    assert statuses(house, 1, "/live", headers="k: a\r\n") == [429], "buckets go on, though the route has moved"
    assert statuses(house, 2, "/live", headers="k: b\r\n") == [200, 429]
    house.put([{"match": {"path": "/live"}, "pool": "api"}])
    assert statuses(house, 3, "/live", headers="k: a\r\n") == [200] * 3


def test_buckets_outlive_the_workers(house):
    house.put([{"match": {"path": "/worker"}, "pool": "api", "limit": {"key": "header:k", "rate": "1/h"}}])
    assert statuses(house, 2, "/worker", headers="k: a\r\n") == [200, 429]
    before = set(house.node.workers())
    house.node.daemons["data"].signal(1)
    wait_for(lambda: len(house.node.workers()) == 2 and not before & set(house.node.workers()), 15, "new workers")
    assert statuses(house, 2, "/worker", headers="k: a\r\n") == [429, 429]


def test_the_rate_is_exact_over_all_workers(house, figure):
    """wrk asks at many times the rate, over two workers; what is answered 200 is the rate."""
    rate, burst, seconds = 1000, 500, 3  # a burst of half a second: a stall of the machine costs nothing
    house.put([{"match": {"path": "/exact"}, "respond": {"status": 200},
                "limit": {"key": "client", "rate": f"{rate}/s", "burst": burst}}])
    began = time.monotonic()
    text = subprocess.run(["wrk", "-t1", "-c32", f"-d{seconds}s", f"http://127.0.0.1:{house.ports['www']}/exact"],
                          capture_output=True, text=True, check=True).stdout
    took = time.monotonic() - began
    total = int(re.search(r"(\d+) requests in", text)[1])
    accepted = total - int(re.search(r"Non-2xx or 3xx responses: (\d+)", text)[1])
    least, most = burst + 1 + rate * seconds, burst + 1 + rate * took
    figure("accepted of what the rate allows", f"{accepted} of {least} to {most:.0f} (asked {total / seconds / rate:.0f} times the rate)")
    assert total > 3 * least, "too slow to tell"
    assert 0.98 * least <= accepted <= most


def test_many_clients_at_once_do_not_limit_each_other(house):
    house.put([{"match": {"path": "/crowd"}, "respond": {"status": 200},
                "limit": {"key": "header:k", "rate": "1/h"}}])

    def ask(part):
        client = house.client()
        answers = []
        for i in range(500):
            client.send(f"GET /crowd HTTP/1.1\r\nHost: a\r\nk: {part}-{i}\r\n\r\n".encode())
            answers.append(client.response()[0])
        return answers

    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(ask, range(4)):
            assert answers == [200] * 500
