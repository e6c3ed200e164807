"""Requests of HTTP/2 that are wrong, odd or only rare, as frames, and what RFC 9113 says of them: for differential tests.

A case is one connection: stream 1 carries the mutated request, stream 3 a plain one. `judge` reads the header lists apart
from any proxy: the essence of the request in HTTP/1.1, or None where it must not be passed on.
"""
import random
import re
import struct
from dataclasses import dataclass

from h1_mutations import CONTROLS, HOSTS, METHODS, TARGETS, content, fill, number_at
from h1_strict import AUTHORITY
from hpack import Decoder, Encoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
HOP = {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
EXTRA = [(b"transfer-encoding", b"chunked"), (b"connection", b"close"), (b"connection", b"content-length"), (b"keep-alive", b"x"), (b"upgrade", b"h2c"),
         (b"proxy-connection", b"close"), (b"te", b"trailers"), (b"te", b"gzip"), (b"expect", b"100-continue"), (b"cookie", b"a=b"), (b"cookie", b"c=d"),
         (b"x-forwarded-for", b"1.2.3.4"), (b"http2-settings", b"AAAA"), (b"trailer", b"x-sum"), (b"host", b"a.example"),
         (b"host", b"evil"), (b"host", b""), (b"content-length", b"0"), (b"content-length", b"5"), (b"content-length", b"+5"), (b"content-length", b""),
         (b"content-length", b"99999999999999999999"), (b":path", b"/evil"), (b":status", b"200"), (b":protocol", b"websocket"), (b":unknown", b"x"), (b":", b"x"), (b"", b"x"),
         (b"range", b"bytes=0-1"), (b"content-length ", b"5"), (b"transfer-encoding\r\nx", b"chunked"), (b"x:y", b"z"), (b"x y", b"z"), (b"X-Upper", b"z"), (b"Transfer-Encoding", b"chunked")]
VALUES = [b"a\r\nb: c", b"a\nb", b"a\rb", b"a\x00b", b" a", b"a ", b"\ta", b"a\x7fb", b"\xff\xfe", b"", b"x" * 5000, b"a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n"]
TRAILERS = [[(b"x-sum", b"1")], [(b"content-length", b"5")], [(b":path", b"/x")], [(b"transfer-encoding", b"chunked")], [(b"x-sum", b"a\r\nb")], [(b"X-Sum", b"1")], [(b"host", b"evil")]]


@dataclass
class Case:
    number: int
    kind: str
    headers: list
    body: bytes
    trailers: list
    pieces: list  # of the body

    def frames(self):
        encoder = Encoder()
        out = PREFACE + frame(4, 0, 0, b"")
        is_last = not self.pieces and not self.trailers
        out += frame(1, 4 | is_last, 1, encoder.encode(self.headers, huffman=False))
        for n, piece in enumerate(self.pieces):
            out += frame(0, n + 1 == len(self.pieces) and not self.trailers, 1, piece)
        if self.trailers:
            out += frame(1, 5, 1, encoder.encode(self.trailers, huffman=False))
        plain = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"a.example"), (b":path", b"/c%d/last" % self.number)]
        return out + frame(1, 5, 3, encoder.encode(plain, huffman=False))


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


# Mutations


def extra(case, rng):
    case.headers.insert(rng.choice([len(case.headers), len(case.headers), 4, rng.randrange(len(case.headers) + 1)]), rng.choice(EXTRA))


def value(case, rng):
    at = rng.randrange(len(case.headers))
    if rng.random() < 0.5:
        case.headers.append((b"x-value", rng.choice(VALUES)))
    else:
        case.headers[at] = (case.headers[at][0], case.headers[at][1] + rng.choice(VALUES))


def control(case, rng):
    at, part = rng.randrange(len(case.headers)), rng.randrange(2)
    words = list(case.headers[at])
    place = rng.randrange(len(words[part]) + 1)
    words[part] = words[part][:place] + rng.choice([*CONTROLS, b"\r", b"\n", b" ", b":"]) + words[part][place:]
    case.headers[at] = tuple(words)


def _set(case, name, word):
    case.headers = [(key, word if key == name else old) for key, old in case.headers]


def path(case, rng):
    _set(case, b":path", fill(rng.choice(TARGETS), case.number))


def method(case, rng):
    _set(case, b":method", rng.choice(METHODS + [b"GET / HTTP/1.1\r\nHost: s\r\n\r\nGET"]))


def authority(case, rng):
    _set(case, b":authority", rng.choice(HOSTS))


def scheme(case, rng):
    _set(case, b":scheme", rng.choice([b"https", b"ftp", b"", b"HTTP", b"http\r\n", b"a b"]))


def without(case, rng):
    del case.headers[rng.randrange(len(case.headers))]


def twice(case, rng):
    case.headers.insert(rng.randrange(len(case.headers) + 1), rng.choice(case.headers))


def order(case, rng):
    rng.shuffle(case.headers)


def length(case, rng):
    case.headers = [one for one in case.headers if one[0] != b"content-length"]
    case.headers.append((b"content-length", b"%d" % max(0, len(case.body) + rng.choice([0, 0, -1, 1, 100]))))


def no_body(case, _rng):
    case.pieces, case.body = [], b""


def split(case, rng):
    at = rng.randrange(len(case.body) + 1)
    case.pieces = [case.body[:at], case.body[at:]]


def trailers(case, rng):
    case.trailers = rng.choice(TRAILERS)


def host_beside(case, rng):
    case.headers.append((b"host", rng.choice([b"a.example", b"A.example", b"other.example", b"a.example:80"])))
    if rng.random() < 0.3:
        case.headers = [one for one in case.headers if one[0] != b":authority"]


MUTATIONS = [extra, extra, extra, value, value, control, control, path, method, authority, scheme, without, twice, order, length, no_body, split, trailers, host_beside]


def h2_case(index, seed):
    rng, number = random.Random(f"h2 {seed} {index}"), number_at(index)
    body = content(number, rng)
    headers = [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"a.example"), (b":path", b"/c%d" % number), (b"x-case", b"%d" % number)]
    case = Case(number, "", headers, body, [], [body])
    chosen = [MUTATIONS[index % len(MUTATIONS)]] + rng.sample(MUTATIONS, rng.choice([0, 0, 1, 2]))
    for change in chosen:
        if case.headers:
            change(case, rng)
    case.kind = "+".join(change.__name__ for change in chosen)
    return case


# What RFC 9113 says


def judge(case):
    """(method, target, host, body) that a server of HTTP/1.1 may be given (RFC 9113 section 8), or None: malformed.

    A body that turns out longer than its content-length may be cut at that, and trailers behind one of known length do not
    count: the request may be on its way by then, and is whole in one way only.
    """
    pseudo, seen_regular, lengths, hosts = {}, False, [], []
    for name, text in case.headers:
        if name.startswith(b":"):
            if seen_regular or name in pseudo or name not in (b":method", b":scheme", b":authority", b":path"):
                return None
            pseudo[name] = text
        else:
            seen_regular = True
            if not TOKEN.fullmatch(name) or name in HOP or (name == b"te" and text != b"trailers"):
                return None
            lengths += [text] if name == b"content-length" else []
            hosts += [text] if name == b"host" else []
        if not VALUE.fullmatch(text):
            return None
    if not {b":method", b":scheme", b":path"} <= set(pseudo) or not METHOD.fullmatch(pseudo[b":method"]) or pseudo[b":method"] == b"CONNECT":
        return None
    if not re.fullmatch(rb"[A-Za-z][A-Za-z0-9+.-]*", pseudo[b":scheme"]):
        return None
    if len(lengths) > 1 or (lengths and (not re.fullmatch(rb"[0-9]{1,19}", lengths[0]) or int(lengths[0]) > len(case.body))):
        return None
    host = pseudo.get(b":authority") or (hosts[0] if hosts else None)
    if len(hosts) > 1 or not host or not AUTHORITY.fullmatch(host) or (hosts and hosts[0].lower() != host.lower()):
        return None
    target = pseudo[b":path"]
    if not re.fullmatch(rb"/[!-~]*", target) and not (target == b"*" and pseudo[b":method"] == b"OPTIONS") or b"#" in target:
        return None
    for name, text in [] if lengths else case.trailers:
        if not TOKEN.fullmatch(name) or not VALUE.fullmatch(text) or name in HOP or name in (b"content-length", b"host"):
            return None
    return pseudo[b":method"], target, host, case.body[:int(lengths[0])] if lengths else case.body


class Answers:
    """Reads frames: {stream: [status, is ended or reset]}, and whether the connection was given up."""

    def __init__(self):
        self.decoder, self.buffer, self.streams, self.is_over, self.settings = Decoder(), b"", {}, False, 0

    def feed(self, data):
        self.buffer += data
        while len(self.buffer) >= 9 and len(self.buffer) >= 9 + int.from_bytes(self.buffer[:3], "big"):
            size = int.from_bytes(self.buffer[:3], "big")
            kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
            payload, self.buffer = self.buffer[9:9 + size], self.buffer[9 + size:]
            row = self.streams.setdefault(stream, [None, False])
            if kind == 1:
                status = dict(self.decoder.decode(payload, raw=True)).get(b":status")
                row[0] = status or row[0]
            if kind == 3 or (kind in (0, 1) and flags & 1):
                row[1] = True
            if kind == 7:
                self.is_over = True
            if kind == 4 and not flags:
                self.settings += 1

    def is_done(self):
        return all(self.streams.get(stream, (None, False))[1] for stream in (1, 3))
