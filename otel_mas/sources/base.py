"""The port that every source of traces implements."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from otel_mas.model import (
    Changes,
    Content,
    Message,
    MessageRef,
    PartialList,
    Query,
    RunSummary,
    Span,
    Trace,
    TraceSummary,
)
from otel_mas.model.processes import RecordingProcess, StoreDisk
from otel_mas.model.search import Match

if TYPE_CHECKING:
    from otel_mas.store.query_sql import Rows, SqlNames


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Abilities of a source. The zero value is the least: it lists traces and reads one by its full id."""

    filters: frozenset[str] = frozenset()
    """Fields of `Query`, other than `limit`, that it answers exactly."""
    id_prefixes: bool = False
    """`trace` takes the unique beginning of an id too."""
    conversations: bool = False
    content: bool = False
    """It can have messages and other content: beside spans, or on them where the app let content leave."""
    lookback_ns: int | None = None
    """How far back `traces` looks where the query has no `since_ns`; None: to the beginning."""
    runs: bool = False
    """It knows which traces one `otel-mas run` recorded, and what was lost on the way."""
    local: bool = False
    """It reads files of this machine: another query costs no request."""


class Source(Protocol):
    """A place that traces can be read from.

    It refuses with `UnsupportedQuery` what its capabilities do not list, and never answers approximately.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def location(self) -> str:
        """The address or path that it reads from, as `open_source` takes it."""
        ...

    def traces(self, query: Query) -> Sequence[TraceSummary]:
        """The newest traces that match every field of the query."""
        ...

    def trace(self, trace_id: str) -> Trace:
        """One trace. Raises `TraceNotFound`."""
        ...

    def conversation(self, thread: str, service: str | None = None) -> Sequence[Trace]:
        """The traces of a conversation, oldest first; of one service where it is given."""
        ...

    def message_refs(self, trace_id: str) -> Sequence[MessageRef]:
        """Which span of a trace consumed or produced which message."""
        ...

    def messages(self, digests: Sequence[str], trace_id: str | None = None) -> Mapping[str, Message]:
        """Messages by digest; those that it does not have are absent.

        Args:
            trace_id: a trace whose spans name them. Needed where the spans are all that the source has.
        """
        ...

    def contents(self, trace_id: str, span_id: str | None = None) -> Sequence[Content]:
        """Content beside the spans of a trace or on them, or that of one span; empty where it was not kept."""
        ...

    def search(self, text: str, query: Query, limit: int) -> PartialList[Match]:
        """Messages and other content that hold a text, those of the newest trace first, up to `limit`.

        Args:
            text: found in any case, wherever it stands (`otel_mas.model.search.TextSearch`).
            query: selects the traces to look in. A source that has to read them for it looks in `query.limit` of
                them, and says so.
        """
        ...

    def run(self, run_id: str) -> RunSummary:
        """Traces, processes and problems of one `otel-mas run`."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Versioned(Protocol):
    """A source that knows at little cost whether a trace has changed."""

    def version(self, trace_id: str) -> Hashable:
        """A value that changes whenever something of a trace does. Raises `TraceNotFound`."""
        ...

    def summaries_of(self, trace_ids: Sequence[str]) -> Sequence[TraceSummary]:
        """The summaries of the traces with these ids, the newest first."""
        ...


@runtime_checkable
class KnowsProcesses(Protocol):
    """A source that knows the processes which record into it, and its disk."""

    def processes(self, since_ns: int) -> Sequence[RecordingProcess]:
        """The processes that showed a sign of life since a time, the latest first."""
        ...

    def disk(self, cap_bytes: int) -> StoreDisk:
        """Sizes of it and of its disk; `cap_bytes` is what it may take."""
        ...


@runtime_checkable
class FindsLatest(Protocol):
    """A source that finds its latest trace for less than a list of one would cost."""

    def latest(self) -> Trace | None:
        """The trace that started last; None where there is none."""
        ...


@runtime_checkable
class ReadsColumns(Protocol):
    """A source that reads many traces for less than one after the other, as far as a graph needs them."""

    def columns_of(self, trace_ids: Sequence[str]) -> Iterator[Trace]:
        """These traces, in this order; those that are gone are left out.

        Their spans have columns and links, maybe no more; `Trace.incomplete` is not told: their summaries tell it.
        """
        ...


class Tail(Protocol):
    """Spans of a source as it gets them."""

    def changes(self) -> Changes | None:
        """Spans that have begun or ended since the last look; None where there are none."""
        ...

    def contents_of(self, spans: Sequence[Span]) -> tuple[Sequence[MessageRef], Sequence[Content]]:
        """The messages of these spans and the content beside them, as far as the source has it by now."""
        ...

    def messages(self, digests: Sequence[str]) -> Mapping[str, Message]: ...

    def close(self) -> None: ...


@runtime_checkable
class Followed(Protocol):
    """A source that can be followed while apps record into it."""

    def tail(self, trace_id: str | None = None, *, from_start: bool = False, after: str | None = None) -> Tail:
        """Spans from now on; the first look has those of the running traces, or of one trace, so far.

        Args:
            from_start: begin with the first span of its log.
            after: a cursor: the first look has what ended since instead, and all that is open.
        """
        ...

    def cursor(self) -> str:
        """The end of its log by now."""
        ...


@runtime_checkable
class AnswersSql(Protocol):
    """A source that answers SQL, over views and functions that it names."""

    def sql(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = (), limit: int | None = None) -> Rows:
        """The rows of a query; at most `limit`. Raises `UnsupportedQuery`."""
        ...

    def sql_names(self) -> SqlNames:
        """Names that a query may use."""
        ...


class SourceType(Protocol):
    """The type that an entry point of the group `otel_mas_source` names; the entry point's name is the scheme."""

    reads: ClassVar[str]
    """For people: "a local store (SQLite file)"."""

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Whether the file at a path given without a scheme is one of its own."""
        ...

    @classmethod
    def open(cls, target: str) -> Source:
        """Open the text after `scheme://`, or the path."""
        ...
