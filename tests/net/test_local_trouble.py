"""A node whose own ground gives way: no room, no writing, no folder, no descriptors, no memory. Traffic goes on, the
trouble is named in the log and in status, and all is well again without a restart."""
import os
import resource
import shutil
import socket

import pytest

from lab import free_port, http_get, run, wait_for


class House:
    """A node of one worker, its state in a small file system of its own."""

    def __init__(self, lab):
        self.port = free_port()
        self.server = lab.nginx("w1", "ok")
        self.node = lab.node("lb-a")
        self.state = self.node.state
        self.state.mkdir()
        self.mounts = 0
        lab.closers.insert(0, self.unmount)
        self.mount("-t", "tmpfs", "-o", "size=3M", "tmpfs", self.state)
        self.node.start()
        self.put("first")
        wait_for(lambda: self.node.server_states("web") == {"w1": "up"}, 20, "the server up")

    def mount(self, *words):
        run("mount", *words)
        self.mounts += 1

    def unmount(self, layers=0):
        while self.mounts > layers:
            run("umount", "-l", self.state)
            self.mounts -= 1

    def document(self, description):
        return {"stack": "shop", "description": description,
                "pools": [{"name": "web", "protocol": "http", "servers": [{"name": "w1", "address": self.server.address}],
                           "check": {"type": "http", "path": "/", "interval": "200ms"}}],
                "listeners": [{"name": "www", "bind": [f"127.0.0.1:{self.port}"], "protocol": "http", "pool": "web"}]}

    def put(self, description):
        return self.node.put(self.document(description), query="?wait=20s")

    def serves(self):
        return all(http_get(f"127.0.0.1:{self.port}")[0] == 200 for _ in range(10))

    def troubles(self):
        """What status says is wrong with this node, in one text."""
        return " ".join(p["what"] for p in self.node.status()["problems"])

    def is_well(self):
        status = self.node.status()
        return status["problems"] == [] and status["nodes"][0]["state"] == "ready"


@pytest.fixture
def house(lab):
    return House(lab)


def test_a_full_disk(house):
    filler = os.open(house.state / "filler", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space left"):
        while True:
            os.write(filler, b"x" * 4096)
    os.close(filler)
    status, answer, _ = house.node.api("PUT", "/v1/stacks/shop/document", house.document("second"))
    assert status == 503 and "is full: make room there" in answer["detail"], answer
    assert house.serves()
    (house.state / "filler").unlink()
    house.put("third")
    wait_for(house.is_well, 20, "no trouble any more")
    assert house.serves()


def test_a_state_folder_that_cannot_be_written(house):
    house.mount("--bind", house.state, house.state)
    run("mount", "-o", "remount,bind,ro", house.state)
    generation = house.put("second")["generation"]
    for daemon in ("control", "data", "healthd", "vrrpd"):
        wait_for(lambda d=daemon: f"{d}.snapshot cannot be written: Read-only file system" in house.node.daemons[d].text(), 20,
                 f"a line of {daemon}'s")
    wait_for(lambda: "cannot be written: Read-only file system" in house.troubles(), 20, "a problem in status")
    assert house.node.status()["nodes"][0]["state"] == "degraded"
    assert house.serves()
    house.unmount(layers=1)
    wait_for(house.is_well, 20, "no trouble any more")
    for daemon in ("control", "data", "healthd", "vrrpd"):
        assert f'"generation": {generation}' in (house.state / f"{daemon}.snapshot").read_text().replace('":', '": ')


def test_a_run_folder_that_was_removed(house):
    kept = socket.create_connection(("127.0.0.1", house.port), timeout=20)
    shutil.rmtree(house.node.run)
    assert house.serves()
    wait_for(lambda: house.node.api("GET", "/v1/status")[0] == 200, 20, "the API to answer again")
    for daemon in ("control", "data", "healthd", "vrrpd"):
        wait_for(lambda d=daemon: "was removed: made anew" in house.node.daemons[d].text(), 20, f"a line of {daemon}'s")
    house.put("second")
    wait_for(house.is_well, 20, "no trouble any more")
    assert house.serves()
    kept.sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
    assert kept.recv(65536).startswith(b"HTTP/1.1 200 ")


def limit(pid, what, soft):
    hard = resource.prlimit(pid, what)[1]
    resource.prlimit(pid, what, (soft, hard))
    return hard


def test_no_descriptors(house):
    worker = house.node.workers()[0]
    used = max(int(name) for name in os.listdir(f"/proc/{worker}/fd")) + 1
    before = limit(worker, resource.RLIMIT_NOFILE, used + 4)
    crowd = [socket.create_connection(("127.0.0.1", house.port), timeout=20) for _ in range(200)]  # more than there are gaps below the limit
    wait_for(lambda: "descriptors" in house.node.daemons["data"].text(), 20, "a line of data's")
    wait_for(lambda: "descriptors" in house.troubles(), 20, "a problem in status")
    limit(worker, resource.RLIMIT_NOFILE, before)
    for s in crowd:
        s.sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
        assert s.recv(65536).startswith(b"HTTP/1.1 ")
    wait_for(house.is_well, 20, "no trouble any more")
    assert house.node.workers() == [worker]
    assert house.serves()


@pytest.mark.timing  # a program with sanitizers reserves address space beforehand, and is never short of it
def test_no_memory(house):
    worker = house.node.workers()[0]
    with open(f"/proc/{worker}/statm", encoding="ascii") as f:
        size = int(f.read().split()[0]) * resource.getpagesize()
    before = limit(worker, resource.RLIMIT_AS, size)
    crowd = []
    for _ in range(3000):
        crowd.append(socket.create_connection(("127.0.0.1", house.port), timeout=20))
        crowd[-1].sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\nX-A: " + b"a" * 3000)
        if "memory" in house.node.daemons["data"].text():
            break
    wait_for(lambda: "memory is running short" in house.node.daemons["data"].text(), 20, "a line of data's")
    wait_for(lambda: "memory" in house.troubles(), 20, "a problem in status")
    limit(worker, resource.RLIMIT_AS, before)
    for s in crowd:
        s.close()
    wait_for(house.serves, 20, "the listener to serve")
    assert house.node.workers() == [worker], "the worker was replaced"
    wait_for(house.is_well, 20, "no trouble any more")
