"""ballastctl against a whole node: every command, what it prints, and its exit status."""
import json
import os
import pty
import subprocess

import pytest
from lab import BUILD, ROOT, Lab, free_port, wait_for
from terminal import END_OF_INPUT, INTERRUPT, Terminal


@pytest.fixture(scope="module")
def shop():
    """A node of four daemons with pool web (w1 up, w2 with nobody behind it) at listener www."""
    with Lab("ctl") as lab:
        node = lab.node("lb-a").start()
        node.server = lab.http_server("w1")
        node.listen = f"127.0.0.1:{free_port()}"
        node.file = node.folder / "shop.yaml"
        node.text = f"""
stack: shop
description: the web shop
pools:
- name: web
  servers:
  - {{name: w1, address: "{node.server.address}"}}
  - {{name: w2, address: "127.0.0.1:{free_port()}", weight: 50}}
  check: {{type: http, path: /, interval: 100ms, timeout: 90ms}}
listeners:
- {{name: www, bind: ["{node.listen}"], protocol: http, pool: web}}
"""
        node.file.write_text(node.text)
        yield node


def refused(node, status, *words, stdin=None):
    done = node.ctl(*words, check=False, stdin=stdin)
    assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    assert "ballastctl: " in done.stderr
    return done.stderr


def test_what_it_says_before_there_is_a_stack(shop):
    assert "there is no stack yet: ballastctl apply -f FILE makes one" in refused(shop, 1, "export")
    assert "no problems" in shop.ctl("status").stdout or "problems:" in shop.ctl("status").stdout


def test_apply_shows_judges_and_stores(shop):
    shown = shop.ctl("apply", "-f", shop.file, "--dry-run").stdout
    assert "+ pools[web]" in shown and "+ listeners[www]" in shown
    assert shop.ctl("diff", "-f", shop.file, check=False).returncode == 4
    stored = shop.ctl("apply", "-f", shop.file, "--wait").stdout
    assert stored.startswith("stack shop: generation 1\nNODE") and "healthd  running" in stored
    assert shop.ctl("diff", "-f", shop.file).stdout == ""
    assert shop.ctl("apply", "-f", shop.file).stdout == "stack shop: generation 1, unchanged\n"
    wait_for(lambda: shop.server_states("web") == {"w1": "up", "w2": "down"}, 10, "verdicts")


def test_every_problem_is_named_with_its_place(shop):
    text = shop.text.replace("weight: 50", "wieght: 50").replace("pool: web", "pool: wbe")
    said = refused(shop, 1, "apply", "-f", "-", stdin=text)
    assert "pools[web].servers[w2].wieght: unknown field; did you mean weight?" in said
    assert "listeners[www].pool: there is no pool wbe; did you mean web?" in said
    assert "line 2, column" in refused(shop, 1, "apply", "-f", "-", stdin="stack: shop\n\tpools: []\n")
    assert "cannot read" in refused(shop, 1, "apply", "-f", "/nonexistent")
    assert shop.ctl("history").stdout.count("\n") == 2


def test_several_files_are_judged_before_the_first_is_stored(shop, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("stack: other\ncolour: red\n")
    changed = tmp_path / "changed.yaml"
    changed.write_text(shop.text.replace("the web shop", "another"))
    assert "colour: unknown field" in refused(shop, 1, "apply", "-f", changed, bad)
    assert shop.ctl("diff", "-f", shop.file).stdout == ""


def test_exit_statuses_and_their_reasons(shop):
    assert "did you mean status?" in refused(shop, 2, "stauts")
    assert "did you mean pools?" in refused(shop, 2, "get", "pols")
    assert "usage: ballastctl weight POOL/SERVER N" in refused(shop, 2, "weight", "web/w1")
    assert "has no VIP web" in refused(shop, 1, "move", "web", "lb-b")
    assert "nothing of stack shop waits to be confirmed" in refused(shop, 1, "confirm")
    assert "nope" in refused(shop, 1, "drain", "web/nope")
    assert "timed out: web/w2: down" in refused(shop, 3, "ready", "web/w2", "--wait=500ms")
    assert "no answer from the API at unix:/nonexistent" in refused(shop, 5, "--server", "unix:/nonexistent", "status")


def test_the_operators_hand(shop):
    drained = shop.ctl("drain", "web/w1", "--why", "kernel update", "--for", "30m", "--wait").stdout
    assert drained.startswith("web/w1: drain, until 20")
    row = shop.ctl("get", "servers", "web/w1").stdout.splitlines()[1]
    assert " drain " in row and "kernel update" in row
    assert "drained by" in shop.ctl("explain", "web/w1").stdout
    assert shop.ctl("disable", "web/w1").stdout == "web/w1: disabled\n"
    assert shop.ctl("weight", "web/w1", "7").stdout == "web/w1: disabled, weight 7\n"
    assert shop.ctl("ready", "web/w1", "--wait").stdout == "web/w1: ready, weight 7\n"
    assert shop.ctl("weight", "web/w1", "default").stdout == "web/w1: ready\n"


def test_looking(shop):
    status = shop.ctl("status").stdout
    for heading in ("NODE", "SERVER", "LISTENER"):
        assert any(line.startswith(heading) for line in status.splitlines()), status
    assert "\033" not in status and not any(line.endswith(" ") for line in status.splitlines())
    assert json.loads(shop.ctl("status", "-o", "json").stdout)["node"] == "lb-a"
    assert json.loads(shop.ctl("get", "pool", "web", "-o", "json").stdout)["name"] == "web"
    assert shop.ctl("get", "listeners", "www").stdout.splitlines()[1].split()[:3] == ["www", shop.listen, "open"]
    assert "name: w2" in shop.ctl("get", "server", "web/w2", "-o", "yaml").stdout
    assert shop.ctl("diff", "-f", "-", stdin=shop.ctl("export").stdout).stdout == ""
    assert "www is open" in shop.ctl("explain", "listener", "www").stdout
    assert "retry.attempts  integer, 0 to 10, default 2" in shop.ctl("explain", "pool").stdout


def test_colour_is_for_terminals_alone(shop):
    argv = [BUILD / "control" / "ballastctl", "--server", f"unix:{shop.run}/api.sock", "get", "servers"]

    def on_terminal(**more):
        ours, theirs = pty.openpty()
        environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"} | more
        try:
            subprocess.run(argv, stdout=theirs, env=environment, check=True, timeout=30)
            return os.read(ours, 65536).decode()
        finally:
            os.close(ours)
            os.close(theirs)

    assert "\033[32mup\033[0m" in on_terminal()
    assert "\033" not in on_terminal(NO_COLOR="1")


def test_events_are_followed(shop):
    argv = [BUILD / "control" / "ballastctl", "--server", f"unix:{shop.run}/api.sock", "events", "-f", "-o", "json"]
    log = shop.folder / "events.json"
    with log.open("w") as out, subprocess.Popen(argv, stdout=out) as follower:
        try:
            def has_seen():
                shop.ctl("drain", "web/w1")
                shop.ctl("ready", "web/w1")
                events = [json.loads(line) for line in log.read_text().splitlines()]
                return [e for e in events if e["kind"] == "overlay" and e["object"] == "web/w1"]
            assert wait_for(has_seen, 10, "an event of the drain")
        finally:
            follower.terminate()
    assert "overlay" in shop.ctl("events").stdout


def test_delete_and_back(shop):
    shop.ctl("delete", "server", "web/w2", "--wait")
    assert set(shop.server_states("web")) == {"w1"}
    assert "there is no pool web" in refused(shop, 1, "delete", "pool", "web")
    shop.ctl("rollback", "1", "--wait")
    assert set(shop.server_states("web")) == {"w1", "w2"}
    newest = shop.ctl("history").stdout.splitlines()[1]
    assert "back to generation 1" in newest


def test_completion_knows_commands_options_and_names(shop):
    def completed(*words):
        script = (f'. {ROOT}/packaging/completion/ballastctl.bash; COMP_WORDS=("$@"); '
                  'COMP_CWORD=$(($# - 1)); _ballastctl; echo "${COMPREPLY[@]}"')
        argv = ["bash", "-c", script, "bash", BUILD / "control" / "ballastctl", *words]
        environment = dict(os.environ, BALLAST_SERVER=f"unix:{shop.run}/api.sock")
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout.split()

    assert completed("d") == ["diff", "delete", "drain", "disable"]
    assert completed("drain", "web/w1", "--w") == ["--wait", "--why"]
    assert completed("drain", "w") == ["web/w1", "web/w2"]
    assert completed("get", "listeners", "") == ["www"]
    assert completed("-o", "j") == ["json"]


@pytest.mark.parametrize("keys", [b"n\n", b"\n", INTERRUPT, END_OF_INPUT])
def test_it_asks_on_a_terminal_before_it_deletes(shop, keys):
    terminal = Terminal(shop.ctl_argv("delete", "listener", "www"))
    terminal.wait("Delete listener www of stack shop? [y/N] ")
    terminal.type(keys)
    assert terminal.end() == 1 and "nothing was deleted" in terminal.text, terminal.text
    assert shop.ctl("get", "listeners", "www").returncode == 0


def test_the_end_of_a_stack(shop):
    shop.ctl("delete", "stack", "shop", "--yes")
    assert "there is no stack yet" in refused(shop, 1, "export")
    wait_for(lambda: "www" not in shop.ctl("status").stdout, 10, "the listener to go")
