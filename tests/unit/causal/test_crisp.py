"""Uber CRISP on its own traces: the same spans and sections, but for the differences declared here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from otel_mas.causal import CausalGraph, CriticalPath, build
from otel_mas.causal.schedule import Schedule, reschedule
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

_OUTLASTS = "its parent had ended before: the parent did not wait for it. CRISP cuts it to its parent, as the path does"
_OVERLAP = "C and D overlap, so D did not wait for C: C could have ended 299 later, and A had to do what D waited for"

OURS_AND_CRISPS: dict[tuple[str, str], tuple[str, dict[str, tuple[int | None, int]]]] = {
    ("7", "slack_us"): (_OUTLASTS, {"B": (None, 0), "C": (None, 0)}),
    ("7", "drag_us"): (_OUTLASTS, {"B": (0, 90), "C": (0, 10)}),
    ("7", "exclusive_drag_us"): (_OUTLASTS, {"A": (100, 10), "B": (0, 80), "C": (0, 10)}),
    ("8", "slack_us"): (_OUTLASTS, {"C": (None, 0)}),
    ("8", "drag_us"): (_OUTLASTS, {"C": (0, 50)}),
    ("8", "exclusive_drag_us"): (_OUTLASTS, {"B": (60, 10), "C": (0, 50)}),
    ("9", "slack_us"): ("nothing waits for spans that CRISP drops", {"B": (None, 0), "C": (None, 10)}),
    ("10", "slack_us"): (_OVERLAP, {"C": (299, 0)}),
    ("10", "drag_us"): (_OVERLAP, {"C": (0, 99)}),
    ("10", "exclusive_drag_us"): (_OVERLAP, {"A": (500, 400), "C": (0, 99)}),
}
"""Where we mean something else than CRISP: the reason, and by span our number and CRISP's."""


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def expected(case: str, shared_data: Callable[[str], Path]) -> dict[str, object]:
    return dict(json.loads(shared_data(f"critical-path/crisp/expected/{case}.json").read_text()))


@pytest.fixture
def graph(case: str, shared_data: Callable[[str], Path]) -> CausalGraph:
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
    return build([Trace(trace["traceID"], tuple(spans))])


@pytest.fixture
def path(graph: CausalGraph) -> CriticalPath:
    return graph.critical_path()


def test_the_spans_are_crisps(case: str, path: CriticalPath, expected: dict[str, list[str]]) -> None:
    ours = {span.span_id for span in path.spans}
    assert set(expected["critical_path_span_ids"]) - ours == ONLY_CRISP.get(case, set())
    assert ours <= set(expected["critical_path_span_ids"])


def test_the_sections_are_crisps(case: str, path: CriticalPath, expected: dict[str, list[dict[str, object]]]) -> None:
    crisps = [(part["span_id"], part["start_us"], part["end_us"]) for part in reversed(expected["critical_path"])]
    ours = [(step.span.span_id, step.start_ns, step.end_ns) for step in path if step.span]
    assert ours == SECTIONS.get(case, crisps)
    assert sum(step.duration_ns for step in path) == expected["total_us"]


MEASURES: dict[str, Callable[[Schedule], Mapping[str, int | None]]] = {
    "slack_us": lambda schedule: schedule.slack_ns,
    "drag_us": lambda schedule: schedule.drag_ns,
    "exclusive_drag_us": lambda schedule: schedule.exclusive_drag_ns,
}


@pytest.mark.parametrize("measure", MEASURES)
def test_slack_and_drag_are_crisps_but_for_the_declared_differences(
    case: str, graph: CausalGraph, expected: dict[str, dict[str, int]], measure: str
) -> None:
    found = MEASURES[measure](reschedule(graph))
    _, different = OURS_AND_CRISPS.get((case, measure), ("", {}))
    both = {span_id: (found[span_id], expected[measure].get(span_id, 0)) for span_id in found}
    assert {span_id: pair for span_id, pair in both.items() if pair[0] != pair[1]} == different
    assert set(expected[measure]) <= set(found)


def test_drag_counts_what_runs_beside_several_spans() -> None:
    """Z runs beside X and Y. CRISP takes X, which no sibling ends before, for free: 50; but then Z decides the end."""
    times = {"A": (0, 100), "X": (0, 50), "Y": (51, 100), "Z": (0, 80)}
    spans = [Span("t", name, None if name == "A" else "A", name, *when) for name, when in times.items()]
    assert reschedule(build([Trace("t", tuple(spans))])).drag_ns == {"A": 100, "X": 20, "Y": 20, "Z": 0}


def test_slack_is_from_the_recorded_start() -> None:
    """CRISP counts from the earliest start of a sibling, so that the time before a span is slack, too: here 15."""
    times = {"A": (0, 100), "X": (48, 75), "Y": (54, 66)}
    spans = [Span("t", name, None if name == "A" else "A", name, *when) for name, when in times.items()]
    assert reschedule(build([Trace("t", tuple(spans))])).slack_ns == {"A": 0, "X": 0, "Y": 9}
