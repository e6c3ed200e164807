"""Clients keep their servers: by a cookie, an address or a header; across workers, drains, deaths and nodes."""
import base64
import collections
import os
import re
import secrets
import subprocess

import pytest

from lab import Lab, wait_for
from pool_house import PoolHouse, cookie_of

COOKIE = {"method": "cookie", "name": "SID", "ttl": "1h", "http_only": True}


@pytest.fixture(scope="module")
def house():
    with Lab("sticky") as lab:
        made = PoolHouse(lab)
        yield made
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal=4", "signal=6", "signal=11"):
            assert trouble not in text, text


@pytest.fixture(autouse=True)
def ready(house):
    for server in house.servers.values():
        server.behave()
        server.seen.clear()
    yield
    for name in house.servers:
        house.node.api("DELETE", f"/v1/stacks/shop/pools/web/servers/{name}/overlay")


def drain(house, name, state="drain"):
    house.node.api("PUT", f"/v1/stacks/shop/pools/web/servers/{name}/overlay", {"state": state, "why": "test"})
    wait_for(lambda: house.node.server_states("web").get(name) == {"drain": "drain", "disabled": "disabled"}[state], 5, name)
    wait_for(lambda: name not in {house.get()[1] for _ in range(20)}, 5, f"nothing new for {name}")


def answered(house, times, *fields, **how):
    return collections.Counter(house.get(*fields, **how)[1] for _ in range(times))


def test_a_cookie_keeps_a_client(house):
    house.put(sticky=COOKIE)
    _, name, head = house.get()
    value, attributes = cookie_of(head)
    assert attributes == "; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", value) and name not in value
    for _ in range(30):
        status, again, head = house.get(f"Cookie: a=b; SID={value}")
        assert (status, again, cookie_of(head)) == (200, name, None)
    assert len(answered(house, 30)) == 3  # those without one are spread


def test_a_connection_may_carry_many_clients(house):
    house.put(sticky=COOKIE)
    tokens = {}
    while len(tokens) < 3:
        _, name, head = house.get()
        tokens[name] = cookie_of(head)[0]
    peer = house.connect()
    for name in list(tokens) * 5:
        peer.send(f"GET / HTTP/1.1\r\nHost: a\r\nCookie: SID={tokens[name]}\r\n\r\n".encode())
        assert peer.response()[2].decode() == name


@pytest.mark.parametrize("value", ["", "x", "A" * 22, "A" * 21 + "Q", "../../etc", "\xff" * 22, "A" * 4000])
def test_cookies_that_are_not_ours_are_as_none(house, value):
    house.put(sticky=COOKIE)
    status, _, head = house.get(f"Cookie: SID={value}")
    assert status == 200 and cookie_of(head)
    assert len(answered(house, 30, f"Cookie: SID={value}")) == 3


def test_one_changed_bit_is_no_cookie_of_ours(house):
    house.put(sticky=COOKIE)
    value = cookie_of(house.get()[2])[0]
    raw = bytearray(base64.urlsafe_b64decode(value + "=="))
    raw[15] ^= 1
    forged = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert len(answered(house, 30, f"Cookie: SID={forged}")) == 3
    wait_for(lambda: house.metric("ballast_pool_sticky_total", outcome="unknown") >= 30, 5, "metric")


def test_a_draining_server_keeps_its_clients(house):
    house.put(sticky=COOKIE)
    _, name, head = house.get()
    value = cookie_of(head)[0]
    drain(house, name)
    assert answered(house, 20, f"Cookie: SID={value}") == {name: 20}
    assert name not in answered(house, 20)


def test_a_drain_limit_ends_that(house):
    house.put(sticky={**COOKIE, "drain_limit": "1s"})
    _, name, head = house.get()
    value = cookie_of(head)[0]
    drain(house, name)
    moved = wait_for(lambda: (lambda answer: answer if answer[1] != name else None)(house.get(f"Cookie: SID={value}")), 10, "moved")
    assert cookie_of(moved[2])[0] != value


@pytest.mark.parametrize("how", ["disabled", "removed", "dead"])
def test_a_client_whose_server_is_gone_moves_for_good(house, how):
    house.put(sticky=COOKIE)
    _, name, head = house.get()
    value = cookie_of(head)[0]
    if how == "disabled":
        drain(house, name, "disabled")
    elif how == "removed":
        house.put(servers={name: None}, sticky=COOKIE)
    else:
        house.servers[name].reset_all()
    status, other, head = house.get(f"Cookie: SID={value}")
    assert status == 200 and other != name
    fresh = cookie_of(head)[0]
    assert fresh != value
    if how == "dead":
        house.servers[name].behave()
    assert answered(house, 10, f"Cookie: SID={fresh}") == {other: 10}


def test_a_full_server_lends_its_client_once(house):
    house.put(sticky=COOKIE, servers={name: {"maximum_connections": 1} for name in house.servers})
    _, name, head = house.get()
    value = cookie_of(head)[0]
    held = {"free": False}
    house.servers[name].reply = lambda head: wait_for(lambda: held["free"], 10) and (200, "")
    house.servers[name].seen.clear()
    busy = house.connect()
    busy.send(f"GET / HTTP/1.1\r\nHost: a\r\nCookie: SID={value}\r\n\r\n".encode())
    wait_for(lambda: house.servers[name].seen, 5, "the request at its server")
    status, other, head = house.get(f"Cookie: SID={value}")
    held["free"] = True
    assert (status, cookie_of(head)) == (200, None) and other != name  # served, and still its client
    assert busy.response()[2].decode() == name
    wait_for(lambda: house.get(f"Cookie: SID={value}")[1] == name, 5, "back")


def curl(house, *args):
    """One request over HTTP/2 with prior knowledge: (status, body, head)."""
    done = subprocess.run(["curl", "-s", "-i", "--max-time", "10", "--http2-prior-knowledge", *args, f"http://127.0.0.1:{house.port}/"],
                          capture_output=True, text=True, check=True)
    head, body = done.stdout.replace("\r\n", "\n").split("\n\n", 1)
    assert head.startswith("HTTP/2 ")
    return int(head.split()[1]), body, "\n" + head + "\n"


def test_streams_of_http2_are_the_same(house):
    house.put(sticky=COOKIE)
    _, name, head = curl(house)
    value = re.search(r"\nset-cookie: SID=([A-Za-z0-9_-]{22}); Path=/; Max-Age=3600; HttpOnly; SameSite=Lax\n", head)[1]
    for _ in range(5):
        status, again, head = curl(house, "-H", f"Cookie: a=b; SID={value}")
        assert (status, again) == (200, name) and "set-cookie" not in head
    house.put(sticky={**COOKIE, "mode": "prefix"}, fallback_status=["404"])
    for server in house.servers.values():
        server.misbehave(404, "Set-Cookie: SID=s; Path=/\r\n")
    status, body, head = curl(house)  # what was held is an answer over HTTP/2, too
    assert (status, body in house.servers) == (404, True) and "content-length: 2" in head
    assert {len(server.seen) > 0 for server in house.servers.values()} == {True}


def test_rewrite_puts_ours_in_the_place_of_the_servers(house):
    house.put(sticky={**COOKIE, "mode": "rewrite"})
    assert cookie_of(house.get()[2]) is None  # the server sets none
    for server in house.servers.values():
        server.misbehave(200, "X-A: 1\r\nSet-Cookie: SID=whatever; Path=/app; Secure\r\nSet-Cookie: b=c\r\n")
    _, name, head = house.get()
    value, attributes = cookie_of(head)
    assert attributes == "; Path=/app; Secure" and re.fullmatch(r"[A-Za-z0-9_-]{22}", value)
    assert cookie_of(head, "b") == ("c", "") and "x-a: 1" in head.lower()
    assert answered(house, 10, f"Cookie: SID={value}") == {name: 10}


def test_prefix_lies_before_the_servers_value(house):
    house.put(sticky={**COOKIE, "mode": "prefix"})
    for server in house.servers.values():
        server.misbehave(200, "Set-Cookie: SID=session-1; Path=/\r\n")
    _, name, head = house.get()
    value, attributes = cookie_of(head)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}~session-1", value) and attributes == "; Path=/"
    for server in house.servers.values():
        server.seen.clear()
    assert answered(house, 10, f"Cookie: a=b; SID={value}; c=d") == {name: 10}
    for seen in house.servers[name].seen:
        assert re.search(rb"(?i)\r\ncookie: +a=b; SID=session-1; c=d(\r|$)", seen)


def test_an_address_keeps_its_server_in_all_workers(house):
    house.put(sticky={"method": "source", "ttl": "1h"}, balance="random-two")
    homes = {}
    for n in range(1, 21):
        source = f"127.0.9.{n}"
        homes[source] = house.get(source=source)[1]
        assert answered(house, 6, source=source) == {homes[source]: 6}
    assert len(set(homes.values())) == 3
    os.kill(house.node.workers()[0], 9)  # the table outlives a worker
    wait_for(lambda: len(house.node.workers()) == 2, 10, "a new worker")
    for source, name in homes.items():
        assert wait_for(lambda: house.get(source=source)[1], 5) == name


def test_a_header_keeps_its_server(house):
    house.put(sticky={"method": "header", "name": "X-Session"}, balance="random-two")
    for n in range(10):
        home = house.get(f"x-session: s{n}")[1]
        assert answered(house, 6, f"X-Session: s{n}") == {home: 6}
    assert len(answered(house, 40)) == 3


def test_cookies_are_good_on_every_node_and_after_a_restart(house):
    key = "1:" + base64.b64encode(secrets.token_bytes(32)).decode() + "\n"
    with Lab("sticky-nodes") as lab:
        file = lab.folder / "cluster.key"
        file.write_text(key)
        file.chmod(0o600)
        one, two = (PoolHouse(lab, workers=1, extra=f"cluster_key_file: {file}\n", name=name) for name in ("n-a", "n-b"))
        two.servers = one.servers
        for node in (one, two):
            node.put(sticky=COOKIE)
        _, name, head = one.get()
        value = cookie_of(head)[0]
        assert answered(two, 10, f"Cookie: SID={value}") == {name: 10}
        newer = "2:" + base64.b64encode(secrets.token_bytes(32)).decode() + "\n"
        file.write_text(newer + key)  # another key; the old one still opens, and clients get the new cookie
        two.node.daemons["data"].stop()
        two.node.start("data")
        status, again, head = wait_for(lambda: two.get(f"Cookie: SID={value}"), 5)
        assert again == name and cookie_of(head)[0] != value
        assert answered(two, 10, f"Cookie: SID={cookie_of(head)[0]}") == {name: 10}
    house.put(sticky=COOKIE)  # without a cluster's key: the node's own, kept in state_dir
    _, name, head = house.get()
    value = cookie_of(head)[0]
    house.node.daemons["data"].stop()
    house.node.start("data")
    wait_for(lambda: len(house.node.workers()) == 2, 10, "workers")
    assert answered(house, 10, f"Cookie: SID={value}") == {name: 10}
