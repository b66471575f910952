"""Uber CRISP on its own traces: the same spans and sections, but for the differences declared here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_mas.causal import CriticalPath, build
from otel_mas.model import Span, Trace

CASES = [*(str(i) for i in range(1, 13)), *(f"err_pattern{k}-err{n}" for k in (1, 2) for n in (1, 2))]

ONLY_CRISP = {
    "3": {"A"},  # B covers A, which has no time of its own: CRISP lists spans, the critical path sections
    "10": {"C"},  # C overlaps B and D by 1 of 1000: CRISP forgives that, Jaeger passes C over
}
"""Spans on CRISP's path and not on ours. There are none the other way round."""

SECTIONS = {
    # CRISP's overlap, and sum to 1002 of 1000.
    "10": [("A", 0, 10), ("B", 10, 210), ("A", 210, 308), ("D", 308, 608), ("A", 608, 1000)],
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def expected(case: str, shared_data: Callable[[str], Path]) -> dict[str, object]:
    return dict(json.loads(shared_data(f"critical-path/crisp/expected/{case}.json").read_text()))


@pytest.fixture
def path(case: str, shared_data: Callable[[str], Path]) -> CriticalPath:
    trace = json.loads(shared_data(f"critical-path/crisp/traces/{case}.json").read_text())["data"][0]
    spans = [
        Span(
            trace["traceID"],
            span["spanID"],
            span["references"][0]["spanID"] if span["references"] else None,
            span["operationName"],
            span["startTime"],
            span["startTime"] + span["duration"],
        )
        for span in trace["spans"]
    ]
    return build([Trace(trace["traceID"], tuple(spans))]).critical_path()


def test_the_spans_are_crisps(case: str, path: CriticalPath, expected: dict[str, list[str]]) -> None:
    ours = {span.span_id for span in path.spans}
    assert set(expected["critical_path_span_ids"]) - ours == ONLY_CRISP.get(case, set())
    assert ours <= set(expected["critical_path_span_ids"])


def test_the_sections_are_crisps(case: str, path: CriticalPath, expected: dict[str, list[dict[str, object]]]) -> None:
    crisps = [(part["span_id"], part["start_us"], part["end_us"]) for part in reversed(expected["critical_path"])]
    ours = [(step.span.span_id, step.start_ns, step.end_ns) for step in path if step.span]
    assert ours == SECTIONS.get(case, crisps)
    assert sum(step.duration_ns for step in path) == expected["total_us"]
