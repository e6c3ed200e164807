"""The bus between two daemons (tests/bus/bus_actor.c): strangers on every socket, and a server killed a hundred times.

The asker goes round: it asks for a version to be set, gets the answer, and sees the row in the table it follows.
"Whole" is a round that began after the trouble and came to its end. The server appends a line for each effect: a
version that is there twice was done twice, one that is missing was not done.
"""
import random
import re
import socket
import struct
import subprocess
import threading
import time

import pytest
from bus_lab import handshake
from lab import BUILD, Lab, wait_for

STRANGER_SECONDS = 10
KILLS = 100


class Actors:
    def __init__(self, lab):
        self.lab, self.folder = lab, lab.folder / "actors"
        self.folder.mkdir()
        self.effects = self.folder / "effects"
        self.server = self.serve()
        self.asker = self._start("ask", self.folder)

    def _start(self, *words):
        return self.lab.process(f"actor-{words[0]}", [BUILD / "tests" / "bus" / "bus-actor", *words])

    def serve(self):
        self.server = self._start("serve", self.folder, self.effects)
        return self.server

    def rounds(self):
        """[(number, milliseconds)] so far."""
        return [(int(n), int(ms)) for n, ms in re.findall(r"^round (\d+) (\d+)$", self.asker.text(), re.M)]

    def whole_again_ms(self, within):
        """Milliseconds from now until a round that begins from now on has ended: two more, as one is under way."""
        began, done = time.monotonic(), self.rounds()[-1][0]
        wait_for(lambda: self.rounds()[-1][0] >= done + 2, within, "the bus to be whole again", every=0.01)
        return (time.monotonic() - began) * 1000

    def finish(self):
        """Ends the asker, then compares what it asked for with what was done; returns its counters."""
        assert self.asker.stop() == 0, self.asker.text()[-2000:]
        asked = self.rounds()[-1][0]
        assert self.server.stop() == 0, self.server.text()[-2000:]
        done = [int(line.split()[1]) for line in self.effects.read_text().splitlines()]
        twice = len(done) - len(set(done))
        missing = set(range(1, asked + 1)) - set(done)
        assert not twice and not missing, f"{twice} done twice, missing {sorted(missing)[:10]}"
        return dict((k, int(v)) for k, v in re.findall(r"(\w+)=(\d+)", self.asker.text().splitlines()[-1])), asked


@pytest.fixture
def actors():
    with Lab("bus") as lab:
        a = Actors(lab)
        wait_for(lambda: len(a.rounds()) > 10, 10, "the first rounds")
        yield a


def approach(path, protocol, held):
    """One stranger: connects to a socket and misbehaves in one of seven ways."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(0.5)
    s.connect(str(path))
    size = struct.pack(">Q", 1 << 30)
    s.sendall(random.choice([
        b"",                                               # connects and hangs up
        random.randbytes(random.randrange(1, 200)),        # garbage
        b"\0SP\0\0",                                       # half a handshake
        handshake(0x50),                                   # another protocol
        handshake(protocol) + b"\1" + size + b"x" * 1000,  # claims 1 GiB
        handshake(protocol) + b"\1" + struct.pack(">Q", 9) + random.randbytes(9),
        handshake(protocol) + b"\1" + struct.pack(">Q", 40) + b"\x80\0\0\1" + b'{"kind":"request"',
    ]))
    held.append(s)
    while len(held) > random.randrange(1, 40):
        held.pop(random.randrange(len(held))).close()


def be_strangers(folder, until, counts):
    """Goes on until the time has come; every socket in the folder gets its share."""
    held, random_ = [], random.Random()
    paths = sorted(folder.glob("bus/*"))
    while time.monotonic() < until:
        path = random_.choice(paths)
        try:
            approach(path, 0x30 if path.suffix == ".req" else 0x21, held)
            counts[path.name] = counts.get(path.name, 0) + 1
        except OSError:
            pass
        time.sleep(0.001)
    for s in held:
        s.close()


def descriptors(process):
    return int(subprocess.run(f"ls /proc/{process.pid}/fd | wc -l", shell=True, capture_output=True, text=True,
                              check=True).stdout)


def test_strangers_cost_themselves_alone(actors):
    counts, before = {}, len(actors.rounds())
    open_before = descriptors(actors.server)
    until = time.monotonic() + STRANGER_SECONDS
    threads = [threading.Thread(target=be_strangers, args=(actors.folder, until, counts)) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    whole_ms = actors.whole_again_ms(2.0)
    meanwhile = actors.rounds()[before:]
    wait_for(lambda: descriptors(actors.server) <= open_before + 2, 5, "strangers' descriptors to be closed")
    counters, asked = actors.finish()
    print(f"strangers {sum(counts.values())} on {len(counts)} sockets; rounds meanwhile {len(meanwhile)}, "
          f"slowest {max(ms for _, ms in meanwhile)} ms; whole {whole_ms:.0f} ms after the last; "
          f"asked {asked}, each done once; {counters}")
    assert len(counts) == 4 and min(counts.values()) > 100
    assert whole_ms <= 2000


def test_a_hundred_kills_of_the_server(actors):
    slowest = 0.0
    for _ in range(KILLS):
        time.sleep(random.uniform(0.0, 0.05))  # a random phase, not a synchronisation
        actors.server.kill()
        actors.serve()
        slowest = max(slowest, actors.whole_again_ms(5.0))
    counters, asked = actors.finish()
    print(f"kills {KILLS}; slowest to be whole again {slowest:.0f} ms; asked {asked}, each done once; {counters}")
    assert slowest <= 2000


def test_a_removed_socket_comes_back(actors):
    for name in ("data.req", "data.pub"):
        (actors.folder / "bus" / name).unlink()
    wait_for(lambda: all((actors.folder / "bus" / n).exists() for n in ("data.req", "data.pub")), 3,
             "the endpoints to be listened anew")
    actors.server.signal(0)
    assert actors.whole_again_ms(3.0) < 3000
    actors.finish()
