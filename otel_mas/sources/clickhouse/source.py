"""ClickHouse as a source: SQL finds the newest traces that can match, and their spans are counted here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_mas.dialects import MARKERS
from otel_mas.errors import UnsupportedQuery
from otel_mas.model import OWN_SCOPE, PartialList, Query, SummaryBuilder, Trace, TraceSummary
from otel_mas.model.start_order import in_start_order
from otel_mas.semconv import attributes as names
from otel_mas.sources.base import Capabilities
from otel_mas.sources.clickhouse import statements
from otel_mas.sources.clickhouse.client import PORT, TLS_PORT, ClickHouseClient, Parameter
from otel_mas.sources.clickhouse.rows import resource_spans
from otel_mas.sources.endpoint import Access, parse_endpoint
from otel_mas.sources.newest import MAX_COUNTED, SECOND
from otel_mas.sources.progress import reporting
from otel_mas.sources.server import FILTERS, ServerSource, ServerSourceType

if TYPE_CHECKING:
    from otel_mas.sources.clickhouse.chosen_spans import ChosenSpans

_LAST_SECOND = 2**32 - 1
"""That a `DateTime` holds."""
_FIRST_WINDOW_S = 3600
_WIDER = 8
_FIRST_TRACES = 1_000
_MOST_AT_A_TIME = 100
"""Traces of which the spans are asked for at a time: their ids are in an address, and the spans in memory."""


class TraceTimes(NamedTuple):
    """The first and the last second in which a span of a trace started."""

    trace_id: str
    first: int
    last: int

    @classmethod
    def of(cls, row: Sequence[Any]) -> TraceTimes:
        trace_id, first, last = row
        return cls(trace_id, int(first), int(last))


class ClickHouseSource(ServerSource):
    """Reads the tables that the Collector's clickhouse exporter fills.

    Traces are searched from the newest back, in parts that grow: so a search costs what it has to look at, however
    many spans there are.
    """

    capabilities = Capabilities(filters=FILTERS, conversations=True, content=True)

    def __init__(self, client: ClickHouseClient) -> None:
        super().__init__(client.location)
        self._client = client

    def download(self, trace_id: str) -> Trace | None:
        found = self._downloaded([trace_id])
        return found[0] if found else None

    def read_each(self, trace_ids: Sequence[str]) -> Iterator[Trace]:
        left = iter(trace_ids)
        while part := list(islice(left, _MOST_AT_A_TIME)):
            found = {trace.trace_id: trace for trace in self._downloaded(part)}
            for trace_id in part:
                if trace_id not in found:
                    raise self.no_trace(trace_id)
                yield self.given.add(found.pop(trace_id))

    def columns_of(self, trace_ids: Sequence[str]) -> Iterator[Trace]:
        """These traces, in this order; those that are gone are left out.

        Their spans have what graphs are made from and nothing else, which SQL chooses; those of traces in which other
        instrumentation tells of agents have everything, since it is read from more than a few attributes.
        """
        from otel_mas.sources.traces import GRAPH_ATTRIBUTES

        left = iter(trace_ids)
        while part := list(islice(left, _MOST_AT_A_TIME)):
            times = self._client.rows(statements.TIMES, {"traces": part})
            read = self._chosen(statements.GRAPH_SPANS, list(map(TraceTimes.of, times)), GRAPH_ATTRIBUTES)
            found = {trace_id: Trace(trace_id, in_start_order(spans)) for trace_id, spans in read.spans.items()}
            if read.others:
                found |= {trace.trace_id: trace for trace in self._downloaded(list(read.others))}
            yield from (found[trace_id] for trace_id in part if trace_id in found)

    def _downloaded(self, trace_ids: Sequence[str]) -> list[Trace]:
        times = self._client.rows(statements.TIMES, {"traces": trace_ids})
        return self._traces(list(map(TraceTimes.of, times)))

    def list_traces(self, query: Query, keep: Callable[[Trace], None] | None) -> PartialList[TraceSummary]:
        matching: list[TraceSummary] = []
        counted = 0
        with reporting() as report:
            report(f"asking {self.location}")
            for candidates in self._candidates(query):
                found = self._summaries(candidates, query, keep)
                matching += found
                counted += len(candidates)
                report(f"{counted} traces read")
                if len(matching) >= query.limit:
                    break
                if counted - len(matching) > MAX_COUNTED:
                    raise UnsupportedQuery(
                        f"{self.location} cannot select these traces itself, and holds too many to look at each: say"
                        " since when, or of which service"
                    )
        matching.sort(key=lambda summary: (-summary.start_ns, summary.trace_id))
        return PartialList(matching[: query.limit], None)

    def _candidates(self, query: Query) -> Iterator[list[TraceTimes]]:
        """Traces that may match: the newest first, page by page."""
        statement, parameters = statements.matching(query)
        most = min(max(query.limit, 1), _MOST_AT_A_TIME)
        for window in self._windows(query):
            after = window["before"]
            while True:
                page = self._client.rows(statement, {**parameters, **window, "after": after, "most": most})
                if page:
                    yield list(map(TraceTimes.of, page))
                if len(page) < most:
                    break
                after = int(page[-1][1])
                most = min(2 * most, _MOST_AT_A_TIME)

    def _windows(self, query: Query) -> Iterator[dict[str, int]]:
        """Windows of time back from the newest trace, as parameters of a statement.

        Yields:
            `from` and `before`, the seconds within which its traces started, and `end`, the first one after all their
            spans have. Each is wider than the one after it, and ends early where it would hold too many traces.
        """
        since, until = _second(query.since_ns, 0), _second(query.until_ns, _LAST_SECOND)
        ((rows, first, last),) = self._client.rows(statements.EXTREMES, {"since": since, "until": until})
        oldest, before = max(int(first), since), int(last) + 1
        width, most = _FIRST_WINDOW_S, max(_FIRST_TRACES, query.limit)
        while int(rows) and before > oldest:
            window = {"from": max(oldest, before - width), "before": before}
            ((found, first, last),) = self._client.rows(statements.NEWEST, {**window, "most": most})
            if int(found) >= most:  # there may be more before these, in the window
                window["from"] = int(first)
                most *= _WIDER
            if int(found):
                yield {**window, "end": int(last) + 1}
            width = (before - window["from"]) * _WIDER
            before = window["from"]

    def _summaries(
        self, candidates: Sequence[TraceTimes], query: Query, keep: Callable[[Trace], None] | None
    ) -> list[TraceSummary]:
        if keep is None:
            found = [(counts, counts.missing) for counts in self._counts(candidates, query)]
            return [counts.summary(missing) for counts, missing in found if counts.matches(query)]
        summaries = []
        for trace in self._traces(candidates):
            counts = SummaryBuilder.of(trace, query.attributes)
            if counts.matches(query):
                summaries.append(counts.summary(trace.incomplete))
                keep(trace)
        return summaries

    def _counts(self, wanted: Sequence[TraceTimes], query: Query) -> list[SummaryBuilder]:
        from otel_mas.sources.traces import DECODED_ATTRIBUTES, counts

        at_hand = DECODED_ATTRIBUTES.union(name for name, _ in query.attributes)
        read = self._chosen(statements.COUNTED_SPANS, wanted, at_hand)
        rows = (row[:-1] for found in read.others.values() for row in found)
        return counts(resource_spans(rows), query.attributes) + [
            SummaryBuilder.of(Trace(trace_id, spans), query.attributes) for trace_id, spans in read.spans.items()
        ]

    def _chosen(self, statement: str, wanted: Sequence[TraceTimes], attributes: Collection[str]) -> ChosenSpans:
        """Spans of these traces with these attributes."""
        from otel_mas.sources.clickhouse.chosen_spans import ChosenSpans

        parameters: dict[str, Parameter] = {
            "names": sorted(attributes),
            "parts": f"{names.MAS_PART}.",
            "markers": sorted(MARKERS),
            "own": OWN_SCOPE,
        }
        return ChosenSpans(self._rows(statement, wanted, parameters))

    def _traces(self, wanted: Sequence[TraceTimes]) -> list[Trace]:
        from otel_mas.sources.traces import traces

        return traces(resource_spans(self._rows(statements.SPANS, wanted, {})))

    def _rows(
        self, statement: str, wanted: Sequence[TraceTimes], parameters: dict[str, Parameter]
    ) -> Iterator[list[Any]]:
        """Rows of the spans of these traces."""
        left = iter(wanted)
        while part := list(islice(left, _MOST_AT_A_TIME)):
            about: dict[str, Parameter] = {
                "traces": [one.trace_id for one in part],
                "from": min(one.first for one in part),
                "end": max(one.last for one in part) + 1,
            }
            yield from self._client.rows(statement, {**parameters, **about})


def _second(at_ns: int | None, default: int) -> int:
    return default if at_ns is None else min(max(at_ns // SECOND, 0), _LAST_SECOND)


def _open(scheme: str, target: str) -> ClickHouseSource:
    port = TLS_PORT if scheme.endswith("s") else PORT
    return ClickHouseSource(ClickHouseClient(parse_endpoint(scheme, target, port), Access.from_settings()))


ClickHouse = ServerSourceType("clickhouse", "ClickHouse (its HTTP port, 8123), as a Collector fills it", _open)
ClickHouseTls = ServerSourceType("clickhouses", "ClickHouse, over TLS (8443)", _open)
