"""ballastctl top: on a terminal a screen that follows size and keys, in a pipe snapshots; true of the traffic."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import pytest

from http_house import HEAD, OK, House, answering
from lab import BUILD, Lab, wait_for


@pytest.fixture(scope="module")
def house():
    with Lab("top") as lab:
        yield House(lab)


def ctl(house, *arguments, **how):
    return subprocess.run([str(BUILD / "control" / "ballastctl"), "--server", f"unix:{house.node.run}/api.sock", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, **how)


class Busy:
    """Requests one after the other, until the end."""

    def __init__(self, house):
        self.house, self.stop, self.count = house, threading.Event(), 0
        house.server.play(answering(OK))
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        client = self.house.client()
        while not self.stop.is_set():
            client.send(HEAD)
            client.response()
            self.count += 1

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: self.count > 10, 5, "traffic")
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(10)


class Terminal:
    """top on a pseudo-terminal; its screen as an emulator would have it."""

    def __init__(self, house, *arguments, lines=40, columns=100):
        self.master, slave = pty.openpty()
        self.poll = select.poll()  # not select(): a long run of stories has descriptors above 1023
        self.poll.register(self.master, select.POLLIN)
        self.resize(lines, columns)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            [str(BUILD / "control" / "ballastctl"), "--server", f"unix:{house.node.run}/api.sock", "top", *arguments],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env={**os.environ, "TERM": "xterm"},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.raw = b""

    def resize(self, lines, columns):
        self.lines, self.columns = lines, columns
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self):
        while self.poll.poll(50):
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.raw += data

    def screen(self):
        """The lines of the last whole drawing, without colours."""
        self.read()
        drawings = self.raw.split(b"\x1b[H")
        for drawing in reversed(drawings[1:]):
            if b"\x1b[J" in drawing or drawing.count(b"\x1b[K") >= self.lines:
                text = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", drawing).decode()
                return text.replace("\r", "").split("\n")
        return []

    def wait(self, claim, what):
        def look():
            lines = self.screen()
            return lines if claim(lines) else None

        return wait_for(look, 15, f"{what} on the screen")

    def press(self, keys):
        os.write(self.master, keys)

    def end(self):
        wait_for(lambda: self.process.poll() is not None, 10, "the end of top")
        self.read()
        assert self.raw.rstrip().endswith(b"\x1b[?25h\x1b[?1049l"), "the terminal is left as it was found"
        assert termios.tcgetattr(self.slave) == self.before
        os.close(self.slave)
        os.close(self.master)
        return self.process.returncode


def row(lines, name):
    found = [line.split() for line in lines if line.split()[:1] == [name]]
    return found[0] if found else None


def test_a_snapshot_in_a_pipe_is_true(house):
    with Busy(house) as busy:
        before, at = busy.count, time.monotonic()
        done = ctl(house, "top", "-n", "1", "-o", "json")
        seen = (busy.count - before) / (time.monotonic() - at)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    value = json.loads(lines[0])
    www = next(l for l in value["listeners"] if l["name"] == "www")
    assert value["listeners"][0] == www, "the busiest first"
    assert seen / 3 < www["requests"] < seen * 3 and www["failed"] == 0 and www["state"] == "open"
    assert 0 < www["p50_s"] <= www["p99_s"] and www["bytes_in"] > www["requests"] * 10
    web = next(p for p in value["pools"] if p["name"] == "web")
    w0 = next(s for s in value["servers"] if s["name"] == "web/w0")
    assert web["requests"] == w0["requests"] > 0 and (web["servers"], web["usable"]) == (1, 1), (web, w0)
    assert w0["p99_s"] <= www["p99_s"] * 4 and w0["state"] in ("up", "unchecked")


def test_plain_lines_come_one_snapshot_an_interval(house):
    done = ctl(house, "top", "-n", "2", "--interval", "1s", "--sort", "name")
    assert done.returncode == 0 and done.stderr == ""
    assert "\x1b" not in done.stdout and len(re.findall(r"^\d{4}-\d\d-\d\dT", done.stdout, re.M)) == 2
    assert done.stdout.count("LISTENER") == done.stdout.count("SERVER ") == 2
    names = [line.split()[0] for line in done.stdout.split("\n\n")[0].splitlines()[2:]]
    assert names == sorted(names) and "www" in names


@pytest.mark.parametrize("arguments, what", [
    (["--interval", "10ms"], "from 1s"), (["--sort", "size"], "requests, errors"), (["-n", "x"], "is a number"),
    (["-n", "0"], "1 at least"), (["now"], "usage")])
def test_what_cannot_be_is_refused(house, arguments, what):
    done = ctl(house, "top", *arguments)
    assert done.returncode == 2 and what in done.stderr


def test_without_an_answer_it_says_so(house):
    done = subprocess.run([str(BUILD / "control" / "ballastctl"), "--server", "unix:/nowhere", "top", "-n", "1"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 5 and "no answer" in done.stderr


def test_a_screen_follows_traffic_size_and_keys(house):
    with Busy(house):
        top = Terminal(house, "--interval", "1s")
        lines = top.wait(lambda l: (row(l, "www") or [])[1:2] == ["open"] and row(l, "www")[4] != "0", "traffic of www")
        assert len(lines) <= 40 and all(len(line) <= 100 for line in lines)
        assert "by requests" in lines[0] and row(lines, "web/w0")
        assert b"\x1b[32mopen" in top.raw, "a good state is green"
        top.press(b"s")
        top.wait(lambda l: l and "by errors" in l[0], "the next order")
        top.press(b"r")
        top.wait(lambda l: l and "turned" in l[0], "the order turned round")
        top.press(b"\x1b[B\x1b[6~\x1b[H")
        top.resize(12, 60)
        lines = top.wait(lambda l: 0 < len(l) <= 12, "a smaller screen")
        assert all(len(line) <= 60 for line in lines)
        top.press(b"q")
        assert top.end() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_in_order(house, number):
    top = Terminal(house)
    top.wait(lambda l: row(l, "www"), "a first drawing")
    os.kill(top.process.pid, number)
    assert top.end() == 0


def test_control_c_is_pressed(house):
    top = Terminal(house)
    top.wait(lambda l: row(l, "www"), "a first drawing")
    top.press(b"\x03")
    assert top.end() == 0


def test_trouble_is_shown_and_goes_by(house):
    """While control is away the screen stays and says why; then it goes on."""
    top = Terminal(house, "--interval", "1s")
    top.wait(lambda l: row(l, "www"), "a first drawing")
    house.node.daemons["control"].stop()
    top.wait(lambda l: len(l) > 1 and "no answer" in l[1] and row(l, "www"), "the trouble")
    house.node.start("control")
    top.wait(lambda l: len(l) > 1 and l[1] == "" and row(l, "www"), "that it goes on")
    top.press(b"q")
    assert top.end() == 0
