"""Spans and traces in a line each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from otel_mas.model import Link, Span, SpanKind, Trace
from otel_mas.semconv import attributes as names


def _span(
    span_id: str,
    start: int,
    end: int | None,
    parent: str | None = None,
    *,
    trace: str = "t1",
    name: str | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    causes: Sequence[tuple[str | None, str]] = (),
    task: str | None = None,
    **columns: Any,
) -> Span:
    """`causes` are (kind, "span" or "trace-span"); `task` is the task's name; columns are named without `mas.`."""
    links = []
    for link_kind, cause in causes:
        trace_id, _, cause_id = cause.rpartition("-")
        links.append(Link(trace_id or trace, cause_id, link_kind))
    attributes = {f"mas.{key.replace('_', '.')}": value for key, value in columns.items()}
    if task is not None:
        attributes = {names.MAS_TASK_ID: f"id of {span_id}", names.MAS_TASK_NAME: task, **attributes}
    return Span(trace, span_id, parent, name or span_id, start, end, kind, links=tuple(links), columns=attributes)


def _traces(*spans: Span) -> list[Trace]:
    ids = dict.fromkeys(span.trace_id for span in spans)
    return [Trace(trace_id, tuple(s for s in spans if s.trace_id == trace_id)) for trace_id in ids]


@pytest.fixture(scope="session")
def span() -> Callable[..., Span]:
    return _span


@pytest.fixture(scope="session")
def traces() -> Callable[..., list[Trace]]:
    return _traces
