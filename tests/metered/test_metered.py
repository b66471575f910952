"""A run has the same figures from its app, from `serve` and from the store, and every metric of the table."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

import otel_mas
from otel_mas.cli import cli
from otel_mas.semconv import metrics
from otel_mas.semconv.metrics import METRICS
from tests.metered.conftest import SETTINGS, Metered
from tests.serving.server import Server

EVERYWHERE = [one for one in METRICS if {"app", "serve", "store"} <= one.computed_by]
# Known by the processes that record, and told the store when they end.
CHANGING = metrics.MAS_SPANS_DROPPED


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


def lines_of(text: str, *, prefix: str = "") -> list[str]:
    """The lines about the metrics that all three compute."""
    ours = {f"{prefix}{one.prometheus}" for one in EVERYWHERE if one is not CHANGING}
    return sorted(line for line in text.splitlines() if _metric(line) in ours)


def _metric(line: str) -> str:
    name = line.split()[2] if line.startswith("#") else re.split(r"[{ ]", line)[0]
    return re.sub(r"_(bucket|sum|count)$", "", name)


def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert condition()


def test_the_store_says_what_the_app_said(metered: Metered) -> None:
    with otel_mas.open(metered.store) as source:
        text = source.prometheus(findings=False)

    assert lines_of(text) == lines_of(metered.text)
    assert len(lines_of(text)) > 500


def test_the_server_says_what_the_app_said(metered: Metered) -> None:
    with Server(metered.store, environ=SETTINGS) as server:
        until(lambda: "mas_run_gave_up_total" in scraped(server))
        text = scraped(server)

    assert lines_of(text) == lines_of(metered.text)
    assert "mas_interrupt_overdue{" in text
    assert 'mas_findings_total{mas_finding_code="gave-up"' in text
    assert "mas_store_size_bytes" in text


def scraped(server: Server, accept: str = "") -> str:
    """The text of /metrics."""
    return server.request("GET", "/metrics", headers={"Accept": accept})[2].decode()


def test_every_metric_is_emitted(metered: Metered) -> None:
    with otel_mas.open(metered.store) as source:
        text = source.prometheus()

    stored = [one.name for one in METRICS if "store" in one.computed_by and f"# TYPE {one.prometheus} " not in text]
    app = [one.name for one in METRICS if "app" in one.computed_by and f"# TYPE {one.prometheus} " not in metered.text]
    assert (stored, app) == ([], [])


def test_a_namespace_begins_each_name(metered: Metered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_MAS_METRICS_NAMESPACE", "shop")
    with otel_mas.open(metered.store) as source:
        text = source.prometheus(findings=False)
    with Server(metered.store, environ={**SETTINGS, "OTEL_MAS_METRICS_NAMESPACE": "shop"}) as server:
        until(lambda: "shop_mas_run_gave_up_total" in scraped(server))
        of_server = scraped(server)

    assert [line.replace("shop_", "") for line in lines_of(text, prefix="shop_")] == lines_of(metered.text)
    assert lines_of(of_server, prefix="shop_") == lines_of(text, prefix="shop_")
    assert "shop_mas_store_size_bytes" in of_server


def test_openmetrics_has_exemplars_where_the_scraper_asks_for_it(metered: Metered) -> None:
    with Server(metered.store, environ=SETTINGS) as server:
        until(lambda: "mas_run_gave_up_total" in scraped(server))
        text = scraped(server, "application/openmetrics-text; version=1.0.0,text/plain;q=0.5")
    families = {one.name: one for one in parse_openmetrics(text)}  # type: ignore[no-untyped-call]
    durations = families["mas_run_duration_seconds"].samples
    exemplars = [one.exemplar for one in durations if one.exemplar is not None]

    with otel_mas.open(metered.store) as source:
        traces = {one.trace_id for one in source.traces(limit=100)}
    assert exemplars
    assert {one.labels["trace_id"] for one in exemplars} <= traces


def test_a_file_of_otlp_has_the_same_figures(metered: Metered, tmp_path: Path) -> None:
    written = tmp_path / "runs.jsonl"
    export = ["export", "--all", "--from", str(metered.store), "-o", str(written)]
    assert CliRunner().invoke(cli, export).exit_code == 0
    with otel_mas.open(written) as source:
        text = source.prometheus(findings=False)

    assert _without_sums(lines_of(text)) == _without_sums(lines_of(metered.text))


def _without_sums(lines: list[str]) -> list[str]:
    """Traces come one after the other from a file, so that sums are added in another order."""
    return [line for line in lines if "_sum{" not in line and "_sum " not in line]


def test_measurements_of_a_time_are_of_spans_that_ended_in_it(metered: Metered) -> None:
    with otel_mas.open(metered.store) as source:
        everything = list(source.measurements())
        times = sorted(one.time_ns for one in everything)
        middle = times[len(times) // 2]
        later = [one for one in everything if one.time_ns >= middle]
        since = datetime.fromtimestamp(middle // 10**9)
        found = [one for one in source.measurements(since) if one.time_ns >= middle]

    # Order of traces may differ.
    assert sorted(map(_key, found)) == sorted(map(_key, later))
    assert any(one.metric == metrics.MAS_RUNS.name and one.labels["mas.run.outcome"] == "ok" for one in found)


def _key(one: Any) -> tuple[str, str, int, float, str]:
    return one.metric, one.span_id, one.time_ns, one.value, str(sorted(one.labels.items()))
