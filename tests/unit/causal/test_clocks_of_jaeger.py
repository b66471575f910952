"""Clock skew beside Jaeger's adjuster: its rules written down again, and traces on which we differ, with the reason."""

from __future__ import annotations

from collections import defaultdict

import pytest

from otel_mas.causal import build
from otel_mas.model import Resource, Span, SpanKind, Trace

CLIENT, SERVER, INTERNAL = SpanKind.CLIENT, SpanKind.SERVER, SpanKind.INTERNAL
PRODUCER, CONSUMER = SpanKind.PRODUCER, SpanKind.CONSUMER

Times = dict[str, tuple[int, int]]


def at(
    host: str,
    span_id: str,
    start: int,
    end: int,
    parent: str | None = None,
    kind: SpanKind = INTERNAL,
    service: str = "",
) -> Span:
    resource = Resource({"host.name": host} if host else {})
    return Span("t", span_id, parent, span_id, start, end, kind=kind, service=service or host, resource=resource)


def ours(spans: list[Span]) -> Times:
    graph = build([Trace("t", tuple(spans))])
    return {span.span_id: (span.start_ns, span.end_ns or 0) for span in graph.spans}


def jaegers(spans: list[Span]) -> Times:
    """The times that Jaeger's adjuster (`adjuster/clockskew.go`) gives if it has no limit: each pair for itself."""
    found: Times = {}
    known = {span.span_id: span for span in reversed(spans)}
    below: dict[str | None, list[Span]] = defaultdict(list)
    for span in known.values():
        below[span.parent_span_id if span.parent_span_id in known else None].append(span)
    waiting = [(span, None, 0) for span in below[None]]  # type: list[tuple[Span, Span | None, int]]
    while waiting:
        span, parent, delta = waiting.pop()
        host, start, end = span.resource.attributes.get("host.name"), span.start_ns, span.end_ns or 0
        if parent is not None and (not host or host != parent.resource.attributes.get("host.name")):
            delta = _delta((start, end), found[parent.span_id])
        found[span.span_id] = start + delta, end + delta
        waiting += [(child, span, delta) for child in below[span.span_id]]
    return found


def _delta(child: tuple[int, int], parent: tuple[int, int]) -> int:
    room = (parent[1] - parent[0]) - (child[1] - child[0])
    if room < 0:
        return max(0, parent[0] - child[0])
    if parent[0] <= child[0] and child[1] <= parent[1]:
        return 0
    return parent[0] + room // 2 - child[0]


THE_SAME: dict[str, list[Span]] = {
    "a parent is missing": [at("a", "p", 5, 90, "gone")],
    "a parent and a child on one machine": [at("a", "p", 20, 80), at("a", "q", 30, 60, "p")],
    "a child that begins before its parent, on one machine": [at("a", "p", 20, 80), at("a", "q", 4, 30, "p")],
    "a child within its parent": [at("a", "p", 20, 80), at("b", "q", 30, 60, "p")],
    "a child that lasts longer than its parent": [at("a", "p", 20, 80), at("b", "q", 30, 130, "p")],
    "a longer child that begins before its parent": [at("a", "p", 20, 80), at("b", "q", 4, 104, "p")],
    "a server that begins before its client": [
        at("a", "p", 20, 80, kind=CLIENT),
        at("b", "q", 4, 44, "p", SERVER),
        at("b", "r", 14, 24, "q"),
    ],
    "a server that begins after its client has ended": [
        at("a", "p", 20, 80, kind=CLIENT),
        at("b", "q", 200, 240, "p", SERVER),
    ],
    "two spans with the same id": [at("a", "p", 20, 80), at("a", "p", 20, 80)],
}

DIFFERENT: dict[str, tuple[list[Span], Times, Times]] = {
    "a child that is no call begins before its parent: by the least that is possible, not to the middle": (
        [at("a", "p", 20, 80), at("b", "q", 4, 44, "p")],
        {"q": (20, 60)},
        {"q": (30, 70)},
    ),
    "a child ends after its parent: nothing says that the parent waited": (
        [at("a", "p", 20, 80), at("b", "q", 50, 90, "p"), at("b", "r", 60, 70, "q")],
        {"q": (50, 90), "r": (60, 70)},
        {"q": (30, 70), "r": (40, 50)},
    ),
    "a server ends after its client: it may go on after its answer": (
        [at("a", "p", 20, 80, kind=CLIENT), at("b", "q", 50, 90, "p", SERVER)],
        {"q": (50, 90)},
        {"q": (30, 70)},
    ),
    "a child begins after its parent has ended: that is asynchronous work": (
        [at("a", "p", 20, 80), at("b", "q", 200, 240, "p")],
        {"q": (200, 240)},
        {"q": (30, 70)},
    ),
    "a message was in a queue": (
        [at("a", "p", 20, 80, kind=PRODUCER), at("b", "q", 200, 240, "p", CONSUMER)],
        {"q": (200, 240)},
        {"q": (30, 70)},
    ),
    "two calls to one machine: its clock has one offset": (
        [
            at("a", "w", 0, 1000),
            at("a", "p", 100, 200, "w", CLIENT),
            at("b", "q", 0, 90, "p", SERVER),
            at("a", "s", 300, 400, "w", CLIENT),
            at("b", "t", 203, 233, "s", SERVER),
        ],
        {"q": (105, 195), "t": (308, 338)},
        {"q": (105, 195), "t": (335, 365)},
    ),
    "no machine is said, and both spans are of one service: they have one clock": (
        [at("", "p", 20, 80, service="x"), at("", "q", 4, 44, "p", service="x")],
        {"q": (4, 44)},
        {"q": (30, 70)},
    ),
}


@pytest.mark.parametrize("case", THE_SAME)
def test_both_give_the_same_times(case: str) -> None:
    spans = THE_SAME[case]
    assert ours(spans) == jaegers(spans)


@pytest.mark.parametrize("case", DIFFERENT)
def test_times_differ_for_a_reason(case: str) -> None:
    spans, here, there = DIFFERENT[case]
    left = {span.span_id: (span.start_ns, span.end_ns or 0) for span in spans if span.span_id not in here}
    assert ours(spans) == left | here
    assert jaegers(spans) == left | there
