"""Everything that was said and done in a run, in causal order: prompts, answers, tool calls, decisions, errors."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.log.app_records import LogRecord, logs
from otel_mas.analyse.log.content import SpanContents
from otel_mas.analyse.log.entries import EntryMaker
from otel_mas.analyse.log.entry import Entry, EntryKind
from otel_mas.analyse.log.filters import EntryFilter
from otel_mas.analyse.log.order import causal_order
from otel_mas.analyse.log.tasks import GraphTasks
from otel_mas.causal import CausalGraph


def log(
    graph: CausalGraph, content: RunContent, *, maker: EntryMaker | None = None, chosen: EntryFilter | None = None
) -> Iterator[Entry]:
    """Entries of a run in causal order. O(n log n) in its spans.

    An effect never comes before its cause; of entries that do not depend on each other the earlier one is first. See
    `otel_mas.analyse.log.order`.

    Args:
        graph: of one or several traces.
        content: messages and other content of these.
        maker: remembers what readers know from earlier runs of their conversations.
        chosen: only entries that match it.
    """
    maker = maker or EntryMaker()
    maker.use(GraphTasks(graph), SpanContents(content))
    for span, is_end in causal_order(graph):
        for entry in maker.end(span) if is_end else maker.start(span):
            if chosen is None or chosen.matches(entry):
                yield entry


__all__ = ["Entry", "EntryFilter", "EntryKind", "EntryMaker", "LogRecord", "log", "logs"]
