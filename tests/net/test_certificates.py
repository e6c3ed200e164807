"""Certificates as resources: what is refused and how it is said, keys that nobody reads back, changes under traffic."""
import json
import ssl
import time

import pytest

from http_house import HEAD, OK, answering
from lab import wait_for
from tls_house import context, house, openssl, resource  # noqa: F401 (house is a fixture)


def refusal(house, certificates, listeners=None, pools=None):
    """The problems of a document that has to be refused, as {where: what}."""
    document = {"stack": "shop", "pools": pools or house.pools, "certificates": certificates, "listeners": listeners or []}
    status, body, _ = house.node.api("PUT", "/v1/stacks/shop/document?dry_run=1", document)
    assert status == 422, body
    return {e["where"]: e["what"] for e in body["errors"]}


def listener(*certificates, **more):
    return {"name": "www", "bind": ["127.0.0.1:1"], "protocol": "https", "pool": "web", "certificates": certificates, **more}


def test_what_cannot_serve_is_refused(house):
    good, other = house.authority.issue("a.test"), house.authority.issue("b.test")
    encrypted = openssl("ec", "-aes128", "-passout", "pass:x", stdin=good[1].encode()).decode()
    chain = good[0] + other[0]
    past, weak = house.authority.issue("old.test", days=-1), house.authority.issue("weak.test", kind="rsa1024")
    for certificate, key, field, what in (
            ("rubbish", good[1], "certificate_pem", "holds no certificate"),
            (good[1], good[1], "certificate_pem", "keys go to key_pem"),
            (good[0] + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", good[1], "certificate_pem", "certificate 2"),
            (weak[0], weak[1], "certificate_pem", "has a key of 1024 bits"),
            (good[0], other[1], "key_pem", "is not the key of this certificate"),
            (good[0], "rubbish", "key_pem", "holds no private key"),
            (good[0], encrypted, "key_pem", "is encrypted"),
            (chain, good[1], "certificate_pem", "certificate 2 did not issue certificate 1"),
            (past[0], past[1], "certificate_pem", "has expired")):
        problems = refusal(house, [resource("shop", (certificate, key))])
        assert what in problems[f"certificates[shop].{field}"], (what, problems)
        assert not any(line in json.dumps(problems) for line in secret_lines(good[1]))


def test_references_are_checked(house):
    ca = {"name": "corp-ca", "certificate_pem": house.authority.pem}
    shop = resource("shop", house.authority.issue("a.test"))
    assert "did you mean shop?" in refusal(house, [shop], [listener("shpo")])["listeners[www].certificates[0]"]
    assert "has no key" in refusal(house, [ca], [listener("corp-ca")])["listeners[www].certificates[0]"]
    assert "is required" in refusal(house, [shop], [listener()])["listeners[www].certificates"]
    wrong = listener("shop", client_certificates={"mode": "required", "ca": "corp-cb"})
    assert "did you mean corp-ca?" in refusal(house, [shop, ca], [wrong])["listeners[www].client_certificates.ca"]


@pytest.fixture(scope="module")
def shop(house):
    """A certificate in use, and its key."""
    house.certificate("shop", "www.example.test")
    house.listener("www", "shop")
    house.put()
    house.server.play(answering(OK))
    return house.certificates[-1]


def secret_lines(pem):
    """Lines of a key that nobody but us should ever see."""
    return [line for line in pem.splitlines() if line and not line.startswith("-----")]


def test_keys_are_never_read_back(house, shop):
    base = "/v1/stacks/shop"
    house.node.api("PUT", f"{base}/certificates/shop", dict(shop, ocsp_file="/nonexistent"))
    paths = [f"{base}/document", f"{base}/certificates", f"{base}/certificates/shop", "/v1/audit", "/v1/status",
             "/v1/events?follow=0&since=0&limit=1000", f"{base}/generations", "/v1/openapi.json", "/metrics"]
    generations = house.node.api("GET", f"{base}/generations")[1]
    paths += [f"{base}/generations/{g['generation']}" for g in generations]
    seen = ""
    for path in paths:
        for kind in ("application/json", "application/yaml"):
            status, body, _ = house.node.api("GET", path, headers={"Accept": kind})
            assert status == 200, (path, body)
            seen += body if isinstance(body, str) else json.dumps(body)
    other = resource("shop", house.authority.issue("www.example.test"))
    status, body, _ = house.node.api("PUT", f"{base}/certificates/shop?dry_run=1", other)
    assert status == 200, body
    assert any("sha256:" in c["what"] for c in body["changes"]), body
    status, conflict, _ = house.node.api("PUT", f"{base}/certificates/shop", other, headers={"If-Match": '"1"'})
    assert status == 409, conflict
    seen += json.dumps(body) + json.dumps(conflict) + house.node.ctl("export").stdout
    seen += house.node.ctl("get", "certificates", "-o", "yaml").stdout
    for daemon in house.node.daemons.values():
        seen += daemon.text()
    for line in secret_lines(shop["key_pem"]) + secret_lines(other["key_pem"]):
        assert line not in seen
    assert "sha256:" in seen and "PRIVATE KEY" not in seen


def test_keys_lie_where_they_are_needed_alone(house, shop):
    """In the store and at control and data; files are their owner's."""
    line = secret_lines(shop["key_pem"])[1]
    wait_for(lambda: line in (house.node.state / "data.snapshot").read_text(), 5, "data to save its snapshot")
    for file in house.node.state.rglob("*"):
        if not file.is_file():
            continue
        if line.encode() in file.read_bytes():
            assert file.name.split(".")[0] in ("data", "control", "store"), file
            assert file.stat().st_mode & 0o077 == 0, file
    house.node.start("healthd", "vrrpd")
    for name in ("healthd", "vrrpd"):
        saved = house.node.state / f"{name}.snapshot"
        wait_for(lambda saved=saved: "certificate_pem" in saved.read_text(), 5, f"{name} to save its snapshot")
        assert line not in saved.read_text()
    house.node.stop("healthd", "vrrpd")
    for pid in [*house.node.workers(), *(d.pid for d in house.node.daemons.values() if d.is_running())]:
        with open(f"/proc/{pid}/coredump_filter", encoding="ascii") as filter_:
            assert int(filter_.read(), 16) == 0x10, pid


def test_what_is_exported_can_be_applied(house, shop):
    export = house.node.ctl("export").stdout
    answer = json.loads(house.node.ctl("apply", "-f", "-", "-o", "json", stdin=export).stdout or "{}")
    assert house.ask(HEAD, "www")[0] == 200
    generations = house.node.api("GET", "/v1/stacks/shop/generations")[1]
    house.node.ctl("apply", "-f", "-", stdin=export)
    assert house.node.api("GET", "/v1/stacks/shop/generations")[1] == generations, answer
    # A key that is left out is kept; so is the fingerprint of the one that is there, and no other.
    base = "/v1/stacks/shop/certificates/shop"
    bare = {k: v for k, v in shop.items() if k != "key_pem"}
    status, body, _ = house.node.api("PUT", base + "?wait=10s", bare)
    assert status == 200, body
    assert house.ask(HEAD, "www")[0] == 200
    status, body, _ = house.node.api("PUT", base, dict(bare, key_pem="sha256:" + "0" * 64))
    assert status == 422 and "has another one" in body["errors"][0]["what"], body
    status, body, _ = house.node.api("PUT", base, dict(bare, certificate_pem=house.authority.issue("x.test")[0]))
    assert status == 422 and "is not the key" in body["errors"][0]["what"], body
    status, body, _ = house.node.api("PUT", "/v1/stacks/shop/certificates/new", dict(bare, name="new", key_pem="sha256:" + "0" * 64))
    assert status == 422 and "has none" in body["errors"][0]["what"], body
    status, body, _ = house.node.api("DELETE", base)
    assert status == 422 and "there is no certificate shop" in json.dumps(body), body


def test_the_end_of_a_certificate_is_announced(house, shop):
    house.certificate("soon", "soon.example.test", days=10)
    house.put()
    problems = [p for p in house.node.status()["problems"] if p["object"] == "certificate/soon"]
    assert len(problems) == 1 and "expires in 9 days" in problems[0]["what"], problems
    assert not [p for p in house.node.status()["problems"] if p["object"] == "certificate/shop"]


def test_a_renewal_touches_no_connection(house, shop):
    old = house.client("www")
    old.send(HEAD)
    assert old.response()[0] == 200
    serial = old.s.getpeercert()["serialNumber"]
    house.certificate("shop", "www.example.test")
    house.put()
    new = house.client("www")
    assert new.s.getpeercert()["serialNumber"] != serial
    for peer in (old, new, old):
        peer.send(HEAD)
        assert peer.response()[0] == 200


def test_renewals_under_load_fail_nobody(house, shop):
    """New connections and kept ones, while the certificate is renewed again and again."""
    using = context(house.authority)
    kept = house.client("www", using=using)
    serials, asked = set(), 0
    pairs = [resource("shop", house.authority.issue("www.example.test")) for _ in range(5)]
    for pair in pairs:
        house.certificates = [c for c in house.certificates if c["name"] != "shop"] + [pair]
        house.put()
        until = time.monotonic() + 0.2
        while time.monotonic() < until or not asked:
            kept.send(HEAD)
            assert kept.response()[0] == 200
            fresh = house.client("www", using=using)
            serials.add(fresh.s.getpeercert()["serialNumber"])
            fresh.send(HEAD)
            assert fresh.response()[0] == 200
            fresh.s.close()
            asked += 1
    assert len(serials) == len(pairs), serials


def test_a_stranger_certificate_does_not_verify(house, shop):
    """The client's side of it: our own tests would notice a wrong chain."""
    with pytest.raises(ssl.SSLCertVerificationError):
        house.connect("www", "other.example.test")
