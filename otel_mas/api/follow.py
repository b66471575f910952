"""Entries of the interaction log as they become known, while apps record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.log import Entry, EntryFilter, EntryMaker
from otel_mas.analyse.log.content import SpanContents
from otel_mas.analyse.log.live import LiveTasks, LiveTrace
from otel_mas.analyse.log.order import Moment
from otel_mas.analyse.state.values import value_digests
from otel_mas.model import Changes, Span, StatusCode
from otel_mas.model.start_order import in_start_order
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names
from otel_mas.sources import Tail

POLL_S = 0.02
"""Between two looks; a look that finds nothing new takes some microseconds."""
_LATE_S = 1.0
"""For so long an entry waits for its causes, and for content that is stored later than its span. Content that there is
comes within some milliseconds; on a busy machine the app may be stopped in between for much longer."""
_MOST_TRACES = 256
"""Traces of which the names are remembered once they have ended."""


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
            yield from self.poll()
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
        changes = self._tail.changes()
        if changes is not None:
            self._add(changes)
        return self._ready()

    def _add(self, changes: Changes) -> None:
        now, first = self._clock(), not self._seen
        self._seen, self.running, self.stopped = True, changes.running, changes.stopped
        for span in in_start_order([*changes.opened, *changes.ended]):
            if span.trace_id not in self._traces:
                self._forget()
                self._traces[span.trace_id] = LiveTrace()
            # The first look has what happened long ago: of a trace that has ended nothing more is to come.
            self._traces[span.trace_id].add(span, 0 if first and span.trace_id not in self.running else now)

    def _forget(self) -> None:
        """Forget the oldest traces that have ended."""
        if len(self._traces) > _MOST_TRACES:
            over = [one for one, trace in self._traces.items() if not trace.waiting and one not in self.running]
            for trace_id in over[: len(self._traces) - _MOST_TRACES]:
                del self._traces[trace_id]

    def _ready(self) -> list[Entry]:
        traces = [trace for trace in self._traces.values() if trace.waiting and self._is_asked_for(trace)]
        waiting = [one.moment for trace in traces for one in trace.waiting.values()]
        if not waiting:
            return []
        content = self._content([moment.span for moment in waiting])
        contents = SpanContents(content)
        self._maker.use(self._tasks, contents)
        late = self._clock() - round(_LATE_S * 1e9)
        found: list[Entry] = []
        for trace in traces:
            for span, is_end in trace.ready(lambda moment: _is_complete(moment, content, contents), late):
                entries = self._maker.end(span) if is_end else self._maker.start(span)
                found += [one for one in entries if self._chosen is None or self._chosen.matches(one)]
        return found

    def _is_asked_for(self, trace: LiveTrace) -> bool:
        if self._conversation in (None, trace.conversation):
            return True
        if trace.conversation is not None:
            trace.waiting.clear()
        return False

    def _content(self, spans: Sequence[Span]) -> RunContent:
        spans = list({(span.trace_id, span.span_id): span for span in spans}.values())
        refs, contents = self._tail.contents_of(spans)
        digests = dict.fromkeys([*(ref.digest for ref in refs), *(one for span in spans for one in _state(span))])
        return RunContent.gathered(refs, self._tail.messages(list(digests)), contents, kept=True)


def _state(span: Span) -> list[str]:
    """Digests of values that a span wrote to a state, which it tells when it ends."""
    return [] if span.end_ns is None else value_digests(span)


def _is_complete(moment: Moment, content: RunContent, contents: SpanContents) -> bool:
    """Whether the content of a moment is stored, as far as one can tell: it may come later than its span."""
    span, is_end = moment
    digests = contents.digests(span, "output" if is_end else "input")
    if any(digest not in content.messages for digest in (*digests, *(_state(span) if is_end else ()))):
        return False
    if span.record_kind == RecordKind.LLM_CALL and not is_end:
        return bool(digests)
    if span.record_kind == RecordKind.TOOL_CALL and span.status is not StatusCode.ERROR:
        name = names.GEN_AI_TOOL_CALL_RESULT if is_end else names.GEN_AI_TOOL_CALL_ARGUMENTS
        return content.get(span, name) is not None or (is_end and bool(digests))
    return True


__all__ = ["POLL_S", "Follower"]
