"""The dashboard and the alerts in docs name metrics and labels that the web interface really has."""

import json
import re
from pathlib import Path

import pytest
import yaml
from visitor import row, site, visiting, write

from digitwatch.sinks.lag import Lag

DOCS = Path(__file__).parents[1] / "docs"
DASHBOARD = json.loads((DOCS / "grafana-dashboard.json").read_text())
ALERTS = yaml.safe_load((DOCS / "prometheus-alerts.yaml").read_text())
RULES = ALERTS["groups"][0]["rules"]
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the metrics of a web interface with readings and a sink."""
    base = tmp_path_factory.mktemp("site")
    settings = site(base, sinks=lambda: [Lag("web", True, 3, 2.5, 7, 1, 2, "down")])
    write(base, row(1), row(2, status="failed"), files=False)
    with visiting(settings) as page:
        return page.get("/metrics").text


@pytest.mark.parametrize("query", [*QUERIES, *(rule["expr"] for rule in RULES)])
def test_each_query_names_metrics_that_exist(metrics: str, query: str) -> None:
    """With the labels that they have."""
    known = set(re.findall(r"^(digitwatch_\w+)", metrics, re.MULTILINE))
    used = set(re.findall(r"\bdigitwatch_\w+", query))

    assert used and used <= known
    for name, label, value in re.findall(r'(digitwatch_\w+)\{(\w+)="(\w+)"\}', query):
        assert f'{name}{{{label}="{value}"}}' in metrics


def test_each_metric_is_on_the_dashboard(metrics: str) -> None:
    """But for whether tries of a sink fail, which its age shows."""
    known = set(re.findall(r"^# TYPE (\w+)", metrics, re.MULTILINE))

    assert known - {name for query in QUERIES for name in re.findall(r"\bdigitwatch_\w+", query)} == {
        "digitwatch_sink_failing"
    }


def test_legends_name_labels_that_exist(metrics: str) -> None:
    """A legend of an unknown label would be empty."""
    legends = " ".join(target["legendFormat"] for panel in DASHBOARD["panels"] for target in panel["targets"])

    assert [label for label in re.findall(r"{{(\w+)}}", legends) if f'{{{label}="' not in metrics] == []


def test_each_alert_says_what_to_do() -> None:
    """Three rules with a summary, a description, a severity and a time for which they must hold."""
    assert len(RULES) == 3
    for rule in RULES:
        assert {"alert", "expr", "for", "labels", "annotations"} == rule.keys()
        assert {"summary", "description"} == rule["annotations"].keys()
