"""What was recorded of every case is its truth: each span, each cause, each ending and each decision, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import otel_mas
from tests.accuracy.cases import CASES, Case, matrix
from tests.accuracy.cases.case import Way
from tests.accuracy.cases.truth import differences


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One store for all cases: each has a thread of its own."""
    path = tmp_path_factory.mktemp("cases") / "runs.db"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_MAS_STRICT", "1")
        otel_mas.instrument(store=str(path))
    yield path
    otel_mas.shutdown(30)


@pytest.mark.parametrize(("case", "way"), matrix(CASES))
def test_what_is_recorded_is_what_is_true(case: Case, way: Way, store: Path) -> None:
    thread = case.execute(way)
    assert otel_mas.flush(30)
    with otel_mas.open(store) as source:
        graph = source.conversation(thread).graph()
    assert "\n".join(differences(case.truth, graph)) == ""
    assert graph.problems == ()
    assert {edge.provenance for edge in graph.edges} == {"recorded"}
