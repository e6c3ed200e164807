"""What TLS stories are made of: a certificate authority of our own, certificates of both kinds of key, TLS clients,
and a real node between them and scripted servers."""
import socket
import ssl
import subprocess

import pytest

from http_house import Peer, Server, answering, OK
from lab import Lab, free_port


def openssl(*words, stdin=None):
    return subprocess.run(["openssl", *map(str, words)], input=stdin, capture_output=True, check=True).stdout


class Authority:
    """Signs certificates, in a folder of the lab's."""

    def __init__(self, folder, name="ballast test CA"):
        self.folder, self.count = folder, 0
        folder.mkdir()
        self.key, self.file = folder / "ca.key", folder / "ca.pem"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)
        openssl("req", "-x509", "-new", "-key", self.key, "-subj", f"/CN={name}", "-days", "30", "-out", self.file,
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.pem = self.file.read_text()

    def issue(self, *names, kind="ec", days=90, subject=None, key=None):
        """(certificate, key) as PEM for these names."""
        self.count += 1
        base = self.folder / f"{self.count}"
        keyfile, request, config = base.with_suffix(".key"), base.with_suffix(".csr"), base.with_suffix(".cnf")
        if key:
            keyfile.write_text(key)
        elif kind.startswith("rsa"):
            openssl("genrsa", "-out", keyfile, kind[3:] or "2048")
        else:
            openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", keyfile)
        openssl("req", "-new", "-key", keyfile, "-subj", subject or f"/CN={names[0]}", "-out", request)
        config.write_text("subjectAltName=" + ",".join(f"DNS:{n}" for n in names) + "\n" if names else "")
        pem = openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.key, "-days", str(days),
                      "-set_serial", str(1000 + self.count), "-extfile", config)
        return pem.decode(), keyfile.read_text()


def context(authority=None, version=None, ciphers=None, alpn=None, certificate=None):
    """A client's context; without an authority nothing is verified."""
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    if authority:
        c.load_verify_locations(authority.file)
        c.verify_mode, c.check_hostname = ssl.CERT_REQUIRED, True
    if version:
        c.minimum_version = c.maximum_version = version
    if ciphers:
        c.set_ciphers(ciphers)
    if alpn:
        c.set_alpn_protocols(alpn)
    if certificate:
        c.load_cert_chain(*certificate)
    return c


def resource(name, pair):
    return {"name": name, "certificate_pem": pair[0], "key_pem": pair[1]}


class House:
    """One node: every story adds the listeners it needs and puts the document anew."""

    def __init__(self, lab, workers=1):
        self.lab, self.server = lab, Server()
        self.authority = Authority(lab.folder / "ca")
        self.ports, self.listeners, self.certificates, self.pools = {}, [], [], []
        self.node = lab.node("lb-a", workers=workers).start("control", "data")
        self.pool("web", self.server.port)

    def pool(self, name, *ports, **more):
        servers = [{"name": f"w{n}", "address": f"127.0.0.1:{port}"} for n, port in enumerate(ports)]
        self.pools = [p for p in self.pools if p["name"] != name]
        self.pools.append({"name": name, "servers": servers, **more})

    def certificate(self, name, *names, **more):
        self.certificates = [c for c in self.certificates if c["name"] != name]
        self.certificates.append(resource(name, self.authority.issue(*names, **more)))

    def listener(self, name, *certificates, protocol="https", pool="web", **more):
        self.ports.setdefault(name, free_port())
        self.listeners = [known for known in self.listeners if known["name"] != name]
        self.listeners.append({"name": name, "bind": [f"127.0.0.1:{self.ports[name]}"], "protocol": protocol, "pool": pool,
                               "certificates": list(certificates), **more})

    def put(self, **more):
        return self.node.put({"stack": "shop", "certificates": self.certificates, "pools": self.pools,
                              "listeners": self.listeners, **more})

    def connect(self, listener, name="www.example.test", using=None, session=None):
        """A TLS connection, its handshake done."""
        raw = socket.create_connection(("127.0.0.1", self.ports[listener]), timeout=20)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            return (using or context(self.authority)).wrap_socket(raw, server_hostname=name, session=session)
        except BaseException:
            raw.close()
            raise

    def client(self, listener, *where, **how):
        return Peer(self.connect(listener, *where, **how))

    def ask(self, request, listener, *where, **how):
        peer = self.client(listener, *where, **how)
        peer.send(request)
        answer = peer.response()
        peer.s.close()
        return answer

    def figure(self, name, **labels):
        """The sum of a metric's lines that carry these labels."""
        status, text = self.node.api("GET", "/metrics")[:2]
        assert status == 200
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        lines = [line for line in text.splitlines() if line.startswith(name + "{") and all(w in line for w in wanted)]
        return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines)


@pytest.fixture(scope="module")
def house():
    with Lab("tls") as lab:
        made = House(lab, workers=2)
        yield made
        made.server.play(answering(OK))
        made.node.daemons["data"].stop()
        text = made.node.daemons["data"].text()
        for trouble in ("Sanitizer", "runtime error", "Assertion", "crashed", "PRIVATE KEY"):
            assert trouble not in text, text
