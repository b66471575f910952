"""Jaeger as a source: what is asked of its query service, over HTTP or gRPC, and what is filtered here again."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from otel_mas.errors import SourceError
from otel_mas.model import Content, Message, MessageRef, Query, RunSummary, Tally, Trace, TraceSummary
from otel_mas.semconv import attributes as names
from otel_mas.sources.base import Capabilities
from otel_mas.sources.endpoint import Access, parse_endpoint
from otel_mas.sources.newest import MOST_LOOKED_AT, Candidate, Page, Walk
from otel_mas.sources.remote import FILTERS, checked, full_id, message_refs, no_content, no_runs, no_trace

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

HTTP_PORT, GRPC_PORT = 16686, 16685
# Some storages tell only milliseconds apart.
_GRAIN_NS = 1_000_000
# Elasticsearch takes the values of attributes for regular expressions. These mean themselves, or more, in any storage.
_PLAIN = re.compile(r"[\w .,:/=-]+")
# The words of the query service, over HTTP and gRPC; in older versions those of the storages.
_SERVICE_REQUIRED = re.compile("requires a service name|service name must be set", re.IGNORECASE)


_Selection = tuple[str, tuple[tuple[str, str], ...]]
"""A service ("" for all of them), and attributes that a span must have."""


class ServiceRequired(SourceError):
    """The storage searches within a service only."""

    @staticmethod
    def is_meant(message: str) -> bool:
        """Whether a server's refusal says so."""
        return _SERVICE_REQUIRED.search(message) is not None


@dataclass(frozen=True, slots=True)
class Search:
    """One question to the query service. Spans are matched one by one; whole traces come back."""

    lo_ns: int
    hi_ns: int
    most: int
    service: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


class Transport(Protocol):
    """A way to Jaeger's query service."""

    @property
    def location(self) -> str: ...

    def trace(self, trace_id: str) -> Iterator[ResourceSpans]:
        """What there is of a trace; nothing where there is no such trace."""
        ...

    def search(self, search: Search) -> Iterator[ResourceSpans]:
        """The traces that match.

        Raises:
            FewerTraces: that is too many at once.
            ServiceRequired: the storage takes no search over all services.
        """
        ...

    def services(self) -> Sequence[str]: ...

    def close(self) -> None: ...


class JaegerSource:
    """Reads from a Jaeger query service, 2.13 or newer.

    Args:
        clock: now, in ns since the epoch.
        most_looked_at: traces that are counted for one question at most, where Jaeger does not select them itself.
    """

    capabilities = Capabilities(filters=FILTERS, conversations=True)

    def __init__(
        self, transport: Transport, *, clock: Callable[[], int] = time.time_ns, most_looked_at: int = MOST_LOOKED_AT
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._most_looked_at = most_looked_at
        self.location = transport.location

    def traces(self, query: Query) -> Sequence[TraceSummary]:
        checked(query, self.location)
        return self._listed(query)

    def trace(self, trace_id: str) -> Trace:
        from otel_mas.sources.jaeger.sanitizers import unsanitized
        from otel_mas.sources.traces import traces

        wanted = full_id(trace_id)
        for found in traces(unsanitized(self._transport.trace(wanted))):
            if found.trace_id == wanted:
                return found
        raise no_trace(wanted, self.location)

    def conversation(self, thread: str, service: str | None = None) -> Sequence[Trace]:
        listed = self._listed(Query(conversation_id=thread, service=service, limit=sys.maxsize))
        return [self.trace(summary.trace_id) for summary in reversed(listed)]

    def message_refs(self, trace_id: str) -> Sequence[MessageRef]:
        return message_refs(self.trace(trace_id))

    def messages(self, digests: Sequence[str]) -> Mapping[str, Message]:
        raise no_content(self.location)

    def contents(self, trace_id: str, span_id: str | None = None) -> Sequence[Content]:
        raise no_content(self.location)

    def run(self, run_id: str) -> RunSummary:
        raise no_runs(self.location)

    def close(self) -> None:
        self._transport.close()

    def _listed(self, query: Query) -> list[TraceSummary]:
        selecting = self._selecting(query)
        matching: dict[str, TraceSummary] = {}

        def find(lo_ns: int, hi_ns: int, most: int) -> Page:
            candidates: list[Candidate] = []
            complete = True
            for found in self._searched(selecting, lo_ns, hi_ns, most):
                complete = complete and len(found) < most
                for tally in found.values():
                    candidates.append(Candidate(tally.trace_id, tally.start_ns or 0))
                    if tally.matches(query):
                        matching[tally.trace_id] = tally.summary(tally.missing)
            return Page(candidates, complete)

        walk = Walk(find, matching.get, self.location, _GRAIN_NS, most_looked_at=self._most_looked_at)
        return walk.newest(query.limit, query.since_ns or 0, self._clock())

    def _searched(self, selecting: list[_Selection], lo_ns: int, hi_ns: int, most: int) -> Iterator[dict[str, Tally]]:
        """Run a search; one for each service where the storage takes none without a service."""
        try:
            for service, attributes in selecting:
                yield _tallies(self._transport.search(Search(lo_ns, hi_ns, most, service, attributes)))
        except ServiceRequired:
            if selecting != [("", ())]:
                raise
            selecting[:] = [(service, ()) for service in self._transport.services()]
            yield from self._searched(selecting, lo_ns, hi_ns, most)

    def _selecting(self, query: Query) -> list[_Selection]:
        """Services and attributes of the searches that together find every trace that can match.

        Jaeger matches single spans, a query is about whole traces: agent and conversation may be on different spans, of
        different services. So one condition is left to Jaeger, the one that selects most.
        """
        attribute = next(
            (
                (name, value)
                for name, value in (
                    (names.GEN_AI_CONVERSATION_ID, query.conversation_id),
                    (names.MAS_RUN_ID, query.run_id),
                    (names.GEN_AI_AGENT_NAME, query.agent),
                )
                if value is not None and _PLAIN.fullmatch(value)
            ),
            None,
        )
        if attribute is not None and self._selects_by_attributes:
            # Most storages look for attributes only within a service.
            return [(service, (attribute,)) for service in self._transport.services()]
        return [(query.service or "", ())]

    @cached_property
    def _selects_by_attributes(self) -> bool:
        """Whether attributes are looked at at all: HTTP before 2.19 passes over them without a word."""
        nobody = ((names.GEN_AI_CONVERSATION_ID, "otel-mas asks whether this selects"),)
        for service in self._transport.services()[:1]:
            for _ in self._transport.search(Search(0, self._clock(), 1, service, nobody)):
                return False
        return True


def _tallies(messages: Iterable[ResourceSpans]) -> dict[str, Tally]:
    """Counts of every trace that the messages hold spans of; the spans themselves are let go."""
    from otel_mas.sources.jaeger.sanitizers import unsanitized
    from otel_mas.sources.traces import SpanReader

    tallies: dict[str, Tally] = {}
    for span in SpanReader(bodies=False).read(unsanitized(messages)):
        tally = tallies.get(span.trace_id)
        if tally is None:
            tally = tallies[span.trace_id] = Tally(span.trace_id)
        tally.add(span)
    return tallies


class _Jaeger:
    """What the entry points name has in common: files are never its own."""

    scheme: ClassVar[str]
    reads: ClassVar[str]

    @classmethod
    def recognises(cls, path: Path) -> bool:
        return False


class JaegerHttp(_Jaeger):
    """`jaeger+http://host:16686/base/path`."""

    scheme = "jaeger+http"
    reads = "Jaeger, over HTTP (its query port, 16686)"

    @classmethod
    def open(cls, target: str) -> JaegerSource:
        from otel_mas.sources.jaeger.http_client import JaegerOverHttp

        endpoint = parse_endpoint(cls.scheme, target, HTTP_PORT)
        return JaegerSource(JaegerOverHttp(endpoint, Access.from_settings()))


class JaegerHttps(JaegerHttp):
    """`jaeger+https://host/base/path`."""

    scheme = "jaeger+https"
    reads = "Jaeger, over HTTP with TLS"


class JaegerGrpc(_Jaeger):
    """`jaeger+grpc://host:16685`."""

    scheme = "jaeger+grpc"
    reads = "Jaeger, over gRPC (its query port, 16685)"

    @classmethod
    def open(cls, target: str) -> JaegerSource:
        from otel_mas.sources.jaeger.grpc_client import JaegerOverGrpc

        endpoint = parse_endpoint(cls.scheme, target, GRPC_PORT, paths=False)
        return JaegerSource(JaegerOverGrpc(endpoint, Access.from_settings()))


class JaegerGrpcs(JaegerGrpc):
    """`jaeger+grpcs://host:16685`."""

    scheme = "jaeger+grpcs"
    reads = "Jaeger, over gRPC with TLS"
