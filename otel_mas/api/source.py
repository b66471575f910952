"""The handle on a place that traces are read from."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from otel_mas.api.display import register_here
from otel_mas.api.filters import MOST_TRACES, Filters, query_of
from otel_mas.api.queryable import Queryable
from otel_mas.config import Settings
from otel_mas.errors import TraceNotFound, UnsupportedQuery, arguments
from otel_mas.model import PartialList, Query, RunSummary, TraceSummary
from otel_mas.semconv import RunOutcome
from otel_mas.sources import Capabilities, FindsLatest, Followed, open_source
from otel_mas.sources import Source as Port
from otel_mas.sources.server import download_once

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from otel_mas.api.answers import Profile, Traces
    from otel_mas.api.follow import Follower
    from otel_mas.api.log import Log
    from otel_mas.api.search import Matches
    from otel_mas.api.span_tail import SpanTail
    from otel_mas.api.sql import SqlRows
    from otel_mas.api.trace import Conversation, Trace
    from otel_mas.report.frame import Frame


def open(target: str | Path | None = None) -> Source:  # noqa: A001 - read as otel_mas.open
    """Open a place that traces can be read from; use it in a `with`, or close it.

    Args:
        target: The path of a store, or `scheme://...` of another source. By default the store that the
            settings name (`OTEL_MAS_STORE`).

    Raises:
        UnknownSource: Nothing reads this scheme.
        SourceError: No file can be called that.
        StoreError: There is no store at the path, or it cannot be read.
    """
    register_here()
    if target is not None:
        arguments.path("target", target)
    return Source(open_source(Settings.from_env().store if target is None else target))


class Source(Queryable):
    """A place that traces can be read from, open until it is closed."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Source {self.location}{'' if self._open else ' (closed)'}>"

    @property
    def location(self) -> str:
        """The target, as `open` takes it."""
        return self._port.location

    @property
    def capabilities(self) -> Capabilities:
        """Capabilities of this source."""
        return self._port.capabilities

    def close(self) -> None:
        """Let go of the file or the connection; traces that were read stay usable."""
        if self._open:
            self._open = False
            self._port.close()

    def traces(self, *, limit: int = 20, **filters: Unpack[Filters]) -> Traces:
        """The newest traces that match everything that is given.

        Args:
            limit: How many at most.
            filters: `otel_mas.api.filters.Filters`, which docs/query.md lists: `status="error"`, `since="1h"`,
                `agent="writer"`, `attribute={"service.version": "1.2"}`. Times without a zone are local.

        Raises:
            UnsupportedQuery: A value means nothing, or this source cannot answer the question.
        """
        from otel_mas.api.answers import Traces
        from otel_mas.api.queries import list_traces

        found = list_traces(self._port, query_of(filters, limit))
        return Traces(found, limited=len(found) == limit, incomplete=found.incomplete)

    def overdue(self, summaries: Sequence[TraceSummary]) -> frozenset[str] | None:
        """The ids of those of these traces in which a question waits, or waited, for longer than it was to.

        Only looked for where this process has OTEL_MAS_INPUT_TIMEOUT, since it means to read the traces that paused;
        None where it has not. A timeout that was recorded with a question goes before it.
        """
        given = arguments.all_of("summaries", summaries, TraceSummary)
        if Settings.from_env().input_timeout_s is None:
            return None
        paused = [one.trace_id for one in given if one.status == RunOutcome.INTERRUPTED]
        with download_once():
            return frozenset(one for one in paused if any(asked.overdue for asked in self.trace(one).questions()))

    def error_messages(self, summaries: Sequence[TraceSummary]) -> Mapping[str, str]:
        """Messages of the errors that ended these traces, by trace id; only a local store is asked."""
        from otel_mas.analyse.failures import error_outcomes

        found: dict[str, str] = {}
        given = arguments.all_of("summaries", summaries, TraceSummary)
        for summary in given if self.capabilities.content and self.capabilities.runs else ():
            if summary.status == RunOutcome.ERROR:
                trace = self.trace(summary.trace_id)
                messages = trace.error_messages()
                message = next(
                    (messages[span_id] for _, span_id in error_outcomes(trace.spans) if span_id in messages), None
                )
                if message:
                    found[summary.trace_id] = message
        return found

    def to_pandas(self, *, attributes: bool = False, **which: Any) -> pandas.DataFrame:
        """The spans of many traces, a row each, in the order of `traces`.

        Args:
            attributes: A column for every attribute that any of the spans has, too.
            which: The arguments of `traces`: its filters, and `limit` (of traces).

        Raises:
            MissingExtra: pandas is not installed.
            UnsupportedQuery: As for `traces`.
        """
        return self._frame(attributes, which).to_pandas()

    def to_arrow(self, *, attributes: bool = False, **which: Any) -> pyarrow.Table:
        """The spans of many traces as Arrow: see `to_pandas`. Raises `MissingExtra` without pyarrow."""
        return self._frame(attributes, which).to_arrow()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        """The spans of the newest traces, for whatever reads Arrow; `to_arrow` says which ones."""
        stream: Any = self.to_arrow()
        return stream.__arrow_c_stream__(requested_schema)

    def profile(self, **which: Any) -> Profile:
        """Time of many traces, each taken as a run: percentiles, hot spots, profiled functions.

        Args:
            which: Filters of `traces`; `limit` is 1,000 by default.

        Raises:
            UnsupportedQuery: As for `traces`.
        """
        from otel_mas.api.answers import Profile

        with download_once(listed=True):
            found = self.traces(**{"limit": MOST_TRACES, **which})
            graphs = (self.trace(summary.trace_id).graph().causal for summary in found)
            return Profile.of(graphs, turns=False, limited=found.limited, incomplete=found.incomplete)

    def _frame(self, attributes: bool, which: dict[str, Any]) -> Frame:
        from otel_mas.report import frame

        with download_once(listed=True):
            graphs = (self.trace(summary.trace_id).graph().causal for summary in self.traces(**which))
            return frame.spans(graphs, attributes)

    def trace(self, trace_id: str) -> Trace:
        """One trace, by its id or the unique beginning of it.

        Raises:
            TraceNotFound: There is none, or several begin like this.
        """
        from otel_mas.api.trace import Trace

        wanted = arguments.name("trace_id", trace_id).strip().lower()
        if not self.capabilities.id_prefixes and len(wanted) < 32:
            raise UnsupportedQuery(f"{self.location} finds a trace by its full id only, 32 hex digits: {trace_id!r}")
        return Trace(self._port.trace(wanted), self._port)

    def latest(self) -> Trace:
        """The trace that started last. Raises `TraceNotFound` where there is none."""
        if isinstance(self._port, FindsLatest):
            found = self._port.latest()
        else:
            newest = self._port.traces(Query(limit=1))
            found = self._port.trace(newest[0].trace_id) if newest else None
        if found is None:
            raise TraceNotFound(f"no trace in {self.location} yet: record one with `otel-mas run -- python app.py`")
        from otel_mas.api.trace import Trace

        return Trace(found, self._port)

    def conversation(self, thread: str, service: str | None = None) -> Conversation:
        """Every trace of a conversation, as one.

        Args:
            thread: `gen_ai.conversation.id`; for LangGraph the `thread_id`.
            service: The service, if several use the same thread.

        Raises:
            TraceNotFound: No trace belongs to it.
            UnsupportedQuery: Several services, no two in one trace, have a thread of this name, and none is given.
        """
        from otel_mas.api.trace import Conversation, Trace, share_services

        arguments.name("thread", thread)
        arguments.optional_name("service", service)
        if not self.capabilities.conversations:
            raise UnsupportedQuery(f"{self.location} cannot find conversations: ask for a trace by its id")
        traces = self._port.conversation(thread, service)
        found = [Trace(trace, self._port) for trace in traces]
        services = sorted({trace.service for trace in found if trace.service})
        if service is None and len(services) > 1 and not share_services(traces):
            raise UnsupportedQuery(
                f"several services have a conversation {thread!r}: {', '.join(services)};"
                " say which: service=... (--service on the command line)"
            )
        if not traces:
            whose = "" if service is None else f" of service {service!r}"
            raise TraceNotFound(
                f"no conversation {thread!r}{whose} in {self.location}: `otel-mas traces` lists what is there"
            )
        incomplete = traces.incomplete if isinstance(traces, PartialList) else None
        return Conversation(thread, found, incomplete)

    def search(self, text: str, *, limit: int = 100, **filters: Unpack[Filters]) -> Matches:
        """Messages and other content that hold a text: tool arguments and results, questions, reasons, errors.

        The text is found in any case (`str.casefold`), wherever it stands. A message is found once in each trace. A
        local store is looked through whole; other sources read their newest 1,000 traces that match, and say so in
        `incomplete`.

        Args:
            text: At least one character.
            limit: How many matches at most, those of the newest trace first.
            filters: Look in these traces only, as for `traces`: `since="1h"`, `agent="writer"`.

        Raises:
            UnsupportedQuery: There is no text to look for, a filter means nothing, or the source has no content.
        """
        from otel_mas.api.queries import answerable
        from otel_mas.api.search import Matches

        arguments.search_text("text", text)
        arguments.number_of("limit", limit)
        if not self.capabilities.content:
            raise UnsupportedQuery(f"{self.location} has no messages and no other content to look in")
        query = answerable(self._port, query_of(filters, MOST_TRACES))
        found = self._port.search(text, query, limit)
        return Matches(found, limited=len(found) == limit, incomplete=found.incomplete)

    def sql(
        self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = (), *, limit: int | None = None
    ) -> SqlRows:
        """The rows of an SQL query of a local store: docs/sql.md lists views and functions, and has examples.

        Args:
            query: One SELECT, WITH or VALUES. Nothing but reading is allowed.
            parameters: Values of its `?`, or of its `:name`.
            limit: How many rows at most.

        Raises:
            UnsupportedQuery: SQLite refuses it, or the source is no store.
        """
        from otel_mas.api.sql import sql

        arguments.name("query", query)
        return sql(self._port, query, parameters, limit)

    def each(self, *, grep: str | None = None, **which: Any) -> Iterator[Trace]:
        """Traces that match, whole, oldest first, each read when it is its turn.

        Args:
            grep: Text that a local store finds in their content; other sources, which would have to read them for it,
                give all.
            which: Filters of `traces`; without `limit` all of them.
        """
        with download_once(listed=True):
            having = None if grep is None else self._having(arguments.search_text("grep", grep), which)
            for summary in reversed(self.traces(**{"limit": sys.maxsize, **which})):
                if having is None or summary.trace_id in having:
                    yield self.trace(summary.trace_id)

    def _having(self, text: str, which: Mapping[str, Any]) -> set[str] | None:
        """Traces with a text in their content; None where finding out would cost as much as reading them."""
        if not (self.capabilities.local and self.capabilities.content):
            return None
        found = self.search(text, **{**which, "limit": sys.maxsize})
        return None if found.incomplete else {match.trace_id for match in found}

    def log(
        self,
        trace_id: str | None = None,
        *,
        conversation: str | None = None,
        service: str | None = None,
        since: str | float | datetime | None = None,
        **which: Any,
    ) -> Log:
        """Everything that was said and done, in causal order: in one trace (the latest), a conversation, or a time.

        Args:
            trace_id: Id of a trace, or the unique beginning of one.
            conversation: Thread, instead of a trace; `service` as for `conversation`.
            service: The service, if several use the same thread.
            since: Instead of one trace all that started within this duration before now, or since this time, one after
                the other, oldest first.
            which: Filters of `Trace.log`: `agent`, `tool`, `model`, `kinds`, `grep`, and `full`.

        Raises:
            TraceNotFound, UnsupportedQuery
        """
        from otel_mas.api.log import Log, Selection

        selection = Selection.of(**which)
        given = {"trace_id": trace_id, "conversation": conversation, "since": since}
        named = [name for name, value in given.items() if value is not None]
        if len(named) > 1:
            raise UnsupportedQuery(f"{' and '.join(named)} each say which log: give one of them")
        if since is not None:
            return Log(selection.entries(self.each(since=since, grep=selection.chosen.text)))
        if conversation is not None:
            return Log(selection.entries([self.conversation(conversation, service)]))
        return Log(selection.entries([self.latest() if trace_id is None else self.trace(trace_id)]))

    def follow(
        self,
        trace_id: str | None = None,
        *,
        conversation: str | None = None,
        agent: str | None = None,
        tool: str | None = None,
        model: str | None = None,
        kinds: str | Collection[str] = (),
        grep: str | None = None,
        full: bool = False,
    ) -> Follower:
        """The log of the apps that record now, entry by entry as each becomes known, with `for` or `async for`.

        It begins with what the running traces have so far. A span's start is known with the next commit after it (50
        ms, `OTEL_MAS_FLUSH_INTERVAL_MS`), its end likewise.

        Args:
            trace_id: Only this trace, from its beginning to its end.
            conversation: Only traces of this thread.
            agent: As for `Trace.log`, like `tool`, `model`, `kinds`, `grep` and `full`.

        Raises:
            UnsupportedQuery: Only a local store can be followed.
            TraceNotFound: There is no such trace.
        """
        from otel_mas.api.follow import Follower
        from otel_mas.api.log import Selection

        if not isinstance(self._port, Followed):
            raise UnsupportedQuery(f"{self.location} cannot be followed, only a local store")
        selection = Selection.of(agent=agent, tool=tool, model=model, kinds=kinds, grep=grep, full=full)
        arguments.optional_name("conversation", conversation)
        whole = None if trace_id is None else self.trace(trace_id).trace_id
        return Follower(
            self._port.tail(whole), whole, conversation=conversation, chosen=selection.chosen, full=selection.full
        )

    def tail(self, cursor: str | None = None) -> SpanTail:
        """Spans of the store's log as they are committed, and those that begin: docs/stream.md.

        Args:
            cursor: `SpanTail.cursor` of an earlier one, or of another process: the spans that ended since come first.
                None: from now on. The spans that are open now come first in either case.

        Raises:
            UnsupportedQuery: The source has no log, or the cursor is of another store.
        """
        from otel_mas.api.span_tail import SpanTail

        if not isinstance(self._port, Followed):
            raise UnsupportedQuery(f"{self.location} has no log that could be followed, only a local store has")
        after = self._port.cursor() if cursor is None else arguments.name("cursor", cursor)
        return SpanTail(self._port.tail(after=after), after)

    def prometheus(self, *, openmetrics: bool = False, findings: bool = True) -> str:
        """The metrics of docs/metrics.md of all that it has, as Prometheus' text.

        Args:
            openmetrics: As OpenMetrics, with exemplars: the trace and span of the last value in each bucket.
            findings: Look for findings and overdue questions, too, for which every run is read whole.

        Raises:
            MissingExtra: prometheus_client is not installed.
        """
        from otel_mas.api.metering import totals_of
        from otel_mas.metrics.exposition import prometheus_text

        totals = totals_of(self._port, findings=findings)
        return prometheus_text(totals, Settings.from_env().metrics_namespace, openmetrics=openmetrics)

    def run(self, run_id: str) -> RunSummary:
        """Traces that one `otel-mas run` recorded, and what was lost."""
        arguments.name("run_id", run_id)
        if not self.capabilities.runs:
            raise UnsupportedQuery(f"{self.location} does not know runs: ask for traces")
        return self._port.run(run_id)
