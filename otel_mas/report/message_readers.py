"""Names of the writers whose messages a span or task read: the `message` edges of a graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from otel_mas.causal import CausalGraph
from otel_mas.model import Span
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.text import listing, plain
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names

_ANOTHER_TRACE = "another trace"


class MessageReaders:
    """Writers by reader. A writer's name is the outermost task around it that is not around its reader."""

    def __init__(self, causal: CausalGraph, labels: TaskLabels) -> None:
        self._outline = labels
        self._spans = {span.span_id: span for span in causal.spans}
        self._written: dict[str, list[str]] = defaultdict(list)
        self._of_task: dict[str, list[Span]] = defaultdict(list)
        for edge in causal.edges:
            if edge.kind == LinkKind.MESSAGE:
                if edge.effect not in self._written:
                    reader = self._spans[edge.effect]
                    self._of_task[(labels.task(reader) or reader).span_id].append(reader)
                self._written[edge.effect].append(edge.cause)

    def of(self, span: Span) -> str | None:
        """`read: researcher, web_search` for a span that read messages; None for others."""
        return _words(self._writer(cause, span) for cause in self._written.get(span.span_id, ()))

    def of_task(self, task: Span, causes: Sequence[Span]) -> str | None:
        """The same for everything inside a task that is in no task inside it.

        Left out is whom its own `causes` name anyway, and whom a task around it has read already.
        """
        around = list(self._around(task))[1:]
        known = {id(cause) for cause in causes}
        read = {
            self._writer(cause, reader): None
            for reader in self._of_task.get(task.span_id, ())
            for cause in self._written[reader.span_id]
            if not known.intersection(map(id, self._around(self._spans.get(cause))))
        }
        for one in around:
            for reader in self._of_task.get(one.span_id, ()):
                for cause in self._written[reader.span_id]:
                    read.pop(self._writer(cause, reader), None)
        return _words(read)

    def _writer(self, span_id: str, reader: Span) -> str:
        writer = self._spans.get(span_id)
        if writer is None:
            return _ANOTHER_TRACE
        shared = {id(task) for task in self._around(reader)}
        apart = [task for task in self._around(writer) if id(task) not in shared]
        tool = writer.columns.get(names.GEN_AI_TOOL_NAME)
        if tool and len(apart) < 2:
            return plain(tool)
        return self._outline.label(apart[-1] if apart else writer)

    def _around(self, span: Span | None) -> Iterator[Span]:
        """The tasks that a span is or lies in, outwards."""
        task = None if span is None else self._outline.task(span)
        while task is not None:
            yield task
            task = self._outline.enclosing(task)


def _words(writers: Iterable[str]) -> str | None:
    phrase = list(dict.fromkeys(writers))
    return f"read: {listing(phrase)}" if phrase else None
