"""Some hundreds of mutated requests and responses: what Ballast passes on can be read in one way only.

Thousands, beside HAProxy and nginx: tests/campaign/test_differential.py.
"""
from differential import Rig, judge_h2, judge_log, judge_records, judge_requests, judge_responses, tell
from h1_mutations import request_case, response_case
from h2_mutations import h2_case

SEED = 1


def test_what_arrives_at_the_server_can_be_read_in_one_way(lab, figure):
    cases = [request_case(index, SEED) for index in range(300)]
    rig = Rig(lab, ["ballast"])
    outcomes = rig.run(cases)["ballast"]
    recorder, log = rig.recorders["ballast"], rig.logged()
    figure("requests sent on, of those logged", f"{sum(len(one.seen) for one in outcomes.values())} of {len(log)}")
    assert sum(len(one.seen) for one in outcomes.values()) > 100
    tell(judge_records(recorder) + judge_requests(cases, outcomes) + judge_log(recorder, log))


def test_what_arrives_at_the_client_can_be_read_in_one_way(lab):
    cases = [response_case(index, SEED) for index in range(300)]
    rig = Rig(lab, ["ballast"])
    outcomes = rig.run(cases)["ballast"]
    assert sum(b" 200 OK" in one.client for one in outcomes.values()) > 100
    tell(judge_records(rig.recorders["ballast"]) + judge_responses(cases, outcomes))


def test_what_came_by_http2_can_be_read_in_one_way(lab, figure):
    cases = [h2_case(index, SEED) for index in range(300)]
    rig = Rig(lab, ["ballast"])
    outcomes = rig.run(cases)["ballast"]
    recorder = rig.recorders["ballast"]
    wrong, strict = judge_h2(cases, outcomes)
    figure("good requests that were refused all the same", len(strict))
    assert sum(len(one.seen) for one in outcomes.values()) > 100
    tell(judge_records(recorder) + wrong + judge_log(recorder, rig.logged()))
    assert len(strict) < 6, "\n".join(f"{case.kind} {case.headers} {case.trailers}"[:600] for case in strict)
