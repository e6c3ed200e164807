"""TLS with clients, as they see it: versions, names, keys, sessions, certificates of their own, and what a stranger gets."""
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from http_house import HEAD, OK, Peer, answering, field
from lab import rss_kib, wait_for
from tls_house import Authority, context, house, openssl, resource  # noqa: F401 (house is a fixture)

FAILURES = "ballast_listener_tls_failures_total"
HANDSHAKES = "ballast_listener_tls_handshakes_total"


@pytest.fixture(scope="module")
def site(house):
    """Listeners of every kind, in one document."""
    issue = house.authority.issue
    house.certificate("www", "www.example.test", "example.test")
    house.certificate("rsa", "www.example.test", "example.test", kind="rsa")
    house.certificate("wild", "*.example.test")
    house.certificate("api", "api.example.test")
    house.certificates.append({"name": "clients", "certificate_pem": house.authority.pem})
    house.listener("www", "www", "rsa", "wild", "api", access_log={"format": "json"})
    house.listener("modern", "www", tls_profile="modern", http2=False)
    house.listener("tunnel", "www", protocol="tcp", pool="raw", timeouts={"request_head": "1s", "tunnel_idle": "20s"})
    house.listener("optional", "www", client_certificates={"mode": "optional", "ca": "clients"})
    house.listener("required", "www", client_certificates={"mode": "required", "ca": "clients"})
    house.listener("plain", protocol="http")
    house.pool("raw", house.server.port, protocol="tcp")
    house.put()
    house.client_pair = issue("alice.example.test", subject="/O=Shop/CN=alice")
    house.server.play(answering(OK))
    return house


def shown(site, name, using=None):
    """The serial number of the certificate that a client of that name gets."""
    s = site.connect("www", name, using=using or context())
    try:
        der = s.getpeercert(binary_form=True)
        return openssl("x509", "-inform", "DER", "-noout", "-serial", stdin=der).decode().strip()
    finally:
        s.close()


def serial_of(site, name):
    pem = next(c for c in site.certificates if c["name"] == name)["certificate_pem"]
    return openssl("x509", "-noout", "-serial", stdin=pem.encode()).decode().strip()


def test_a_request_comes_through(site):
    status, _head, body = site.ask(HEAD, "www")
    assert (status, body) == (200, b"ok")
    assert field(site.server.heads[-1], b"X-Forwarded-Proto") == b"https"


def test_the_access_log_names_the_version(site):
    for version, named in ((ssl.TLSVersion.TLSv1_2, "1.2"), (ssl.TLSVersion.TLSv1_3, "1.3")):
        path = f"/logged-{named}"
        assert site.ask(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % path.encode(), "www", using=context(site.authority, version))[0] == 200
        log = site.node.state / "log" / "www.log"
        wait_for(lambda path=path, log=log: path in log.read_text(), 5, "the log line")
        line = next(json.loads(text) for text in log.read_text().splitlines() if path in text)
        assert line["tls"] == named


def test_versions_and_ciphers(site):
    tls12, tls13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    for listener, version, good in (("www", tls12, True), ("www", tls13, True), ("modern", tls13, True), ("modern", tls12, False)):
        if good:
            s = site.connect(listener, using=context(site.authority, version))
            assert s.version() == {tls12: "TLSv1.2", tls13: "TLSv1.3"}[version]
            assert re.fullmatch(r"(TLS_|ECDHE-ECDSA-)AES(_|)128[-_]GCM[-_]SHA256", s.cipher()[0]), s.cipher()
            assert s.compression() is None
            s.close()
        else:
            with pytest.raises(ssl.SSLError, match="(?i)version"):
                site.connect(listener, using=context(site.authority, version))
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        weak = context(None, old, "ALL:@SECLEVEL=0")
        with pytest.raises(ssl.SSLError):
            site.connect("www", using=weak)
    for cipher in ("AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"):
        with pytest.raises(ssl.SSLError):
            site.connect("www", using=context(None, tls12, f"{cipher}:@SECLEVEL=0"))
    assert wait_for(lambda: site.figure(FAILURES, listener="www", cause="no_agreement"), 5) >= 6


def test_certificates_by_name(site):
    www, wild, api = (serial_of(site, name) for name in ("www", "wild", "api"))
    for name, expected in (("www.example.test", www), ("WWW.Example.TEST", www), ("example.test", www), ("other.example.test", wild),
                           ("api.example.test", api), ("a.b.example.test", www), ("nobody.test", www), (None, www)):
        assert shown(site, name) == expected, name


def test_rsa_for_those_who_know_no_ecdsa(site):
    tls12 = ssl.TLSVersion.TLSv1_2
    assert shown(site, "www.example.test", context(None, tls12, "ECDHE-RSA-AES128-GCM-SHA256")) == serial_of(site, "rsa")
    assert shown(site, "www.example.test", context(None, tls12, "ECDHE-ECDSA-AES128-GCM-SHA256")) == serial_of(site, "www")
    assert shown(site, None, context(None, tls12, "ECDHE-RSA-AES128-GCM-SHA256")) == serial_of(site, "rsa")
    done = openssl("s_client", "-connect", f"127.0.0.1:{site.ports['www']}", "-servername", "www.example.test", "-tls1_3", "-sigalgs",
                   "RSA-PSS+SHA256", stdin=b"")
    assert b"Peer signature type: RSA-PSS" in done


def test_protocols_are_agreed_on(site):
    for listener, offered, agreed in (("www", ["http/1.1"], "http/1.1"), ("www", ["h2", "http/1.1"], "h2"), ("www", ["http/1.1", "h2"], "h2"),
                                      ("modern", ["h2", "http/1.1"], "http/1.1"), ("tunnel", ["h2"], None)):
        s = site.connect(listener, using=context(site.authority, alpn=offered))
        assert s.selected_alpn_protocol() == agreed, (listener, offered)
        s.close()
    with pytest.raises(ssl.SSLError):
        site.connect("www", using=context(site.authority, alpn=["spdy/1"]))
    with pytest.raises(ssl.SSLError):
        site.connect("modern", using=context(site.authority, alpn=["h2"]))


def resumes(site, listener, using, session, count=8):
    """How many of `count` new connections resume it."""
    resumed = 0
    for _ in range(count):
        s = site.connect(listener, using=using, session=session)
        s.sendall(HEAD)
        s.recv(1000)
        resumed += s.session_reused
        s.close()
    return resumed


def session_of(site, listener, using):
    s = site.connect(listener, using=using)
    s.sendall(HEAD)
    s.recv(1000)  # TLS 1.3 sends its ticket after the handshake
    session = s.session
    s.close()
    return session


def test_sessions_resume_at_every_worker_and_after_one_died(site):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        using = context(site.authority, version)
        session = session_of(site, "www", using)
        assert resumes(site, "www", using, session) == 8, version
        before = set(site.node.workers())
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda before=before: len(site.node.workers()) == 2 and not before & set(site.node.workers()), 15, "two new workers")
        assert resumes(site, "www", using, session) == 8, version
    assert wait_for(lambda: site.figure("ballast_listener_tls_resumed_total", listener="www"), 5) >= 8


def test_sessions_outlive_a_replaced_supervisor(site):
    using = context(site.authority)
    session = session_of(site, "www", using)
    before = set(site.node.workers())
    site.node.daemons["data"].signal(signal.SIGHUP)
    wait_for(lambda: len(site.node.workers()) == 2 and not before & set(site.node.workers()), 20, "two new workers")
    assert resumes(site, "www", using, session) == 8


def test_a_session_is_good_for_its_listener_alone(site):
    """Else who resumes at the listener that demands a certificate would need none."""
    using = context(site.authority)
    session = session_of(site, "www", using)
    s = site.connect("modern", using=using, session=session)
    assert not s.session_reused
    s.close()


def alice(site, **how):
    folder = site.lab.folder / "alice"
    if not folder.exists():
        folder.mkdir()
        for name, text in zip(("pem", "key"), site.client_pair):
            (folder / name).write_text(text)
    return context(site.authority, certificate=(folder / "pem", folder / "key"), **how)


FORGED = (b"GET / HTTP/1.1\r\nHost: h\r\nX-Client-Certificate-Subject: CN=root\r\nx-client-certificate-verified: yes\r\n"
          b"X-Client-Certificate-Anything: 1\r\n\r\n")


def test_clients_show_certificates(site):
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(site.client_pair[0])).hexdigest().encode()
    for listener in ("optional", "required"):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            using = alice(site, version=version)
            for session in (None, session_of(site, listener, using)):
                peer = site.client(listener, using=using, session=session)
                peer.send(FORGED)
                assert peer.response()[0] == 200
                head = site.server.heads[-1]
                assert field(head, b"X-Client-Certificate-Subject") == b"CN=alice,O=Shop"
                assert field(head, b"X-Client-Certificate-Verified") == b"yes"
                assert field(head, b"X-Client-Certificate-Fingerprint") == fingerprint
                assert field(head, b"X-Client-Certificate-Serial") == openssl(
                    "x509", "-noout", "-serial", stdin=site.client_pair[0].encode()).strip().split(b"=")[1]
                assert not field(head, b"X-Client-Certificate-Anything")
                peer.s.close()


def test_clients_without_certificates(site):
    assert site.ask(FORGED, "optional")[0] == 200
    assert b"Client-Certificate" not in site.server.heads[-1]
    assert site.ask(FORGED, "www")[0] == 200
    assert b"Client-Certificate" not in site.server.heads[-1]
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with pytest.raises((ssl.SSLError, ConnectionResetError, EOFError)):
            site.ask(HEAD, "required", using=context(site.authority, version))
    stranger = Authority(site.lab.folder / f"strangers-{time.monotonic_ns()}", "strangers")
    folder = stranger.folder
    pem, key = stranger.issue("mallory.example.test")
    (folder / "m.pem").write_text(pem)
    (folder / "m.key").write_text(key)
    bad = context(site.authority, certificate=(folder / "m.pem", folder / "m.key"))
    for listener in ("optional", "required"):
        with pytest.raises((ssl.SSLError, ConnectionResetError, EOFError)):
            site.ask(HEAD, listener, using=bad)
    assert wait_for(lambda: site.figure(FAILURES, listener="required", cause="client_certificate"), 5) >= 3


def test_http2_tells_the_same(site):
    """Each request of an HTTP/2 connection says who the client is."""
    alice(site)
    folder = site.lab.folder / "alice"
    done = subprocess.run(["curl", "-sS", "--http2", "--cacert", site.authority.file, "--cert", folder / "pem", "--key", folder / "key",
                           "--connect-to", f"::127.0.0.1:{site.ports['required']}", "-H", "X-Client-Certificate-Subject: CN=root",
                           "-w", " %{http_version}", "https://www.example.test/a", "https://www.example.test/b"],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0 and done.stdout == "ok 2ok 2", done
    for head in site.server.heads[-2:]:
        assert field(head, b"X-Client-Certificate-Subject") == b"CN=alice,O=Shop"
        assert field(head, b"X-Forwarded-Proto") == b"https"


def closed(s):
    """What comes until the end."""
    data = b""
    try:
        while more := s.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return data


def test_strangers_are_counted_and_closed(site):
    """Plain HTTP, garbage, silence, and those who leave in the middle."""
    for listener in ("www", "tunnel"):
        at = ("127.0.0.1", site.ports[listener])
        before = {c: site.figure(FAILURES, listener=listener, cause=c) for c in ("not_tls", "client_left", "timeout")}
        with socket.create_connection(at, timeout=10) as s:
            s.sendall(HEAD)
            assert closed(s).startswith(b"HTTP/1.1 400 ")
        for garbage in (b"\x00" * 100, b"SSH-2.0-OpenSSH\r\n", os.urandom(600), b"\x16\x03\x01\xff\xff" + b"A" * 2000):
            with socket.create_connection(at, timeout=10) as s:
                s.sendall(garbage)
                s.shutdown(socket.SHUT_WR)
                closed(s)
        with socket.create_connection(at, timeout=10) as s:
            s.sendall(b"\x16\x03\x01\x02")
        if listener == "tunnel":  # its request_head is 1 s
            with socket.create_connection(at, timeout=10) as s:
                assert closed(s) == b""
            wait_for(lambda: site.figure(FAILURES, listener="tunnel", cause="timeout") > before["timeout"], 5, "a counted time-out")
        wait_for(lambda listener=listener, before=before: site.figure(FAILURES, listener=listener, cause="not_tls") >= before["not_tls"] + 3 and
                 site.figure(FAILURES, listener=listener, cause="client_left") > before["client_left"], 5, "counted strangers")
    assert site.ask(HEAD, "www")[0] == 200


def test_a_worker_that_dies_in_a_handshake_costs_only_that(site):
    s = socket.create_connection(("127.0.0.1", site.ports["www"]), timeout=10)
    s.sendall(b"\x16\x03\x01\x02")
    before = set(site.node.workers())
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    closed(s)
    wait_for(lambda: len(site.node.workers()) == 2 and not before & set(site.node.workers()), 15, "two new workers")
    assert site.ask(HEAD, "www")[0] == 200
    s.close()


def test_tunnels_half_close_both_ways(site):
    def until_end(peer, _n):
        data = peer.rest()
        peer.send(b"got %d" % len(data))
        peer.s.shutdown(socket.SHUT_WR)

    site.server.play(until_end)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        done = openssl_client(site, version, b"x" * 100000)
        assert done == b"got 100000", (version, done)
    site.server.play(answering(OK))


def openssl_client(site, version, data):
    """Sends data and close_notify, then reads to close_notify: through memory, as python's own socket cannot half-close."""
    raw = socket.create_connection(("127.0.0.1", site.ports["tunnel"]), timeout=20)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context(site.authority, version).wrap_bio(incoming, outgoing, server_hostname="www.example.test")

    def step(call):
        while True:
            try:
                result = call()
                raw.sendall(outgoing.read())
                return result
            except ssl.SSLWantReadError:
                raw.sendall(outgoing.read())
                more = raw.recv(65536)
                if not more:
                    raise EOFError("no close_notify before the end") from None
                incoming.write(more)

    step(tls.do_handshake)
    step(lambda: tls.write(data))
    try:
        tls.unwrap()  # our close_notify; theirs has not come yet
    except ssl.SSLWantReadError:
        raw.sendall(outgoing.read())
    raw.shutdown(socket.SHUT_WR)
    received = b""
    while more := raw.recv(65536):
        incoming.write(more)
    raw.close()
    while True:
        try:
            more = tls.read(65536)
        except ssl.SSLZeroReturnError:
            return received
        if not more:
            return received
        received += more


def test_an_upload_cut_off_is_no_upload(site):
    """A FIN without close_notify in the middle of a tunnel is passed on as a break, not as an end."""
    ends = []

    def note(peer, _n):
        try:
            peer.rest()
            ends.append("end")
        except ConnectionResetError:
            ends.append("reset")

    site.server.play(note)
    s = site.connect("tunnel")
    s.sendall(b"half of it")
    raw = s.detach()
    socket.socket(fileno=raw).close()
    wait_for(lambda: ends, 10, "the server to notice")
    assert ends == ["reset"]
    site.server.play(answering(OK))


SIZE = 48 << 20


def test_big_bodies_through_tls(site):
    """Up and down, with checksums; a worker's memory stays flat."""
    block = os.urandom(1 << 20)
    whole = hashlib.sha256(block * (SIZE >> 20)).hexdigest()

    def script(peer, _n):
        head = peer.head()
        if head.startswith(b"PUT"):
            digest, left = hashlib.sha256(peer.buffer), SIZE - len(peer.buffer)
            while left:
                data = peer.s.recv(min(left, 1 << 20))
                digest.update(data)
                left -= len(data)
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + digest.hexdigest().encode())
        else:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
            for _ in range(SIZE >> 20):
                peer.send(block)

    site.server.play(script)
    before = max(rss_kib(pid) for pid in site.node.workers())
    peer = site.client("www")
    peer.send(b"PUT /up HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % SIZE)
    for _ in range(SIZE >> 20):
        peer.send(block)
    assert peer.response()[2].decode() == whole
    peer.s.close()
    peer = site.client("www")
    peer.send(b"GET /down HTTP/1.1\r\nHost: h\r\n\r\n")
    peer.head()
    digest, left = hashlib.sha256(peer.buffer), SIZE - len(peer.buffer)
    while left:
        data = peer.s.recv(min(left, 1 << 20))
        assert data
        digest.update(data)
        left -= len(data)
    assert digest.hexdigest() == whole
    peer.s.close()
    after = max(rss_kib(pid) for pid in site.node.workers())
    assert after - before < 8192, (before, after)
    site.server.play(answering(OK))


def test_slow_readers_hold_the_server_back(site):
    """Somebody who reads nothing makes the worker hold no more than a buffer, and gets all of it in the end."""
    sent = [0]

    def script(peer, _n):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (32 << 20))
        for _ in range(32 << 4):
            peer.send(b"z" * 65536)
            sent[0] += 65536

    site.server.play(script)
    before = max(rss_kib(pid) for pid in site.node.workers())
    peer = site.client("www")
    peer.send(HEAD)
    still = [-1]

    def has_stopped():
        stopped, still[0] = still[0] == sent[0], sent[0]
        return stopped and sent[0]

    wait_for(has_stopped, 10, "the server to be held back", every=0.3)
    assert sent[0] < 24 << 20
    assert max(rss_kib(pid) for pid in site.node.workers()) - before < 4096
    peer.head()
    left = (32 << 20) - len(peer.buffer)
    while left:
        left -= len(peer.s.recv(min(left, 1 << 20)))
    peer.s.close()
    site.server.play(answering(OK))


def test_bytes_one_by_one(site):
    """Each in a record of its own, answered as ever; then several requests in one record."""
    peer = site.client("www")
    for byte in HEAD:
        peer.send(bytes([byte]))
    assert peer.response()[0] == 200
    peer.send(HEAD * 20)
    for _ in range(20):
        assert peer.response()[0] == 200
    peer.s.close()


def test_requests_larger_than_a_buffer_in_one_write(site):
    """The last bytes of a body wait decrypted in OpenSSL, where no poll shows them."""

    def script(peer, _n):
        while True:
            head = peer.head()
            length = int(field(head, b"Content-Length"))
            body = peer.exactly(length)
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + hashlib.sha256(body).hexdigest().encode())

    site.server.play(script)
    peer = site.client("www")
    for size in (16383, 16384, 16385, 16368, 32768, 65536, 1 << 20):
        body = os.urandom(size)
        peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + body)
        assert peer.response()[2].decode() == hashlib.sha256(body).hexdigest(), size
    peer.s.close()
    site.server.play(answering(OK))


def test_what_is_decrypted_waits_where_no_poll_shows_it(site):
    """One record of pipelined requests, a little longer than a buffer: the end of the last one stays in OpenSSL, and nothing
    more comes that would wake the worker.
    """
    count = 16384 // len(HEAD) - 1
    last = b"GET /%s HTTP/1.1\r\nHost: a.example\r\n\r\n"
    last %= b"z" * (16384 - count * len(HEAD) - len(last % b""))
    peer = site.client("www")
    peer.send(HEAD * count + last)
    for _ in range(count + 1):
        assert peer.response()[0] == 200
    peer.s.close()


def test_keys_are_changed_under_way(site):
    """KeyUpdate (RFC 8446, 4.6.3), asking for one in return, between requests."""
    with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{site.ports['www']}", "-servername", "www.example.test",
                           "-tls1_3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0) as client:
        seen = b""

        def until(mark):
            nonlocal seen
            while mark not in seen:
                more = client.stdout.read(4096)
                assert more, seen
                seen += more
            seen = seen.split(mark, 1)[1]

        until(b"Verify return code")
        for _ in range(3):
            client.stdin.write(HEAD)
            until(b"HTTP/1.1 200")
            client.stdin.write(b"K\n")
            until(b"KEYUPDATE")
        client.stdin.write(HEAD)
        until(b"HTTP/1.1 200")
        client.kill()


def test_nobody_renegotiates(site):
    failed = False
    try:
        done = openssl("s_client", "-connect", f"127.0.0.1:{site.ports['www']}", "-servername", "www.example.test", "-tls1_2", stdin=b"R\n")
        failed = b"no renegotiation" in done
    except Exception as error:  # noqa: BLE001 (its exit status says so too)
        failed = b"renegotiation" in error.stderr or b"alert" in error.stderr
    assert failed


def test_an_ocsp_response_is_stapled(site):
    ca, issued = site.authority, next(c for c in site.certificates if c["name"] == "www")["certificate_pem"]
    leaf, response = ca.folder / "leaf.pem", site.lab.folder / "www.ocsp"
    leaf.write_text(issued)
    serial = openssl("x509", "-noout", "-serial", stdin=issued.encode()).decode().strip().split("=")[1]
    (ca.folder / "index.txt").write_text(f"V\t400101000000Z\t\t{serial}\tunknown\t/CN=www.example.test\n")

    def respond():
        openssl("ocsp", "-index", ca.folder / "index.txt", "-CA", ca.file, "-rsigner", ca.file, "-rkey", ca.key, "-issuer", ca.file,
                "-cert", leaf, "-ndays", "3", "-respout", response.with_suffix(".new"))
        response.with_suffix(".new").rename(response)

    def stapled():
        done = openssl("s_client", "-connect", f"127.0.0.1:{site.ports['www']}", "-servername", "www.example.test", "-status",
                       "-sigalgs", "ECDSA+SHA256", stdin=b"")
        return b"OCSP Response Status: successful" in done and b"Cert Status: good" in done

    assert not stapled()
    respond()
    next(c for c in site.certificates if c["name"] == "www")["ocsp_file"] = str(response)
    site.put()
    assert stapled()
    response.write_bytes(b"rubbish")
    os.utime(response, (1, 1))
    wait_for(lambda: "is not stapled" in site.node.daemons["data"].text(), 10, "the new file to be noticed")
    respond()
    wait_for(stapled, 10, "the next response to be stapled")


def test_shapes_of_the_figures(site):
    assert site.figure(HANDSHAKES, listener="www", version="1.3") > 0
    assert site.figure(HANDSHAKES, listener="www", version="1.2") > 0


def test_many_at_once(site):
    """Both workers, many clients, new and kept connections: nobody fails."""
    failed = []

    def client():
        try:
            using = context(site.authority)
            for _ in range(5):
                peer = site.client("www", using=using)
                for _ in range(10):
                    peer.send(HEAD)
                    if peer.response()[0] != 200:
                        failed.append("status")
                peer.s.close()
        except (OSError, EOFError) as error:
            failed.append(error)

    threads = [threading.Thread(target=client) for _ in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert not failed


def test_private_keys_stay_private(site):
    """What the house checks in the end for all of its log, here for a listener that cannot be run."""
    other = resource("www", site.authority.issue("www.example.test"))
    status, body, _ = site.node.api("PUT", "/v1/stacks/shop/certificates/www?dry_run=1", dict(other, key_pem=site.certificates[1]["key_pem"]))
    assert status == 422 and "is not the key" in body["errors"][0]["what"]


def test_the_last_peer_is_plain(site):
    """Beside TLS a plain listener is what it was."""
    raw = socket.create_connection(("127.0.0.1", site.ports["plain"]), timeout=10)
    peer = Peer(raw)
    peer.send(FORGED)
    assert peer.response()[0] == 200
    assert b"Client-Certificate" not in site.server.heads[-1]
    assert field(site.server.heads[-1], b"X-Forwarded-Proto") == b"http"
    raw.close()
