"""Every metric and label that the Grafana dashboard asks for is there at a live node."""
import json
import re
from pathlib import Path

import pytest

from http_house import HEAD, OK, answering
from lab import ROOT, Lab, wait_for
from test_metrics import Metrics, Timed

DASHBOARD = json.loads((ROOT / "packaging" / "grafana" / "ballast.json").read_text())
ADDED = {"instance", "job", "le"}  # by Prometheus, and of histograms
SELECTOR = re.compile(r"(ballast_[a-z0-9_]+)(\{[^}]*\})?")
MATCHER = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"')
GROUPING = re.compile(r"\bby \(([a-z_, ]+)\)")
VIPS = {"ballast_vip_active", "ballast_vip_priority", "ballast_vip_transitions_total"}  # vrrpd's own stories show them


def queries():
    found = [(panel["title"], target["expr"], target["legendFormat"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    found += [(v["name"], v["definition"], "") for v in DASHBOARD["templating"]["list"] if v["type"] == "query"]
    assert len(found) > 30
    return found


@pytest.fixture(scope="module")
def labels():
    """{metric: labels} of a node that has had a little of everything."""
    with Lab("dashboard") as lab:
        house = Timed(lab)
        house.server.play(answering(OK, b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"))
        for listener in ("www", "spread"):
            client = house.client(listener)
            for _ in range(2):
                client.send(HEAD.replace(b"/x", b"/api"))
                client.response()
        found = wait_for(lambda: (m := house.metrics()).get(
            "ballast_route_requests_total", stack="shop", listener="www", route="api", code="5xx") and m, 10, "figures")
        yield {name: set(dict(l)) for name, l in found.samples}


@pytest.mark.parametrize("title, query, legend", queries())
def test_each_query_finds_what_it_asks_for(labels, title, query, legend):
    metrics = [(name, selector) for name, selector in SELECTOR.findall(query)]
    assert metrics, query
    for name, selector in metrics:
        if name in VIPS:
            continue
        assert name in labels, f"{title}: there is no {name}"
        assert set(MATCHER.findall(selector)) <= labels[name] | ADDED, f"{title}: {selector} of {name}"
        for group in GROUPING.findall(query):
            assert {label.strip() for label in group.split(",")} <= labels[name] | ADDED, f"{title}: by ({group}) of {name}"
        shown = set(re.findall(r"\{\{([a-z_]+)\}\}", legend))
        assert shown <= labels[name] | ADDED, f"{title}: {legend} of {name}"
        for group in GROUPING.findall(query)[:1]:
            assert shown <= {label.strip() for label in group.split(",")} | ADDED, f"{title}: {legend} is grouped away"


def test_rates_are_of_counters_and_quantiles_of_buckets(labels):
    for title, query, _ in queries():
        for name in re.findall(r"(?:rate|increase)\((ballast_[a-z_]+)", query):
            assert name.endswith(("_total", "_bucket")), f"{title}: {name}"
        for name in re.findall(r"histogram_quantile\([^,]*, sum by \(le[^)]*\) \(rate\((ballast_[a-z_]+)", query):
            assert name.endswith("_bucket")
        assert query.count("(") == query.count(")") and query.count("{") == query.count("}")
