"""The same bytes through Ballast, HAProxy and nginx to servers that record what arrives; who saw what, and who is right.

A Rig owns the proxies, a recording server for each of them, and the clients. `h1_strict` judges: what Ballast passes on
must be what the strict reading of the sender's bytes says, up to the first byte that can be read in two ways, and nothing
behind it. Where the three differ, `differences` says how.
"""
import asyncio
import itertools
import json
import re
import socket
import struct
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import h1_strict
import h2_mutations
from h1_mutations import is_number
from lab import connects, free_port, wait_for

AT_ONCE = 48  # cases of one proxy at the same time
PATIENCE = 20  # seconds for one case; the proxies give up after one
NAMES = ("ballast", "haproxy", "nginx")


class Recorder:
    """A server that keeps every byte of every connection, answers what is strictly a request, and closes on the rest."""

    def __init__(self, answers):
        self.answers = answers  # {number: Case}: what is sent for /rN
        self.connections = []
        self.arrivals = itertools.count()
        self.port = None

    async def start(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024, limit=1 << 22)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader, writer):
        record = {"bytes": b"", "requests": [], "fault": None, "unfinished": None, "continued": -1}
        self.connections.append(record)
        at = 0
        try:
            while data := await reader.read(65536):
                record["bytes"] += data
                while at < len(record["bytes"]):
                    try:
                        message, at = h1_strict.next_request(record["bytes"], at)
                    except h1_strict.Short as short:
                        record["unfinished"] = short.message
                        if short.message and short.message.values(b"expect") and record["continued"] != at:
                            record["continued"] = at
                            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                        break
                    record["unfinished"] = None
                    message.arrived = next(self.arrivals)
                    record["requests"].append(message)
                    if not await self._answer(message, writer):
                        return
        except h1_strict.Fault as fault:
            record["fault"], record["unfinished"] = fault, fault.message
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except OSError:
            pass
        finally:
            record["rest"] = record["bytes"][at:]
            writer.close()

    async def _answer(self, message, writer):
        asked = re.search(rb"/r(\d+)$", message.start[1])
        case = asked and self.answers.get(int(asked[1]))
        if not case:
            number = number_of(message)
            body = b"" if message.start[0] == b"HEAD" else b"case %d %s %d\n" % (number or 0, message.start[1][:60], len(message.body))
            writer.write(b"HTTP/1.1 200 OK\r\nX-Case: %d\r\nContent-Length: %d\r\n\r\n%s" % (number or 0, len(body), body))
            return True
        for piece in case.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if case.ending == "reset":
            await asyncio.sleep(0.05)  # the bytes arrive before the reset does
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        return case.ending == "keep"


def number_of(message):
    """The case a request belongs to, by its path or else its field."""
    path = re.search(rb"[cr](\d+)", message.start[1])
    words = [path[1] if path else b"", *message.values(b"x-case")]
    return next((int(word) for word in words if is_number(word)), None)


@dataclass
class Outcome:
    """What came of one case at one proxy."""

    client: bytes = b""  # what the client received
    ended: str = ""  # end, reset, late
    seen: list = field(default_factory=list)  # whole requests at the server
    streams: dict = field(default_factory=dict)  # of HTTP/2: {stream: [status, is it over]}


async def _client(port, pieces, outcome):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    try:
        async with asyncio.timeout(PATIENCE):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            while data := await reader.read(65536):
                outcome.client += data
        outcome.ended = "end"
    except TimeoutError:
        outcome.ended = "late"
    except OSError:
        outcome.ended = "reset"
    finally:
        writer.transport.abort()


async def _client_h2(port, case, outcome):
    answers = h2_mutations.Answers()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(case.frames())
            while not answers.is_done() and (data := await reader.read(65536)):
                answers.feed(data)
                for _ in range(answers.settings):
                    writer.write(h2_mutations.frame(4, 1, 0, b""))
                answers.settings = 0
        outcome.ended = "end"
    except TimeoutError:
        outcome.ended = "late"
    except OSError:
        outcome.ended = "reset"
    finally:
        outcome.streams = answers.streams
        writer.transport.abort()


def _request_pieces(case):
    if not case.methods:
        return case.pieces
    return [b"%s /r%d HTTP/1.1\r\nHost: a.example\r\n\r\nGET /c%d/after HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
            % (case.methods[0], case.number, case.number)]


class Rig:
    def __init__(self, lab, names=NAMES):
        self.lab, self.names = lab, names
        self.ports = {name: free_port() for name in names}
        self.recorders, self.started = {}, False

    def run(self, cases):
        """{name: {number: Outcome}}; the recorders keep what they saw."""
        return asyncio.run(self._run(cases))

    async def _run(self, cases):
        answers = {case.number: case for case in cases if getattr(case, "methods", None)}
        self.recorders = {name: Recorder(answers) for name in self.names}
        servers = [await recorder.start() for recorder in self.recorders.values()]
        for name in self.names:
            await asyncio.to_thread(getattr(self, "_" + name), self.recorders[name].port)
        outcomes = {name: {case.number: Outcome() for case in cases} for name in self.names}
        await asyncio.gather(*(self._cases(name, cases, outcomes[name]) for name in self.names))
        for server in servers:
            server.close()
        await asyncio.to_thread(self._end_ballast)
        for name in self.names:
            messages = [message for record in self.recorders[name].connections for message in record["requests"]]
            for message in sorted(messages, key=lambda one: one.arrived):
                if number_of(message) in outcomes[name]:
                    outcomes[name][number_of(message)].seen.append(message)
        return outcomes

    async def _cases(self, name, cases, outcomes):
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(case):
            async with gate:
                if isinstance(case, h2_mutations.Case):
                    await _client_h2(self.ports[name], case, outcomes[case.number])
                else:
                    await _client(self.ports[name], _request_pieces(case), outcomes[case.number])

        await asyncio.gather(*(one(case) for case in cases))

    def _ballast(self, server):
        self.node = self.lab.node("differential", workers=1).start("control", "data")
        times = {"connect": "2s", "response": "1s", "idle": "1s"}
        self.node.put({
            "stack": "d",
            "pools": [{"name": "p", "protocol": "http", "timeouts": times, "servers": [{"name": "s", "address": f"127.0.0.1:{server}"}]}],
            "listeners": [{"name": "l", "bind": [f"127.0.0.1:{self.ports['ballast']}"], "protocol": "http", "pool": "p",
                           "timeouts": {"request_head": "1s", "idle": "1s"}, "access_log": {"format": "json"}}]})

    def _haproxy(self, server):
        path = self.lab.folder / "haproxy.cfg"
        path.write_text(f"""global
  nbthread 1
defaults
  mode http
  timeout connect 2s
  timeout client 1s
  timeout server 1s
  timeout http-request 1s
listen l
  bind 127.0.0.1:{self.ports['haproxy']}
  server s 127.0.0.1:{server}
""")
        self.lab.process("haproxy", ["haproxy", "-db", "-f", path])
        wait_for(lambda: connects("127.0.0.1", self.ports["haproxy"]), 10, "HAProxy")

    def _nginx(self, server):
        folder = self.lab.folder / "nginx-peer"
        folder.mkdir()
        (folder / "nginx.conf").write_text(f"""daemon off; user root; worker_processes 1; pid {folder}/pid; error_log {folder}/log error;
events {{ worker_connections 4096; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
 uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; client_header_timeout 1s; client_body_timeout 1s; send_timeout 1s;
 lingering_time 1s; lingering_timeout 1s; upstream u {{ server 127.0.0.1:{server}; keepalive 32; }}
 server {{ listen 127.0.0.1:{self.ports['nginx']} backlog=1024; location / {{ proxy_pass http://u; proxy_http_version 1.1;
  proxy_request_buffering off; proxy_buffering off; proxy_read_timeout 1s; proxy_send_timeout 1s; proxy_next_upstream off;
  proxy_set_header Connection ""; proxy_set_header Host $http_host; }} }} }}
""")
        self.lab.process("nginx-peer", ["nginx", "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"])
        wait_for(lambda: connects("127.0.0.1", self.ports["nginx"]), 10, "nginx")

    def _end_ballast(self):
        self.node.daemons["data"].stop()
        text = self.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "signal="):
            assert trouble not in text, text[-6000:]

    def logged(self):
        """Ballast's access log."""
        path = self.node.state / "log" / "l.log"
        return [json.loads(line) for line in path.read_text().splitlines()]


def tell(wrong):
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong[:10])


# Judging requests


def essence(message):
    """What makes two readings of a request the same, whatever a proxy changes rightly."""
    method, target, _ = message.start
    absolute = re.fullmatch(rb"(?i:https?)://([^/?]*)(.*)", target)
    host = absolute[1] if absolute else message.value(b"host")
    if absolute:
        target = absolute[2] if absolute[2].startswith(b"/") else (b"*" if method == b"OPTIONS" and not absolute[2] else b"/" + absolute[2])
    return method, target, host if message.start[2] or host else b"", message.body, message.framing == "chunked", tuple(message.trailers)


def judge_requests(cases, outcomes):
    """What Ballast did that the strict reading of the client's bytes does not bear out: a list of sentences."""
    wrong = []
    for case in cases:
        right, _, _ = h1_strict.requests(case.data)
        seen = [essence(m) for m in outcomes[case.number].seen]
        allowed = [essence(m) for m in right]
        if seen != allowed[:len(seen)]:
            wrong.append(f"case {case.number} ({case.kind}): {case.data[:300]!r}\n  forwarded {seen}\n  strictly  {allowed}")
    return wrong


def judge_records(recorder):
    """Bytes that arrived from Ballast and are not strictly requests of it, each with an id it gave: a list of sentences."""
    wrong = []
    for record in recorder.connections:
        if record["fault"]:
            wrong.append(f"{record['fault']}: {record['bytes'][-600:]!r}")
        for message in record["requests"]:
            if len(message.values(b"x-request-id")) != 1 or message.start[2] != 1 or message.start[1][:1] not in b"/*":
                wrong.append(f"not as Ballast writes it: {message}")
    return wrong


def judge_log(recorder, log):
    """Requests the server saw against those Ballast logged as sent to it, by their ids: a list of sentences."""
    seen = Counter(m.value(b"x-request-id").decode() for record in recorder.connections for m in record["requests"])
    sent = {entry["request_id"]: entry for entry in log if entry["server"]}
    wrong = [f"request {name} was seen {count} times" for name, count in seen.items() if count != 1]
    wrong += [f"request {name} was seen and is not in the log" for name in seen if name not in sent]
    wrong += [f"{entry} is in the log as answered and was never seen" for name, entry in sent.items() if entry["end"] == "ok" and name not in seen]
    return wrong


def judge_h2(cases, outcomes):
    """The same for requests that came by HTTP/2: (wrong sentences, cases refused although nothing is wrong with them)."""
    wrong, strict = [], []
    for case in cases:
        outcome, want = outcomes[case.number], h2_mutations.judge(case)
        seen = [essence(message)[:4] for message in outcome.seen]
        last = (b"GET", b"/c%d/last" % case.number, b"a.example", b"")
        first = [one for one in seen if one != last]
        if first not in ([], [want]) or seen.count(last) > 1:
            wrong.append(f"case {case.number} ({case.kind}): {case.headers} {case.trailers}\n  forwarded {first}\n  rightly   {want}")
        if outcome.ended == "late":
            wrong.append(f"case {case.number} ({case.kind}) did not end: {outcome.streams} {case.headers} {case.trailers}")
        if want and want[3] == case.body and not first:
            strict.append(case)
    return wrong, strict


# Judging responses


def judge_responses(cases, outcomes):
    """What Ballast's client was given that the server's bytes do not bear out: a list of sentences."""
    wrong = []
    for case in cases:
        outcome = outcomes[case.number]
        told = _judge_response(case, outcome)
        if told:
            wrong.append(f"case {case.number} ({case.kind}, {case.methods[0].decode()}, {case.ending}) {told}:\n  server sent {case.data[:300]!r}\n"
                         f"  client saw {outcome.ended} {outcome.client[:300]!r}")
    return wrong


def _judge_response(case, outcome):
    method = case.methods[0]
    got, fault, unfinished = h1_strict.responses(outcome.client, [method, b"GET"], is_ended=outcome.ended == "end")
    if fault:
        return f"cannot be read in one way ({fault})"
    if outcome.ended == "late":
        return "did not end"
    for message in [*got, *([unfinished] if unfinished else [])]:
        for number in re.findall(rb"(?:body|smuggled|case )(\d+)", message.body) + message.values(b"x-case"):
            if is_number(number) and int(number) != case.number:
                return "belongs to another case"
    if len(got) == 2 and not is_own_answer(got[1]) and got[1].body != b"case %d /c%d/after 0\n" % (case.number, case.number):
        return None if came_early(case, got[1]) else "gave the second request an answer that is not its own"
    if got and not is_own_answer(got[0]):
        return _judge_part(case, got[0], True)
    return _judge_part(case, unfinished, False) if unfinished and not got else None


def came_early(case, message):
    """True when the server sent this response unasked, behind the one it was asked for: it may have crossed the next request."""
    right, _, _ = h1_strict.responses(case.data, [*case.methods, b"GET"])
    return len(right) == 2 and (right[1].start, right[1].body) == (message.start, message.body)


def is_own_answer(message):
    """True for what a proxy says itself, instead of the server's response."""
    return message.start[0] in (502, 504) and not message.values(b"x-case")


def _judge_part(case, message, is_whole):
    """A response that was passed on, whole or visibly broken, against the strict reading of what the server sent."""
    ended = case.ending == "close"
    right, fault, part = h1_strict.responses(case.data, case.methods, is_ended=ended)
    if not right and not part:
        return "was passed on and is no response"
    want = right[0] if right else part
    if message.start[0] != want.start[0]:
        return f"has status {message.start[0]}, not {want.start[0]}"
    if is_whole and not right:
        return f"looks whole and is not ({fault or 'short'})"
    if is_whole and (message.body, message.trailers) != (want.body, want.trailers):
        return "has another body"
    if not is_whole and not want.body.startswith(message.body):
        return "has another beginning"
    return None


# The three beside each other


def _short_of_requests(case, outcome):
    """A word for what a proxy made of a request case."""
    if not outcome.seen:
        status = re.match(rb"HTTP/1\.\d (\d+)", outcome.client)
        return "refused " + status[1].decode() if status else "closed"
    right, _, _ = h1_strict.requests(case.data)
    allowed, seen = [essence(m)[:4] for m in right], [essence(m)[:4] for m in outcome.seen]
    if seen == allowed:
        return "all passed"
    if seen == allowed[:len(seen)]:
        return f"passed {len(seen)} of {len(allowed)}, then refused"
    return f"passed {len(seen)} where {len(allowed)} are certain" if len(seen) != len(allowed) else "passed changed"


def _short_of_responses(case, outcome):
    got, fault, part = h1_strict.responses(outcome.client, [case.methods[0], b"GET"], is_ended=outcome.ended == "end")
    if fault:
        return "not strictly HTTP to the client"
    if not got:
        return "broken off" if part or outcome.client else "closed"
    if got[0].start[0] in (502, 504):
        return "refused"
    right, _, _ = h1_strict.responses(case.data, case.methods, is_ended=case.ending == "close")
    return "whole" if right else "looks whole, is not"


def differences(cases, outcomes):
    """{(what ballast, haproxy, nginx did): [cases]} of those where they differ."""
    found = defaultdict(list)
    for case in cases:
        short = _short_of_responses if case.methods else _short_of_requests
        words = tuple(re.sub(r" \d+$", "", short(case, outcomes[name][case.number])) for name in outcomes)
        if len(set(words)) > 1:
            found[words].append(case)
    return found


def early_answers(cases, outcomes):
    """How many second requests were given what the server had sent unasked, as it came after the first was whole."""
    given = 0
    for case in cases:
        got, _, _ = h1_strict.responses(outcomes[case.number].client, [case.methods[0], b"GET"])
        given += len(got) == 2 and came_early(case, got[1])
    return given


def print_differences(what, cases, outcomes):
    found = differences(cases, outcomes)
    same = len(cases) - sum(len(group) for group in found.values())
    print(f"\n{len(cases)} {what}: the three agree on {same}")
    print(f"{'cases':>6} | {' | '.join(f'{name:36}' for name in outcomes)} | mutations most often")
    for words, group in sorted(found.items(), key=lambda item: -len(item[1])):
        kinds = Counter(kind for case in group for kind in case.kind.split("+")).most_common(4)
        print(f"{len(group):>6} | {' | '.join(f'{word:36}' for word in words)} | {', '.join(f'{k} {n}' for k, n in kinds)}")
