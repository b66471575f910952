"""A causal graph as people speak of it: which task each span belongs to, and short names for both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from otel_mas.causal import CausalGraph
from otel_mas.model import Span, SpanKind
from otel_mas.report.text import plain
from otel_mas.semconv import attributes as names


class TaskLabels:
    """The tree of a graph with its tasks named: `summarise#2`, or `plan` where only one task has the name."""

    def __init__(self, causal: CausalGraph) -> None:
        self.causal = causal
        self._labels = short_labels(causal)
        self._full = causal.labels()
        sharing: dict[str, set[str]] = defaultdict(set)
        for span_id, label in self._labels.items():
            sharing[label].add(self._full[span_id])
        self._shared = {label for label, full in sharing.items() if len(full) > 1}
        self._above: dict[str, Span | None] = {}
        for root in causal.roots:
            for span, _ in self.walk(root):
                inside = self.task(span)
                for child in causal.children_of(span.span_id):
                    self._above[child.span_id] = inside
        self.tasks = tuple(span for span in causal.spans if span.span_id in self._labels)

    def walk(self, root: Span) -> Iterator[tuple[Span, tuple[bool, ...]]]:
        """The tree under a root, parents first. With each span, whether it and each span above it, from below the
        root on, is the last child."""
        waiting: list[tuple[Span, tuple[bool, ...]]] = [(root, ())]
        while waiting:
            span, last = waiting.pop()
            yield span, last
            below = self.causal.children_of(span.span_id)
            waiting.extend((child, (*last, child is below[-1])) for child in reversed(below))

    def task(self, span: Span) -> Span | None:
        """The task that a span is or belongs to: the nearest one from itself upwards."""
        return span if span.span_id in self._labels else self._above.get(span.span_id)

    def enclosing(self, task: Span) -> Span | None:
        """The task inside whose subgraph a task ran."""
        return self._above.get(task.span_id)

    def nesting(self, task: Span) -> int:
        """How many tasks enclose a task."""
        level, above = 0, self.enclosing(task)
        while above is not None:
            level, above = level + 1, self.enclosing(above)
        return level

    def label(self, span: Span) -> str:
        """A task's name, numbered where several tasks share it; any other span's own name, with its place in a call."""
        return self._labels.get(span.span_id) or f"{plain(span.name)}{self._place(span)}"

    def _place(self, span: Span) -> str:
        """Between two processes: the network, that is a client's span, and the server."""
        if span.kind == SpanKind.SERVER and span.service:
            return f" (server {plain(span.service)})"
        if span.kind == SpanKind.CLIENT and any(
            child.kind == SpanKind.SERVER for child in self.causal.children_of(span.span_id)
        ):
            return " (network)"
        return ""

    def title(self, span: Span) -> str:
        """A span's own name, with its task's number where it has one."""
        return numbered(span.name, self._labels.get(span.span_id, ""))

    def unambiguous_label(self, span: Span) -> str:
        """`path_label`, with all the tasks around it where others inside other tasks share it: `wrap#1/bad#1`."""
        task = self.task(span)
        if task is None or self.label(task) not in self._shared:
            return self.path_label(span)
        where = plain(self._full[task.span_id])
        return where if task is span else f"{where} › {self.label(span)}"

    def path_label(self, span: Span) -> str:
        """Task and span: `researcher › chat gpt-4o-mini`."""
        task = self.task(span)
        if task is None or task is span:
            return self.label(span)
        return f"{self.label(task)} › {self.label(span)}"


def numbered(name: str, label: str) -> str:
    """A span's own name, with the number that its task's label has."""
    _, mark, number = label.rpartition("#")
    return plain(name) + mark + (number if mark else "")


def short_labels(causal: CausalGraph) -> dict[str, str]:
    """The last part of each task's label, by span id, without the number where no other task has the name."""
    full, table = causal.labels(), causal.table
    called = table.column(names.MAS_TASK_NAME)
    title = {
        span_id: plain(called[number] or table.names[number])
        for span_id in full
        if (number := table.numbers.get(span_id)) is not None
    }
    distinct: dict[str, set[str]] = defaultdict(set)
    for span_id, name in title.items():
        distinct[name].add(full[span_id])
    return {
        span_id: f"{name}#{full[span_id].rpartition('#')[2]}" if len(distinct[name]) > 1 else name
        for span_id, name in title.items()
    }
