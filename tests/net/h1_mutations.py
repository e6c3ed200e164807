"""Requests and responses of HTTP/1.1 that are wrong, odd or only rare: cases for differential tests, by seed.

A Draft is a message in its parts; a mutation changes one part the way that attacks and broken programs do. A case carries
its number in the path, in a field and in its body, so that whoever sees any part of it knows where it came from.
"""
import random
from dataclasses import dataclass, field

CONTROLS = [bytes([c]) for c in [*range(0, 9), 0x0b, 0x0c, *range(0x0e, 0x20), 0x7f]]
EOLS = [b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r", b" \r\n", b"\t\r\n", b"\x0b\r\n", b"\x00\r\n", b"\r \n", b"\x85\r\n"]
LENGTHS = [b"+%d", b"-%d", b"0x%d", b"0%d", b" %d", b"%d ", b"%d\t", b"%d\x0b", b"\x00%d", b"%d,%d", b"%d, %d", b"%d;", b"%d.0",
           b"%de0", b"1 %d", b"", b"99999999999999999999", b"18446744073709551616", b"18446744073709551615",
           b"9223372036854775808", b"9223372036854775807", b"\xd9\xa5", b"'%d'", b"%d\r\n ", b"\xa0%d", b"%d\x00", b"0", b"-0", b"00"]
ENCODINGS = [b"chunked", b"Chunked", b"cHuNkEd", b" chunked", b"\tchunked", b"\x0bchunked", b"chunked\x0b", b"chunked\x00", b"xchunked",
             b"chunkedx", b"chunked;q=1", b"\"chunked\"", b"chunked, chunked", b"chunked,identity", b"identity", b"identity, chunked",
             b"gzip, chunked", b"gzip", b"chunked, gzip", b",chunked", b"chunked,", b"chunked\r\n ", b"\r\n chunked", b"chunke\xc4\x91",
             b"", b"chunked chunked", b"chunked\xa0", b"'chunked'", b"chunked\x7f", b"identity, identity"]
SIZES = [b"%x ", b" %x", b"0x%x", b"+%x", b"-%x", b"0%x", b"%x;a=b", b"%x ;a=b", b"%x;", b"%x;a=\"b\r\nc\"", b"%x\x00", b"%x\x0b", b"%x;\x00",
         b"%xg", b"", b"g", b"FFFFFFFFFFFFFFFF", b"10000000000000000", b"8000000000000000", b"000000000000000%x", b"0000000000000000%x",
         b"%x;\xff", b"%x;\n", b"%x\t;a", b"%x,", b"%x;a=\"", b"%x\r", b"%x \r", b"%x" + b";a=1" * 200, b"%x%x"]
LASTS = [b"0\r\n\r\n", b"00\r\n\r\n", b"0;x\r\n\r\n", b"0 \r\n\r\n", b"0\n\n", b"0\r\n\n", b"0\n\r\n", b"0\r\r\n\r\n", b"0\r\n", b"0", b"",
         b"0x0\r\n\r\n", b"0\r\n\r\r\n", b"0000000000000000\r\n\r\n", b"00000000000000000\r\n\r\n", b"0\r\n \r\n", b"-0\r\n\r\n", b"\r\n0\r\n\r\n"]
TRAILERS = [b"X-Sum: 1", b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: evil", b"Connection: close", b"X Sum: 1", b"X-Sum : 1",
            b" X-Sum: 1", b"X-Sum: 1\r\n folded", b"X-Sum: a\x00b", b"X-Sum", b": 1", b"X-Sum: \xff", b"X-Sum: a\rb", b"X-Sum: a\nY: b",
            b"X-Sum: " + b"a" * 5000, b"content-length : 5", b"Authorization: x", b"X-Sum:", b"TE: trailers"]
NAMES = [b"%s ", b"%s\t", b" %s", b"%s\x00", b"\x00%s", b"%s\x0b", b"%s\xff", b"X\r\n%s", b"%s\r", b"%s\n", b"%s:", b"(%s)", b"%s/", b"%s\"", b"%s@"]
HOSTS = [b"", b" ", b"a b", b"a,b", b"a\tb", b"user@a", b"a:80", b"a:99999", b"a:999999", b"a:", b"a:80:80", b"a:b", b"[::1]", b"[::1", b"::1", b"[::1]:80",
         b"[]", b"a/b", b"a?b", b"a#b", b"a\\b", b"a.", b".a", b"\xc3\xa9.example", b"a\x00b", b"a%2fb", b"a;b", b"*", b"A.EXAMPLE", b"127.0.0.1",
         b"0x7f000001", b"a" * 255, b"a" * 300, b"\"a\"", b"<a>", b"a'b"]
TARGETS = [b"http://a.example/c%d", b"http://other.example/c%d", b"HTTP://a.example/c%d", b"https://a.example/c%d", b"ftp://a.example/c%d",
           b"http://user@a.example/c%d", b"http:///c%d", b"http://a.example", b"http://a.example?c%d", b"http:a.example/c%d", b"http://a b/c%d",
           b"http://a.example:80/c%d", b"http://a.example:x/c%d", b"//a.example/c%d", b"c%d", b"*", b"/c%d#f", b"/c%d?#f", b"/c%d?a=\"<>", b"/c%d\x7f",
           b"/c%d\x00", b"/c%d\xff", b"/c%d\t", b"/c%d HTTP/1.1 x", b"/c%d%%00", b"/c%d%%0d%%0a", b"/c%d/../x", b"/c%d\\x", b"/c%d;p", b"", b"a.example:443",
           b"/c%d|x", b"/c%d{x}", b"http://a.example#/c%d", b"http://[::1]/c%d", b"http://[::1/c%d", b"/c%d\x0b", b"/c%d?" + b"q" * 7000, b"/c%d?" + b"q" * 9000]
METHODS = [b"get", b"Get", b"G@T", b"", b"GET\t", b" GET", b"PRI", b"CONNECT", b"TRACE", b"OPTIONS", b"DELETE", b"PATCH", b"PROPFIND", b"X" * 31, b"X" * 33,
           b"GET,POST", b"G\x00ET", b"\xffGET", b"\"GET\"", b"GE(T", b"M-SEARCH", b"HEAD", b"!#$%&'*+-.^_`|~", b"GET\x0b", b"QUERY", b"\r\nGET"]
VERSIONS = [b"HTTP/1.0", b"HTTP/1.2", b"HTTP/1.9", b"HTTP/2.0", b"HTTP/0.9", b"", b"HTTP/01.1", b"http/1.1", b"HTTP/1.10", b"HTTP/1", b"HTTP/1.", b"HTTP /1.1",
            b"HTTP/1.1 ", b"HTTP/1.1x", b"HTTP/1,1", b"HTTP/1.1\t", b"HTTP\\1.1", b"HTTP/+1.1", b"HTTP/1.1\x00", b"ICY/1.1", b"HTTPS/1.1", b"HTTP/11", b"HTTP/1.1 HTTP/1.1"]
CONNECTIONS = [b"close, content-length", b"transfer-encoding", b"host", b"keep-alive, x-case", b"close", b"keep-alive", b"close, keep-alive", b"upgrade", b"cookie",
               b",,close,,", b"\"close\"", b"close;x", b"x" * 600, b"te, trailers", b"expect", b"x-forwarded-for", b"x-request-id", b"connection"]
EXPECTS = [b"100-continue", b"100-Continue", b"100-continue, x", b"200-ok", b"", b"100 continue", b"100-continue;x"]
STATUSES = [b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.1  200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 099 OK", b"HTTP/1.1 999 OK", b"HTTP/1.1 200OK",
            b"HTTP/1.0 200 OK", b"HTTP/1.2 200 OK", b"HTTP/2 200", b"HTTP/2.0 200 OK", b"http/1.1 200 OK", b"ICY 200 OK", b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 \xff",
            b"HTTP/1.1\t200 OK", b" HTTP/1.1 200 OK", b"HTTP/1.1 +20 OK", b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 205 Reset",
            b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 100 Continue", b"HTTP/1.1 102 X", b"HTTP/1.1 199 X", b"HTTP/1.1 206 Partial", b"HTTP/1.1 500 X", b"HTTP/1.1 200 a\rb",
            b"HTTP/1.1 404 X", b"", b"\r\nHTTP/1.1 200 OK", b"HTTP/1.1 0x1 OK", b"HTTP/11 200 OK", b"HTTP/1.1 200\tOK", b"HTTP/1.1 600 X"]


@dataclass
class Draft:
    """A message in its parts."""

    first: list  # the first line: words, joined by blanks
    fields: list  # [name, separator, value, line end]
    content: bytes = b""
    chunks: list = None  # sizes of pieces; None: not chunked
    gap: bytes = b" "
    eol: bytes = b"\r\n"
    end: bytes = b"\r\n"
    size_format: bytes = b"%x"
    size_at: int = 0  # the chunk that size_format is for
    size_eol: bytes = b"\r\n"
    chunk_end: bytes = b"\r\n"
    last: bytes = b"0\r\n\r\n"
    before: bytes = b""
    behind: bytes = b""

    def set(self, name, value):
        for one in self.fields:
            if one[0].lower() == name.lower():
                one[2] = value
                return
        self.add(name, value)

    def add(self, name, value):
        self.fields.append([name, b": ", value, b"\r\n"])

    def drop(self, name):
        self.fields = [one for one in self.fields if one[0].lower() != name.lower()]

    def body(self):
        if self.chunks is None:
            return self.content
        out, at = b"", 0
        for n, size in enumerate(self.chunks):
            piece = self.content[at:at + size]
            at += size
            line = b"%x" % len(piece)
            if n == self.size_at:
                line = fill(self.size_format, len(piece))
            out += line + self.size_eol + piece + self.chunk_end
        return out + self.last

    def bytes(self):
        head = self.gap.join(self.first) + self.eol + b"".join(b"".join(one) for one in self.fields)
        return self.before + head + self.end + self.body() + self.behind


def fill(pattern, number):
    """A pattern with the number in each of its places."""
    return pattern.replace(b"%d", b"%d" % number).replace(b"%x", b"%x" % number).replace(b"%%", b"%")


@dataclass
class Case:
    number: int
    kind: str  # the names of its mutations
    pieces: list  # as they are sent, one after the other
    methods: list = field(default_factory=list)  # of a response case: what the client asks with
    ending: str = "keep"  # of a response case: what the server does behind it: keep, close, reset

    @property
    def data(self):
        return b"".join(self.pieces)


def _chunk(draft, rng):
    length = len(draft.content)
    cut = sorted(rng.sample(range(1, length), 2)) if length else []
    draft.chunks = [b - a for a, b in zip([0, *cut], [*cut, length])] if length else []
    draft.size_at = rng.randrange(3)
    draft.drop(b"content-length")
    draft.set(b"Transfer-Encoding", b"chunked")


def content(number, rng):
    """A body that would be a request, were it read as one."""
    hidden = b"GET /smuggled%d HTTP/1.1\r\nHost: smuggled\r\nX-Case: %d\r\n\r\n" % (number, number)
    return rng.choice([b"body%d" % number, hidden, b"0\r\n\r\n" + hidden, b"5\r\nabcde\r\n0\r\n\r\n" + hidden, b"b%d" % number * 40])


# Mutations of any message


def eol(draft, rng, _):
    draft.fields[rng.randrange(len(draft.fields))][3] = rng.choice(EOLS)


def first_eol(draft, rng, _):
    draft.eol = rng.choice(EOLS)


def head_end(draft, rng, _):
    draft.end = rng.choice([b"\n", b"\r", b"\r\r\n", b"\n\r\n", b" \r\n", b"", b"\r\n\r\n", b"\x00\r\n", b"\t\r\n", b"\x0b\r\n"])


def all_lf(draft, _rng, _):
    draft.eol = draft.end = b"\n"
    for one in draft.fields:
        one[3] = b"\n"


def fold(draft, rng, _):
    one = rng.choice(draft.fields)
    at = rng.randrange(len(one[2]) + 1)
    one[2] = one[2][:at] + rng.choice([b"\r\n ", b"\r\n\t", b"\n ", b"\r\n \r\n ", b"\r "]) + one[2][at:]


def separator(draft, rng, _):
    rng.choice(draft.fields)[1] = rng.choice([b":", b" : ", b"\t: ", b":\t", b" ", b"", b"::", b":\x0b", b":\x00", b" :", b"=", b": \t ", b":\r\n "])


def name(draft, rng, _):
    one = rng.choice(draft.fields)
    one[0] = rng.choice(NAMES).replace(b"%s", one[0])


def framing_name(draft, rng, _):
    one = rng.choice([f for f in draft.fields if f[0].lower() in (b"content-length", b"transfer-encoding", b"host")] or draft.fields)
    one[0] = rng.choice([one[0].replace(b"-", b"_"), one[0].lower(), one[0].upper(), one[0].replace(b"-", b" "), one[0].replace(b"-", b"\xad"),
                         one[0] + b" ", b" " + one[0], one[0].replace(b"e", b"\xc3\xa9"), one[0].replace(b"-", b"--"), b"X: y\r\r\n" + one[0], b"X: y\n" + one[0]])


def control(draft, rng, _):
    one = rng.choice(draft.fields)
    part = rng.choice([0, 2])
    at = rng.randrange(len(one[part]) + 1)
    one[part] = one[part][:at] + rng.choice(CONTROLS) + one[part][at:]


def obs_text(draft, rng, _):
    draft.add(b"X-Obs", bytes(rng.randrange(0x80, 0x100) for _ in range(8)))
    if rng.random() < 0.3:
        one = rng.choice(draft.fields)
        one[0] += b"\xe9"


def length(draft, rng, _):
    draft.chunks = None
    draft.drop(b"transfer-encoding")
    draft.set(b"Content-Length", fill(rng.choice(LENGTHS), len(draft.content)))


def length_off(draft, rng, _):
    draft.chunks = None
    draft.drop(b"transfer-encoding")
    draft.set(b"Content-Length", b"%d" % max(0, len(draft.content) + rng.choice([-3, -1, 1, 3, 1000])))


def length_twice(draft, rng, _):
    draft.chunks = None
    draft.drop(b"transfer-encoding")
    draft.set(b"Content-Length", b"%d" % len(draft.content))
    other = len(draft.content) + rng.choice([0, 0, 1, -1, 10])
    draft.fields.insert(rng.randrange(len(draft.fields) + 1), [rng.choice([b"Content-Length", b"content-length", b"Content-Length "]), b": ", b"%d" % other, b"\r\n"])


def both(draft, rng, _):
    _chunk(draft, rng)
    size = rng.choice([len(draft.body()), len(draft.content), 0, 3, len(draft.body()) + 10])
    draft.fields.insert(rng.randrange(len(draft.fields) + 1), [b"Content-Length", b": ", b"%d" % size, b"\r\n"])
    if rng.random() < 0.5:
        draft.set(b"Transfer-Encoding", rng.choice(ENCODINGS))


def encoding(draft, rng, _):
    _chunk(draft, rng)
    draft.set(b"Transfer-Encoding", rng.choice(ENCODINGS))


def encoding_twice(draft, rng, _):
    _chunk(draft, rng)
    draft.fields.insert(rng.randrange(len(draft.fields) + 1), [b"Transfer-Encoding", b": ", rng.choice(ENCODINGS), b"\r\n"])


def chunk_size(draft, rng, _):
    _chunk(draft, rng)
    draft.size_format = rng.choice(SIZES)


def chunk_lines(draft, rng, _):
    _chunk(draft, rng)
    if rng.random() < 0.5:
        draft.size_eol = rng.choice(EOLS)
    else:
        draft.chunk_end = rng.choice([*EOLS, b"", b"x\r\n", b"xx", b"\r\n\r\n"])


def last_chunk(draft, rng, _):
    _chunk(draft, rng)
    draft.last = rng.choice(LASTS)


def trailers(draft, rng, _):
    _chunk(draft, rng)
    lines = b"".join(rng.choice(TRAILERS) + rng.choice([b"\r\n"] * 6 + [b"\n", b"\r"]) for _ in range(rng.choice([1, 1, 2])))
    draft.last = b"0\r\n" + lines + b"\r\n"


def chunked(draft, rng, _):
    _chunk(draft, rng)


def many_fields(draft, rng, _):
    for n in range(rng.choice([40, 100, 120, 200])):
        draft.add(b"X-%d" % n, b"v")


def huge_field(draft, rng, _):
    draft.add(b"X-Huge", b"h" * rng.choice([1000, 4000, 8000, 12000, 20000, 70000]))


def connection(draft, rng, _):
    draft.add(b"Connection", rng.choice(CONNECTIONS))


def byte_noise(draft, rng, _):
    """Not of the message's parts but of its bytes: done last, by `mangle`."""
    draft.noise = rng.randrange(1 << 30)


def twice(draft, rng, _):
    one = rng.choice(draft.fields)
    draft.fields.insert(rng.randrange(len(draft.fields) + 1), list(one))


def before(draft, rng, _):
    draft.before = rng.choice([b"\r\n", b"\n", b"\r\n\r\n", b"\r", b" ", b"\x00", b"\r\n" * 5, b"\t", b"\xef\xbb\xbf", b" \r\n"])


ANY = [eol, first_eol, head_end, all_lf, fold, separator, name, framing_name, control, obs_text, length, length_off, length_twice, both, encoding,
       encoding_twice, chunk_size, chunk_lines, last_chunk, trailers, chunked, many_fields, huge_field, connection, byte_noise, twice, before]


# Mutations of requests


def target(draft, rng, number):
    draft.first[1] = fill(rng.choice(TARGETS), number)


def method(draft, rng, _):
    draft.first[0] = rng.choice(METHODS)


def version(draft, rng, _):
    draft.first[2] = rng.choice(VERSIONS)


def request_gap(draft, rng, _):
    draft.gap = rng.choice([b"  ", b"\t", b" \t", b"\x0b", b"\x00", b"", b"\xa0", b"\r", b"\x0c"])


def host(draft, rng, _):
    draft.set(b"Host", rng.choice(HOSTS))


def hosts(draft, rng, _):
    draft.fields.insert(rng.randrange(len(draft.fields) + 1), [rng.choice([b"Host", b"host", b"HOST", b"Host ", b" Host"]), b": ", rng.choice([b"a.example", b"evil", b""]), b"\r\n"])


def no_host(draft, _rng, _):
    draft.drop(b"host")


def absolute_and_host(draft, rng, number):
    draft.first[1] = rng.choice([b"http://b.example/c%d", b"http://b.example:8080/c%d?x", b"http://b.example", b"http://b.example?q"])
    draft.first[1] = fill(draft.first[1], number)
    rng.choice([lambda: None, lambda: draft.drop(b"host"), lambda: hosts(draft, rng, number)])()


def expect(draft, rng, _):
    draft.add(b"Expect", rng.choice(EXPECTS))


def upgrade(draft, rng, _):
    draft.add(b"Connection", rng.choice([b"Upgrade", b"upgrade, HTTP2-Settings", b"close"]))
    draft.add(b"Upgrade", rng.choice([b"h2c", b"websocket", b"x, h2c", b""]))
    draft.add(b"HTTP2-Settings", b"AAMAAABkAAQAAP__")


def without_body(draft, rng, _):
    draft.chunks = None
    draft.content = b""
    draft.drop(b"content-length")
    draft.drop(b"transfer-encoding")
    if rng.random() < 0.3:
        draft.add(b"Content-Length", b"0")


REQUEST = [target, method, version, request_gap, host, hosts, no_host, absolute_and_host, expect, upgrade, without_body]


# Mutations of responses


def status(draft, rng, _):
    draft.first = [rng.choice(STATUSES)]


def interim(draft, rng, _):
    one = rng.choice([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", b"HTTP/1.1 102 X\r\nContent-Length: 3\r\n\r\n",
                      b"HTTP/1.1 100 Continue\n\n", b"HTTP/1.1 103 X\r\nTransfer-Encoding: chunked\r\n\r\n"])
    draft.before = one * rng.choice([1, 1, 2, 15, 17, 30])


def unasked(draft, rng, number):
    draft.behind = rng.choice([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-Case: %d\r\n\r\nsmuggled!" % number, b"x", b"\r\n", b"\r\n\r\n", b"\x00"])


def to_the_end(draft, _rng, _):
    draft.chunks = None
    draft.drop(b"content-length")
    draft.drop(b"transfer-encoding")


RESPONSE = [status, status, interim, unasked, unasked, to_the_end]


# Cases


def mangle(data, rng):
    """A few bytes deleted, doubled, added or changed."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2])):
        at = rng.randrange(len(data))
        change = rng.randrange(4)
        if change == 0:
            del data[at]
        elif change == 1:
            data.insert(at, data[at])
        elif change == 2:
            data.insert(at, rng.choice(b"\r\n\t :;,\x000a"))
        else:
            data[at] ^= 1 << rng.randrange(8)
    return bytes(data)


def split(data, rng):
    """The pieces in which it is sent."""
    if rng.random() < 0.7 or len(data) < 2:
        return [data]
    cuts = sorted(rng.sample(range(1, len(data)), min(len(data) - 1, rng.choice([1, 2, 5]))))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]


def _apply(draft, rng, number, mutations, first=None):
    """Between none and three mutations, `first` among them: their names."""
    chosen = ([first] if first else []) + rng.sample(mutations, rng.choice([0, 0, 0, 1, 1, 2]))
    for change in chosen:
        change(draft, rng, number)
    return "+".join(change.__name__ for change in chosen) or "plain"


def number_at(index):
    """The number of a case: seven digits, so made that noise in one of them gives no number of another case."""
    return 101 * (10000 + index)


def is_number(text):
    return len(text) == 7 and text.isdigit() and int(text) % 101 == 0


def request_case(index, seed):
    """A case: one request, mutated, then plain ones behind it, the last of which ends the connection."""
    rng, number = random.Random(f"request {seed} {index}"), number_at(index)
    body = content(number, rng)
    verb = rng.choice([b"POST", b"POST", b"POST", b"PUT", b"GET"])
    draft = Draft([verb, b"/c%d" % number, b"HTTP/1.1"], [[b"Host", b": ", b"a.example", b"\r\n"], [b"X-Case", b": ", b"%d" % number, b"\r\n"]], body)
    draft.add(b"Content-Length", b"%d" % len(body))
    if rng.random() < 0.4:
        _chunk(draft, rng)
    every = ANY + REQUEST
    kind = _apply(draft, rng, number, every, every[index % len(every)])
    data = draft.bytes()
    if hasattr(draft, "noise"):
        data = mangle(data, random.Random(draft.noise))
    for n in range(rng.choice([0, 0, 1, 3])):
        data += b"GET /c%d/pipelined%d HTTP/1.1\r\nHost: a.example\r\nX-Case: %d\r\n\r\n" % (number, n, number)
    data += b"GET /c%d/last HTTP/1.1\r\nHost: a.example\r\nX-Case: %d\r\nConnection: close\r\n\r\n" % (number, number)
    return Case(number, kind, split(data, rng))


def response_case(index, seed):
    """What a server sends for GET or HEAD /rN, and how it goes on."""
    rng, number = random.Random(f"response {seed} {index}"), number_at(index)
    body = content(number, rng)
    draft = Draft([b"HTTP/1.1", b"200", b"OK"], [[b"X-Case", b": ", b"%d" % number, b"\r\n"], [b"Content-Type", b": ", b"text/plain", b"\r\n"]], body)
    draft.add(b"Content-Length", b"%d" % len(body))
    if rng.random() < 0.4:
        _chunk(draft, rng)
    every = ANY + RESPONSE
    kind = _apply(draft, rng, number, every, every[index % len(every)])
    data = draft.bytes()
    if hasattr(draft, "noise"):
        data = mangle(data, random.Random(draft.noise))
    if rng.random() < 0.1:
        data = data[:rng.randrange(1, len(data))]
        kind += "+cut"
    asked = rng.choice([b"GET"] * 5 + [b"HEAD"])
    return Case(number, kind, split(data, rng), [asked], rng.choice(["keep", "keep", "close", "close", "reset"]))
