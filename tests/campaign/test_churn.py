"""A day of churn in an hour: two whole nodes, one address, and everything that happens to them, one thing after another.

CHURN_SECONDS says for how long (3600), --seed or CHURN_SEED repeats an order of events, CHURN_EVENTS=move,kill lets only
these happen. A client asks every 5 ms, an onlooker reads advertisements from the wire. Printed at the end, for each kind of event and by whether it befell the node
that held the address: how often, the longest time without an answer, the longest time with two Actives, and the bounds.
Client and onlooker run under SCHED_RR: what is measured must not be how busy the machine is. vrrpd runs as its unit has it.
"""
import collections
import os
import random
import shutil
import signal
import time

from lab import run, wait_for
from onlooker import REALTIME, Onlooker
from vrrp import KEY, Pings, holds, instance, vip

SECONDS = float(os.environ.get("CHURN_SECONDS", "3600"))
ADDRESS = "10.0.0.100"
HOSTS = {"a": ["10.0.0.11/24"], "b": ["10.0.0.12/24"], "client": ["10.0.0.99/24"]}
INTERVAL, PRIORITIES = 0.1, {"a": 200, "b": 100}
SLACK = 0.015 + 0.005  # of decision V10, and of a client that asks every 5 ms
SKEW = {n: (256 - p) / 256 * INTERVAL for n, p in PRIORITIES.items()}
ACTIVE_DOWN = 3 * INTERVAL + max(SKEW.values())
PATIENCE = 2 * INTERVAL + min(SKEW.values())  # V2
# The longest time without an answer that each kind of event may cost the node that holds the address. NOTHING: the
# address stays, or is handed over before it is let go. LATE: let go once the patience of V2 is over, taken when
# Active-down is. LOST: Active-down.
NOTHING, LATE, LOST = SLACK, ACTIVE_DOWN - PATIENCE + SLACK, ACTIVE_DOWN + SLACK
DOUBLE_MOST = INTERVAL + SLACK
FLAPS_MOST = 1000  # in ten minutes: churn is no cause for bypass here


class Churn:
    """Two nodes with all their daemons on one PostgreSQL, and what can happen to one of them."""

    def __init__(self, lab, dice):
        self.lab, self.dice = lab, dice
        self.netns = lab.segment(HOSTS)
        self.parted = []  # (begin, end) by the wall clock: two Actives are meant then
        key = lab.folder / "cluster.key"
        key.write_text(KEY)
        key.chmod(0o600)
        uri = lab.postgres().uri
        self.server = lab.http_server("w1", host="10.0.0.99", port=8080, netns=self.netns["client"])
        self.nodes = {}
        for n in "ab":
            self.nodes[n] = lab.node(n, self.netns[n], store=uri, workers=2, extra=f"cluster_key_file: {key}\n")
            self.nodes[n].start()
        self.nodes["a"].put({
            "stack": "shop", "instances": [instance("a", "10.0.0.11", maximum_flaps=FLAPS_MOST),
                                           instance("b", "10.0.0.12", maximum_flaps=FLAPS_MOST)],
            "vips": [vip([ADDRESS + "/24"], "100ms", PRIORITIES, startup_hold="3s",
                         track=[{"data": True, "weight": "down"}])],
            "pools": [{"name": "web", "protocol": "http", "servers": [{"name": "w1", "address": "10.0.0.99:8080"}],
                       "check": {"type": "http", "interval": "1s"}}],
            "listeners": [{"name": "www", "bind": [f"{ADDRESS}:80"], "protocol": "http", "pool": "web"}]})

    # ---- what is looked at ----

    def log(self, name):
        return self.nodes[name].daemons["vrrpd"].text()

    def holder(self):
        """The one node that has the address on its interface; None: none, or both."""
        held = [n for n in "ab" if holds(self.netns[n], ADDRESS)]
        return held[0] if len(held) == 1 else None

    def is_known(self, name):
        """The node knows its peer to live."""
        text = self.log(name)
        return text.rfind(" state=healthy") > text.rfind(" state=un")

    def is_calm(self):
        """a holds the address, or b by a move: nothing is left to come."""
        return self.holder() == "a" and all(self.is_known(n) for n in "ab")

    def settle(self):
        wait_for(self.is_calm, 40, "a to hold the address, and both to know each other")

    # ---- what happens ----

    def signal(self, name, daemon, number):
        self.nodes[name].daemons[daemon].signal(number)

    def kill(self, name):
        """vrrpd is killed and started again, within its patience or past it."""
        self.nodes[name].daemons["vrrpd"].kill()
        time.sleep(self.dice.random() * 2 * ACTIVE_DOWN)
        self.nodes[name].start("vrrpd")

    def stop(self, name):
        self.nodes[name].daemons["vrrpd"].stop()
        time.sleep(self.dice.random())
        self.nodes[name].start("vrrpd")

    def replace(self, name):
        """SIGHUP: re-executed in place."""
        starts = self.log(name).count("starting version=")
        self.signal(name, "vrrpd", signal.SIGHUP)
        wait_for(lambda: self.log(name).count("starting version=") > starts, 10, "vrrpd to be replaced")

    def step_out(self, name):
        """Exits and is started again, by a harness that a busy machine may keep past the patience."""
        self.signal(name, "vrrpd", signal.SIGUSR2)
        wait_for(lambda: not self.nodes[name].daemons["vrrpd"].is_running(), 10, every=0.002)
        self.nodes[name].start("vrrpd")

    def stall(self, name):
        """0.5 to 3 intervals: within the patience nothing moves, past it the address is let go."""
        self.signal(name, "vrrpd", signal.SIGSTOP)
        time.sleep(self.dice.uniform(0.5, 3) * INTERVAL)
        self.signal(name, "vrrpd", signal.SIGCONT)

    def link_down(self, name):
        self.lab.plug(name, False)
        time.sleep(self.dice.uniform(0.5, 2))
        self.lab.plug(name, True)

    def part(self, name):
        """VRRP and heartbeats from the node, to it, or both are lost at the switch."""
        begun = time.time()
        ways = self.dice.choice((("iifname",), ("oifname",), ("iifname", "oifname")))
        rules = "; ".join(f"add rule bridge churn f {way} p-{name} {what} drop" for way in ways
                          for what in ("ip protocol 112", "udp dport 7610"))
        self.nft("add table bridge churn; add chain bridge churn f { type filter hook forward priority 0; }; " + rules)
        time.sleep(self.dice.uniform(1, 2))
        self.nft("delete table bridge churn")
        self.parted.append((begun, time.time() + 1.5 * INTERVAL))

    def nft(self, command):
        run("nsenter", f"--net=/run/netns/{self.lab.switch}", "nft", command)

    def take_off(self, name):
        run("ip", "-n", self.netns[name], "address", "delete", f"{ADDRESS}/24", "dev", "eth0", check=False)

    def put_on(self, name):
        run("ip", "-n", self.netns[name], "address", "add", f"{ADDRESS}/24", "dev", "eth0", check=False)

    def reboot(self, name):
        """Power off at once, and on again: nothing of its kernel's state or its run_dir is left."""
        node = self.nodes[name]
        self.lab.plug(name, False)
        for daemon in ("vrrpd", "control", "healthd", "data"):
            node.daemons[daemon].kill()
        node.end_workers()
        self.lab.remove_host(name)
        shutil.rmtree(node.run)
        time.sleep(self.dice.random())
        self.lab.host(name, HOSTS[name])
        node.start()

    def node_stops(self, name):
        """All daemons stop in order, as at a shutdown of the system, and start."""
        self.nodes[name].stop("vrrpd", "data", "healthd", "control")
        self.nodes[name].start()

    def control_dies(self, name):
        self.nodes[name].restart_killed("control")

    def healthd_dies(self, name):
        self.nodes[name].restart_killed("healthd")

    def supervisor_dies(self, name):
        """data's workers live on: that moves nothing."""
        self.nodes[name].restart_killed("data")

    def worker_dies(self, name):
        """One of two: the other answers."""
        os.kill(self.dice.choice(self.workers(name)), signal.SIGKILL)

    def data_dies(self, name):
        """Supervisor and workers at once, and for a second: the address goes to the peer (V6)."""
        workers = self.workers(name)
        self.nodes[name].daemons["data"].kill()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        time.sleep(1)
        self.nodes[name].start("data")

    def workers(self, name):
        """Those of the status that live: it may still tell of one that was killed a moment ago."""
        return wait_for(lambda: [p for p in self.nodes[name].workers() if os.path.exists(f"/proc/{p}")], 20, "workers")

    def move(self, name):
        """The operator moves it to b and lets priorities decide again."""
        node = self.nodes[name]

        def is_ordered():
            """Refused while the last news of b are of its boot, when its interface was down."""
            done = node.ctl("move", "web", "b", "--why", "churn", "--for", "1h", check=False)
            assert done.returncode == 0 or "VIP web cannot run on instance b" in done.stderr, done.stderr
            return done.returncode == 0

        wait_for(is_ordered, 10, "b's news")
        wait_for(lambda: self.holder() == "b", 20, "b to hold the address")
        node.ctl("move", "web", "--clear")


# What each kind of event may cost when it befalls the holder; the other node's troubles may cost NOTHING.
EVENTS = {Churn.kill: LATE, Churn.stop: NOTHING, Churn.replace: NOTHING, Churn.step_out: LATE, Churn.stall: LATE,
          Churn.link_down: LOST, Churn.part: NOTHING, Churn.take_off: NOTHING, Churn.put_on: NOTHING,
          Churn.reboot: LOST, Churn.node_stops: NOTHING, Churn.control_dies: NOTHING, Churn.healthd_dies: NOTHING,
          Churn.supervisor_dies: NOTHING, Churn.worker_dies: NOTHING, Churn.data_dies: NOTHING, Churn.move: NOTHING}


WANTED = [e for e in EVENTS if e.__name__ in os.environ.get("CHURN_EVENTS", e.__name__).split(",")]


class Record:
    """What one event was seen to cost."""

    def __init__(self, event, name, begun, pings):
        self.event, self.name, self.begun, self.ended = event, name, begun, time.time()
        self.lost, gap = pings.stop()
        asked = [at for kind, _, at in pings.rows() if kind != "r"]
        # A time in which the client itself did not ask is the machine's doing, and nobody's gap.
        self.pause = max(b - a for a, b in zip(asked, asked[1:])) - pings.every
        self.gap = gap if gap > 2 * self.pause else gap - self.pause
        self.double = 0.0

    @property
    def kind(self):
        return f"{self.event.__name__}, {'Active' if self.name == 'a' else 'Backup'}"

    @property
    def gap_most(self):
        return EVENTS[self.event] if self.name == "a" else NOTHING

    def __str__(self):
        return (f"{time.strftime('%H:%M:%S', time.localtime(self.begun))} {self.kind}: gap {self.gap * 1000:.0f} ms, "
                f"{self.lost} lost, double {self.double * 1000:.0f} ms (the client paused for {self.pause * 1000:.0f} ms)")


def one(churn, event, name):
    churn.settle()
    pings = Pings(churn.lab, churn.netns["client"], ADDRESS, before=REALTIME)
    begun = time.time()
    event(churn, name)
    try:
        churn.settle()
    finally:
        before = pings.answered()
        wait_for(lambda: pings.answered() > before + 40, 20, "the client to get answers")
    return Record(event, name, begun, pings)


def add_doubles(churn, onlooker, records):
    for begun, length in onlooker.doubles():
        if any(b - INTERVAL <= begun <= e for b, e in churn.parted):
            continue
        for r in records:
            if r.begun - INTERVAL <= begun <= r.ended:
                r.double = max(r.double, length)


def tell(records, figure):
    """One row for each kind of event; returns the events that cost more than they may."""
    kinds = collections.defaultdict(list)
    for r in records:
        kinds[r.kind].append(r)
    for kind, rows in sorted(kinds.items()):
        gaps = sorted(r.gap * 1000 for r in rows)
        figure(f"{kind:<26}", f"{len(rows):3} times; without an answer: median {gaps[len(gaps) // 2]:4.0f}, longest "
               f"{gaps[-1]:4.0f} of {rows[0].gap_most * 1000:.0f} ms; two Actives: longest "
               f"{max(r.double for r in rows) * 1000:3.0f} of {DOUBLE_MOST * 1000:.0f} ms")
    worse = [r for r in records if r.gap > r.gap_most or r.double > DOUBLE_MOST]
    figure("all", f"{len(records)} events, {len(worse)} cost more than they may")
    for r in worse:
        figure("more than it may", str(r))
    return worse


def test_churn(lab, figure, seed):
    print(f"--seed={seed}")
    churn = Churn(lab, random.Random(seed))
    churn.settle()
    onlooker = Onlooker(lab, INTERVAL)
    records, deadline = [], time.monotonic() + SECONDS
    try:
        while time.monotonic() < deadline:
            event, name = churn.dice.choice(WANTED), churn.dice.choice("aab")
            records.append(one(churn, event, name))
            print(records[-1], flush=True)
    finally:
        add_doubles(churn, onlooker, records)
        worse = tell(records, figure)
    assert not worse
