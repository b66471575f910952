"""Causal descendants of a change: in a recording, to say what it will cost, and in a running app.

The descendants of a changed thing are all that its task does after it; the tasks that this one is a cause of, with all
that they do; and all that the graph, tool or function around it does once it has returned. In a running app, code that
runs beside the changed thing in the same task counts as a descendant, too: what it asks the recording answers, as long
as it is asked the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from otel_mas.causal import CHILD, CausalGraph
from otel_mas.instrumentation.langgraph.schedule import TASK_RUNS
from otel_mas.replay.recording import is_task
from otel_mas.semconv import LinkKind

if TYPE_CHECKING:
    from otel_mas.instrumentation.langgraph.runs import GraphRun, TaskRun
    from otel_mas.model import Span


def descendants(graph: CausalGraph, span_ids: Iterable[str]) -> frozenset[str]:
    """Ids of the spans that depend on these ones, without them and what is inside of them. Linear in its result."""
    return _Descendants(graph, span_ids).found


def inside(graph: CausalGraph, span_ids: Iterable[str]) -> frozenset[str]:
    """Ids of these spans, of what is inside of them, and of the tasks that they call. Linear in its result."""
    found, waiting = set[str](), list(span_ids)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += [child.span_id for child in graph.children_of(one)]
            waiting += [edge.effect for edge in graph.effects_of(one) if edge.kind == LinkKind.CALL]
    return frozenset(found)


class _Descendants:
    def __init__(self, graph: CausalGraph, span_ids: Iterable[str]) -> None:
        self._graph = graph
        changed = list(span_ids)
        inside = set(changed)
        for span_id in changed:
            inside.update(_inside(graph, span_id))
        self._seen: set[str] = set(inside)
        self._waiting = deque(map(graph.span, changed))
        self._followed: set[str] = set()
        while self._waiting:
            self._after(self._waiting.popleft())
        self.found = frozenset(self._seen - inside)

    def _after(self, span: Span) -> None:
        """Add what depends on a span: what it causes, and what the code around it does after it."""
        if span.span_id in self._followed:
            return
        self._followed.add(span.span_id)
        for edge in self._graph.effects_of(span.span_id):
            effect = self._graph.span(edge.effect)
            # What a run starts with, and whom a task has called, may have been before.
            if edge.kind not in (CHILD, LinkKind.CALL, LinkKind.REPLAY) and effect.parent_span_id != span.span_id:
                self._add(effect)
        callers = [edge.cause for edge in self._graph.causes_of(span.span_id) if edge.kind == LinkKind.CALL]
        for caller in callers:
            called = [e.effect for e in self._graph.effects_of(caller) if e.kind in (CHILD, LinkKind.CALL)]
            self._add_later(map(self._graph.span, called), span)
            self._waiting.append(self._graph.span(caller))
        parent = self._parent(span)
        if parent is None:
            self._add_later(self._graph.roots, span)
            return
        if not is_task(span):
            self._add_later((one for one in self._graph.children_of(parent.span_id) if not is_task(one)), span)
        self._waiting.append(parent)

    def _parent(self, span: Span) -> Span | None:
        try:
            return None if span.parent_span_id is None else self._graph.span(span.parent_span_id)
        except KeyError:
            return None

    def _add_later(self, spans: Iterable[Span], than: Span) -> None:
        for one in spans:
            if one.start_ns >= than.last_ns and one.span_id != than.span_id:
                self._add(one)

    def _add(self, span: Span) -> None:
        if span.span_id not in self._seen:
            self._seen.add(span.span_id)
            self._seen.update(_inside(self._graph, span.span_id))
            self._waiting.append(span)
            for edge in self._graph.effects_of(span.span_id):
                if edge.kind == LinkKind.CALL:
                    self._add(self._graph.span(edge.effect))


def _inside(graph: CausalGraph, span_id: str) -> Iterator[str]:
    waiting = [span_id]
    while waiting:
        for child in graph.children_of(waiting.pop()):
            yield child.span_id
            waiting.append(child.span_id)


class Descent:
    """The tasks and runs of a running app that depend on a change which was made. Callers hold a lock."""

    def __init__(self) -> None:
        self._began: list[TaskRun] = []
        """Runs of tasks whose spans may not be known yet."""
        self._spans: set[int] = set()
        self._runs: set[int] = set()
        self._outside = False

    def changed(self, task: TaskRun | None) -> None:
        """Note that something was changed in a task, or outside of any: the tasks around it go on from there."""
        self._outside = True
        while task is not None:
            self._began.append(task)
            self._add_callers(task)
            task = task.run.outer

    def began(self, task: TaskRun) -> None:
        """Note a task that begins; its causes have ended."""
        if self.descends(task):
            self._began.append(task)

    def descends(self, task: TaskRun | None) -> bool:
        """Whether code in this task, or outside of any, depends on a change."""
        if not self._outside:
            return False
        if task is None:
            return True
        self._settle()
        while task is not None:
            if any(one is task for one in self._began) or self._of(task):
                return True
            task = task.run.outer
        return False

    def run_started(self, run: GraphRun) -> None:
        """Note a run of a graph that begins outside of tasks: after a change it depends on that."""
        if self._outside and run.outer is None:
            self._runs.add(_id(run.span))

    def _of(self, task: TaskRun) -> bool:
        if task.span is not None and _id(task.span) in self._spans:
            return True
        if task.run.outer is None and _id(task.run.span) in self._runs:
            return True
        return any(context.span_id in self._spans for context, _ in task.causes)

    def _settle(self) -> None:
        """Keep spans in place of the tasks whose spans are known."""
        for task in self._began:
            if task.span is not None:
                self._spans.add(_id(task.span))
        self._began = [task for task in self._began if task.span is None]

    def _add_callers(self, task: TaskRun) -> None:
        calling = {context.span_id for context, kind in task.causes if kind == LinkKind.CALL}
        while calling:
            self._spans |= calling
            callers = [one for one in list(TASK_RUNS.values()) if one.span is not None and _id(one.span) in calling]
            calling = {context.span_id for one in callers for context, kind in one.causes if kind == LinkKind.CALL}
            calling -= self._spans


def _id(span: Any) -> int:
    found: int = span.get_span_context().span_id
    return found


__all__ = ["Descent", "descendants", "inside"]
