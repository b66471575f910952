"""Without causes, the critical path is that of Jaeger UI: its own cases, and its algorithm written down again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.causal import build
from otel_mas.model import Span, SpanKind, Trace

Section = tuple[str, int, int]


def sections(spans: list[Span]) -> list[Section]:
    """As Jaeger lists them: from the end to the start."""
    path = build([Trace("t1", tuple(spans))]).critical_path()
    return [(step.span.span_id, step.start_ns, step.end_ns) for step in reversed(path.sections) if step.span]


@pytest.mark.parametrize("case", ["test1", "test2", "test3", "test4", "test5"])
def test_sections_of_jaegers_own_cases(case: str, shared_data: Callable[[str], Path]) -> None:
    """Same sections in the same order, whatever order the spans come in."""
    known = json.loads(shared_data(f"critical-path/jaeger-ui/{case}.json").read_text())
    spans = [_read(span) for span in known["spans"]]
    expected = [(part["span_id"], part["start_us"], part["end_us"]) for part in known["critical_path"]]
    assert sections(spans) == expected
    assert sections(spans[::-1]) == expected


def _read(span: dict[str, Any]) -> Span:
    kind = SpanKind[span["tags"].get("span.kind", "internal").upper()]
    start = span["start_us"]
    return Span(
        "t1", span["span_id"], span["parent_span_id"], span["operation"], start, start + span["duration_us"], kind
    )


class Reference:
    """Jaeger's recursion, as its documentation and code describe it, as plainly as it can be written."""

    def __init__(self, spans: list[Span]) -> None:
        self.spans = {span.span_id: span for span in spans}
        self.found: list[Section] = []
        self.cut: dict[str, tuple[int, int]] = {}
        root = spans[0]
        self.cut[root.span_id] = (root.start_ns, root.end_ns or 0)
        self._cut_below(root)
        self._walk(root.span_id, None)

    def _cut_below(self, parent: Span) -> None:
        begin, end = self.cut[parent.span_id]
        for child in self.spans.values():
            if child.parent_span_id != parent.span_id:
                continue
            if child.kind == SpanKind.CONSUMER and parent.kind == SpanKind.PRODUCER:
                continue
            finish = child.end_ns or 0
            if child.start_ns >= end or (child.start_ns < begin and finish <= begin):
                continue
            self.cut[child.span_id] = (max(child.start_ns, begin), min(finish, end))
            self._cut_below(child)

    def _walk(self, span_id: str, returning: int | None) -> None:
        begin, end = self.cut[span_id]
        last = None
        for child_id, (_, finish) in self.cut.items():
            if self.spans[child_id].parent_span_id != span_id or (returning is not None and finish >= returning):
                continue
            if last is None or finish > self.cut[last][1]:
                last = child_id
        until = end if returning is None else returning
        since = begin if last is None else self.cut[last][1]
        if since != until:
            self.found.append((span_id, since, until))
        if last is not None:
            self._walk(last, None)
        elif (parent := self.spans[span_id].parent_span_id) is not None:
            self._walk(parent, begin)


@st.composite
def forests(draw: st.DrawFn) -> list[Span]:
    """One root, and children anywhere: inside their parents, across their borders, beside them, instants, ties."""
    moment = st.integers(1, 30)
    kinds = st.sampled_from([SpanKind.INTERNAL, SpanKind.PRODUCER, SpanKind.CONSUMER])
    rows = draw(st.lists(st.tuples(moment, moment, st.integers(0, 30), kinds), min_size=1, max_size=14))
    rows = [(min(a, b), max(a, b), parent, kind) for a, b, parent, kind in rows]
    root, *rest = rows
    spans = [Span("t1", "0", None, "0", root[0], root[1], root[3])]
    for i, (start, end, parent, kind) in enumerate(sorted(rest, key=lambda row: row[0]), start=1):
        spans.append(Span("t1", str(i), str(parent % i), str(i), start, end, kind))
    return spans


@given(forests())
def test_sections_are_those_of_the_reference(spans: list[Span]) -> None:
    # Jaeger takes the first of several that end together in the order of its list, which is that of starts.
    assert sections(spans) == Reference(spans).found
