"""The same 60 tests of LangGraph, recorded in two dialects, have the same tasks; what pauses is no error."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan, is_control_flow, translated
from otel_mas.semconv import attributes as names

DIALECTS = ("openinference", "openllmetry")
CONTROL_FLOW = ("GraphInterrupt", "ParentCommand")


def recorded(path: Path) -> Iterator[tuple[str, ForeignSpan]]:
    """Each span with the test that it is of."""
    with gzip.open(path, "rt") as lines:
        for line in lines:
            span = json.loads(line)
            yield span["test"], _written(span)


def _written(span: dict[str, Any]) -> ForeignSpan:
    events = [(event["name"], event["attributes"]) for event in span["events"]]
    return ForeignSpan(
        span["attributes"], span["name"], span["status"]["status_code"] == "ERROR", events=lambda: events
    )


def tasks(path: Path) -> dict[str, Counter[tuple[Any, ...]]]:
    """By test how many tasks there are of each node, step, depth and outcome."""
    found: dict[str, Counter[tuple[Any, ...]]] = defaultdict(Counter)
    for test, span in recorded(path):
        said = translated(span)
        if said.get(names.MAS_RECORD_KIND) == "AGENT_TASK":
            depth = said[names.MAS_TASK_NAMESPACE].count("|")
            assert said[names.MAS_TASK_ID]
            found[test][said[names.MAS_TASK_NAME], said[names.MAS_TASK_STEP], depth, said[names.MAS_TASK_OUTCOME]] += 1
    return found


def test_both_have_the_same_tasks(shared_data: Callable[[str], Path]) -> None:
    one, other = (tasks(shared_data(f"dialects/{dialect}.jsonl.gz")) for dialect in DIALECTS)
    listed = json.loads(shared_data("dialects/tests.json").read_text())

    assert sum(map(len, listed.values())) == 60
    assert one == other


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_pauses_or_hands_over_is_no_error(dialect: str, shared_data: Callable[[str], Path]) -> None:
    failed = [span for _, span in recorded(shared_data(f"dialects/{dialect}.jsonl.gz")) if span.failed]
    errors = [span for span in failed if not is_control_flow(translated(span))]

    assert len(errors) == {"openinference": 27, "openllmetry": 129 - 87}[dialect]
    assert not [span for span in errors if span.exceptions()[-1].endswith(CONTROL_FLOW)]
