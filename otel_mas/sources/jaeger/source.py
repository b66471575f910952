"""Jaeger as a source: one condition is left to its query service, the others are filtered here."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from otel_mas.model import PartialList, Query, SummaryBuilder, Trace, TraceSummary
from otel_mas.semconv import attributes as names
from otel_mas.sources.base import Capabilities
from otel_mas.sources.endpoint import Access, parse_endpoint
from otel_mas.sources.jaeger.query import GRPC_PORT, HTTP_PORT, JaegerClient, JaegerSearch, ServiceRequired
from otel_mas.sources.newest import DAY, MAX_COUNTED, Candidate, Page, Walk
from otel_mas.sources.server import FILTERS, ServerSource, ServerSourceType

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

# Some storages tell only milliseconds apart.
_GRAIN_NS = 1_000_000
# Elasticsearch takes the values of attributes for regular expressions. These mean themselves, or more, in any storage.
_PLAIN = re.compile(r"[\w .,:/=-]+")
_NOBODY = ((names.GEN_AI_CONVERSATION_ID, "otel-mas asks whether this selects"),)

T = TypeVar("T")
Selection = tuple[str, tuple[tuple[str, str], ...]]
"""A service ("" for all of them), and attributes that a span must have."""
_EVERYTHING: list[Selection] = [("", ())]


class JaegerSource(ServerSource):
    """Reads from a Jaeger query service, 2.13 or newer.

    Args:
        clock: now, in ns since the epoch.
        max_counted: traces that are counted for one question at most, where Jaeger does not select them itself.
    """

    capabilities = Capabilities(filters=FILTERS, conversations=True, content=True)

    def __init__(
        self, client: JaegerClient, *, clock: Callable[[], int] = time.time_ns, max_counted: int = MAX_COUNTED
    ) -> None:
        super().__init__(client.location)
        self._client = client
        self._clock = clock
        self._most_looked_at = max_counted

    def close(self) -> None:
        self._client.close()

    def download(self, trace_id: str) -> Trace | None:
        return next((trace for trace in _traces(self._client.trace(trace_id)) if trace.trace_id == trace_id), None)

    def list_traces(self, query: Query, keep: Callable[[Trace], None] | None) -> PartialList[TraceSummary]:
        selections = self._selections(query)
        matching: dict[str, TraceSummary] = {}

        def count(messages: Iterator[ResourceSpans]) -> list[SummaryBuilder]:
            if keep is None:
                return _counts(messages, query.attributes)
            counts = []
            for trace in _traces(messages):
                counts.append(SummaryBuilder.of(trace, query.attributes))
                if counts[-1].matches(query):
                    keep(trace)
            return counts

        def find(lo_ns: int, hi_ns: int, limit: int) -> Page:
            candidates: list[Candidate] = []
            complete = True
            for counts in self._search(selections, lo_ns, hi_ns, limit, count):
                complete = complete and len(counts) < limit
                for one in counts:
                    candidates.append(Candidate(one.trace_id, one.start_ns))
                    if one.matches(query):
                        matching[one.trace_id] = one.summary(one.missing)
            return Page(candidates, complete)

        walk = Walk(find, matching.get, self.location, _GRAIN_NS, max_counted=self._most_looked_at)
        now_ns = self._clock()
        latest_ns = now_ns if query.until_ns is None else min(now_ns, query.until_ns)
        return PartialList(walk.newest(query.limit, query.since_ns or 0, latest_ns))

    def latest(self) -> Trace | None:
        """The trace that Jaeger gives first, unless others have spans after it: then the one of these that began last.

        Whole traces come back, so to be certain about traces that ran at the same time would take a second download.
        """
        latest: Trace | None = None
        seen: set[str] = set()
        selections, lo_ns, hi_ns = list(_EVERYTHING), 0, self._clock() + DAY  # clocks of other machines may be ahead
        while True:
            answers = self._search(selections, lo_ns, hi_ns, 1, _traces)
            new = [trace for traces in answers for trace in traces if trace.trace_id not in seen]
            if not new:
                return latest
            seen.update(trace.trace_id for trace in new)
            latest = max((*new, *([latest] if latest else [])), key=lambda trace: trace.spans[0].start_ns)
            lo_ns = max(lo_ns, *(trace.spans[-1].start_ns for trace in new)) + _GRAIN_NS

    def _search(
        self,
        selections: list[Selection],
        lo_ns: int,
        hi_ns: int,
        limit: int,
        decode: Callable[[Iterator[ResourceSpans]], Sequence[T]],
    ) -> Iterator[Sequence[T]]:
        """Run a search; one for each service where the storage takes none without a service."""
        try:
            for service, attributes in selections:
                yield decode(self._client.search(JaegerSearch(lo_ns, hi_ns, limit, service, attributes)))
        except ServiceRequired:
            if selections != _EVERYTHING:
                raise
            selections[:] = [(service, ()) for service in self._client.services()]
            yield from self._search(selections, lo_ns, hi_ns, limit, decode)

    def _selections(self, query: Query) -> list[Selection]:
        """Services and attributes of the searches that together find every trace that can match.

        Jaeger matches single spans, a query is about whole traces: agent and conversation may be on different spans, of
        different services. So one condition is left to Jaeger, the most selective one.
        """
        conditions = (
            (names.GEN_AI_CONVERSATION_ID, query.conversation_id),
            (names.MAS_RUN_ID, query.run_id),
            (names.ERROR_TYPE, query.error_type),
            (names.GEN_AI_AGENT_NAME, query.agent),
            (names.GEN_AI_TOOL_NAME, query.tool),
            (names.GEN_AI_OPERATION_NAME, query.operation),
        )
        for name, value in conditions:
            if value is not None and _PLAIN.fullmatch(value) and self._takes_attributes:
                # Most storages look for attributes only within a service.
                return [(service, ((name, value),)) for service in self._client.services()]
        return [(query.service or "", ())]

    @cached_property
    def _takes_attributes(self) -> bool:
        return all(
            self._client.takes_attributes(JaegerSearch(0, self._clock(), 1, service, _NOBODY))
            for service in self._client.services()[:1]
        )


def _traces(messages: Iterator[ResourceSpans]) -> list[Trace]:
    from otel_mas.sources.jaeger.sanitizers import unsanitized
    from otel_mas.sources.traces import traces

    return traces(unsanitized(messages))


def _counts(messages: Iterator[ResourceSpans], attributes: Sequence[tuple[str, str]]) -> list[SummaryBuilder]:
    """Counts of every trace that the messages hold spans of; the spans themselves are let go."""
    from otel_mas.sources.jaeger.sanitizers import unsanitized
    from otel_mas.sources.traces import counts

    return counts(unsanitized(messages), attributes)


def _over_http(scheme: str, target: str) -> JaegerSource:
    from otel_mas.sources.jaeger.http_client import JaegerHttpClient

    return JaegerSource(JaegerHttpClient(parse_endpoint(scheme, target, HTTP_PORT), Access.from_settings()))


def _over_grpc(scheme: str, target: str) -> JaegerSource:
    from otel_mas.sources.jaeger.grpc_client import JaegerGrpcClient

    endpoint = parse_endpoint(scheme, target, GRPC_PORT, paths=False)
    return JaegerSource(JaegerGrpcClient(endpoint, Access.from_settings()))


JaegerHttp = ServerSourceType("jaeger+http", "Jaeger, over HTTP (its query port, 16686)", _over_http)
JaegerHttps = ServerSourceType("jaeger+https", "Jaeger, over HTTP with TLS", _over_http)
JaegerGrpc = ServerSourceType("jaeger+grpc", "Jaeger, over gRPC (its query port, 16685)", _over_grpc)
JaegerGrpcs = ServerSourceType("jaeger+grpcs", "Jaeger, over gRPC with TLS", _over_grpc)
