"""TLS with servers: who is believed, what is said when nobody is, kept connections and resumed sessions."""
import ssl
import socket
import threading
import types

import pytest

from http_house import HEAD, OK, Peer, answering, field
from lab import free_port, wait_for
import h2_house
from tls_house import house  # noqa: F401 (a fixture)


class Server:
    """A TLS server that answers requests on each connection, and counts handshakes, resumed ones and requests."""

    def __init__(self, house, *names, authority=None, script=answering(OK), **context):
        pair = (authority or house.authority).issue(*names)
        folder = house.lab.folder / f"server-{names[0]}-{free_port()}"
        folder.mkdir(exist_ok=True)  # a port comes again
        (folder / "pem").write_text(pair[0] + pair[1])
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "pem")
        for key, value in context.items():
            setattr(self.context, key, value)
        self.names, self.handshakes, self.resumed, self.heads, self.failures = [], 0, 0, [], []
        self.context.sni_callback = lambda _s, name, _c: self.names.append(name)
        self.script = script
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._run, args=(raw,), daemon=True).start()

    def _run(self, raw):
        raw.settimeout(20)
        try:
            with self.context.wrap_socket(raw, server_side=True) as s:
                self.handshakes += 1
                self.resumed += s.session_reused
                self.script(Peer(s, self), self.handshakes)
        except ssl.SSLError as error:
            self.failures.append(error)
        except (OSError, EOFError):
            pass


@pytest.fixture(scope="module")
def site(house):
    """A plain listener for each pool that a test puts."""
    house.certificates = [{"name": "corp-ca", "certificate_pem": house.authority.pem}]
    house.listeners = []

    def serve(name, server, tls, **pool):
        house.pool(name, server.port, tls=tls, retry={"attempts": 0}, **pool)
        house.listener(name, protocol="http", pool=name, access_log={"format": "json"})
        house.put()
        return name

    house.serve = serve
    yield house
    house.pools, house.listeners, house.certificates = house.pools[:1], [], []


def ask(site, listener, request=HEAD):
    raw = socket.create_connection(("127.0.0.1", site.ports[listener]), timeout=20)
    peer = Peer(raw)
    peer.send(request)
    try:
        return peer.response()
    finally:
        raw.close()


def test_a_server_that_is_who_it_says(site):
    server = Server(site, "app.internal")
    www = site.serve("verified", server, {"ca": "corp-ca", "server_name": "app.internal"})
    for _ in range(5):
        assert ask(site, www)[0] == 200
    assert server.handshakes <= 2 and set(server.names) == {"app.internal"}  # one a worker
    assert field(server.heads[-1], b"X-Forwarded-Proto") == b"http"


def test_a_server_that_is_somebody_else(site):
    from tls_house import Authority
    strange = Authority(site.lab.folder / "strange", "nobody we know")
    for name, server, tls in (
            ("other-name", Server(site, "b.internal"), {"ca": "corp-ca", "server_name": "app.internal"}),
            ("other-ca", Server(site, "app.internal", authority=strange), {"ca": "corp-ca", "server_name": "app.internal"}),
            ("system-ca", Server(site, "app.internal"), {"server_name": "app.internal"}),
            ("address", Server(site, "app.internal"), {"ca": "corp-ca"})):
        site.serve(name, server, tls)
        assert ask(site, name)[0] == 502, name
        log = site.node.state / "log" / f"{name}.log"
        wait_for(lambda log=log: "server-certificate" in log.read_text(), 5, f"the log line of {name}")
        assert not server.heads, name
    text = site.node.daemons["data"].text()
    assert "hostname mismatch" in text and "IP address mismatch" in text and "unable to get local issuer" in text


def test_nobody_is_verified_where_that_is_asked_for(site):
    server = Server(site, "whoever.internal")
    www = site.serve("blind", server, {"verify": False})
    assert ask(site, www)[0] == 200
    assert server.names in ([], [None])  # an address is not asked for by name


def test_a_server_without_tls_is_a_failed_connect(site):
    www = site.serve("plain", site.server, {"verify": False}, timeouts={"connect": "2s"})
    site.server.play(lambda peer, _n: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n") or peer.more())
    assert ask(site, www)[0] == 502
    log = site.node.state / "log" / f"{www}.log"
    wait_for(lambda: "server-tls" in log.read_text(), 5, "the log line")


def test_a_silent_server_is_a_connect_timeout(site):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        there = types.SimpleNamespace(port=silent.getsockname()[1])
        www = site.serve("silent", there, {"verify": False}, timeouts={"connect": "300ms"})
        assert ask(site, www)[0] == 504


def test_sessions_are_resumed(site):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        def once(peer, _n):
            peer.head()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

        server = Server(site, "app.internal", script=once, maximum_version=version)
        www = site.serve("resumed", server, {"ca": "corp-ca", "server_name": "app.internal"})
        for _ in range(12):
            assert ask(site, www)[0] == 200
        # Each of the two workers has its own first time.
        assert server.handshakes == 12 and server.resumed >= 10, (version, server.resumed)


def test_a_connection_is_kept_over_tickets_that_come_late(site):
    server = Server(site, "app.internal", num_tickets=4)
    www = site.serve("tickets", server, {"ca": "corp-ca", "server_name": "app.internal"})
    for _ in range(20):
        assert ask(site, www)[0] == 200
    assert server.handshakes <= 2  # one a worker


def test_a_body_cut_short_never_looks_whole(site):
    """The end of the connection is the body's end, and there is no close_notify: anybody could have cut it."""

    def cut(peer, _n):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart of it")
        raw = peer.s.detach()
        socket.socket(fileno=raw).close()

    server = Server(site, "app.internal", script=cut)
    www = site.serve("cut", server, {"ca": "corp-ca", "server_name": "app.internal"})
    raw = socket.create_connection(("127.0.0.1", site.ports[www]), timeout=20)
    peer = Peer(raw)
    peer.send(HEAD)
    with pytest.raises((OSError, EOFError)):
        peer.response()
    raw.close()


def test_a_whole_body_that_ends_with_the_connection(site):
    def end(peer, _n):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it")
        peer.s.unwrap()

    server = Server(site, "app.internal", script=end)
    www = site.serve("ended", server, {"ca": "corp-ca", "server_name": "app.internal"})
    assert ask(site, www)[::2] == (200, b"all of it")


def test_a_changed_pool_is_spoken_to_anew(site):
    server = Server(site, "app.internal")
    tls = {"ca": "corp-ca", "server_name": "app.internal"}
    www = site.serve("changed", server, tls)
    assert ask(site, www)[0] == 200
    site.serve("changed", server, dict(tls, server_name="other.internal"))
    assert ask(site, www)[0] == 502
    site.serve("changed", server, tls)
    assert ask(site, www)[0] == 200


class Http2Server(h2_house.Server):
    """A scripted server of HTTP/2 over TLS; offers: what it agrees to by ALPN."""

    def __init__(self, house, name, offers=("h2",)):
        certificate, key = house.authority.issue(name)
        file = house.lab.folder / f"http2-server-{free_port()}.pem"
        file.write_text(certificate + key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(file)
        self.context.set_alpn_protocols(list(offers))
        super().__init__()

    def _run(self, s):
        try:
            secured = self.context.wrap_socket(s, server_side=True)
        except OSError:
            s.close()
            return
        super()._run(secured)


def test_a_pool_of_http_2_over_tls(site):
    """Clients of both versions, at once: their requests share connections, and the server is told https."""
    server = Http2Server(site, "app.internal")
    waiting = []

    def script(peer, stream, headers):
        waiting.append((peer, stream, headers[":path"].encode()))
        for one in waiting if len(waiting) == 4 else ():  # all four are at the server before one is answered
            one[0].answer(*one[1:])
            one[0].flush()

    server.play(script)
    www = site.serve("http2", server, {"ca": "corp-ca", "server_name": "app.internal"}, protocol="h2")
    answers = []

    def old(number):
        answers.append(ask(site, www, f"GET /old{number} HTTP/1.1\r\nHost: a.example\r\n\r\n".encode())[::2])

    threads = [threading.Thread(target=old, args=(number,)) for number in range(2)]
    for t in threads:
        t.start()
    client = h2_house.Client(site.ports[www])
    streams = [client.send(h2_house.path(f"/new{number}")) for number in range(2)]
    answers += [(got.status, bytes(got.body)) for got in map(client.response, streams)]
    for t in threads:
        t.join()
    assert sorted(answers) == [(200, b"/new0"), (200, b"/new1"), (200, b"/old0"), (200, b"/old1")]
    assert server.accepted <= 2  # one a worker at most
    assert {request[":scheme"] for request in server.requests} == {"https"}


def test_a_server_that_does_not_agree_to_http_2(site):
    www = site.serve("no-http2", Http2Server(site, "app.internal", offers=["http/1.1"]),
                     {"ca": "corp-ca", "server_name": "app.internal"}, protocol="h2")
    assert ask(site, www)[0] == 502
    log = site.node.state / "log" / f"{www}.log"
    wait_for(lambda: "server-tls" in log.read_text(), 5, "the log line")
