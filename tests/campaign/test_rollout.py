"""A change is decided or it is not, whenever the proposing control or the store dies."""
import random
import signal
import time

from lab import wait_for
from rollout_house import Later, cluster, document, generations, proposals, put, see_each_other

KILLS = 40


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
