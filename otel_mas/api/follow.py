"""Entries of the interaction log as they become known, while apps record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Self

from otel_mas.analyse.content import REASONS, RunContent
from otel_mas.analyse.log import Entry, EntryFilter, EntryMaker
from otel_mas.analyse.log.content import SpanContents
from otel_mas.analyse.log.live import CIRCLE_NS, LiveTasks, LiveTrace, Waiting
from otel_mas.analyse.log.order import Moment
from otel_mas.analyse.state.values import value_digests
from otel_mas.model import Changes, Span, StatusCode
from otel_mas.model.changes import ContentProgress
from otel_mas.model.start_order import in_start_order
from otel_mas.semconv import RecordKind, TaskOutcome
from otel_mas.semconv import attributes as names
from otel_mas.sources import Tail

POLL_S = 0.02
"""Between two looks; a look that finds nothing new takes some microseconds."""
_LATE_NS = 1_000_000_000
"""For so long an entry waits for causes that the store does not have: of another process, which commits by itself."""
_OPEN_NS = 120_000_000
"""For so long the start of an open span waits for content that it may get after that, such as a tool's arguments."""
_AT_ONCE = 256
"""Moments whose content is read together."""
_MOST_TRACES = 256
"""Traces of which the names are remembered once they have ended."""
_NEVER = 2**63
_WITH_CONTENT = frozenset({RecordKind.RETRIEVAL, RecordKind.HUMAN_INPUT})


class Follower:
    """Entries as they become known, each once: `for entry in follower`, or `async for`.

    An effect never comes before its cause, within one trace. Ends with the trace, where one is followed; else only when
    it is closed. `running` has the ids of the traces that have open spans of a living process.

    Args:
        tail: of a source; closed with the follower.
        trace_id: the whole id of the only trace that is followed, if it is one.
        conversation: only traces of this thread.
        chosen: only entries that match it.
        full: whole prompts.
    """

    def __init__(
        self,
        tail: Tail,
        trace_id: str | None = None,
        *,
        conversation: str | None = None,
        chosen: EntryFilter | None = None,
        full: bool = False,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._tail = tail
        self.trace_id = trace_id
        self._conversation = conversation
        self._chosen = chosen
        self._clock = clock
        self._maker = EntryMaker(full=full)
        self._traces: dict[str, LiveTrace] = {}
        self._tasks = LiveTasks(self._traces)
        self._contents: Mapping[str, ContentProgress] = {}
        self._due_ns = 0
        self._seen = False
        self._closed = False
        self.running: frozenset[str] = frozenset()
        self.stopped: frozenset[str] = frozenset()
        """Traces with open spans of a process that is gone."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, also for whoever waits for the next entry."""
        if not self._closed:
            self._closed = True
            self._tail.close()

    def __iter__(self) -> Iterator[Entry]:
        while not self._closed:
            yield from self._news()
            if self.ended:
                return
            time.sleep(POLL_S)

    async def __aiter__(self) -> AsyncIterator[Entry]:
        while not self._closed:
            for entry in await asyncio.to_thread(self.poll):
                yield entry
            if self.ended:
                return
            await asyncio.sleep(POLL_S)

    @property
    def ended(self) -> bool:
        """Whether the one trace that is followed has ended, or its process has, and every entry of it has come."""
        if self.trace_id is None or not self._seen or self.trace_id in self.running:
            return False
        return not any(trace.waiting for trace in self._traces.values())

    def poll(self) -> list[Entry]:
        """The entries that have become known since the last time; waits for nothing."""
        return list(self._news())

    def _news(self) -> Iterator[Entry]:
        changes = self._tail.changes()
        if changes is not None:
            self._add(changes)
        if changes is not None or self._clock() >= self._due_ns:
            yield from self._ready()

    def _add(self, changes: Changes) -> None:
        now, first = self._clock(), not self._seen
        self._seen, self.running, self.stopped = True, changes.running, changes.stopped
        self._contents = changes.contents
        for span in in_start_order([*changes.opened, *changes.ended]):
            if span.trace_id not in self._traces:
                self._forget()
                self._traces[span.trace_id] = LiveTrace()
            # The first look has what happened long ago: of a trace that has ended nothing more is to come.
            known_ns = 0 if first and span.trace_id not in self.running else now
            progress = self._progress(span)
            self._traces[span.trace_id].add(span, known_ns, 0 if progress is None else progress.recorded)

    def _forget(self) -> None:
        """Forget the oldest traces that have ended."""
        if len(self._traces) > _MOST_TRACES:
            over = [one for one, trace in self._traces.items() if not trace.waiting and one not in self.running]
            for trace_id in over[: len(self._traces) - _MOST_TRACES]:
                del self._traces[trace_id]

    def _ready(self) -> Iterator[Entry]:
        now = self._clock()
        traces = [trace for trace in self._traces.values() if trace.waiting and self._is_asked_for(trace)]
        for trace in traces:
            contents = _Contents(self._tail, [one.moment.span for one in trace.waiting.values()])
            for span, is_end in trace.ready(partial(self._is_complete, contents=contents, now_ns=now), now - _LATE_NS):
                self._maker.use(self._tasks, contents.of(span)[1])
                entries = self._maker.end(span) if is_end else self._maker.start(span)
                yield from (one for one in entries if self._chosen is None or self._chosen.matches(one))
        self._due_ns = min(
            (due for trace in traces for one in trace.waiting.values() for due in _due(one) if due > now),
            default=_NEVER,
        )

    def _is_complete(self, one: Waiting, contents: _Contents, now_ns: int) -> bool:
        """Whether nothing more of the content of a moment is to come."""
        span = one.moment.span
        if _has_content(one.moment, *contents.of(span)):
            return True
        progress = self._progress(span)
        if progress is not None and progress.done < one.contents:
            return False
        return span.end_ns is not None or now_ns >= one.known_ns + _OPEN_NS

    def _progress(self, span: Span) -> ContentProgress | None:
        """Progress of a span's process; None where that is gone, and nothing is to come."""
        return self._contents.get(str(span.resource.attributes.get(names.MAS_INSTANCE_ID)))

    def _is_asked_for(self, trace: LiveTrace) -> bool:
        if self._conversation in (None, trace.conversation):
            return True
        if trace.conversation is not None:
            trace.waiting.clear()
        return False


class _Contents:
    """Content of spans as it is stored by now, read for many at once, in their order, when it is asked for."""

    def __init__(self, tail: Tail, spans: Sequence[Span]) -> None:
        self._tail = tail
        self._spans = {span.span_id: span for span in spans}
        self._read: dict[str, tuple[RunContent, SpanContents]] = {}

    def of(self, span: Span) -> tuple[RunContent, SpanContents]:
        if span.span_id not in self._read:
            self._spans.pop(span.span_id, None)
            spans = [span, *islice(self._spans.values(), _AT_ONCE - 1)]
            refs, contents = self._tail.contents_of(spans)
            digests = dict.fromkeys([*(ref.digest for ref in refs), *(one for span in spans for one in _state(span))])
            content = RunContent.gathered(refs, self._tail.messages(list(digests)), contents, kept=True)
            found = content, SpanContents(content)
            for one in spans:
                self._spans.pop(one.span_id, None)
                self._read[one.span_id] = found
        return self._read[span.span_id]


def _due(one: Waiting) -> tuple[int, ...]:
    """When a moment may have waited long enough."""
    return one.known_ns + _OPEN_NS, one.known_ns + _LATE_NS + 1, one.known_ns + _LATE_NS + CIRCLE_NS + 1


def _state(span: Span) -> list[str]:
    """Digests of values that a span wrote to a state, which it tells when it ends."""
    return [] if span.end_ns is None else value_digests(span)


def _has_content(moment: Moment, content: RunContent, contents: SpanContents) -> bool:
    """Whether all content that such a moment usually has is stored; where it has less, only its process can tell."""
    span, is_end = moment
    digests = contents.digests(span, "output" if is_end else "input")
    if any(digest not in content.messages for digest in (*digests, *(_state(span) if is_end else ()))):
        return False
    if is_end and span.status is StatusCode.ERROR:
        return bool(span.columns.get(names.MAS_ERROR_SPAN)) or content.error_message(span) is not None
    if span.record_kind == RecordKind.LLM_CALL:
        return bool(digests)
    if span.record_kind == RecordKind.TOOL_CALL:
        name = names.GEN_AI_TOOL_CALL_RESULT if is_end else names.GEN_AI_TOOL_CALL_ARGUMENTS
        return content.get(span, name) is not None or (is_end and bool(digests))
    if span.record_kind in REASONS:
        return not is_end or content.reason(span) is not None
    paused = span.columns.get(names.MAS_TASK_OUTCOME) == TaskOutcome.INTERRUPTED
    return not is_end or not (paused or span.record_kind in _WITH_CONTENT)


__all__ = ["POLL_S", "Follower"]
