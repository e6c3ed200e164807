"""HTTP/1.1 as RFC 9112 has it and not one byte more: the judge of differential tests.

Written apart from Ballast's own parser and knowing nothing of it. Whatever two programs could read differently is a
Fault that names it. `requests` and `responses` read a whole stream: the messages before the first fault or the end.
"""
import re
from dataclasses import dataclass, field

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([!-~]+) HTTP/1\.([01])\r\n")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t -~\x80-\xff]*)?\r\n")
FIELD_LINE = re.compile(rb"(" + TOKEN + rb"):[ \t]*((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*\r\n")
AUTHORITY = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z\-._~%!$&'()*+,;=]+)(?::[0-9]{0,5})?")
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t -~\x80-\xff]*)?\r\n")
LENGTH = re.compile(rb"[0-9]{1,19}")
NEVER_TRAILERS = {b"content-length", b"transfer-encoding", b"host", b"connection", b"te", b"trailer", b"upgrade"}


class Fault(Exception):
    """The stream cannot be read in one way only."""


class Short(Exception):
    """The stream ends before the message does."""


@dataclass
class Message:
    start: tuple  # (method, target, minor) or (status, minor)
    fields: list
    body: bytes = b""
    trailers: list = field(default_factory=list)
    framing: str = "none"  # none, length, chunked, close
    is_whole: bool = False

    def values(self, name):
        return [value for key, value in self.fields if key.lower() == name]

    def value(self, name):
        found = self.values(name)
        return found[0] if len(found) == 1 else None


def _line(data, at):
    """The end of the line at `at`, behind its LF. A bare CR or LF in it is left to the grammar of the line."""
    end = data.find(b"\n", at)
    if end < 0:
        raise Short("line")
    return end + 1


def _fields(data, at):
    fields = []
    while True:
        end = _line(data, at)
        if data[at:end] == b"\r\n":
            return fields, end
        match = FIELD_LINE.fullmatch(data, at, end)
        if not match:
            raise Fault(f"field line {data[at:end][:60]!r}")
        fields.append((match[1], match[2]))
        at = end


def _chunked(message, data, at):
    while True:
        end = _line(data, at)
        match = CHUNK_LINE.fullmatch(data, at, end)
        if not match:
            raise Fault(f"chunk line {data[at:end][:40]!r}")
        size = int(match[1], 16)
        if size == 0:
            break
        piece = data[end:end + size]
        message.body += piece
        if len(piece) < size or len(data) < end + size + 2:
            if data[end + size:] not in (b"", b"\r"):
                raise Fault("no CRLF after a chunk")
            raise Short("chunk")
        if data[end + size:end + size + 2] != b"\r\n":
            raise Fault("no CRLF after a chunk")
        at = end + size + 2
    message.trailers, at = _fields(data, end)
    for name, _ in message.trailers:
        if name.lower() in NEVER_TRAILERS:
            raise Fault(f"trailer {name!r}")
    return at


def _framing(message, minor):
    """What the fields say about the body: None, "chunked" or a length."""
    lengths, encodings = message.values(b"content-length"), message.values(b"transfer-encoding")
    if len(lengths) > 1 or len(encodings) > 1:
        raise Fault("framing said twice")
    if lengths and encodings:
        raise Fault("length and encoding")
    if lengths:
        if not LENGTH.fullmatch(lengths[0]):
            raise Fault(f"length {lengths[0][:30]!r}")
        return int(lengths[0])
    if encodings:
        if encodings[0].lower() != b"chunked":
            raise Fault(f"encoding {encodings[0][:30]!r}")
        if not minor:
            raise Fault("encoding in 1.0")
        return "chunked"
    return None


def _body(message, framing, data, at):
    """Reads the body into the message, which is then whole; Short when it is not."""
    if framing == "chunked":
        message.framing = "chunked"
        at = _chunked(message, data, at)
    elif framing:
        message.framing = "length"
        message.body = data[at:at + framing]
        if len(message.body) < framing:
            raise Short("body")
        at += framing
    message.is_whole = True
    return at


def _check_request(message):
    method, target, minor = message.start
    hosts = message.values(b"host")
    if len(hosts) > 1 or (not hosts and minor):
        raise Fault("no host, or two")
    if hosts and not AUTHORITY.fullmatch(hosts[0]):
        raise Fault(f"host {hosts[0][:30]!r}")
    absolute = re.fullmatch(rb"(?i:https?)://([^/?#]*)([/?][!-~]*)?", target)
    if absolute and not AUTHORITY.fullmatch(absolute[1]):
        raise Fault("authority")
    if b"#" in target or not (target.startswith(b"/") or absolute or (target == b"*" and method == b"OPTIONS")):
        raise Fault(f"target {target[:30]!r}")
    if method == b"CONNECT":
        raise Fault("CONNECT")


def next_request(data, at=0):
    """(message, where the next begins) of the request at `at`; Fault or Short with .message set where there is one."""
    message = None
    try:
        end = _line(data, at)
        if data[at:end] == b"\r\n":  # one empty line before a request is allowed
            at = end
            end = _line(data, at)
        match = REQUEST_LINE.fullmatch(data, at, end)
        if not match:
            raise Fault(f"request line {data[at:end][:60]!r}")
        fields, at = _fields(data, end)
        message = Message((match[1], match[2], int(match[3])), fields)
        _check_request(message)
        return message, _body(message, _framing(message, message.start[2]), data, at)
    except (Fault, Short) as error:
        error.message = message
        raise


def next_response(data, at, method, is_ended):
    """The same for a response to a request of that method; is_ended: nothing comes behind data."""
    message = None
    try:
        end = _line(data, at)
        match = STATUS_LINE.fullmatch(data, at, end)
        if not match:
            raise Fault(f"status line {data[at:end][:60]!r}")
        fields, at = _fields(data, end)
        status = int(match[2])
        message = Message((status, int(match[1])), fields)
        framing = _framing(message, message.start[1])
        if method == b"HEAD" or status < 200 or status in (204, 304):
            message.is_whole = True
            return message, at
        if framing is None:
            message.framing = "close"
            message.body = data[at:]
            message.is_whole = is_ended
            if not is_ended:
                raise Short("body to the end")
            return message, len(data)
        return message, _body(message, framing, data, at)
    except (Fault, Short) as error:
        error.message = message
        raise


def requests(data):
    """(whole requests before the first fault or the end, the fault or None, the unfinished last one or None)."""
    found, at = [], 0
    while at < len(data):
        try:
            message, at = next_request(data, at)
        except Fault as fault:
            return found, fault, fault.message
        except Short as short:
            return found, None, short.message
        found.append(message)
    return found, None, None


def responses(data, methods, is_ended=True):
    """The same for the responses to requests of these methods, in order; 1xx are left out. Bytes behind are a fault."""
    found, at, left = [], 0, list(methods)
    while at < len(data):
        if not left:
            return found, Fault(f"bytes behind the last response: {data[at:][:40]!r}"), None
        try:
            message, at = next_response(data, at, left[0], is_ended)
        except Fault as fault:
            return found, fault, fault.message
        except Short as short:
            return found, None, short.message
        if message.start[0] >= 200:
            found.append(message)
            left.pop(0)
    return found, None, None
