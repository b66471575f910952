"""Sources on servers: each trace is downloaded once for a question, and handed on to whatever needs it next."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path

from otel_mas.errors import UnsupportedQuery
from otel_mas.model import PartialList, Query, Trace, TraceSummary
from otel_mas.sources.base import Source
from otel_mas.sources.spans_only import FILTERS as ALL_FILTERS
from otel_mas.sources.spans_only import SpansOnlySource, full_id

FILTERS = ALL_FILTERS - {"ended_since_ns"}
"""Servers are searched from the newest trace back: how far back one may have started that ended late, nobody knows."""


@dataclass(frozen=True, slots=True)
class _Downloads:
    """Traces that one question has downloaded, by location."""

    listed: bool = False
    traces: dict[tuple[str, str], Trace] = field(default_factory=dict)
    conversations: dict[tuple[str, str, str | None], PartialList[Trace]] = field(default_factory=dict)


_downloads: ContextVar[_Downloads | None] = ContextVar("otel_mas_downloads", default=None)


@contextmanager
def download_once(*, listed: bool = False) -> Iterator[None]:
    """Download each trace and each conversation once in this block: later questions get what came first.

    Args:
        listed: keep the spans of traces that a list was made from, too. They take memory, so only where the caller
            reads the listed traces next.
    """
    outer = _downloads.get()
    token = _downloads.set(_Downloads(listed) if outer is None else replace(outer, listed=listed))
    try:
        yield
    finally:
        _downloads.reset(token)


class ServerSource(SpansOnlySource):
    """Base of sources that download from a server, which adds `list_traces` and `download`."""

    @abstractmethod
    def list_traces(self, query: Query, keep: Callable[[Trace], None] | None) -> PartialList[TraceSummary]:
        """The newest matching traces. `keep`, if given, is called with all spans of each of them."""

    @abstractmethod
    def download(self, trace_id: str) -> Trace | None:
        """One trace; None where the server has none of this id."""

    def traces(self, query: Query) -> PartialList[TraceSummary]:
        self.check(query)
        if query.ended_since_ns is not None:
            raise UnsupportedQuery(
                f"{self.location} finds traces by their start, not by their end: ask for those since"
            )
        downloads = _downloads.get()
        return self.list_traces(query, self._keeper(downloads) if downloads is not None and downloads.listed else None)

    def trace(self, trace_id: str) -> Trace:
        wanted = full_id(trace_id)
        downloads = _downloads.get() or _Downloads()
        found = downloads.traces.get((self.location, wanted)) or self.download(wanted)
        if found is None:
            raise self.no_trace(wanted)
        self._keeper(downloads)(found)
        return found

    def conversation(self, thread: str, service: str | None = None) -> PartialList[Trace]:
        downloads = _downloads.get() or _Downloads()
        key = self.location, thread, service
        if key not in downloads.conversations:
            query = Query(conversation_id=thread, service=service, limit=sys.maxsize)
            listed = self.list_traces(query, self._keeper(downloads))
            traces = [downloads.traces[self.location, one.trace_id] for one in reversed(listed)]
            downloads.conversations[key] = PartialList(traces, listed.incomplete)
        return downloads.conversations[key]

    def latest(self) -> Trace | None:
        """The trace that started last, in one download; None where there is none."""
        downloads = _downloads.get() or _Downloads()
        newest = self.list_traces(Query(limit=1), self._keeper(downloads))
        return downloads.traces[self.location, newest[0].trace_id] if newest else None

    def _keeper(self, downloads: _Downloads) -> Callable[[Trace], None]:
        def keep(trace: Trace) -> None:
            downloads.traces[self.location, trace.trace_id] = self.given.add(trace)

        return keep


@dataclass(frozen=True, slots=True)
class ServerSourceType:
    """A `SourceType` of a server: no file is one of its own.

    Args:
        connect: takes the scheme and what follows `scheme://`.
    """

    scheme: str
    reads: str
    connect: Callable[[str, str], Source]

    def recognises(self, path: Path) -> bool:
        return False

    def open(self, target: str) -> Source:
        return self.connect(self.scheme, target)
