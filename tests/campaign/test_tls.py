"""TLS under load: certificates renewed, workers replaced and killed, four thousand certificates."""
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from http_house import HEAD
from lab import Lab, cpu_seconds, rss_kib, wait_for
from tls_house import House, context, resource


@pytest.fixture(scope="module")
def house():
    with Lab("tls") as lab:
        made = House(lab, workers=2)
        made.nginx = lab.nginx("server", "x" * 48)
        made.pools = [{"name": "web", "servers": [{"name": "w0", "address": made.nginx.address}]}]
        made.certificate("www", "www.example.test")
        made.listener("www", "www", access_log=False)
        made.put()
        yield made
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "crashed", "PRIVATE KEY"):
            assert trouble not in text, text


class Load:
    """A load generator in the background; leaving waits for it and looks at what it counted."""

    def __init__(self, *argv):
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end(self):
        text = self.process.communicate(timeout=120)[0]
        assert self.process.returncode == 0, text
        return text


def wrk(house, listener, seconds, connections=32):
    return Load("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"https://127.0.0.1:{house.ports[listener]}/")


def counted(text):
    """Requests of a wrk run, which has to be without errors."""
    assert "Socket errors" not in text and "Non-2xx" not in text, text
    return int(re.search(r"(\d+) requests in", text)[1])


def test_renewals_under_load(house, figure):
    pairs = [resource("www", house.authority.issue("www.example.test")) for _ in range(10)]
    seconds = 20
    kept, h2 = wrk(house, "www", seconds), Load("h2load", "-c8", "-m10", f"-D{seconds}", f"https://127.0.0.1:{house.ports['www']}/")
    until, renewed, asked = time.monotonic() + seconds - 2, 0, 0
    using = context(house.authority)
    while time.monotonic() < until:
        house.certificates = [pairs[renewed % len(pairs)]]
        house.put()
        renewed += 1
        assert house.ask(HEAD, "www", using=using)[0] == 200
        asked += 1
    requests = counted(kept.end())
    text = h2.end()
    found = re.search(r"requests: (\d+) total, .* (\d+) succeeded, (\d+) failed, (\d+) errored", text)
    assert found and found[3] == "0" and found[4] == "0", text
    figure("renewals", f"{renewed} renewals while {requests} requests of wrk, {found[2]} of h2load and {asked} new connections were "
                   f"answered: 0 failed")


def test_an_upgrade_under_load(house, figure):
    """Workers are replaced while kept TLS connections ask: none is cut."""
    load = Asking(house, 8)
    for _ in range(3):
        before = set(house.node.workers())
        house.node.daemons["data"].signal(signal.SIGHUP)
        wait_for(lambda before=before: len(set(house.node.workers()) - before) == 2, 30, "two new workers")
    asked, reconnected = load.end()
    figure("upgrades", f"3 upgrades while {asked} requests were answered on kept TLS connections, {reconnected} of which were told to "
                   f"close: 0 failed")


class Asking:
    """Clients that ask on kept connections, and connect anew where an answer says close, or before they ask again where
    the connection has ended in order.
    """

    def __init__(self, house, clients):
        self.house, self.is_over, self.failed, self.asked, self.reconnected = house, False, [], 0, 0
        self.threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        for t in self.threads:
            t.start()

    def _ask(self):
        using = context(self.house.authority)
        peer = self.house.client("www", using=using)
        try:
            while not self.is_over:
                peer.send(HEAD)
                status, head, _ = peer.response()
                assert status == 200, head
                self.asked += 1
                if b"Connection: close" in head:
                    self.reconnected += 1
                    peer.s.close()
                    peer = self.house.client("www", using=using)
        except Exception as error:  # noqa: BLE001 (told by end())
            self.failed.append(repr(error))

    def end(self):
        self.is_over = True
        for t in self.threads:
            t.join(60)
        assert not self.failed, self.failed
        return self.asked, self.reconnected


def test_killed_workers_cost_their_own(house, figure):
    """kill -9 under load: new handshakes go on at once, and old sessions resume."""
    using = context(house.authority)
    s = house.connect("www", using=using)
    s.sendall(HEAD)
    s.recv(1000)
    session, slowest, resumed, count = s.session, 0, 0, 0
    s.close()
    until, due, killed = time.monotonic() + 10, 0, 0
    while time.monotonic() < until:
        workers = living(house) if time.monotonic() > due else ()
        if len(workers) == 2:
            os.kill(workers[killed % 2], signal.SIGKILL)
            due, killed = time.monotonic() + 1, killed + 1
        began = time.monotonic()
        try:
            s = house.connect("www", using=using, session=session)
            s.sendall(HEAD)
            assert s.recv(1000)
        except (OSError, AssertionError):
            continue  # its worker died under it
        slowest = max(slowest, time.monotonic() - began)
        resumed += s.session_reused
        count += 1
        s.close()
    assert count and killed > 3 and resumed == count
    wait_for(lambda: len(living(house)) == 2, 30, "two workers")
    figure("killed workers", f"{count} connections while {killed} workers were killed: every one resumed, the slowest took {slowest * 1000:.0f} ms")


def living(house):
    """Workers that status names and that are there."""
    return [pid for pid in house.node.workers() if os.path.exists(f"/proc/{pid}")]


MANY = 4000


def test_four_thousand_certificates(house, figure):
    """A document with all of them: how long until it runs, what it takes, and what a handshake costs then."""
    few = handshakes(house, "www", 300)
    base = house.authority.issue("base.example.test")
    certificates = [house.certificates[0]]
    issue = many_issuer(house, base[1])
    for n in range(MANY):
        certificates.append({"name": f"c{n}", "certificate_pem": issue(f"host-{n}.example.test"), "key_pem": base[1]})
    house.certificates = certificates
    split(house, certificates)
    began = time.monotonic()
    document = {"stack": "shop", "certificates": certificates, "pools": house.pools, "listeners": house.listeners}
    status, body, _ = house.node.api("PUT", "/v1/stacks/shop/document?wait=60s", document, timeout=180)
    assert status == 200 and body["complete"], str(body)[:1000]
    taken = time.monotonic() - began
    many = handshakes(house, "many0", 300, "host-3999.example.test")
    memory = max(rss_kib(pid) for pid in house.node.workers())
    began = time.monotonic()
    before = set(house.node.workers())
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(house.node.workers()) == 2 and not before & set(house.node.workers()), 120, "two new workers")
    house.ask(HEAD, "many0", "host-7.example.test")
    figure("certificates", f"{MANY} certificates: in force {taken:.1f} s after the PUT, {memory} KiB a worker, new workers after "
                   f"{time.monotonic() - began:.1f} s; CPU of a handshake {many * 1e6:.0f} us against {few * 1e6:.0f} us with one")
    assert many < few * 1.3


def split(house, certificates):
    """A listener names at most 4096."""
    for n, at in enumerate(range(0, len(certificates), 4001)):
        house.listener(f"many{n}", *[c["name"] for c in certificates[at:at + 4001]], access_log=False)


def many_issuer(house, key):
    """Signs in this process: a command for each would take minutes."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID
    import datetime
    ca = x509.load_pem_x509_certificate(house.authority.pem.encode())
    ca_key = serialization.load_pem_private_key(house.authority.key.read_bytes(), None)
    public = serialization.load_pem_private_key(key.encode(), None).public_key()
    now = datetime.datetime.utcnow()

    def issue(name):
        built = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
                 .issuer_name(ca.subject).public_key(public).serial_number(x509.random_serial_number())
                 .not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(90))
                 .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False).sign(ca_key, hashes.SHA256()))
        return built.public_bytes(serialization.Encoding.PEM).decode()

    return issue


def handshakes(house, listener, count, name="www.example.test"):
    """CPU seconds of the workers for one full handshake and close."""
    using = context()
    before = sum(cpu_seconds(pid) for pid in house.node.workers())
    for _ in range(count):
        house.connect(listener, name, using=using).close()
    return (sum(cpu_seconds(pid) for pid in house.node.workers()) - before) / count
