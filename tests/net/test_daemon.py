"""What every daemon promises (decisions S1 and S2), shown with healthd: options, folders, one instance, signals."""
import os
import random
import signal
import subprocess
import time

import pytest
from bus_lab import Caller
from lab import BUILD, Lab, wait_for

PROGRAM = BUILD / "healthd" / "ballast-healthd"


@pytest.fixture
def lab():
    with Lab("daemon") as made:
        yield made


def run(*words):
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=20, check=False)


def test_options(lab):
    assert run("--version").stdout.startswith("ballast-healthd ")
    assert "--check" in run("--help").stdout and run("--help").returncode == 0
    for wrong in (["--nonsense"], ["--config"], ["argument"]):
        done = run(*wrong)
        assert done.returncode == 2 and "Usage:" in done.stderr
    assert run("--config", lab.folder / "absent").returncode == 78


def test_bad_configuration_says_everything_and_exits_78(lab):
    config = lab.folder / "bad.yaml"
    config.write_text("run_dirr: /x\nstore: mysql\ndata: {workers: -1}\n")
    for words in ([], ["--check"]):
        done = run("--config", config, *words)
        assert done.returncode == 78
        assert len(done.stderr.splitlines()) == 3, done.stderr
        assert "did you mean run_dir?" in done.stderr and "data.workers" in done.stderr
    node = lab.node("lb-a")
    done = run("--config", node.config, "--check")
    assert done.returncode == 0 and "is good" in done.stdout
    node.state.mkdir()
    (node.state / "healthd.snapshot").write_text('{"format":7}')
    assert run("--config", node.config, "--check").returncode == 78


def test_folders_and_one_instance(lab):
    node = lab.node("lb-a")
    node.start("healthd")
    modes = [(p.stat().st_mode & 0o7777) for p in (node.run, node.run / "bus", node.state)]
    assert modes == [0o755, 0o750, 0o750]
    done = run("--config", node.config)
    assert done.returncode == 1 and f"another ballast-healthd (pid {node.daemons['healthd'].pid}) runs" in done.stderr
    assert node.daemons["healthd"].stop() == 0
    node.start("healthd")


def generations_of(daemon):
    return daemon.text().count("starting version")


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.pid}/fd"))


def wait_until_it_answers(node, daemon):
    def answers():
        caller = Caller(node.run / "bus" / "healthd.req")
        try:
            return caller.ask("counters")["status"] == 0
        finally:
            caller.close()

    wait_for(answers, 5, "an answer")


def test_hup_replaces_in_place_and_two_in_a_row_do_no_harm(lab):
    node = lab.node("lb-a")
    node.start("healthd")
    daemon = node.daemons["healthd"]
    wait_until_it_answers(node, daemon)
    open_before = descriptors(daemon)
    for count in range(1, 6):
        daemon.signal(signal.SIGHUP)
        daemon.signal(signal.SIGHUP)
        wait_for(lambda: generations_of(daemon) > count, 10, "the new program")
        wait_until_it_answers(node, daemon)
        assert daemon.is_running()
    # the second successor's --check and the bus's probes hold some for a moment: piled up is what stays
    wait_for(lambda: descriptors(daemon) <= open_before + 2, 5, "only the descriptors of before")
    assert daemon.stop() == 0


def test_hup_is_refused_when_the_successor_would_not_start(lab):
    node = lab.node("lb-a")
    node.start("healthd")
    daemon = node.daemons["healthd"]
    good = node.config.read_text()
    node.config.write_text(good + "nonsense: 1\n")
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: "not replaced" in daemon.text(), 10, "the refusal")
    assert generations_of(daemon) == 1 and daemon.is_running()
    node.config.write_text(good)
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: generations_of(daemon) == 2, 10, "the new program")


def test_reload_waits_and_returns_the_outcome(lab):
    node = lab.node("lb-a")
    done = run("--config", node.config, "--reload")
    assert done.returncode == 1 and "none runs in" in done.stderr
    node.start("healthd")
    daemon = node.daemons["healthd"]
    for count in (2, 3):
        done = run("--config", node.config, "--reload")
        assert done.returncode == 0 and f"replaced in place, pid {daemon.pid}" in done.stdout, done
        assert generations_of(daemon) == count
    snapshot = node.state / "healthd.snapshot"
    snapshot.write_text('{"format":7}')
    done = run("--config", node.config, "--reload")
    assert done.returncode == 1 and "--check failed with status 78" in done.stderr
    assert generations_of(daemon) == 3 and daemon.is_running()
    snapshot.unlink()
    assert run("--config", node.config, "--reload").returncode == 0
    assert daemon.stop() == 0
    done = run("--config", node.config, "--reload")
    assert done.returncode == 1 and "its lock is free" in done.stderr


def test_signals_at_any_moment_of_the_start(lab):
    """HUP and TERM from the first instant on: never killed by the default action, always left in order."""
    node = lab.node("lb-a")
    for delay in (0.0, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032) * 3:
        node.start("healthd", wait=False)
        daemon = node.daemons["healthd"]
        wait_for(lambda: daemon.text() or not daemon.is_running(), 10, "its first line", every=0.001)
        time.sleep(delay)  # a phase, not a synchronisation
        daemon.signal(signal.SIGHUP)
        time.sleep(random.uniform(0.0, 0.15))  # before, during or after the replacement
        daemon.signal(signal.SIGTERM)
        assert daemon.popen.wait(15) == 0, daemon.text()
