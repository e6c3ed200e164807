"""Balancing through two real workers: who gets what, what moves when servers change, limits, slow start."""
import collections
import threading
import time

import pytest

from lab import Lab, wait_for
from pool_house import PoolHouse

HASHES = [
    {"balance": "source-hash"},
    {"balance": "maglev"},
    {"balance": "header-hash", "hash_header": "X-Tenant"},
    {"balance": "maglev", "hash_header": "X-Tenant"},
]


@pytest.fixture(scope="module")
def house():
    with Lab("balance") as lab:
        made = PoolHouse(lab, servers=5)
        yield made
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal="):
            assert trouble not in text, text


@pytest.fixture(autouse=True)
def ready(house):
    for server in house.servers.values():
        server.behave()
        server.seen.clear()
    yield
    for name in house.servers:
        house.node.api("DELETE", f"/v1/stacks/shop/pools/web/servers/{name}/overlay")


def overlay(house, name, **fields):
    house.node.api("PUT", f"/v1/stacks/shop/pools/web/servers/{name}/overlay", {"why": "test", **fields})


def restart_data(house):
    house.node.daemons["data"].stop()
    house.node.start("data")
    wait_for(lambda: len(house.node.workers()) == 2, 10, "workers")
    wait_for(lambda: house.get()[0] == 200, 5, "traffic")

    def is_whole():
        status = house.node.status()
        data = status["nodes"][0]["daemons"]["data"]
        return data["state"] == "running" and data["generation"] == status["generation"]

    wait_for(is_whole, 5, "the agent")


def ask(house, pool, key):
    if "hash_header" in pool:
        return house.get(f"x-tenant: t{key}")[1]
    return house.get(source=f"127.0.8.{key}")[1]


@pytest.mark.parametrize("balance", ["round-robin", "least-connections", "random-two", "least-time"])
def test_all_are_used_by_weight(house, balance):
    house.put(balance=balance, servers={"w0": {"weight": 300}, "w4": {"weight": 0}})
    counts = collections.Counter(house.get()[1] for _ in range(600))
    assert set(counts) == {"w0", "w1", "w2", "w3"}
    if balance != "least-time":  # goes by times that no two servers share here
        assert 240 <= counts["w0"] <= 360, counts  # 300
        assert all(60 <= counts[w] <= 140 for w in ("w1", "w2", "w3")), counts  # 100 each


@pytest.mark.parametrize("pool", HASHES, ids=lambda p: "-".join(p.values()))
def test_a_key_has_one_server_in_all_workers(house, pool):
    house.put(**pool)
    homes = {key: ask(house, pool, key) for key in range(1, 41)}
    assert len(set(homes.values())) == 5
    for key in homes:
        assert {ask(house, pool, key) for _ in range(4)} == {homes[key]}


@pytest.mark.parametrize("pool", HASHES, ids=lambda p: "-".join(p.values()))
def test_changes_move_only_their_own_keys(house, pool, figure):
    """A server drained, back, removed, added: who else's keys move."""
    house.put(**pool)
    keys = range(1, 121)
    homes = {key: ask(house, pool, key) for key in keys}
    overlay(house, "w2", state="drain")
    wait_for(lambda: house.node.server_states("web")["w2"] == "drain", 5, "drain")
    wait_for(lambda: all(ask(house, pool, key) != "w2" for key in keys if homes[key] == "w2"), 5, "nothing for w2")
    for key in keys:
        if homes[key] != "w2":
            assert ask(house, pool, key) == homes[key]
    overlay(house, "w2", state="ready")
    wait_for(lambda: all(ask(house, pool, key) == homes[key] for key in keys), 5, "all as before")
    house.put(servers={"w3": None}, **pool)
    moved = sum(ask(house, pool, key) != homes[key] for key in keys if homes[key] != "w3")
    figure("moved without need by a removal, of 120", moved)
    assert moved <= (0 if "hash" in pool["balance"] else 12)
    house.put(**pool)
    assert all(ask(house, pool, key) == homes[key] for key in keys)


def test_a_limit_is_exact_over_all_workers_and_the_rest_waits(house):
    house.put(servers={f"w{n}": None for n in range(1, 5)} | {"w0": {"maximum_connections": 3}},
              queue={"maximum": 100, "timeout": "10s"})
    now, most, lock = [0], [0], threading.Lock()

    def reply(head):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)  # the work that a request is
        with lock:
            now[0] -= 1
        return 200, ""

    house.servers["w0"].reply = reply
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(house.get()[0])) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 40 and most[0] == 3


def test_backups_serve_only_when_no_other_can(house):
    house.put(servers={"w3": {"backup": True}, "w4": {"backup": True}})
    assert {house.get()[1] for _ in range(40)} == {"w0", "w1", "w2"}
    for name in ("w0", "w1", "w2"):
        overlay(house, name, state="disabled")
    wait_for(lambda: {house.get()[1] for _ in range(20)} == {"w3", "w4"}, 5, "the backups")
    overlay(house, "w1", state="ready")
    wait_for(lambda: {house.get()[1] for _ in range(20)} == {"w1"}, 5, "the one that is back")


def test_a_server_that_is_added_or_back_starts_slowly(house, figure):
    house.put(slow_start="3s", servers={"w4": None})
    restart_data(house)  # what other stories did to servers a moment ago is forgotten
    before = collections.Counter(house.get()[1] for _ in range(80))
    assert min(before.values()) >= 15  # those that were there do not start anew
    house.put(slow_start="3s")
    first = collections.Counter(house.get()[1] for _ in range(100))
    figure("requests of 100 for the new one of five at first", first["w4"])
    assert first["w4"] <= 12
    wait_for(lambda: collections.Counter(house.get()[1] for _ in range(100))["w4"] >= 18, 20, "its full share")
    overlay(house, "w1", state="disabled")
    wait_for(lambda: house.node.server_states("web")["w1"] == "disabled", 5, "disabled")
    overlay(house, "w1", state="ready")
    wait_for(lambda: house.node.server_states("web")["w1"] == "unchecked", 5, "ready")
    wait_for(lambda: "w1" in {house.get()[1] for _ in range(50)}, 5, "something for it")
    assert collections.Counter(house.get()[1] for _ in range(100))["w1"] <= 12
    restart_data(house)  # a new data plane: everyone was there before
    again = collections.Counter(house.get()[1] for _ in range(100))
    assert again["w1"] >= 15


def test_panic_spreads_over_all(house):
    house.put(panic_percent=50, passive={"errors": 1, "window": "10s", "eject": "1m", "maximum_ejected_percent": 100})
    for name in ("w0", "w1", "w2"):
        house.servers[name].misbehave(503)
    wait_for(lambda: sum(house.get()[0] == 503 for _ in range(5)) >= 0 and
             list(house.node.server_states("web").values()).count("down") == 3, 10, "three down")
    wait_for(lambda: {house.get()[1] for _ in range(50)} == set(house.servers), 5, "all five are used")
