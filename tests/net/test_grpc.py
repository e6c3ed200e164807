"""gRPC end to end: clients and servers of python3-grpcio, with the worker between them."""
import hashlib
import threading
import time
from concurrent import futures

import grpc
import pytest

from lab import Lab, free_port, wait_for

SERVICE = "ballast.Test"


def echo(data):
    return data


class Handler(grpc.GenericRpcHandler):
    """Bytes in, bytes out: all four kinds of calls without a compiler of protocols."""

    def __init__(self):
        self.cancelled = threading.Event()
        self.metadata = {}

    def service(self, details):
        name = details.method.split("/")[-1]
        make = {"unary": grpc.unary_unary_rpc_method_handler, "down": grpc.unary_stream_rpc_method_handler,
                "up": grpc.stream_unary_rpc_method_handler, "both": grpc.stream_stream_rpc_method_handler,
                "fail": grpc.unary_unary_rpc_method_handler, "hang": grpc.unary_stream_rpc_method_handler}.get(name)
        return make(getattr(self, name), echo, echo) if make else None

    def unary(self, request, context):
        self.metadata = dict(context.invocation_metadata())
        context.send_initial_metadata((("x-first", "1"),))
        context.set_trailing_metadata((("x-last", "2"), ("x-bin", b"\0\1\2")))
        return request[::-1]

    def down(self, request, _context):
        for n in range(int(request)):
            yield b"%d" % n

    def up(self, requests, _context):
        digest = hashlib.sha256()
        for one in requests:
            digest.update(one)
        return digest.hexdigest().encode()

    def both(self, requests, _context):
        for one in requests:
            yield one

    def fail(self, _request, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no: not now")

    def hang(self, _request, context):
        context.add_callback(self.cancelled.set)
        yield b"begun"
        self.cancelled.wait(20)


class House:
    def __init__(self, lab):
        self.handler = Handler()
        self.server = grpc.server(futures.ThreadPoolExecutor(32), handlers=(self.handler,))
        self.server_port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.port = free_port()
        self.node = lab.node("lb-a").start("control", "data")
        self.node.put({
            "stack": "s",
            "pools": [{"name": "calls", "protocol": "h2", "servers": [{"name": "g", "address": f"127.0.0.1:{self.server_port}"}]}],
            "listeners": [{"name": "grpc", "bind": [f"127.0.0.1:{self.port}"], "protocol": "http", "pool": "calls"}]})
        self.log = self.node.state / "log" / "grpc.log"
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", [("grpc.max_receive_message_length", -1)])

    def call(self, name, kind):
        return getattr(self.channel, kind)(f"/{SERVICE}/{name}", echo, echo)


@pytest.fixture(scope="module")
def house():
    with Lab("grpc") as lab:
        made = House(lab)
        yield made
        made.channel.close()
        made.server.stop(None)
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal="):
            assert trouble not in text, text


def test_unary_with_metadata_first_and_last(house):
    answer, call = house.call("unary", "unary_unary").with_call(b"abc", metadata=(("x-mine", "m"),), timeout=10)
    assert answer == b"cba"
    assert dict(call.initial_metadata())["x-first"] == "1"
    last = dict(call.trailing_metadata())
    assert (last["x-last"], last["x-bin"]) == ("2", b"\0\1\2")
    assert house.handler.metadata["x-mine"] == "m" and "x-request-id" in house.handler.metadata


def test_streams_down_up_and_both_ways(house):
    assert [int(one) for one in house.call("down", "unary_stream")(b"500", timeout=10)] == list(range(500))
    parts = [bytes([n]) * 10000 for n in range(100)]
    assert house.call("up", "stream_unary")(iter(parts), timeout=10) == hashlib.sha256(b"".join(parts)).hexdigest().encode()
    seen, turn = [], threading.Semaphore(1)

    def questions():
        for n in range(50):
            assert turn.acquire(timeout=5)
            yield b"%d" % n

    for answer in house.call("both", "stream_stream")(questions(), timeout=10):
        seen.append(int(answer))
        turn.release()
    assert seen == list(range(50)), "each answer came before the next question"


def test_large_messages_go_whole(house):
    data = hashlib.sha256(b"x").digest() * (1 << 16)
    assert house.call("unary", "unary_unary")(data[:3000000], timeout=20) == data[:3000000][::-1]


def test_an_error_is_trailers_only(house):
    with pytest.raises(grpc.RpcError) as error:
        house.call("fail", "unary_unary")(b"", timeout=10)
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION and error.value.details() == "no: not now"


def test_an_unknown_method(house):
    with pytest.raises(grpc.RpcError) as error:
        house.call("nothing", "unary_unary")(b"", timeout=10)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_deadline_reaches_the_server_at_once(house):
    house.handler.cancelled.clear()
    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as error:
        list(house.call("hang", "unary_stream")(b"", timeout=0.3))
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert house.handler.cancelled.wait(5) and time.monotonic() - began < 5


def test_a_cancelled_call_reaches_the_server(house):
    house.handler.cancelled.clear()
    call = house.call("hang", "unary_stream")(b"")
    assert next(call) == b"begun"
    call.cancel()
    assert house.handler.cancelled.wait(5)


def test_many_calls_share_few_connections(house):
    with futures.ThreadPoolExecutor(16) as threads:
        calls = [threads.submit(house.call("unary", "unary_unary"), b"%d" % n, timeout=20) for n in range(500)]
        assert all(call.result() == (b"%d" % n)[::-1] for n, call in enumerate(calls))
    text = house.node.api("GET", "/metrics")[1]
    connects = [int(line.split()[-1]) for line in text.splitlines()
                if line.startswith("ballast_server_connects_total") and 'server="g"' in line]
    assert connects and sum(connects) <= 4 * max(1, len(house.node.workers())), connects


def test_the_log_names_each_call(house):
    house.call("unary", "unary_unary")(b"x", timeout=10)
    wait_for(lambda: f"path=/{SERVICE}/unary" in house.log.read_text() and "end=ok" in house.log.read_text(), 5, "a line for the call")
