"""Grafana Tempo as a source: one condition is left to its search, the others are filtered here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from otel_mas.errors import SourceError, UnsupportedQuery
from otel_mas.model import PartialList, Query, SummaryBuilder, Trace, TraceSummary
from otel_mas.model.query import SPAN_FIELDS
from otel_mas.semconv import RunOutcome
from otel_mas.semconv import attributes as names
from otel_mas.sources.base import Capabilities
from otel_mas.sources.endpoint import Access, Endpoint, parse_endpoint
from otel_mas.sources.newest import DAY, HOUR, MAX_COUNTED, SECOND, Candidate, FewerTraces, Walk
from otel_mas.sources.server import FILTERS, ServerSource, ServerSourceType
from otel_mas.sources.tempo.client import PORT, TempoClient

LOOKBACK_NS = 14 * DAY
"""Tempo's default retention."""

_RECENT_NS = HOUR // 4
"""For so long Tempo searches what it has just received by its live store alone (`query_backend_after`)."""
_OVERLAP_NS = 84 * HOUR
_PARALLEL_DOWNLOADS = 8
_MAX_VALUE_BYTES = 2048
"""Bytes of an attribute's value that Tempo keeps: a longer one cannot be searched for."""
_LATE = (
    "traces that Tempo received long after they ran may be missing from its searches, for 15 minutes or where that was"
    " days later for good: each is found by its id"
)


class TempoSource(ServerSource):
    """Reads from the HTTP API of Tempo 2 or 3.

    Args:
        clock: now, in ns since the epoch.
    """

    capabilities = Capabilities(filters=FILTERS, conversations=True, content=True, lookback_ns=LOOKBACK_NS)

    def __init__(self, endpoint: Endpoint, access: Access, *, clock: Callable[[], int] = time.time_ns) -> None:
        super().__init__(endpoint.location)
        self._client = TempoClient(endpoint, access)
        self._clock = clock

    def download(self, trace_id: str) -> Trace | None:
        from otel_mas.sources.traces import traces

        messages, incomplete = self._client.trace(trace_id)
        for found in traces(messages):
            if found.trace_id == trace_id:
                return replace(found, incomplete=_together(incomplete, found.incomplete))
        return None

    def list_traces(self, query: Query, keep: Callable[[Trace], None] | None) -> PartialList[TraceSummary]:
        """The newest matching traces.

        Tempo finds a trace that came late only in a window that reaches to when it came, and for a quarter of an hour
        only among what it has just received, which it searches where no window is given.
        """

        def look(trace_id: str) -> TraceSummary | None:
            if keep is None:
                counts, incomplete = self._counts(trace_id, query)
                return _summary(counts, query, _together(incomplete, counts.missing))
            trace = self.download(trace_id)
            if trace is None:
                return None
            summary = _summary(SummaryBuilder.of(trace, query.attributes), query, trace.incomplete)
            if summary is not None:
                keep(trace)
            return summary

        now_ns = self._clock()
        floor_ns = now_ns - LOOKBACK_NS if query.since_ns is None else query.since_ns
        selection = traceql(query)
        walk = Walk(
            lambda lo_ns, hi_ns, limit: self._client.search(selection, limit, (lo_ns, hi_ns)),
            look,
            self.location,
            time_resolution_ns=SECOND,
            overlap_ns=_OVERLAP_NS,
            max_per_search=MAX_COUNTED + 1,
            parallel=_PARALLEL_DOWNLOADS,
        )
        found = walk.newest(query.limit, floor_ns, now_ns, lambda: self._just_received(selection))
        return PartialList(found, _LATE if floor_ns < now_ns - _RECENT_NS else None)

    def _just_received(self, selection: str) -> Sequence[Candidate]:
        limit = MAX_COUNTED + 1
        while True:
            try:
                return self._client.search(selection, limit).candidates
            except FewerTraces:
                if limit <= 1:
                    raise
                limit //= 2
            except SourceError:
                return ()  # what is in front of Tempo may want a window: this search finds only what windows do not

    def _counts(self, trace_id: str, query: Query) -> tuple[SummaryBuilder, str | None]:
        from otel_mas.sources.traces import counts

        messages, incomplete = self._client.trace(trace_id)
        found = (one for one in counts(messages, query.attributes) if one.trace_id == trace_id)
        return next(found, SummaryBuilder(trace_id)), incomplete


def traceql(query: Query) -> str:
    """The spans by which Tempo finds every trace that can match.

    One condition only, the most selective: Tempo keeps a growing trace in several parts, and a condition on two spans
    misses it where they lie in different parts. The other conditions are filtered here.
    """
    if _searchable(query.conversation_id):
        return f"{{ span.{names.GEN_AI_CONVERSATION_ID} = {_quoted(query.conversation_id)} }}"
    if _searchable(query.run_id):
        return f"{{ resource.{names.MAS_RUN_ID} = {_quoted(query.run_id)} }}"
    if _searchable(query.agent):
        return f"{{ span.{names.GEN_AI_AGENT_NAME} = {_quoted(query.agent)} }}"
    for field in ("error_type", "tool", "model", "operation"):
        value = getattr(query, field)
        if _searchable(value):
            return "{ " + " || ".join(f"span.{name} = {_quoted(value)}" for name in SPAN_FIELDS[field]) + " }"
    if query.status == "error":
        return "{ status = error }"
    if query.status == "interrupted":
        return f"{{ span.{names.MAS_RUN_OUTCOME} = {_quoted(RunOutcome.INTERRUPTED)} }}"
    if _searchable(query.service):
        return f"{{ resource.{names.SERVICE_NAME} = {_quoted(query.service)} }}"
    return "{ }"


def _searchable(value: str | None) -> bool:
    return value is not None and len(value.encode(errors="surrogatepass")) < _MAX_VALUE_BYTES


def _quoted(value: str | None) -> str:
    """The text as a literal. Raises UnsupportedQuery where TraceQL has none for it."""
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value or ""):
        raise UnsupportedQuery(f"Tempo cannot search for {value!r}: TraceQL has no NUL and no lone surrogates")
    escaped = (value or "").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _summary(counts: SummaryBuilder, query: Query, incomplete: str | None) -> TraceSummary | None:
    return counts.summary(incomplete) if counts.span_count and counts.matches(query) else None


def _together(*reasons: str | None) -> str | None:
    return "; ".join(reason for reason in reasons if reason) or None


def _open(scheme: str, target: str) -> TempoSource:
    return TempoSource(parse_endpoint(scheme, target, PORT), Access.from_settings())


TempoHttp = ServerSourceType("tempo+http", "Grafana Tempo (its HTTP port, 3200)", _open)
TempoHttps = ServerSourceType("tempo+https", "Grafana Tempo, over TLS", _open)
