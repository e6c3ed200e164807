"""The harness itself: it must notice what it is there to notice."""
import pytest

from lab import connects, http_get, run, wait_for


def test_wait_for_fails_when_the_claim_never_holds():
    with pytest.raises(AssertionError, match="a state: not within"):
        wait_for(lambda: False, within=0.1, what="a state")


def test_server_answers_and_ends_with_the_lab(lab):
    server = lab.http_server("s1")
    assert http_get(server.address) == (200, "s1\n")
    host, port = server.address.split(":")
    server.stop()
    assert not connects(host, int(port))


def test_segment_joins_hosts_and_a_pulled_cable_parts_them(lab):
    hosts = lab.segment({"a": ["10.9.0.1/24"], "b": ["10.9.0.2/24"]})
    ping = ["nsenter", f"--net=/run/netns/{hosts['a']}", "ping", "-c1", "-W1", "10.9.0.2"]
    run(*ping)
    lab.plug("b", False)
    with pytest.raises(AssertionError):
        run(*ping)
