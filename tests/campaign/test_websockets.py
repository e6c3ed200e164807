"""5,000 open WebSockets through an http listener to a real WebSocket server: they talk, idle, outlive `idle` and an upgrade."""
import signal
from pathlib import Path

import pytest

from lab import free_port, wait_for
from test_many_connections import Crowds, errors, memory

HERE = Path(__file__).resolve().parent
SOCKETS = 5_000

SERVER = """
import asyncio, sys, websockets
async def echo(connection, *path):
    async for message in connection:
        await connection.send(message)
async def main():
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1]), ping_interval=None, compression=None):
        print("listening", flush=True)
        await asyncio.Future()
asyncio.run(main())
"""


@pytest.fixture
def node(lab):
    server_port, port = free_port(), free_port()
    server = lab.process("websockets", ["/usr/bin/python3", "-c", SERVER, server_port])
    wait_for(lambda: "listening" in server.text(), 10, "the server")
    node = lab.node("lb", workers=2)
    node.port = port
    node.start("control", "data")
    node.document = {
        "stack": "ws", "pools": [{"name": "p", "protocol": "http", "timeouts": {"connect": "30s", "response": "60s"},
                                  "servers": [{"name": "s", "address": f"127.0.0.1:{server_port}"}]}],
        "listeners": [{"name": "l", "bind": [f"127.0.0.1:{port}"], "protocol": "http", "pool": "p", "access_log": False,
                       "timeouts": {"idle": "2s", "tunnel_idle": "1h"}}]}
    node.put(node.document)
    return node


def test_open_websockets(node, figure):
    with Crowds(1, None, "127.0.0.1", node.port, "--ws", "/chat") as crowds:
        before = sum(map(memory, node.workers()))
        opened = crowds.do("open", SOCKETS)
        assert opened["failed"] == 0, (opened, errors(node))
        figure("WebSockets opened", f"{SOCKETS} in {opened['seconds']} s")
        for turn in range(3):
            asked = crowds.do("ask")
            assert asked["done"] == SOCKETS, (asked, errors(node))
        figure("an echo on each", f"{asked['seconds']} s")
        each = (sum(map(memory, node.workers())) - before) / SOCKETS
        figure("memory per open WebSocket, user space", f"{each:.0f} bytes")
        node.document["pools"][0]["servers"].append({"name": "other", "address": "127.0.0.1:9"})
        node.put(node.document)
        asked = crowds.do("ask")  # later than `idle`, in a new generation
        assert asked["done"] == SOCKETS, (asked, errors(node))
        old = set(node.workers())
        node.daemons["data"].signal(signal.SIGHUP)
        wait_for(lambda: len(node.workers()) == 2 and not old & set(node.workers()), 60, "new workers")
        asked = crowds.do("ask")
        assert asked["done"] == SOCKETS, (asked, errors(node))
