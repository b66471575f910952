"""Runs that are served: read once, and kept as long as nothing is added to them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

from otel_mas.api.findings import Findings
from otel_mas.api.queries import list_traces
from otel_mas.api.source import Source
from otel_mas.api.source import open as open_source
from otel_mas.api.trace import Conversation, Trace
from otel_mas.model import PartialList, Query, SummaryBuilder, TraceSummary
from otel_mas.report.json import TraceForm, traces
from otel_mas.semconv import RunOutcome
from otel_mas.sources import Followed, Versioned
from otel_mas.sources.server import download_once

T = TypeVar("T")
_MOST_RUNS = 16
_MOST_SPANS = 400_000
"""Spans of all runs that are kept."""
_MOST_ANSWERS = 6
_KEPT_S = 5.0
"""A run of a source that does not tell when it changed is read anew after this time."""
_MOST_TRACES = 10_000
_ID_DIGITS = 32
_MOST_MESSAGES = 5_000
_UNKNOWN: Any = object()
_FINDINGS_S = 30.0
"""Findings are worked out anew after this time: some are about deadlines."""


class ServedRun:
    """A trace or a conversation as it was read. Answers about it take turns."""

    def __init__(self, run: Trace | Conversation, cursor: str | None) -> None:
        self.run = run
        self.cursor = cursor
        """Position of the live stream when it was read."""
        self.lock = threading.RLock()
        self._answers: OrderedDict[str, Any] = OrderedDict()

    def once(self, name: str, answer: Callable[[], T]) -> T:
        """An answer that is worked out the first time only."""
        with self.lock:
            if name not in self._answers:
                self._answers[name] = answer()
                while len(self._answers) > _MOST_ANSWERS:
                    self._answers.popitem(last=False)
            found: T = self._answers[name]
            return found

    def findings(self) -> Findings:
        """All findings about it."""
        return self.once(f"findings {time.monotonic() // _FINDINGS_S}", self.run.findings)


class Served:
    """A source, and the runs of it that were asked for last."""

    def __init__(self, source: Source, *, receiving: bool = False) -> None:
        self.source = source
        self.receiving = receiving
        self._port = source._port
        self._lock = threading.Lock()
        self.lock = nullcontext()
        """Answers about many runs do not wait for each other."""
        self._runs: OrderedDict[Hashable, ServedRun] = OrderedDict()
        self._reading: dict[Hashable, threading.Lock] = {}
        """Runs that are being read: a page asks several questions at once about one that none has read yet."""
        self._errors: dict[tuple[str, Hashable], str | None] = {}

    @contextmanager
    def apart(self) -> Iterator[Source]:
        """A connection of its own to a store, for questions that take long: whoever shares one takes turns."""
        if not self.live:
            yield self.source
            return
        with open_source(self.source.location) as source:
            yield source

    @property
    def live(self) -> bool:
        """Whether it can be followed while apps record."""
        return isinstance(self._port, Followed)

    def cursor(self) -> str | None:
        """The end of the log by now; None of a source without one."""
        return self._port.cursor() if isinstance(self._port, Followed) else None

    def listed(self, query: Query) -> PartialList[TraceSummary]:
        """The newest traces that match. Raises `UnsupportedQuery` as `Source.traces`."""
        return list_traces(self._port, query)

    def trace(self, trace_id: str) -> ServedRun:
        """A trace by its id or the beginning of it. Raises `TraceNotFound`."""
        version = self._port.version(trace_id) if isinstance(self._port, Versioned) else None
        return self._kept(("trace", trace_id.strip().lower()), version, lambda: self.source.trace(trace_id))

    def summary(self, trace_id: str) -> TraceSummary:
        """The line about a trace in the list of traces."""
        if isinstance(self._port, Versioned):
            self._port.version(trace_id)  # raises for an id that is wrong, not there, or the beginning of several
            known = self._port.summaries_of([trace_id.strip().lower()]) if len(trace_id.strip()) == _ID_DIGITS else []
            if known:
                return known[0]
        (trace,) = self.trace(trace_id).run._parts()
        if isinstance(self._port, Versioned):
            return self._port.summaries_of([trace.trace_id])[0]
        return SummaryBuilder.of(trace._data).summary(trace.incomplete)

    def summaries(self, trace_ids: Sequence[str]) -> Sequence[TraceSummary]:
        """The lines of these traces; of a source that can be followed."""
        return self._port.summaries_of(trace_ids) if isinstance(self._port, Versioned) and trace_ids else []

    def findings(self, trace_id: str) -> Findings:
        """Findings about a trace."""
        return self.trace(trace_id).findings()

    def lines(self, summaries: Sequence[TraceSummary]) -> list[TraceForm]:
        """The lines of traces with what is looked up for them: overdue questions, and messages of errors."""
        return traces(summaries, self.source.overdue(summaries), self._error_messages(summaries))["traces"]

    def _error_messages(self, summaries: Sequence[TraceSummary]) -> Mapping[str, str]:
        """Messages of the errors that ended traces, each looked for once: a list is asked for again and again."""
        if not isinstance(self._port, Versioned):
            return self.source.error_messages(summaries)
        found: dict[str, str] = {}
        for one in summaries:
            if one.status == RunOutcome.ERROR:
                key = one.trace_id, self._port.version(one.trace_id)
                message = self._errors.get(key, _UNKNOWN)
                if message is _UNKNOWN:
                    message = self.source.error_messages([one]).get(one.trace_id)
                    self._remember(key, message)
                if message is not None:
                    found[one.trace_id] = message
        return found

    def _remember(self, key: tuple[str, Hashable], message: str | None) -> None:
        with self._lock:  # lists are answered on several threads at once
            self._errors[key] = message
            while len(self._errors) > _MOST_MESSAGES:
                del self._errors[next(iter(self._errors))]

    def conversation(self, thread: str, service: str | None = None) -> ServedRun:
        """A conversation, as `Source.conversation`."""
        version: Hashable = None
        if isinstance(self._port, Versioned):
            query = Query(conversation_id=thread, service=service, limit=_MOST_TRACES)
            version = tuple(self._port.version(one.trace_id) for one in self._port.traces(query))
        key = ("conversation", thread, service)
        return self._kept(key, version, lambda: self.source.conversation(thread, service))

    def _kept(self, key: Hashable, version: Hashable, read: Callable[[], Trace | Conversation]) -> ServedRun:
        whole = (key, int(time.monotonic() / _KEPT_S) if version is None else version)
        with self._lock:
            reading = self._reading.setdefault(whole, threading.Lock())
        try:
            with reading:
                return self._found(whole) or self._read(key, whole, read)
        finally:
            with self._lock:
                self._reading.pop(whole, None)

    def _found(self, whole: Hashable) -> ServedRun | None:
        with self._lock:
            found = self._runs.get(whole)
            if found is not None:
                self._runs.move_to_end(whole)
            return found

    def _read(self, key: Hashable, whole: Hashable, read: Callable[[], Trace | Conversation]) -> ServedRun:
        cursor = self.cursor()  # before it is read: what comes in between is told twice, not never
        with download_once():
            found = ServedRun(read(), cursor)
        with self._lock:
            for old in [one for one in self._runs if one[0] == key]:  # type: ignore[index]
                del self._runs[old]
            self._runs[whole] = found
            self._forget()
        return found

    def _forget(self) -> None:
        """Let go of the runs that were asked for longest ago; never of the last one."""
        spans = sum(_size(one.run) for one in self._runs.values())
        while len(self._runs) > 1 and (len(self._runs) > _MOST_RUNS or spans > _MOST_SPANS):
            _, oldest = self._runs.popitem(last=False)
            spans -= _size(oldest.run)


def _size(run: Trace | Conversation) -> int:
    return sum(len(part._data.spans) for part in run._parts())


__all__ = ["Served", "ServedRun"]
