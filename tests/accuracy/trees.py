"""Spans of a store as trees of names, which a truth can be written in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import otel_mas
from otel_mas.model import Span


def spans_of(store: Path) -> list[Span]:
    """Every span of every trace, in the order in which they started."""
    assert otel_mas.flush(30)
    with otel_mas.open(store) as source:
        found = [span for summary in source.traces(limit=10_000) for span in source.trace(summary.trace_id).spans]
    return sorted(found, key=lambda span: span.start_ns)


def trees(spans: Iterable[Span]) -> list[str]:
    """Each root with what is under it, as `root(child child(grandchild))`; siblings and roots sorted by name."""
    spans = list(spans)
    known = {span.span_id for span in spans}
    children: dict[str | None, list[Span]] = {}
    for span in spans:
        children.setdefault(span.parent_span_id if span.parent_span_id in known else None, []).append(span)

    def drawn(parent: str | None) -> list[str]:
        found = []
        for span in children.get(parent, ()):
            below = drawn(span.span_id)
            found.append(f"{span.name}({' '.join(below)})" if below else span.name)
        return sorted(found)

    return drawn(None)


def recorded_trees(store: Path) -> list[str]:
    """`trees` of everything in a store."""
    return trees(spans_of(store))
