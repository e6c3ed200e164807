"""HTTP/1.1 through a real worker: servers and clients that fail, are slow, or ask for a gibibyte."""
import fcntl
import hashlib
import os
import re
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

import pytest

from http_house import HEAD, OK, Peer, answering, field, house  # noqa: F401 (house is a fixture)
from lab import free_port, wait_for


# Servers that fail


def test_a_dead_server_costs_no_request(house):
    house.server.play(answering(OK))
    for _ in range(10):
        assert house.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "spread")[0] == 200


def test_no_server_is_said(house):
    status, _, _ = house.ask(HEAD, "empty")
    assert status == 502
    client = house.client("empty")
    for _ in range(3):
        client.send(HEAD)
        assert client.response()[0] == 502  # and the connection goes on


def test_a_kept_connection_that_just_ended_costs_no_request(house):
    ended = []

    def script(peer, number):
        peer.head()
        peer.send(OK)  # and closes, although it promised to keep it
        peer.s.close()
        ended.append(number)

    house.server.play(script)
    for method in (b"GET", b"POST"):
        client = house.client()
        for _ in range(50):
            if method == b"POST":  # one that meets the close half-way may have been read: it is not sent twice
                wait_for(lambda: len(ended) == house.server.accepted, 5)
            client.send(method + b" / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
            assert client.response()[0] == 200


def on_the_way(s):
    """Bytes that the other end's kernel has not acknowledged."""
    return struct.unpack("i", fcntl.ioctl(s, termios.TIOCOUTQ, b"\0" * 4))[0]


def test_what_a_server_says_unasked_is_nobodys_answer(house):
    """It has come before the next request is read, or behind it but before the worker looks (stopped meanwhile)."""
    peers = []

    def script(peer, number):
        while True:
            peer.head()
            peers.append(peer)
            peer.send(OK)

    house.server.play(script)
    stale = OK.replace(b"ok", b"no")
    for is_behind in [False, True] * 5:
        client = house.client()
        client.send(HEAD)
        assert client.response()[2] == b"ok"
        peer = peers[-1]
        workers = house.node.workers()
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
            wait_for(lambda p=pid: Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T", 5)
        try:
            for send in (client.send, peer.send) if is_behind else (peer.send, client.send):
                send(HEAD if send == client.send else stale)
            wait_for(lambda: not on_the_way(client.s) and not on_the_way(peer.s), 5, "both to have arrived")
        finally:
            for pid in workers:
                os.kill(pid, signal.SIGCONT)
        status, _, body = client.response()
        assert (status, body) == (200, b"ok"), is_behind
        assert peers[-1] is not peer


def test_a_reset_before_the_response_is_tried_again_if_it_may_be(house):
    def script(peer, number):
        peer.head()
        if number == 1:
            peer.reset()
        else:
            peer.send(OK)

    wait_for(lambda: drop_idle(house), 5)
    house.server.play(script)
    assert house.ask(HEAD)[0] == 200
    assert house.server.accepted == 2
    wait_for(lambda: drop_idle(house), 5)
    house.server.play(script)
    assert house.ask(b"POST /reset HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")[0] == 502
    assert house.server.accepted == 1
    assert house.logged("/reset")["end"] in ("server-reset", "server-closed")


def test_what_a_server_may_have_carried_out_is_not_sent_twice(house):
    carried_out = []

    def script(peer, _):
        while True:
            if not peer.head().startswith(b"POST"):
                peer.send(OK)
                continue
            carried_out.append(peer.exactly(3))
            peer.reset()  # sooner than its kernel acknowledges what was read
            return

    house.server.play(script)
    client = house.client()
    for _ in range(50):  # a connection that goes back and forth has its acknowledgements delayed
        client.send(HEAD)
        assert client.response()[0] == 200
    client.send(b"POST /once HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
    assert client.response()[0] == 502
    assert carried_out == [b"abc"]


def drop_idle(house):
    """Has the worker's idle connections to the server ended by asking for a response that closes them."""
    house.server.play(answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"))
    before = house.server.accepted
    for listener in ("www", "limited", "trusting"):
        house.ask(HEAD, listener)
    return house.server.accepted - before == 3


@pytest.mark.parametrize("beginning", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
])
@pytest.mark.parametrize("reset", [False, True])
def test_a_response_cut_short_is_never_whole(house, beginning, reset):
    def script(peer, _):
        peer.head()
        peer.send(beginning)
        wait_for(lambda: house.seen, 5)
        if reset:
            peer.reset()

    house.server.play(script)
    house.seen = False
    client = house.client()
    client.send(HEAD)
    client.head()
    house.seen = True
    with pytest.raises((EOFError, ConnectionResetError)):
        if b"chunked" in beginning:
            client.chunked()
        else:
            client.exactly(10)


def test_a_reset_where_only_the_end_tells_reaches_an_old_client_as_a_reset(house):
    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        wait_for(lambda: house.seen, 5)
        peer.reset()

    house.server.play(script)
    house.seen = False
    client = house.client()
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    client.head()
    client.exactly(3)
    house.seen = True
    with pytest.raises(ConnectionResetError):
        client.rest()


def test_a_server_that_is_silent_is_given_up(house):
    def script(peer, _):
        peer.head()
        wait_for(peer.is_ended, 5)

    house.server.play(script)
    assert house.ask(b"GET /silent HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 504
    assert house.logged("/silent")["end"] == "response-timeout"


def test_a_server_that_stops_in_a_body_is_given_up(house):
    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        wait_for(peer.is_ended, 5)

    house.server.play(script)
    client = house.client()
    client.send(b"GET /stops HTTP/1.1\r\nHost: a\r\n\r\n")
    client.head()
    with pytest.raises((EOFError, ConnectionResetError)):
        client.exactly(10)
    assert house.logged("/stops")["end"] == "server-timeout"


def test_an_early_response_arrives_whole(house):
    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")

    house.server.play(script)
    client = house.client()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n")
    try:
        for _ in range(50):
            client.send(b"x" * 100000)
    except OSError:
        pass
    status, head, body = client.response()
    assert (status, body) == (413, b"no\n") and field(head, b"connection") == b"close"


# Clients that fail


def test_a_client_that_resets_ends_the_servers_work(house):
    ended = threading.Event()

    def script(peer, _):
        peer.head()
        if peer.is_ended():
            ended.set()

    house.server.play(script)
    client = house.client()
    client.send(b"GET /leaves HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for(lambda: house.server.heads, 5)
    client.reset()
    assert ended.wait(5)
    assert house.logged("/leaves")["end"] == "client-abort"


def test_a_client_that_has_said_all_still_gets_its_answer(house):
    def script(peer, _):
        peer.head()
        time.sleep(0.2)  # the server's work
        peer.send(OK)

    house.server.play(script)
    client = house.client()
    client.send(HEAD)
    client.s.shutdown(socket.SHUT_WR)
    assert client.response()[2] == b"ok"
    assert client.is_ended()


def test_a_client_that_stops_in_its_body_is_an_abort(house):
    house.server.play(lambda peer, _: peer.head() and peer.rest())
    client = house.client()
    client.send(b"POST /stopped HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    client.s.shutdown(socket.SHUT_WR)
    assert client.is_ended()
    assert house.logged("/stopped")["end"] == "client-abort"


def test_a_pipelined_request_that_stops_in_its_body_is_an_abort(house):
    def script(peer, _):
        while peer.head().startswith(b"GET"):
            peer.send(OK)
        peer.rest()

    house.server.play(script)
    client = house.client()
    client.send(HEAD + b"POST /stopped-too HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    client.s.shutdown(socket.SHUT_WR)
    assert client.response()[0] == 200
    assert client.is_ended()
    assert house.logged("/stopped-too")["end"] == "client-abort"


def test_a_slow_reader_loses_nothing(house):
    size = 20_000_000
    sent = threading.Event()

    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(size // 10000):
            peer.send(b"2710\r\n" + b"y" * 10000 + b"\r\n")
        peer.send(b"0\r\n\r\n")
        sent.set()

    house.server.play(script)
    client = house.client()
    client.send(HEAD)
    client.head()
    assert not sent.wait(0.5), "nothing held the server back"
    pieces, left = [client.buffer], size // 10000 * 10008 + 5 - len(client.buffer)
    while left:
        pieces.append(client.s.recv(1 << 20))
        assert pieces[-1], "cut short"
        left -= len(pieces[-1])
    whole = Peer(None)
    whole.buffer = b"".join(pieces)
    assert whole.line() == b"2710" and whole.buffer.endswith(b"\r\n0\r\n\r\n")
    assert whole.buffer.count(b"y") == size
    assert sent.is_set()


# Queues, generations, logs


def test_requests_wait_for_a_full_server(house):
    go = threading.Event()

    def script(peer, _):
        while True:
            peer.head()
            go.wait(10)
            peer.send(OK)

    house.server.play(script)
    first, second, third = (house.client("narrow") for _ in range(3))
    first.send(HEAD)
    wait_for(lambda: len(house.server.heads) == 1, 5)
    second.send(HEAD)
    time.sleep(0.1)  # the second is in the queue before the third comes
    third.send(HEAD)
    status, head, _ = third.response()
    assert status == 503 and field(head, b"retry-after")
    assert len(house.server.heads) == 1
    go.set()
    assert first.response()[0] == 200
    assert second.response()[0] == 200


def test_waiting_has_an_end(house):
    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(30):
            peer.send(b"x")
            time.sleep(0.05)  # alive, and slow

    house.server.play(script)
    first, second = house.client("narrow"), house.client("narrow")
    first.send(HEAD)
    first.head()
    second.send(HEAD)
    assert second.response()[0] == 503


def test_a_request_under_way_survives_the_generation_that_removes_its_pool(house):
    go = threading.Event()

    def script(peer, _):
        peer.head()
        go.wait(10)
        peer.send(OK)

    house.server.play(script)
    client = house.client("one")
    client.send(HEAD)
    wait_for(lambda: house.server.heads, 5)
    document = house.document()
    document["pools"] = [p for p in document["pools"] if p["name"] != "one"]
    document["listeners"] = [x for x in document["listeners"] if x["name"] != "one"]
    house.node.put(document)
    go.set()
    status, head, _ = client.response()
    assert status == 200 and field(head, b"connection") == b"close"
    house.node.put(house.document())


def test_a_head_half_here_belongs_to_the_generation_that_sees_it_whole(house):
    house.server.play(answering(OK))
    client = house.client("one")
    client.send(HEAD[:20])
    document = house.document()
    document["pools"] = [p for p in document["pools"] if p["name"] != "one"]
    next(x for x in document["listeners"] if x["name"] == "one")["pool"] = "web"
    house.node.put(document)
    client.send(HEAD[20:])
    assert client.response()[0] == 200
    house.node.put(house.document())


def test_a_log_that_was_moved_is_begun_anew(house):
    house.server.play(answering(OK))
    house.ask(b"GET /before HTTP/1.1\r\nHost: a\r\n\r\n")
    house.logged("/before")
    house.log.rename(house.log.with_suffix(".1"))
    house.node.daemons["data"].signal(signal.SIGUSR1)
    wait_for(house.log.exists, 5)
    house.ask(b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n")
    house.logged("/after")


def test_a_log_line_cannot_be_forged(house):
    house.server.play(answering(OK))
    house.ask(b"GET /forged\" HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\r\n\r\n", "trusting")
    log = house.log.with_name("trusting.log")
    line = wait_for(lambda: [x for x in log.read_text().splitlines() if "forged" in x], 3)[0]
    assert line.endswith(' path="/forged\\""') and " status=200 " in line and " end=ok " in line


# Much


GIB = 1 << 30


def memory_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


class Watch(threading.Thread):
    """The greatest memory of a process while something goes on."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.first, self.most, self.is_over = pid, memory_kib(pid), 0, threading.Event()

    def run(self):
        while not self.is_over.wait(0.02):
            self.most = max(self.most, memory_kib(self.pid))

    def growth_kib(self):
        self.is_over.set()
        self.join()
        return self.most - self.first


def test_a_gibibyte_down_and_up_in_little_memory(house, figure):
    block = bytes(range(256)) * 4096

    def script(peer, _):
        head = peer.head()
        if head.startswith(b"GET"):
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIB)
            for _ in range(GIB // len(block)):
                peer.send(block)
            return
        digest, left = hashlib.sha256(), GIB
        while left:
            if not peer.buffer:
                peer.more()
            digest.update(peer.buffer)
            left -= len(peer.buffer)
            peer.buffer = b""
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + digest.hexdigest().encode())

    house.server.play(script)
    want = hashlib.sha256()
    for _ in range(GIB // len(block)):
        want.update(block)

    watch = Watch(house.worker())
    watch.start()
    client = house.client()
    client.send(b"GET /gib HTTP/1.1\r\nHost: a\r\n\r\n")
    client.head()
    got, left = hashlib.sha256(client.buffer), GIB - len(client.buffer)
    while left:
        data = client.s.recv(1 << 20)
        assert data
        got.update(data)
        left -= len(data)
    assert got.digest() == want.digest()
    figure("memory grown while 1 GiB came down", f"{watch.growth_kib()} KiB")
    assert watch.most - watch.first < 4096

    watch = Watch(house.worker())
    watch.start()
    client = house.client()
    client.s.settimeout(60)
    client.send(b"PUT /gib HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % GIB)
    for _ in range(GIB // len(block)):
        client.send(block)
    assert client.response()[2] == want.hexdigest().encode()
    figure("memory grown while 1 GiB went up", f"{watch.growth_kib()} KiB")
    assert watch.most - watch.first < 4096


def test_a_server_killed_under_load_costs_no_request(lab, figure):
    servers = [lab.nginx(f"w{n}", "hello\n") for n in range(2)]
    port = free_port()
    node = lab.node("lb-a").start("control", "data")
    node.put({
        "stack": "shop",
        "pools": [{"name": "web", "protocol": "http",
                   "servers": [{"name": f"w{n}", "address": s.address} for n, s in enumerate(servers)]}],
        "listeners": [{"name": "www", "bind": [f"127.0.0.1:{port}"], "protocol": "http", "pool": "web"}],
    })
    load = subprocess.Popen(["wrk", "-t1", "-c16", "-d5s", f"http://127.0.0.1:{port}/"], stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)  # load before the kill
    servers[0].kill()
    out, _ = load.communicate(timeout=30)
    assert "Socket errors" not in out and "Non-2xx" not in out, out
    figure("requests with a server killed", re.search(r"(\d+) requests in", out)[1] + ", none failed")
