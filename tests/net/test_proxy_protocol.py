"""The PROXY protocol: who the client is said to be, that not a byte behind the header is lost, and bad headers."""
import re
import socket
import ssl
import struct
import subprocess
import time

import pytest

from lab import free_port, wait_for
from test_data_tcp import Backend

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(client, local, tlv=b"", command=0x21):
    addresses = b"".join(socket.inet_pton(socket.AF_INET, a[0]) for a in (client, local))
    addresses += struct.pack(">HH", client[1], local[1])
    return SIGNATURE + struct.pack(">BBH", command, 0x11, len(addresses) + len(tlv)) + addresses + tlv


class House:
    """A node with a tcp and an http listener that want a PROXY header."""

    def __init__(self, lab):
        self.node = lab.node("lb-a", workers=2)
        self.echo = Backend("e")
        self.web = lab.http_server("web")
        self.ports = {"tcp": free_port(), "http": free_port()}
        self.node.start("control", "data")
        self.node.put({
            "stack": "px",
            "pools": [{"name": "echo", "protocol": "tcp", "servers": [{"name": "e", "address": self.echo.address}]},
                      {"name": "web", "protocol": "http",
                       "servers": [{"name": "w", "address": self.web.address}]}],
            "listeners": [
                {"name": name, "bind": [f"127.0.0.1:{port}"], "protocol": name, "accept_proxy_protocol": True,
                 "pool": "echo" if name == "tcp" else "web", "timeouts": {"request_head": "1s"}}
                for name, port in self.ports.items()]})

    def connect(self, name="tcp"):
        return socket.create_connection(("127.0.0.1", self.ports[name]), 5)

    def errors(self, cause, name="tcp"):
        text = self.node.api("GET", "/metrics")[1]
        found = re.findall(r"ballast_listener_errors_total{([^}]*)} (\d+)", text)
        return sum(int(n) for labels, n in found if f'cause="{cause}"' in labels and f'listener="{name}"' in labels)


@pytest.fixture(scope="module")
def house():
    from lab import Lab
    with Lab("proxy") as lab:
        yield House(lab)


def read(connection, length):
    data = b""
    while len(data) < length:
        got = connection.recv(length - len(data))
        if not got:
            break
        data += got
    return data


HEADERS = {
    "v1": b"PROXY TCP4 192.0.2.77 198.51.100.2 4711 443\r\n",
    "v1-unknown": b"PROXY UNKNOWN\r\n",
    "v2": v2(("192.0.2.77", 4711), ("198.51.100.2", 443)),
    "v2-tlv": v2(("192.0.2.77", 4711), ("198.51.100.2", 443), tlv=b"\x01" + struct.pack(">H", 1500) + b"x" * 1500),
    "v2-local": SIGNATURE + b"\x20\0\0\0",
}


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("cut", ["whole", "apart", "bytes"])
def test_what_follows_is_whole(house, header, cut):
    """However header and payload are cut into segments, the server gets the payload from its first byte."""
    payload = bytes(range(256)) * 8
    with house.connect() as c:
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if cut == "whole":
            c.sendall(HEADERS[header] + payload)
        elif cut == "apart":
            c.sendall(HEADERS[header][:-1])
            c.sendall(HEADERS[header][-1:] + payload[:1])
            c.sendall(payload[1:])
        else:
            for i in range(0, len(HEADERS[header]), 1 if len(HEADERS[header]) < 200 else 97):
                c.sendall(HEADERS[header][i:i + (1 if len(HEADERS[header]) < 200 else 97)])
            c.sendall(payload)
        assert read(c, 2) == b"e\n"
        assert read(c, len(payload)) == payload


@pytest.mark.parametrize("header,client", [("v1", b"192.0.2.77"), ("v2", b"192.0.2.77"), ("v2-tlv", b"192.0.2.77"),
                                           ("v1-unknown", b"127.0.0.1"), ("v2-local", b"127.0.0.1")])
def test_the_client_is_whom_it_names(house, header, client):
    with house.connect("http") as c:
        c.sendall(HEADERS[header] + b"GET /headers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = b""
        while data := c.recv(65536):
            answer += data
    assert re.search(rb"(?i)x-forwarded-for: " + re.escape(client) + rb"\r?\n", answer), answer


BAD = [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", b"PROXY UNKNOWN " + b"x" * 200,
       SIGNATURE + b"\x31\x11\0\x0c", SIGNATURE + b"\x21\x11\xff\xff", v2(("1.2.3.4", 1), ("5.6.7.8", 2), command=0x25)]


def test_bad_headers_are_closed_and_counted(house):
    before = house.errors("proxy_header")
    accepted = len(house.echo.accepted)
    for bad in BAD:
        with house.connect() as c:
            c.sendall(bad)
            try:
                assert c.recv(100) == b"", bad
            except ConnectionResetError:
                pass
    wait_for(lambda: house.errors("proxy_header") == before + len(BAD), 5, "the count")
    assert len(house.echo.accepted) == accepted


def test_one_that_says_nothing_is_closed_in_time(house):
    before = house.errors("proxy_header")
    started = time.monotonic()
    with house.connect() as c:
        c.sendall(b"PROXY TCP4 ")
        c.settimeout(10)
        assert c.recv(100) == b""
    assert time.monotonic() - started > 0.9
    wait_for(lambda: house.errors("proxy_header") == before + 1, 5, "the count")


class Recorder(Backend):
    """Keeps what each connection began with; speaks HTTP where it is asked in HTTP."""

    def __init__(self):
        self.greetings = []
        super().__init__("r", self._record)

    def _record(self, connection):
        with connection, connection.makefile("rb") as stream:
            self._serve(connection, stream)

    def _serve(self, connection, stream):
        start = stream.read(5)
        header = start + (stream.readline() if start == b"PROXY" else b"")
        if start == SIGNATURE[:5]:
            header += stream.read(11)
            header += stream.read(struct.unpack(">H", header[14:16])[0])
        self.greetings.append(header)
        if not header.startswith((b"PROXY ", SIGNATURE)):
            return
        try:
            while line := stream.readline():
                if line == b"\r\n":
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                elif line == b"ping\n":
                    connection.sendall(b"pong\n")
        except OSError:
            pass


class Sender:
    """A node that sends headers of both versions to servers that insist on them, by tcp and by http."""

    def __init__(self, lab):
        self.node = lab.node("lb-s", workers=1)
        self.servers = {version: Recorder() for version in ("v1", "v2")}
        kinds = [(protocol, version) for protocol in ("tcp", "http") for version in self.servers]
        self.ports = {kind: free_port() for kind in kinds}
        check = {"type": "http", "path": "/", "interval": "100ms"}
        self.node.start("control", "data", "healthd")
        self.node.put({
            "stack": "send",
            "pools": [{"name": f"{p}-{v}", "protocol": p, "send_proxy_protocol": v,
                       "servers": [{"name": "r", "address": self.servers[v].address}],
                       **({"check": check} if p == "http" else {})} for p, v in kinds],
            "listeners": [{"name": f"{p}-{v}", "bind": [f"127.0.0.1:{self.ports[p, v]}"], "protocol": p, "pool": f"{p}-{v}"}
                          for p, v in kinds]})

    def connect(self, protocol, version):
        return socket.create_connection(("127.0.0.1", self.ports[protocol, version]), 5)

    def names(self, version, client):
        """How often a connection to the server said that it is for this client connection."""
        at, to = client.getsockname(), client.getpeername()
        header = f"PROXY TCP4 {at[0]} {to[0]} {at[1]} {to[1]}\r\n".encode() if version == "v1" else v2(at, to)
        return self.servers[version].greetings.count(header)


@pytest.fixture(scope="module")
def sender():
    from lab import Lab
    with Lab("send") as lab:
        yield Sender(lab)


both = pytest.mark.parametrize("version", ["v1", "v2"])


@both
def test_a_tcp_server_is_told_first(sender, version):
    with sender.connect("tcp", version) as c:
        c.sendall(b"ping\n")
        assert read(c, 5) == b"pong\n"
        assert sender.names(version, c) == 1


@both
def test_an_http_server_is_told_once_a_connection_and_never_wrongly(sender, version):
    """Server connections are kept for requests of the same client connection, and given to no other."""
    with sender.connect("http", version) as a, sender.connect("http", version) as b:
        for c in (a, b, a, b, a):
            c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read(c, 12) == b"HTTP/1.1 200"
            answer = b""
            while not answer.endswith(b"ok"):
                answer += c.recv(1000)
        assert sender.names(version, a) == 1 and sender.names(version, b) == 1


@both
def test_a_check_says_that_it_is_for_itself(sender, version):
    wait_for(lambda: sender.node.server_states(f"http-{version}") == {"r": "up"}, 10, "the server to be up")
    own = {"v1": b"PROXY UNKNOWN\r\n", "v2": SIGNATURE + b"\x20\0\0\0"}
    assert own[version] in sender.servers[version].greetings


def test_before_tls(lab):
    """The header comes before a handshake that we end, and before one that passes through to a server."""
    certificate, key = lab.folder / "cert.pem", lab.folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=x", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    web, recorder, node = lab.http_server("web"), Recorder(), lab.node("lb-a", workers=1)
    https, through = free_port(), free_port()
    node.start("control", "data")
    node.put({"stack": "s",
              "certificates": [{"name": "x", "certificate_pem": certificate.read_text(), "key_pem": key.read_text()}],
              "pools": [{"name": "web", "protocol": "http", "servers": [{"name": "w", "address": web.address}]},
                        {"name": "raw", "protocol": "tcp", "send_proxy_protocol": "v2",
                         "servers": [{"name": "r", "address": recorder.address}]}],
              "listeners": [{"name": "https", "bind": [f"127.0.0.1:{https}"], "protocol": "https", "certificates": ["x"],
                             "pool": "web", "accept_proxy_protocol": True},
                            {"name": "tls", "bind": [f"127.0.0.1:{through}"], "protocol": "tls", "pool": "raw",
                             "accept_proxy_protocol": True}]})
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", https), 5) as plain:
        plain.sendall(HEADERS["v2-tlv"])
        with context.wrap_socket(plain, server_hostname="x") as c:
            c.sendall(b"GET /headers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = b""
            while data := c.recv(65536):
                answer += data
    assert re.search(rb"(?i)x-forwarded-for: 192\.0\.2\.77\r?\n", answer), answer
    with socket.create_connection(("127.0.0.1", through), 5) as c:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with pytest.raises(ssl.SSLWantReadError):
            context.wrap_bio(incoming, outgoing, server_hostname="x").do_handshake()
        c.sendall(HEADERS["v1"] + outgoing.read())
        wait_for(lambda: recorder.greetings == [HEADERS["v2"]], 5, "the header for the server")
