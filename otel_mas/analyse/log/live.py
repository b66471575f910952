"""Tasks and causal order of spans that become known one after the other, while their run goes on.

Spans come as they are stored: the start of one with the first news of it, its end with the second. A moment waits for
those that it depends on (`otel_mas.analyse.log.order`) as long as these may still come: a cause may be stored a little
later than its effect has begun.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from otel_mas.analyse.log.order import Moment, is_judged_by, time_of
from otel_mas.analyse.log.tasks import ANOTHER_TRACE, Cause, run_name
from otel_mas.causal.links import INFERRED, METADATA, RECORDED
from otel_mas.causal.references import texts
from otel_mas.model import Span
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names

_TRACE_ID, _SPAN_ID = 32, 16
CIRCLE_NS = 1_000_000_000
"""Moments that wait for each other longer than this, because of links in a circle, wait no more."""
_Key = tuple[str, bool]
"""A moment of a trace: the id of its span, and whether it is the end."""


class _SpanCause(NamedTuple):
    trace_id: str
    span_id: str
    kind: str
    provenance: str


@dataclass(slots=True)
class _Known:
    """A span that has been seen."""

    span: Span
    task: str
    agent: str | None


@dataclass(slots=True)
class Waiting:
    """A moment that is to come."""

    moment: Moment
    known_ns: int
    """When it became known."""
    contents: int
    """Number of contents that its process had recorded by then. Those of an end are among them."""
    after: list[_Key]
    """Moments that it depends on."""


@dataclass(slots=True)
class LiveTrace:
    """Spans of one trace with their tasks, and the moments of it that have not come yet."""

    conversation: str | None = None
    known: dict[str, _Known] = field(default_factory=dict)
    waiting: dict[_Key, Waiting] = field(default_factory=dict)
    past: set[_Key] = field(default_factory=set)
    _numbers: defaultdict[tuple[str | None, str], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, span: Span, now_ns: int, contents: int = 0) -> None:
        """Add a span that has begun or ended. Parents come first, and of tasks those with the lower number.

        Args:
            contents: number of contents that its process has recorded by now.
        """
        self.conversation = self.conversation or span.conversation_id
        parent = self.known.get(span.parent_span_id or "")
        if span.span_id not in self.known:
            self.known[span.span_id] = _Known(span, self._task(span, parent), _agent(span, parent))
        self.known[span.span_id].span = span
        for is_end in (False, True) if span.end_ns is not None else (False,):
            key = span.span_id, is_end
            if key not in self.past:
                since, after = self._since(key, now_ns), self._after(span, is_end)
                self.waiting[key] = Waiting(Moment(span, is_end), since, contents, after)

    def _since(self, key: _Key, now_ns: int) -> int:
        return self.waiting[key].known_ns if key in self.waiting else now_ns

    def _task(self, span: Span, parent: _Known | None) -> str:
        if span.task_id is None:
            return run_name(span) if parent is None else parent.task
        outer = self._enclosing(span, parent)
        name = str(span.task_name or span.name)
        numbers = self._numbers[None if outer is None else outer.span.task_id, name]
        number = numbers.setdefault(span.task_id, len(numbers) + 1)
        return f"{name}#{number}" if outer is None else f"{outer.task}/{name}#{number}"

    def _enclosing(self, span: Span, parent: _Known | None) -> _Known | None:
        """The nearest other task around a task."""
        while parent is not None and parent.span.task_id in (None, span.task_id):
            parent = self.known.get(parent.span.parent_span_id or "")
        return parent

    def _after(self, span: Span, is_end: bool) -> list[_Key]:
        if is_end:
            return [(span.span_id, False)]
        parent = span.parent_span_id
        after = []
        if parent is not None:
            around = self.known.get(parent)
            after.append((parent, around is not None and is_judged_by(span, around.span)))
        after += [
            (cause.span_id, self._has_ended(cause, span))
            for cause in _causes(span)
            if cause.trace_id == span.trace_id and cause.span_id != span.span_id
        ]
        return after

    def _has_ended(self, cause: _SpanCause, effect: Span) -> bool:
        """Whether an effect comes after the end of its cause, and not only after its start."""
        if cause.kind == LinkKind.CALL or self._encloses(cause.span_id, effect):
            return False
        known = self.known.get(cause.span_id)
        if known is None or known.span.resource != effect.resource:
            return True  # for as long as that may still come
        # A process stores what had ended before the effect began not later than the effect.
        return known.span.end_ns is not None and known.span.end_ns <= effect.start_ns

    def _encloses(self, span_id: str, inner: Span) -> bool:
        above = self.known.get(inner.parent_span_id or "")
        while above is not None and above.span.span_id != span_id:
            above = self.known.get(above.span.parent_span_id or "")
        return above is not None

    def ready(self, complete: Callable[[Waiting], bool], late_ns: int) -> Iterator[Moment]:
        """Moments that depend on nothing that is still to come, the earliest first; they are past from now on.

        One whose content is still to come holds back those after it, so that their order is that of the log.

        Args:
            complete: whether all content of a moment is there.
            late_ns: moments that have been known since before this time wait no longer for others.
        """
        later: defaultdict[_Key, list[_Key]] = defaultdict(list)
        missing: dict[_Key, int] = {}
        for key, one in self.waiting.items():
            open_causes = [before for before in one.after if self._may_come(before, one, late_ns)]
            missing[key] = len(open_causes)
            for before in open_causes:
                later[before].append(key)
        heap = [(_order(self.waiting[key].moment), key) for key, number in missing.items() if not number]
        heapq.heapify(heap)
        while heap:
            _, key = heapq.heappop(heap)
            one = self.waiting[key]
            if not complete(one):
                return
            del self.waiting[key]
            self.past.add(key)
            yield one.moment
            for following in later[key]:
                missing[following] -= 1
                if not missing[following]:
                    heapq.heappush(heap, (_order(self.waiting[following].moment), following))

    def _may_come(self, before: _Key, one: Waiting, late_ns: int) -> bool:
        """Whether a moment still waits for one that it depends on."""
        if before in self.past or one.known_ns < late_ns - CIRCLE_NS:
            return False
        return before in self.waiting or one.known_ns >= late_ns


class LiveTasks:
    """Names of the tasks of traces that go on."""

    def __init__(self, traces: dict[str, LiveTrace]) -> None:
        self._traces = traces

    def task(self, span: Span) -> str:
        return self._traces[span.trace_id].known[span.span_id].task

    def agent(self, span: Span) -> str | None:
        return self._traces[span.trace_id].known[span.span_id].agent

    def causes(self, span: Span) -> Iterable[Cause]:
        known = self._traces[span.trace_id].known
        for cause in _causes(span):
            label = known[cause.span_id].task if cause.span_id in known else ANOTHER_TRACE
            yield Cause(cause.kind, cause.provenance, label)


def _causes(span: Span) -> list[_SpanCause]:
    """Causes of a span that are spans: by its links, and by references, which repeat the links of an open one."""
    found = {
        (link.span_id, link.kind): _SpanCause(link.trace_id, link.span_id, link.kind, RECORDED)
        for link in span.links
        if link.kind is not None
    }
    for reference in texts(span.columns.get(names.MAS_CAUSE_REFS)):
        kind, _, key = reference.partition("|")
        trace_id, _, span_id = key.partition("-")
        if len(trace_id) == _TRACE_ID and len(span_id) == _SPAN_ID:
            known = METADATA if span.end_ns is not None else RECORDED
            cause = _SpanCause(trace_id, span_id, kind.rstrip("?"), INFERRED if kind.endswith("?") else known)
            found.setdefault((span_id, cause.kind), cause)
    return list(found.values())


def _agent(span: Span, parent: _Known | None) -> str | None:
    above = None if parent is None else parent.agent
    return span.agent if span.agent is not None and (above is None or span.is_agent) else above


def _order(moment: Moment) -> tuple[int, bool]:
    return time_of(*moment), not moment.is_end


__all__ = ["LiveTasks", "LiveTrace", "Waiting"]
