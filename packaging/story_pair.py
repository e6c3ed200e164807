"""The story of packaging/quickstart --pair: a virtual address over two nodes, and what a client sees when one dies."""
import base64
import os
import shutil

from lab import ROOT, Lab, run, wait_for

PRIORITY_OF_THE_BACKUP = 253
ADDRESSES = {"lb-a": "10.77.0.11", "lb-b": "10.77.0.12", "w1": "10.77.0.21", "w2": "10.77.0.22",
             "client": "10.77.0.200"}
VIP = "10.77.0.100"


def active_down_ms(interval_ms):
    """RFC 9568: three advertisement intervals and the skew of the Backup's priority."""
    return 3 * interval_ms + (256 - PRIORITY_OF_THE_BACKUP) * interval_ms / 256


class Pair:
    """Two nodes on one segment with a client, two servers and one PostgreSQL."""

    def __init__(self, lab, say):
        self.lab, self.say = lab, say
        self.hosts = lab.segment({name: [f"{address}/24"] for name, address in ADDRESSES.items()})
        self.postgres = lab.postgres()
        for name in ("w1", "w2"):
            lab.http_server(name, host=ADDRESSES[name], port=8080, netns=self.hosts[name])
        key = lab.folder / "cluster.key"
        key.write_text(f"1:{base64.b64encode(os.urandom(32)).decode()}\n")
        key.chmod(0o600)
        self.nodes = {name: lab.node(name, netns=self.hosts[name], store=self.postgres.uri,
                                     extra=f"cluster_key_file: {key}\n") for name in ("lb-a", "lb-b")}
        for node in self.nodes.values():
            node.start()

    def states(self):
        return {name: node.vip_state("web") for name, node in self.nodes.items()}

    def is_whole(self):
        """lb-a holds the address, lb-b stands by, both know the servers to be well and lb-b knows its peer."""
        if self.states() != {"lb-a": "active", "lb-b": "backup"}:
            return False
        return all(set(n.server_states("web").values()) == {"up"} for n in self.nodes.values())

    def wait_until_whole(self):
        wait_for(self.is_whole, 40, "lb-a to hold the address and both servers to be up on both nodes")

    def client(self):
        return self.lab.client(VIP, 80, netns=self.hosts["client"])

    def power_off(self, name):
        """As if the cable of the power supply were pulled: the network is gone at once, then all processes."""
        self.lab.plug(name, False)
        for process in self.nodes[name].daemons.values():
            process.kill()
        self.nodes[name].end_workers()
        self.lab.remove_host(name)

    def power_on(self, name):
        """As after a boot: a kernel that knows no connection and no address but its own, an empty run folder."""
        shutil.rmtree(self.nodes[name].run, ignore_errors=True)
        self.lab.host(name, [f"{ADDRESSES[name]}/24"])
        self.nodes[name].start()

    def stop_in_order(self, name):
        """As systemd does: vrrpd first, then data, then the others."""
        self.nodes[name].stop("vrrpd", "data", "healthd", "control")


def lose_power(pair, say, interval_ms):
    """Kills the Active node under a client that asks every 5 ms; checks and prints the outage."""
    bound = active_down_ms(interval_ms) + 15
    client = pair.client()
    client.wait_answered()
    pair.power_off("lb-a")
    wait_for(lambda: pair.nodes["lb-b"].vip_state("web") == "active", 10, "lb-b to take the address")
    wait_until_served(pair)
    books = client.books()
    say(f"\nlb-a lost its power (advertisements every {interval_ms} ms): the client saw an outage of "
        f"{books['longest_gap_ms']} ms; the bound is Active-down + 15 ms = {bound:.0f} ms")
    assert books["longest_gap_ms"] <= bound, books
    pair.power_on("lb-a")
    pair.wait_until_whole()
    say("lb-a is back and holds the address again")


def wait_until_served(pair):
    """One answer through the address, asked from the client's place."""
    probe = ["nsenter", f"--net=/run/netns/{pair.hosts['client']}", "/usr/bin/python3", "-c",
             f"import urllib.request as u; print(u.urlopen('http://{VIP}/', timeout=1).status)"]
    wait_for(lambda: run(*probe, check=False).strip() == "200", 10, "an answer through the address")


def stop_in_order(pair, say):
    client = pair.client()
    client.wait_answered()
    pair.stop_in_order("lb-a")
    wait_until_served(pair)
    books = client.books()
    say(f"\nlb-a was stopped in order: {books['lost']} of {books['sent']} answers lost, "
        f"longest gap {books['longest_gap_ms']} ms")
    assert books["lost"] <= 1, books


def apply(pair, path):
    node = pair.nodes["lb-a"]
    pair.say(f"\n$ ballastctl apply -f {path} --wait")
    pair.say(node.ctl("apply", "-f", path, "--wait").stdout.rstrip())


def tell(is_check, say, show, wait_for_interrupt):
    example = ROOT / "packaging" / "examples" / "pair.yaml"
    with Lab("quickstart-pair") as lab:
        pair = Pair(lab, say)
        say("made two nodes (lb-a, lb-b), two servers and a client in network namespaces, and a PostgreSQL")
        apply(pair, example)
        pair.wait_until_whole()
        show(pair.nodes["lb-b"], "status")
        lose_power(pair, say, 1000)
        faster = lab.folder / "pair-100ms.yaml"
        faster.write_text(example.read_text().replace("advertisement_interval: 1s", "advertisement_interval: 100ms"))
        apply(pair, faster)
        pair.wait_until_whole()
        lose_power(pair, say, 100)
        if not is_check:
            how_to_go_on(pair, say)
            wait_for_interrupt()
        stop_in_order(pair, say)
    say("\neverything held; nothing is left behind")


def how_to_go_on(pair, say):
    node = pair.nodes["lb-b"]
    say(f"""
It runs until Ctrl-C. In another terminal, as root:

  export BALLAST_SERVER=unix:{node.run}/api.sock PATH={ROOT}/build/control:$PATH
  ballastctl status
  ballastctl explain vip web
  ip netns exec {pair.hosts['client']} wget -qO- http://{VIP}/
  ip netns exec {pair.hosts['lb-a']} ip address show eth0""")
