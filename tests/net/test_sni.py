"""The tls listener: TLS passes through untouched to the server that the client's name chooses."""
import socket
import ssl
import subprocess
import threading

import pytest

from lab import Lab, free_port, wait_for
from test_accept_limits import metric

NAMES = ["a.example", "b.example", "deep.wild.example", "other.example"]


class TlsServer:
    """Ends TLS and says its own name, the name that was asked for, and what came; keeps the first bytes of each."""

    def __init__(self, name, certificate):
        self.name, self.asked = name, []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        self.context.sni_callback = lambda connection, asked, _context: self.asked.append(asked)
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = f"127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with self.context.wrap_socket(connection, server_side=True) as tls:
                while data := tls.recv(65536):
                    tls.sendall(self.name.encode() + b":" + data)
        except OSError:
            pass


class Plain:
    """A server without TLS that keeps what it gets."""

    def __init__(self):
        self.got = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listening.accept()
            data = connection.recv(65536)
            self.got.append(data)
            connection.sendall(b"plain:" + data)
            connection.close()


class House:
    def __init__(self, lab):
        self.node = lab.node("lb-a", workers=1)
        certificate = str(lab.folder / "cert.pem"), str(lab.folder / "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=x", "-keyout", certificate[1], "-out", certificate[0]], check=True, capture_output=True)
        self.servers = {n: TlsServer(n, certificate) for n in ("a", "b", "wild", "rest")}
        self.plain = Plain()
        self.ports = {"tls": free_port(), "strict": free_port()}
        self.node.start("control", "data")
        self.node.put(self.document())

    def document(self, **first):
        def pool(name):
            return {"name": name, "protocol": "tcp", "servers": [{"name": name, "address": self.servers[name].address}]}

        routes = [{"match": {"host": "a.example"}, "pool": "a"}, {"match": {"host": "b.example"}, "pool": "b"},
                  {"match": {"host": "*.wild.example"}, "pool": "wild"}]
        listeners = [{"name": name, "bind": [f"127.0.0.1:{port}"], "protocol": "tls", "routes": routes,
                      "timeouts": {"request_head": "1s"}} for name, port in self.ports.items()]
        listeners[0]["pool"] = "rest"
        return {"stack": "sni", "pools": [pool(n) for n in self.servers], "listeners": listeners, **first}

    def connect(self, listener="tls"):
        return socket.create_connection(("127.0.0.1", self.ports[listener]), 5)

    def ask(self, name, data=b"hello", listener="tls", version=None):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if version:
            context.maximum_version = version
        with context.wrap_socket(self.connect(listener), server_hostname=name) as tls:
            tls.sendall(data)
            return tls.recv(65536)


@pytest.fixture(scope="module")
def house():
    with Lab("sni") as lab:
        yield House(lab)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name,server", [("a.example", "a"), ("B.Example", "b"), ("x.wild.example", "wild"),
                                         ("deep.x.wild.example", "wild"), ("wild.example", "rest"), ("unknown.example", "rest"),
                                         (None, "rest")])
def test_the_name_chooses(house, name, server, version):
    assert house.ask(name, version=version) == server.encode() + b":hello"
    assert (house.servers[server].asked[-1] or "").lower() == (name or "").lower()


def hello(name):
    """The first bytes of a client of this name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return client, incoming, outgoing


def go_on(client, incoming, outgoing, connection, step):
    """Does the client's next step, moving bytes as it asks for them."""
    while True:
        try:
            result = step()
            connection.sendall(outgoing.read())
            return result
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            incoming.write(connection.recv(65536))


def converse(client, incoming, outgoing, connection):
    go_on(client, incoming, outgoing, connection, client.do_handshake)
    go_on(client, incoming, outgoing, connection, lambda: client.write(b"x"))
    return go_on(client, incoming, outgoing, connection, lambda: client.read(100))


@pytest.mark.parametrize("piece", [1, 60, 1000])
def test_a_hello_in_pieces(house, piece):
    """However it is cut into segments, the server gets it whole, and the handshake goes on."""
    client, incoming, outgoing = hello("b.example")
    with house.connect() as c:
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = outgoing.read()
        for i in range(0, len(data), piece):
            c.sendall(data[i:i + piece])
        assert converse(client, incoming, outgoing, c) == b"b:x"


def test_a_hello_in_many_records(house):
    """As clients do that hide their name from simple filters."""
    client, incoming, outgoing = hello("a.example")
    body = outgoing.read()[5:]
    with house.connect() as c:
        for i in range(0, len(body), 50):
            c.sendall(b"\x16\x03\x01" + len(body[i:i + 50]).to_bytes(2, "big") + body[i:i + 50])
        assert converse(client, incoming, outgoing, c) == b"a:x"


def is_ended(connection, within=5):
    connection.settimeout(within)
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True


NOT_TLS = [b"SSH-2.0-x\r\n", b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\x40\x00\x01\x00\x50\x00"]


def test_what_is_not_tls(house):
    """Goes to the listener's pool, byte for byte; without one it is closed and counted."""
    def refused():
        return metric(house.node, "ballast_listener_errors_total", listener="strict", cause="no_route")

    before = refused()
    for text in NOT_TLS:
        with house.connect("strict") as c:
            c.sendall(text)
            assert is_ended(c)
    wait_for(lambda: refused() == before + len(NOT_TLS), 5, "the count")
    document = house.document()
    document["pools"].append({"name": "plain", "protocol": "tcp", "servers": [{"name": "p", "address": house.plain.address}]})
    document["listeners"][0]["pool"] = "plain"
    house.node.put(document)
    for text in NOT_TLS:
        with house.connect() as c:
            c.sendall(text)
            assert c.recv(100) == b"plain:" + text
    house.node.put(house.document())


def test_unknown_names_without_a_pool(house):
    for name in ("unknown.example", None):
        with pytest.raises((ConnectionResetError, ssl.SSLEOFError, ssl.SSLError)):
            house.ask(name, listener="strict")
    assert house.ask("a.example", listener="strict") == b"a:hello"


def test_one_that_says_nothing_is_closed_in_time(house):
    with house.connect() as c:
        c.sendall(b"\x16\x03\x01")
        assert is_ended(c, 10)
    wait_for(lambda: metric(house.node, "ballast_listener_errors_total", listener="tls", cause="client_timeout") == 1, 5, "the count")


def test_one_that_ends_early(house):
    """Half a hello and an end: the server of the listener's pool is told just that."""
    with house.connect("strict") as c:
        c.sendall(hello("a.example")[2].read()[:100])
        c.shutdown(socket.SHUT_WR)
        assert is_ended(c, 0.9)  # before the time limit


def test_a_change_of_routes(house):
    """Connections go on with the server they have; new ones go by the new routes."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(house.connect(), server_hostname="a.example") as tls:
        tls.sendall(b"1")
        assert tls.recv(100) == b"a:1"
        document = house.document()
        document["listeners"][0]["routes"][0]["pool"] = "b"
        house.node.put(document)
        tls.sendall(b"2")
        assert tls.recv(100) == b"a:2"
        assert house.ask("a.example") == b"b:hello"
        house.node.put(house.document())
