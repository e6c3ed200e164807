"""Thousands of mutated requests and responses through Ballast, HAProxy and nginx, and requests by HTTP/2 through Ballast:
nothing is passed on that could be read in two ways.

DIFFERENTIAL_CASES (4000) of each, DIFFERENTIAL_SEED (1).
"""
import os
from collections import Counter

from differential import (Rig, early_answers, judge_h2, judge_log, judge_records, judge_requests, judge_responses,
                          print_differences, tell)
from h1_mutations import request_case, response_case
from h2_mutations import h2_case

CASES = int(os.environ.get("DIFFERENTIAL_CASES", "4000"))
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "1"))


def test_requests(lab, figure, capsys):
    cases = [request_case(number, SEED) for number in range(CASES)]
    rig = Rig(lab)
    outcomes = rig.run(cases)
    with capsys.disabled():
        print_differences("requests", cases, outcomes)
    recorder = rig.recorders["ballast"]
    log = rig.logged()
    figure("requests Ballast logged, of which its server saw", f"{len(log)}, {sum(len(r['requests']) for r in recorder.connections)}")
    tell(judge_records(recorder) + judge_requests(cases, outcomes["ballast"]) + judge_log(recorder, log))


def test_responses(lab, figure, capsys):
    cases = [response_case(number, SEED) for number in range(CASES)]
    rig = Rig(lab)
    outcomes = rig.run(cases)
    with capsys.disabled():
        print_differences("responses", cases, outcomes)
    for name in rig.names:
        figure(f"second requests answered with what the server sent unasked, {name}", early_answers(cases, outcomes[name]))
    tell(judge_records(rig.recorders["ballast"]) + judge_responses(cases, outcomes["ballast"]))


def test_requests_by_http2(lab, figure):
    cases = [h2_case(index, SEED) for index in range(CASES)]
    rig = Rig(lab, ["ballast"])
    outcomes = rig.run(cases)["ballast"]
    recorder = rig.recorders["ballast"]
    wrong, strict = judge_h2(cases, outcomes)
    figure("requests by HTTP/2 that the server saw", sum(len(r["requests"]) for r in recorder.connections))
    figure("good ones that were refused all the same, by mutation", Counter(case.kind for case in strict).most_common(6))
    tell(judge_records(recorder) + wrong + judge_log(recorder, rig.logged()))
