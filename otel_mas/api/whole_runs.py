"""Runs of a source, each with the traces that resumed it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from otel_mas.api.trace import Conversation, Trace
from otel_mas.model import TraceStatus, TraceSummary
from otel_mas.sources.server import download_once

if TYPE_CHECKING:
    from otel_mas.api.source import Source


def whole_runs(source: Source, **which: Any) -> Iterator[Trace | Conversation]:
    """Runs whose traces match, oldest first: a trace, or one that paused with those that went on with it.

    Args:
        source: the source.
        which: filters of `Source.traces`; without `limit` all.
    """
    with download_once(listed=True):
        yield from joined(source, reversed(source.traces(**{"limit": sys.maxsize, **which})))


def joined(source: Source, traces: Iterable[TraceSummary]) -> Iterator[Trace | Conversation]:
    """Runs of these traces, which are oldest first."""
    paused: dict[tuple[str, str], list[TraceSummary]] = {}
    for summary in traces:
        key = summary.service, summary.conversation_id or summary.trace_id
        parts = [*paused.pop(key, ()), summary]
        if summary.status == TraceStatus.INTERRUPTED and summary.conversation_id is not None:
            paused[key] = parts
        else:
            yield _run(source, parts)
    for parts in paused.values():
        yield _run(source, parts)


def _run(source: Source, parts: list[TraceSummary]) -> Trace | Conversation:
    traces = [source.trace(one.trace_id) for one in parts]
    thread = parts[0].conversation_id
    return traces[0] if len(traces) == 1 or thread is None else Conversation(thread, traces)


__all__ = ["joined", "whole_runs"]
