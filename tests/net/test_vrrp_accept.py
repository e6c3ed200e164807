"""accept: false: the Active answers for its addresses (ARP, ND), forwards, and takes no packet for itself."""
import json

from lab import Lab, run, wait_for
from vrrp import holds, instance, sysctl, vip

V4, V6 = "10.0.0.100", "fd00::100"
BEHIND = "198.51.100.7"
HOSTS = {"a": ["10.0.0.11/24", "fd00::11/64"], "b": ["10.0.0.12/24", "fd00::12/64", BEHIND + "/32"],
         "client": ["10.0.0.99/24", "fd00::99/64"]}


def answers(netns, address):
    done = run("ip", "netns", "exec", netns, "ping", "-c1", "-W0.3", address, check=False)
    return " 0% packet loss" in done


def is_known(netns, address):
    rows = json.loads(run("ip", "-n", netns, "-j", "neighbour", "show", address))
    return bool(rows and rows[0].get("lladdr"))


def connects(netns, address, port):
    return "ok" in run("ip", "netns", "exec", netns, "/usr/bin/python3", "-c",
                       f"import socket; socket.create_connection(('{address}', {port}), 0.5); print('ok')", check=False)


def tables(netns):
    return run("ip", "netns", "exec", netns, "nft", "list", "tables")


def test_accept_false():
    with Lab("accept") as lab:
        netns = lab.segment(HOSTS)
        a, client = netns["a"], netns["client"]
        sysctl(a, "net.ipv4.ip_forward=1")
        run("ip", "-n", a, "route", "add", BEHIND, "via", "10.0.0.12")
        run("ip", "-n", client, "route", "add", BEHIND, "via", V4)
        lab.http_server("s", "0.0.0.0", 8080, netns=a)
        node = lab.node("a", a).start("control", "vrrpd")

        def put(accept):
            node.put({"stack": "shop", "instances": [instance("a", "10.0.0.11")],
                      "vips": [vip([V4 + "/24", V6 + "/64"], "100ms", **({} if accept else {"accept": False}))]})

        def is_closed():
            """Packets to the addresses are dropped; everything else goes on."""
            assert not answers(client, V4) and not answers(client, V6) and not connects(client, V4, 8080)
            assert is_known(client, V4) and is_known(client, V6)
            wait_for(lambda: answers(client, "10.0.0.11") and connects(client, "10.0.0.11", 8080), 5)
            wait_for(lambda: answers(client, BEHIND), 5)

        put(False)
        wait_for(lambda: holds(a, V4) and holds(a, V6), 10)
        is_closed()

        # Nobody takes it away for long; and a killed vrrpd leaves it to the next one.
        run("ip", "netns", "exec", a, "nft", "flush", "ruleset")
        wait_for(lambda: "ballast-vrrpd" in tables(a), 5)
        node.daemons["vrrpd"].kill()
        assert "ballast-vrrpd" in tables(a)
        node.start("vrrpd")
        wait_for(lambda: holds(a, V4), 10)
        assert not answers(client, V4)

        # Live, both ways; and nothing stays behind.
        put(True)
        wait_for(lambda: "ballast-vrrpd" not in tables(a), 5)
        wait_for(lambda: answers(client, V4) and answers(client, V6) and connects(client, V4, 8080), 5)
        put(False)
        wait_for(lambda: "ballast-vrrpd" in tables(a), 5)
        assert not answers(client, V4)
        assert node.daemons["vrrpd"].stop() == 0
        assert tables(a) == ""
