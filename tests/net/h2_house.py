"""What stories of HTTP/2 are made of: a scripted client over python3-h2, frame by frame where that is the point."""
import socket
import struct
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GET = [(":method", "GET"), (":scheme", "http"), (":authority", "a.example"), (":path", "/")]
POST = [(":method", "POST"), *GET[1:]]


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


class Stream:
    def __init__(self):
        self.status, self.headers, self.body, self.trailers = None, {}, bytearray(), {}
        self.interim = []
        self.is_ended, self.reset = False, None


class Client:
    """One connection. Windows are opened only by grant(), unless is_greedy."""

    def __init__(self, port, is_greedy=True, validates=True, s=None):
        self.s = s or socket.create_connection(("127.0.0.1", port), timeout=10)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.h = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=validates,
            normalize_outbound_headers=validates))
        self.h.initiate_connection()
        self.is_greedy = is_greedy
        self.streams, self.events, self.goaway, self.is_ended = {}, [], [], False
        self.flush()

    def flush(self):
        data = self.h.data_to_send()
        if data:
            self.s.sendall(data)

    def raw(self, data):
        self.s.sendall(data)

    def send(self, headers=GET, body=None, ends=True):
        stream = self.h.get_next_available_stream_id()
        self.streams[stream] = Stream()
        self.h.send_headers(stream, headers, end_stream=ends and body is None)
        self.flush()
        if body is not None:
            self.data(stream, body, ends)
        return stream

    def data(self, stream, body, ends=True):
        """Sends as the windows allow; reads while they do not."""
        view = memoryview(body)
        while view:
            n = min(len(view), self.h.local_flow_control_window(stream), self.h.max_outbound_frame_size)
            if not n:
                self.pump()
                continue
            self.h.send_data(stream, bytes(view[:n]))
            self.flush()
            view = view[n:]
        if ends:
            self.h.end_stream(stream)
            self.flush()

    def pump(self):
        """Receives once. False at the end of the connection."""
        data = self.s.recv(262144)
        if not data:
            self.is_ended = True
            return False
        for event in self.h.receive_data(data):
            self.take(event)
        self.flush()
        return True

    def take(self, event):
        self.events.append(event)
        stream = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaway.append((event.last_stream_id, int(event.error_code)))
        elif not stream:
            return
        elif isinstance(event, h2.events.ResponseReceived):
            stream.headers = dict(event.headers)
            stream.status = int(stream.headers[":status"])
        elif isinstance(event, h2.events.InformationalResponseReceived):
            stream.interim.append(int(dict(event.headers)[":status"]))
        elif isinstance(event, h2.events.DataReceived):
            stream.body += event.data
            if self.is_greedy and event.flow_controlled_length:
                self.h.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            stream.trailers = dict(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            stream.is_ended = True
        elif isinstance(event, h2.events.StreamReset):
            stream.reset = int(event.error_code)

    def wait(self, claim):
        while not claim():
            if not self.pump():
                raise EOFError(f"the connection ended; goaway={self.goaway}")

    def response(self, stream):
        made = self.streams[stream]
        self.wait(lambda: made.is_ended or made.reset is not None)
        return made

    def ask(self, headers=GET, body=None):
        return self.response(self.send(headers, body))

    def until_end(self):
        """Reads to the end of the connection: its GOAWAYs."""
        try:
            while self.pump():
                pass
        except (ConnectionResetError, h2.exceptions.ProtocolError):
            pass
        return self.goaway

    def frames(self):
        """What comes from now on as bare frames, to the end of the connection: kind, flags, stream, payload."""
        buffer = b""
        while True:
            while len(buffer) < 9 or len(buffer) < 9 + int.from_bytes(buffer[:3], "big"):
                data = self.s.recv(65536)
                if not data:
                    return
                buffer += data
            length = int.from_bytes(buffer[:3], "big")
            yield buffer[3], buffer[4], int.from_bytes(buffer[5:9], "big"), buffer[9:9 + length]
            buffer = buffer[9 + length:]

    def close(self):
        self.s.close()


def path(value, headers=GET):
    return [*headers[:3], (":path", value), *headers[4:]]


class ServerPeer:
    """A client's connection as a scripted server sees it: script(peer, stream, headers) for each request, in its thread."""

    def __init__(self, s, server):
        self.s, self.server = s, server
        self.h = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8", validate_outbound_headers=False, normalize_outbound_headers=False))
        self.h.local_settings = h2.settings.Settings(
            client=False, initial_values={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: server.most,
                                          h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL: int(server.connects)})
        self.echoes = False
        self.h.initiate_connection()
        self.flush()
        self.bodies, self.ended, self.resets = {}, set(), {}

    def flush(self):
        data = self.h.data_to_send()
        if data:
            self.s.sendall(data)

    def run(self):
        while data := self.s.recv(262144):
            for event in self.h.receive_data(data):
                self.take(event)
            self.flush()

    def take(self, event):
        stream = getattr(event, "stream_id", None)
        if isinstance(event, h2.events.RequestReceived):
            self.bodies[stream] = bytearray()
            self.server.requests.append(dict(event.headers))
            if not self.server.waits:
                self.server.script(self, stream, dict(event.headers))
        elif isinstance(event, h2.events.DataReceived):
            self.bodies[stream] += event.data
            if event.flow_controlled_length:
                self.h.acknowledge_received_data(event.flow_controlled_length, stream)
            if self.echoes:
                self.echo(stream, event.data)
        elif isinstance(event, h2.events.TrailersReceived):
            self.server.trailers.append(dict(event.headers))
        elif isinstance(event, h2.events.StreamReset):
            self.resets[stream] = int(event.error_code)
            self.server.resets.append(int(event.error_code))
        elif isinstance(event, h2.events.StreamEnded):
            self.ended.add(stream)
            if self.echoes:
                self.h.end_stream(stream)
            if self.server.waits:
                self.server.script(self, stream, self.server.requests[-1])

    def echo(self, stream, data):
        view = memoryview(data)
        while view:
            n = min(len(view), self.h.local_flow_control_window(stream), self.h.max_outbound_frame_size)
            if n:
                self.h.send_data(stream, bytes(view[:n]))
                view = view[n:]
            self.flush()
            if not n:
                for event in self.h.receive_data(self.s.recv(65536)):
                    self.take(event)

    def answer(self, stream, body=b"ok", headers=(), trailers=None, status="200"):
        self.h.send_headers(stream, [(":status", status), *headers], end_stream=not body and trailers is None)
        self.flush()
        view = memoryview(body)
        while view:
            n = min(len(view), self.h.local_flow_control_window(stream), self.h.max_outbound_frame_size)
            if not n:
                data = self.s.recv(65536)
                if not data:
                    return
                for event in self.h.receive_data(data):
                    self.take(event)
                self.flush()
                continue
            self.h.send_data(stream, bytes(view[:n]), end_stream=n == len(view) and trailers is None)
            self.flush()
            view = view[n:]
        if trailers is not None:
            self.h.send_headers(stream, trailers, end_stream=True)
            self.flush()


class Server:
    """A server of HTTP/2 by prior knowledge. waits: the script runs when the request is whole, else with its head."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.play(lambda peer, stream, headers: peer.answer(stream))
        self.live = set()
        threading.Thread(target=self._serve, daemon=True).start()

    def play(self, script, waits=True, most=100, connects=False):
        for s in list(getattr(self, "live", ())):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.script, self.waits, self.most, self.connects = script, waits, most, connects
        self.accepted, self.requests, self.trailers, self.resets = 0, [], [], []

    def _serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            s.settimeout(20)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.accepted += 1
            threading.Thread(target=self._run, args=(s,), daemon=True).start()

    def _run(self, s):
        self.live.add(s)
        try:
            with s:
                ServerPeer(s, self).run()
        except (OSError, h2.exceptions.ProtocolError):
            pass
        finally:
            self.live.discard(s)
