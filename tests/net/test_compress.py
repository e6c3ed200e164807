"""Compressed responses: what the client gets is what the server sent, smaller, in time and with a true head."""
import ctypes
import gzip
import json
import random
import socket
import subprocess
import threading
import zlib

import pytest

from http_house import House, answering, field
from lab import Lab, free_port, wait_for

TEXT = b"".join(b"line %d of a text that says much the same again and again\n" % n for n in range(4000))
NOISE = random.Random(7).randbytes(300_000)


def unbrotli(data):
    library = ctypes.CDLL("libbrotlidec.so.1")
    size = ctypes.c_size_t(16 << 20)
    out = ctypes.create_string_buffer(size.value)
    assert library.BrotliDecoderDecompress(ctypes.c_size_t(len(data)), data, ctypes.byref(size), out) == 1
    return out.raw[:size.value]


def unzstd(data):
    return subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout


DECODE = {"gzip": gzip.decompress, "br": unbrotli, "zstd": unzstd}


class Pressed(House):
    """A house whose listeners compress."""

    def document(self):
        document = super().document()
        for listener in document["listeners"]:
            if listener["name"] in ("www", "limited"):
                listener["compress"] = ["br", "zstd", "gzip"]
                listener["timeouts"]["idle"] = "60s"
        document["pools"][0]["timeouts"]["idle"] = "60s"
        return document


@pytest.fixture(scope="module")
def house():
    with Lab("compress") as lab:
        made = Pressed(lab)
        yield made
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal="):
            assert trouble not in text, text


def response(body, *fields, framing="length", status=b"200 OK", kind=b"text/plain"):
    head = [b"HTTP/1.1 " + status, b"Content-Type: " + kind, *fields]
    if framing == "length":
        return b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", body])
    if framing == "close":
        return b"\r\n".join([*head, b"Connection: close", b"", body])
    return b"\r\n".join([*head, b"Transfer-Encoding: chunked", b"", chunked(body)])


def chunked(body, seed=1):
    chance, at, out = random.Random(seed), 0, b""
    while at < len(body):
        n = chance.choice((1, 17, 1000, 20000))
        piece = body[at:at + n]
        out += b"%x\r\n%s\r\n" % (len(piece), piece)
        at += n
    return out + b"0\r\n\r\n"


def ask(house, accept, method=b"GET", path=b"/", version=b"1.1", fields=b"", **how):
    head = method + b" " + path + b" HTTP/" + version + b"\r\nHost: a\r\n" + fields
    if accept is not None:
        head += b"Accept-Encoding: " + accept.encode() + b"\r\n"
    return house.ask(head + b"\r\n", **how)


# What comes out is what went in


@pytest.mark.parametrize("coding", DECODE)
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("body", [TEXT, NOISE, b"x" * 1_000_000, b"short but of unknown length"], ids=["text", "noise", "same", "short"])
def test_every_framing_comes_out_whole(house, coding, framing, body):
    if framing == "length" and len(body) < 1024:
        body = body * 40

    def script(peer, _):
        peer.head()
        peer.send(response(body, framing=framing))

    house.server.play(script)
    status, head, got = ask(house, coding)
    assert status == 200 and field(head, b"content-encoding") == coding.encode()
    assert field(head, b"transfer-encoding") == b"chunked" and not field(head, b"content-length")
    assert DECODE[coding](got) == body
    if body is TEXT:
        assert len(got) < len(body) / 5


@pytest.mark.parametrize("coding", DECODE)
def test_http10_gets_it_to_the_end_of_the_connection(house, coding):
    house.server.play(answering(response(TEXT)))
    status, head, got = ask(house, coding, version=b"1.0", fields=b"Connection: keep-alive\r\n")
    assert status == 200 and not field(head, b"transfer-encoding") and not field(head, b"content-length")
    assert DECODE[coding](got) == TEXT


def test_a_connection_goes_on_after_it(house):
    answers = {b"/0": response(TEXT), b"/1": response(TEXT, framing="chunked"), b"/2": response(NOISE), b"/3": response(b"tiny")}

    def script(peer, _):
        while True:
            peer.send(answers[peer.head().split(b" ")[1]])

    house.server.play(script)
    client = house.client()
    for n, (body, coding) in enumerate(((TEXT, "br"), (TEXT, "gzip"), (NOISE, "zstd"), (b"tiny", None))):
        client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %s\r\n\r\n" % (n, (coding or "gzip").encode()))
        _, head, got = client.response()
        assert (field(head, b"content-encoding") or None) == (coding and coding.encode())
        assert (DECODE[coding](got) if coding else got) == body


def test_random_pieces_and_slow_readers(house):
    """The server sends in random pieces, the client reads in random pieces, several at once."""

    def script(peer, number):
        chance = random.Random(number)
        while True:
            peer.head()
            data = response(TEXT, framing=chance.choice(("length", "chunked")))
            while data:
                n = chance.choice((1, 100, 5000, 50000))
                peer.send(data[:n])
                data = data[n:]

    house.server.play(script)
    failures = []

    def read(number):
        chance = random.Random(number)
        coding = chance.choice(list(DECODE))
        client = house.client()
        client.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(3):
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %s\r\n\r\n" % coding.encode())
            if DECODE[coding](client.response()[2]) != TEXT:
                failures.append(number)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(20)
    assert not failures and not any(t.is_alive() for t in threads)


def test_curl_understands_it(house):
    house.server.play(answering(response(TEXT)))
    url = f"http://127.0.0.1:{house.ports['www']}/"
    for coding in DECODE:
        got = subprocess.run(["curl", "-sS", "--compressed", "-H", f"Accept-Encoding: {coding}", url], stdout=subprocess.PIPE, check=True)
        assert got.stdout == TEXT


@pytest.mark.parametrize("coding", DECODE)
def test_streams_of_http2_get_it_too(house, coding):
    house.server.play(answering(response(TEXT, b'ETag: "v1"')))
    url = f"http://127.0.0.1:{house.ports['www']}/"
    got = subprocess.run(["curl", "-sSi", "--http2-prior-knowledge", "-H", f"Accept-Encoding: {coding}", url], stdout=subprocess.PIPE, check=True)
    head, body = got.stdout.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/2 200") and field(head, b"content-encoding") == coding.encode() and field(head, b"etag") == b'W/"v1"'
    assert not field(head, b"transfer-encoding") and not field(head, b"content-length") and DECODE[coding](body) == TEXT
    slow = subprocess.run(["curl", "-sS", "--compressed", "--limit-rate", "1M", "--http2-prior-knowledge", "-H", f"Accept-Encoding: {coding}", url],
                          stdout=subprocess.PIPE, check=True)
    assert slow.stdout == TEXT


# The head


def test_the_head_stays_true(house):
    house.server.play(answering(response(TEXT, b'ETag: "v1"', b"Accept-Ranges: bytes", b"Vary: Cookie", b"X-Own: 1")))
    _, head, _ = ask(house, "gzip")
    assert field(head, b"etag") == b'W/"v1"' and field(head, b"x-own") == b"1" and not field(head, b"accept-ranges")
    assert field(head, b"vary") == [b"Cookie", b"Accept-Encoding"]
    _, head, body = ask(house, "identity")
    assert field(head, b"etag") == b'"v1"' and body == TEXT
    assert field(head, b"vary") == [b"Cookie", b"Accept-Encoding"], "another client would get another response"
    _, head, _ = ask(house, None, listener="spread")
    assert field(head, b"vary") == b"Cookie", "a listener that compresses nothing"


def test_head_is_told_what_get_would_get(house):
    house.server.play(answering(response(b"", b'ETag: "v1"').replace(b"Content-Length: 0", b"Content-Length: 5000")))
    client = house.client()
    for _ in range(2):
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
        _, head, _ = client.response(is_for_head=True)
        assert field(head, b"content-encoding") == b"gzip" and field(head, b"etag") == b'W/"v1"'
        assert not field(head, b"content-length")


def test_a_cached_response_is_confirmed_by_its_weak_tag(house):
    def script(peer, _):
        while True:
            head = peer.head()
            if b'"v1"' in (field(head, b"if-none-match") or b""):
                peer.send(b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n')
            else:
                peer.send(response(TEXT, b'ETag: "v1"'))

    house.server.play(script)
    _, head, _ = ask(house, "gzip")
    tag = field(head, b"etag")
    status, head, _ = ask(house, "gzip", fields=b"If-None-Match: " + tag + b"\r\n")
    assert (status, field(head, b"etag"), field(head, b"vary")) == (304, tag, b"Accept-Encoding")
    status, head, _ = ask(house, "identity", fields=b'If-None-Match: "v1"\r\n')
    assert (status, field(head, b"etag")) == (304, b'"v1"')


@pytest.mark.parametrize("answer, accept", [
    (response(TEXT), None),
    (response(TEXT), "gzip;q=0, br;q=0, zstd;q=0"),
    (response(TEXT), "deflate, compress"),
    (response(TEXT, b"Content-Encoding: gzip"), "gzip"),
    (response(TEXT, b"Cache-Control: no-transform"), "gzip"),
    (response(TEXT, b"Content-Range: bytes 0-9/10", status=b"206 Part"), "gzip"),
    (response(TEXT, kind=b"image/png"), "gzip"),
    (response(b"x" * 1023), "gzip"),
    (response(TEXT, b"Content-Digest: sha-256=:x:"), "gzip"),
])
def test_what_must_stay_as_it_is(house, answer, accept):
    house.server.play(answering(answer))
    status, head, body = ask(house, accept)
    assert answer.endswith(b"\r\n\r\n" + body) and b"gzip" not in head.replace(b"Content-Encoding: gzip", b"", b"Content-Encoding: gzip" in answer)
    assert field(head, b"content-length") == b"%d" % len(body)


# In time


@pytest.mark.parametrize("kind", [b"text/event-stream", b"text/plain"])
@pytest.mark.parametrize("coding", DECODE)
def test_what_the_server_sends_before_a_pause_arrives(house, coding, kind):
    """Events, and any text: each piece comes out before the server sends the next."""
    go = threading.Event()

    def script(peer, _):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\nConnection: close\r\n\r\n")
        for n in range(3):
            peer.send(b"data: event %d\n\n" % n)
            assert go.wait(10)
            go.clear()

    house.server.play(script)
    client = house.client()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %s\r\n\r\n" % coding.encode())
    client.head()
    if coding == "gzip":  # the one that Python can read as it comes
        plain, got = zlib.decompressobj(31), b""
        for n in range(3):
            while b"event %d\n\n" % n not in got:
                got += plain.decompress(client.exactly(int(client.line(), 16)))
                assert client.exactly(2) == b"\r\n"
            go.set()
        return
    pieces = b""
    for _ in range(3):
        pieces += client.exactly(int(client.line(), 16))
        client.exactly(2)
        go.set()
    while size := int(client.line(), 16):
        pieces += client.exactly(size)
        client.exactly(2)
    assert DECODE[coding](pieces) == b"".join(b"data: event %d\n\n" % n for n in range(3))


# When it breaks off


def test_a_server_that_dies_is_not_a_whole_response(house):
    def script(peer, _):
        peer.head()
        peer.send(response(TEXT)[:100_000])

    house.server.play(script)
    with pytest.raises((EOFError, ConnectionResetError)):
        ask(house, "gzip")


def test_clients_that_leave_give_their_encoders_back(house):
    """More than there are encoders, each gone in the middle of a response: the next one is still compressed."""
    def script(peer, _):
        peer.head()
        peer.send(response(NOISE, framing="close"))

    house.server.play(script)
    for n in range(300):
        client = house.client()
        client.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
        client.head()
        client.reset()
    house.server.play(answering(response(TEXT)))
    _, head, got = ask(house, "gzip")
    assert field(head, b"content-encoding") == b"gzip" and gzip.decompress(got) == TEXT


def test_memory_for_it_is_bounded(house):
    """While 256 unfinished responses hold all encoders of a listener, further ones go as they are; another has its own."""

    def script(peer, _):
        while True:
            path = peer.head().split(b" ")[1]
            peer.send(response(TEXT)[:None if path == b"/whole" else 5000])

    house.server.play(script)
    slow = []
    for _ in range(256):
        client = house.client("limited")
        client.send(b"GET /part HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
        assert field(client.head(), b"content-encoding") == b"gzip"
        slow.append(client)
    _, head, got = ask(house, "gzip", listener="limited", path=b"/whole")
    assert not field(head, b"content-encoding") and got == TEXT
    _, head, got = ask(house, "gzip", path=b"/whole")
    assert field(head, b"content-encoding") == b"gzip" and gzip.decompress(got) == TEXT
    for client in slow:
        client.reset()

    def is_compressed():
        return field(ask(house, "gzip", listener="limited", path=b"/whole")[1], b"content-encoding") == b"gzip"

    wait_for(is_compressed, 5, "encoders that came back")


def test_it_is_counted_and_can_be_changed_live(house):
    house.server.play(answering(response(TEXT)))

    def figures():
        lines = house.node.api("GET", "/metrics")[1].splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("ballast_listener_compressed")}

    label = '{stack="shop",listener="one"'
    before = figures().get("ballast_listener_compressed_responses_total" + label + "}", 0)
    document = house.document()
    for listener in document["listeners"]:
        listener["compress"] = ["gzip"] if listener["name"] == "one" else []
    house.node.put(document)
    assert not field(ask(house, "gzip")[1], b"content-encoding")
    _, head, got = ask(house, "gzip", listener="one")
    assert gzip.decompress(got) == TEXT

    def counted():
        now = figures()
        return (now["ballast_listener_compressed_responses_total" + label + "}"] == before + 1
                and now["ballast_listener_compressed_bytes_total" + label + ',direction="in"}'] == len(TEXT)
                and now["ballast_listener_compressed_bytes_total" + label + ',direction="out"}'] == len(got))

    wait_for(counted, 5, "the figures")
    house.node.put(house.document())
