"""Graphs of any shape: overlapping, open and instant spans of two services, with any parents and links."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from otel_mas.causal import CausalGraph, build
from otel_mas.model import Link, Span, Trace
from otel_mas.semconv import attributes as names

_LINKS = st.sampled_from(["trigger", "send", "resume", "message", None])


@st.composite
def graphs(draw: st.DrawFn) -> CausalGraph:
    """A graph of one trace."""
    spans = []
    for number in range(draw(st.integers(1, 14))):
        start = draw(st.integers(0, 40))
        end = draw(st.one_of(st.none(), st.integers(start, 60)))
        parent = draw(st.one_of(st.none(), st.integers(0, 14)))
        causes = draw(st.lists(st.tuples(st.integers(0, 20), _LINKS), max_size=3))
        columns: dict[str, Any] = {names.MAS_RECORD_KIND: "AGENT_TASK"} if draw(st.booleans()) else {}
        if columns and draw(st.booleans()):
            columns |= {names.MAS_TASK_ID: str(number), names.MAS_TASK_NAME: draw(st.text(max_size=3))}
        spans.append(
            Span(
                "t" * 32,
                f"{number:016x}",
                None if parent is None else f"{parent:016x}",
                draw(st.text(max_size=5)),
                start,
                end,
                service=draw(st.sampled_from(["", "one", "two"])),
                links=tuple(Link("t" * 32, f"{cause:016x}", kind) for cause, kind in causes),
                columns=columns,
            )
        )
    return build([Trace("t" * 32, tuple(sorted(spans, key=lambda span: span.start_ns)))])
