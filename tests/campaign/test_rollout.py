"""A change is decided or it is not, whenever the proposing control or the store dies."""
import random
import signal
import time

from lab import wait_for
from rollout_house import Later, cluster, document, generations, proposals, put, see_each_other

KILLS = 40


class Standby:
    """A second PostgreSQL that follows a first one by streaming, as "standby"."""

    def __init__(self, lab, primary):
        self.primary, self.folder = primary, primary.folder / "standby"
        primary._command("pg_basebackup", "-d", f"host={primary.folder} user=ballast application_name=standby", "-D", self.folder,
                         "-R", "-X", "stream", "-c", "fast", "--no-sync")
        lab.closers.append(lambda: self.stop(check=False))
        self.start()

    def start(self):
        self.primary._command("pg_ctl", "-D", self.folder, "-w", "-l", self.folder / "log", "-o",
                              f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off", "start")

    def stop(self, check=True):
        self.primary._command("pg_ctl", "-D", self.folder, "-w", "-m", "immediate", "stop", check=check)


def test_the_store_goes_while_nodes_are_asked(lab):
    """503 and nothing by half; when it is back the next write passes, whatever lay there."""
    postgres, nodes = cluster(lab, "lb-a", "lb-b")
    see_each_other(*nodes)
    a, b = nodes
    a.put(document("lb-a", "lb-b"), query="")
    b.daemons["control"].signal(signal.SIGSTOP)
    lost = Later(lambda: put(a, document("lb-a", "lb-b", description="two")))
    wait_for(lambda: proposals(postgres) != "", 5, "the proposal")
    postgres.stop("immediate")
    b.daemons["control"].signal(signal.SIGCONT)
    status, problem, _ = lost.end()
    assert status == 503, problem
    postgres.start()
    wait_for(lambda: a.status()["store"]["state"] == "connected", 10, "the store to be back")
    assert generations(postgres) == 1
    status, answer, _ = put(a, document("lb-a", "lb-b", description="three"))
    assert status == 200 and answer["generation"] == 2 and generations(postgres) == 2, answer
    assert proposals(postgres) == ""


def test_what_nobody_ends_is_removed(lab):
    """The proposer is killed and stays away: the others remove its proposal, and nothing of it was done."""
    postgres, nodes = cluster(lab, "lb-a", "lb-b", "lb-c")
    see_each_other(*nodes)
    a, b, c = nodes
    names = [node.name for node in nodes]
    a.put(document(*names), query="")
    b.daemons["control"].signal(signal.SIGSTOP)
    under_way = Later(lambda: put(a, document(*names, description="two")))
    wait_for(lambda: proposals(postgres) != "", 5, "the proposal")
    a.daemons["control"].kill()
    under_way.end()
    b.daemons["control"].signal(signal.SIGCONT)
    wait_for(lambda: proposals(postgres) == "" and postgres.sql("select count(*) from ballast.vote") == "0", 15,
             "the others to remove it")
    assert generations(postgres) == 1
    assert put(c, document(*names, description="three"))[0] == 200


def test_nodes_go_back_without_the_store(lab):
    """A generation to be confirmed, then the store stops: each node goes back by itself, one over a restart of its control;
    a confirmation that the store had taken in time takes the one that did not hear of it forward."""
    postgres, nodes = cluster(lab, "lb-a", "lb-b")
    see_each_other(*nodes)
    a, b = nodes

    def runs(node):
        status = node.status()
        return status["generation"], (status["stacks"][0]["confirm"] or {}).get("state")

    a.put(document("lb-a", "lb-b"), query="")
    a.put(document("lb-a", "lb-b", description="two"), query="?confirm_within=4s")
    for node in nodes:
        wait_for(lambda node=node: runs(node) == (2, "waiting"), 3, f"{node.name} to run it")
    postgres.stop("immediate")
    b.restart_killed("control")
    assert runs(b) in ((2, "waiting"), (1, "lapsed"))
    for node in nodes:
        wait_for(lambda node=node: runs(node) == (1, "lapsed"), 15, f"{node.name} to go back without the store")
    b.restart_killed("control")
    assert runs(b) == (1, "lapsed")
    postgres.start()
    for node in nodes:
        wait_for(lambda node=node: node.status()["store"]["state"] == "connected", 15, "the store")
        assert runs(node) == (1, "lapsed")
    see_each_other(*nodes)
    assert put(a, document("lb-a", "lb-b", description="three"))[0] == 200
    for node in nodes:
        wait_for(lambda node=node: runs(node) == (3, None), 10, f"{node.name} to run the third")

    a.put(document("lb-a", "lb-b", description="four"), query="?confirm_within=3s")
    wait_for(lambda: runs(b) == (4, "waiting"), 3, "lb-b to run it")
    b.daemons["control"].kill()
    assert a.api("POST", "/v1/stacks/shop/generations/4/confirm")[0] == 200
    postgres.stop("immediate")
    b.start("control")
    wait_for(lambda: runs(b) == (3, "lapsed"), 15, "lb-b to go back: it has not heard")
    postgres.start()
    wait_for(lambda: runs(b) == (4, None), 15, "lb-b to go forward")
    assert runs(a) == (4, None)


def test_the_proposer_is_killed_at_any_moment(lab, figure):
    """kill -9 at a random moment of a write, again and again: repeated with its key it is there exactly once."""
    postgres, nodes = cluster(lab, "lb-a", "lb-b", "lb-c")
    see_each_other(*nodes)
    a, _, c = nodes
    names = [node.name for node in nodes]
    a.put(document(*names), query="")
    dice, before, longest = random.Random(1), 0, 0
    for number in range(KILLS):
        made = document(*names, description=f"number {number}")
        under_way = Later(lambda made=made, number=number: put(a, made, key=f"key-{number}"))
        time.sleep(dice.uniform(0, 0.03))  # the moment is what the story is about
        a.restart_killed("control")
        under_way.end()
        count = generations(postgres)
        assert count in (number + 1, number + 2), (number, count)
        before += count == number + 1
        began = time.monotonic()
        status, answer, _ = put(c, made, key=f"key-{number}")
        longest = max(longest, time.monotonic() - began)
        assert status in (200, 201), answer
        assert answer["generation"] == number + 2 == generations(postgres), answer
    assert proposals(postgres) == ""
    figure("kills of the proposer, and how many before its generation was stored", (KILLS, before))
    figure("the longest write after a kill, s", round(longest, 2))


def test_durability_is_what_the_store_promises(lab):
    """Status says whether an answered write is on more than one machine, and follows the store's settings without a restart."""
    postgres, (a, b) = cluster(lab, "lb-a", "lb-b")
    see_each_other(a, b)
    standby = Standby(lab, postgres)

    def setting(names, commit="on"):
        postgres.sql(f"alter system set synchronous_standby_names = '{names}'")
        postgres.sql(f"alter system set synchronous_commit = '{commit}'")
        postgres.sql("select pg_reload_conf()")

    def wait_said(durability):
        for node in (a, b):
            wait_for(lambda node=node: node.status()["store"]["durability"] == durability, 15, f"{node.name} to say {durability}")

    wait_said("async")
    setting("standby")
    wait_for(lambda: postgres.sql("select sync_state from pg_stat_replication") == "sync", 15, "a synchronous standby")
    a.put(document("lb-a", "lb-b", description="on two machines"), query="")
    wait_said("sync")
    setting("standby", commit="local")
    wait_said("async")
    setting("standby")
    wait_said("sync")
    # The standby goes: a write that cannot be on two machines is not answered as done, and is there once when it can.
    standby.stop()
    waiting = Later(lambda: put(a, document("lb-a", "lb-b", description="two"), key="two"))
    assert waiting.end(60)[0] == 503, waiting.answer
    standby.start()
    wait_for(lambda: a.status()["store"]["state"] == "connected", 30, "the store to take writes")
    see_each_other(a, b)
    status, answer, _ = put(a, document("lb-a", "lb-b", description="two"), key="two")
    assert status in (200, 201) and answer["generation"] == generations(postgres), answer
    setting("")
    wait_said("async")
