"""Rules of Prometheus and dashboards of Grafana: fresh, valid, and of metrics that there are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otel_mas.semconv.metrics import METRICS
from tests.debian_programs import debian_program

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
# What Grafana puts in for these when it asks.
VARIABLES = {"$__rate_interval": "5m", "$__range": "6h"}


@pytest.fixture(scope="session")
def promtool(surroundings: dict[str, str]) -> Path:
    return debian_program("prometheus", "promtool", surroundings)


def generate(kind: str, into: Path, *arguments: str) -> dict[str, str]:
    command = [sys.executable, str(DEPLOY / kind / "generate.py"), "--into", str(into), *arguments]
    subprocess.run(command, check=True, cwd=DEPLOY.parent)
    return {path.name: path.read_text() for path in into.iterdir()}


@pytest.mark.parametrize(
    ("kind", "folder", "form"), [("prometheus", "", "*.yaml"), ("grafana", "dashboards", "*.json")]
)
def test_the_committed_files_are_what_the_tables_give(kind: str, folder: str, form: str, tmp_path: Path) -> None:
    committed = {path.name: path.read_text() for path in (DEPLOY / kind / folder).glob(form)}
    assert generate(kind, tmp_path) == committed, f"python deploy/{kind}/generate.py"


@pytest.mark.parametrize("namespace", ["", "acme"])
def test_prometheus_takes_the_rules(promtool: Path, namespace: str, tmp_path: Path) -> None:
    generate("prometheus", tmp_path, "--namespace", namespace)
    done = subprocess.run(
        [promtool, "check", "rules", *map(str, tmp_path.iterdir())], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def panels(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["panels"]
    return found


def expressions() -> list[str]:
    return [target["expr"] for path in DASHBOARDS for panel in panels(path) for target in panel["targets"]]


def test_prometheus_parses_every_query_of_the_dashboards(promtool: Path, tmp_path: Path) -> None:
    rules = []
    for number, query in enumerate(expressions()):
        for name, value in VARIABLES.items():
            query = query.replace(name, value)
        assert "$" not in query
        rules.append({"record": f"query_{number}", "expr": query})
    file = tmp_path / "queries.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboards", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_parses_the_questions_of_the_runbooks(promtool: Path, tmp_path: Path) -> None:
    asked = re.findall(r"```promql\n(.*?)```", (DEPLOY / "runbooks" / "README.md").read_text(), re.DOTALL)
    assert len(asked) == 5
    file = tmp_path / "queries.yaml"
    rules = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(asked)]
    file.write_text(json.dumps({"groups": [{"name": "runbooks", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_metric_has_a_panel_that_says_how_a_bad_value_looks() -> None:
    shown = {panel["title"]: panel for path in DASHBOARDS for panel in panels(path) if panel["type"] == "timeseries"}
    assert sorted(shown) == sorted(one.name for one in METRICS)
    for metric in METRICS:
        assert metric.bad in shown[metric.name]["description"]


def test_queries_and_rules_name_only_metrics_and_labels_of_the_table() -> None:
    files = [*(DEPLOY / "prometheus").glob("*.yaml"), DEPLOY / "runbooks" / "README.md"]
    texts = [*expressions(), *(path.read_text() for path in files)]
    series = {
        name
        for metric in METRICS
        for name in (metric.prometheus, *(f"{metric.prometheus}_{end}" for end in ("bucket", "sum", "count")))
    }
    used = {name for text in texts for name in re.findall(r"\b(?:mas|gen_ai)_\w+(?=[\[{])", text)}
    assert used
    assert used <= series


# A share of runs that failed, for how many minutes, and the severities that fire then.
BURNS = [(0.5, 60, {"critical"}), (0.08, 600, {"critical", "warning"}), (0.005, 600, set())]


@pytest.mark.parametrize(("share", "minutes", "fired"), BURNS)
def test_an_error_budget_that_is_used_up_too_quickly_is_told(
    promtool: Path, share: float, minutes: int, fired: set[str], tmp_path: Path
) -> None:
    """The series are old, all of them good at first; then a share of them fails."""
    every = 2  # minutes
    before, after = 60 * 24 * 3 // every, minutes // every
    good, bad = 1000, round(1000 * share)
    series = [
        ('mas_runs_total{mas_run_outcome="ok"}', f"0+{good}x{before} {good * before}+{good - bad}x{after}"),
        ('mas_runs_total{mas_run_outcome="error"}', f"0x{before} 0+{bad}x{after}"),
    ]
    alerts = [
        {
            "eval_time": f"{(before + after) * every}m",
            "alertname": "ErrorBudgetRuns",
            "exp_alerts": [
                {"exp_labels": {"severity": severity, "slo": "runs"}, "exp_annotations": annotations(severity)}
                for severity in sorted(fired)
            ],
        }
    ]
    test = {
        "rule_files": [str(DEPLOY / "prometheus" / "slo.yaml")],
        "evaluation_interval": "30m",
        "tests": [
            {
                "interval": f"{every}m",
                "input_series": [{"series": name, "values": values} for name, values in series],
                "alert_rule_test": alerts,
            }
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(json.dumps(test))
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def annotations(severity: str) -> dict[str, str]:
    words = "within days" if severity == "critical" else "before the 30 days are over"
    return {
        "summary": f"Of a hundred runs, one at most may fail. At this pace what 30 days allow is used up {words}.",
        "runbook_url": "deploy/runbooks/ErrorBudget.md",
    }
