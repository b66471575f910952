"""Filters, metrics and comparisons of many runs are the same from an archive, a store and a Jaeger."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.api import Source
from otel_mas.cli import cli
from otel_mas.report.json.query import comparison, metric
from tests.answers.conftest import _send
from tests.answers.record_versions import ARCHIVE, RUNS
from tests.backends.jaeger import Jaeger

VERSIONS = ({"service.version": "1.1"}, {"service.version": "1.2"})


@pytest.fixture(scope="module")
def places(jaeger_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    store = tmp_path_factory.mktemp("versions") / "runs.db"
    assert CliRunner().invoke(cli, ["import", str(ARCHIVE), "--store", str(store)]).exit_code == 0
    server = Jaeger(jaeger_binary, tmp_path_factory.mktemp("jaeger-of-versions"))
    server.start()
    for line in gzip.decompress(ARCHIVE.read_bytes()).splitlines():
        _send(server, line)
    yield {"archive": str(ARCHIVE), "store": str(store), "jaeger": f"jaeger+http://{server.http}"}
    server.stop()


def _answers(source: Source) -> dict[str, Any]:
    before, after = VERSIONS
    found = source.compare(before={"attribute": before}, after={"attribute": after})
    return {
        "compare": comparison(found),
        "metrics": [metric(one) for one in source.metrics("duration", by="node", window="1s")],
        "runs": [metric(one) for one in source.metrics("errors", window="1s")],
        "old": [one.trace_id for one in source.traces(attribute=before, older_than="1m", limit=100)],
        "long": [one.span_id for one in source.executions(min_duration="100ms", attribute=after)],
    }


@pytest.mark.parametrize("place", ["store", "jaeger"])
def test_many_runs_answer_the_same_from_every_place(place: str, places: dict[str, str]) -> None:
    with otel_mas.open(places["archive"]) as archive, otel_mas.open(places[place]) as other:
        expected, found = _answers(archive), _answers(other)

    assert found == expected
    assert len(expected["old"]) == RUNS
    assert expected["long"]


def test_the_slower_version_is_found_with_the_node_that_made_it_slower(places: dict[str, str]) -> None:
    before, after = VERSIONS
    with otel_mas.open(places["archive"]) as source:
        found = source.compare(before={"attribute": before}, after={"attribute": after})

    assert {(one.of, one.name, one.measure, one.verdict) for one in found.changed} == {
        ("run", "", "duration", "higher"),
        ("node", "draft", "duration", "higher"),
    }
