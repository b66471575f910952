"""Summaries of traces and runs, and the counting of spans in sources that keep no summaries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from otel_mas.model.incomplete import missing_parents
from otel_mas.model.query import SPAN_FIELDS, Query, has_attribute
from otel_mas.model.rollup import Rollup
from otel_mas.model.span import Span, StatusCode
from otel_mas.model.status import ROOT, status
from otel_mas.model.trace import Trace
from otel_mas.semconv import attributes as names


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One line about a trace. Times in ns; tokens are sums over model spans; `cost_usd` None without a known price.

    `status` is a `TraceStatus`. `error_count` counts failed spans, also where the run has dealt with their errors.
    """

    trace_id: str
    name: str
    service: str
    start_ns: int
    end_ns: int | None
    status: str
    span_count: int
    error_count: int = 0
    agents: tuple[str, ...] = ()
    conversation_id: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    unpriced_calls: int = 0
    """Model calls with token usage but no known price: `cost_usd` leaves them out."""
    simulated: bool = False
    """True where costs of stand-ins for models, for which nobody was charged, are in `cost_usd`."""
    incomplete: str | None = None
    """The parts known to be missing from the trace, in words; None where nothing is."""

    @property
    def duration_ns(self) -> int | None:
        return None if self.end_ns is None else max(0, self.end_ns - self.start_ns)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The record of one `otel-mas run`: its traces, and the losses of its processes."""

    run_id: str
    traces: tuple[TraceSummary, ...] = ()
    dropped_spans: int = 0
    withheld_contents: int = 0
    processes: int = 0
    problems: tuple[str, ...] = ()


class SummaryBuilder(Rollup):
    """Counts the spans of one trace; tells its summary, and whether it matches a query as the store's would.

    Args:
        attributes: `Query.attributes` that will be asked for: only these are looked for.
    """

    def __init__(self, trace_id: str, attributes: Iterable[tuple[str, str]] = ()) -> None:
        self.trace_id = trace_id
        self._missing_attributes = set(attributes)
        self._attributes: set[tuple[str, str]] = set()
        self.last_ns = 0
        self.open = 0
        self.stopped = 0
        """Number of open spans whose process is gone."""
        self.simulated = False
        self._run_ids: set[object] = set()
        self._ids: set[str] = set()
        self._parents: set[str] = set()

    @classmethod
    def of(cls, trace: Trace, attributes: Iterable[tuple[str, str]] = ()) -> SummaryBuilder:
        """The builder of a trace that is at hand."""
        builder = cls(trace.trace_id, attributes)
        for span in trace.spans:
            builder.add(span)
        return builder

    def add(self, span: Span) -> None:
        """Count a span; each is to be counted once."""
        if span.end_ns is None:
            self.add_open(span)
            self.open += 1
            self.stopped += span.stopped
            self.errors += span.status == StatusCode.ERROR
        else:
            self.add_ended(span)
        self.last_ns = max(self.last_ns, span.last_ns)
        self.simulated = self.simulated or bool(span.columns.get(names.MAS_COST_SIMULATED))
        self._run_ids.add(span.resource.attributes.get(names.MAS_RUN_ID))
        self._ids.add(span.span_id)
        if span.parent_span_id is not None:
            self._parents.add(span.parent_span_id)
        if self._missing_attributes:
            found = {one for one in self._missing_attributes if has_attribute(span, *one)}
            self._missing_attributes -= found
            self._attributes |= found

    @property
    def status(self) -> str:
        """A `TraceStatus`."""
        return status(
            running=self.open - self.stopped,
            stopped=self.stopped,
            errors=self.errors,
            run=(self.run_rank, self.run_outcome),
            root=self.root_rank,
        )

    @property
    def span_count(self) -> int:
        """Spans, ended and open."""
        return self.spans + self.open

    @property
    def missing(self) -> str | None:
        """The parts that are missing by what the spans say, in words."""
        return missing_parents(self._ids, self._parents, self.root_rank == ROOT)

    def matches(self, query: Query) -> bool:
        """Whether the trace answers every field of the query but its limit."""
        return (
            (query.service is None or query.service in self.emitters)
            and (query.agent is None or query.agent in self.agents)
            and (query.status is None or query.status == self.status)
            and (query.conversation_id is None or query.conversation_id in self.conversations)
            and (query.run_id is None or query.run_id in self._run_ids)
            and all(
                getattr(query, field) is None or (field, getattr(query, field)) in self.values for field in SPAN_FIELDS
            )
            and self._attributes.issuperset(query.attributes)
            and self._is_when(query)
        )

    def _is_when(self, query: Query) -> bool:
        lasted = self.last_ns - self.start_ns
        return (
            (query.min_duration_ns is None or lasted >= query.min_duration_ns)
            and (query.max_duration_ns is None or lasted <= query.max_duration_ns)
            and (query.since_ns is None or self.start_ns >= query.since_ns)
            and (query.until_ns is None or self.start_ns <= query.until_ns)
            and (query.ended_since_ns is None or self.last_ns >= query.ended_since_ns)
        )

    def summary(self, incomplete: str | None = None) -> TraceSummary:
        """The line. `incomplete` is what the source knows to be missing."""
        return TraceSummary(
            trace_id=self.trace_id,
            name=self.name or "",
            service=self.emitter or "",
            start_ns=self.start_ns if self.span_count else 0,
            end_ns=None if self.open > self.stopped else self.last_ns,
            status=self.status,
            span_count=self.span_count,
            error_count=self.errors,
            agents=tuple(sorted(self.agents)),
            conversation_id=self.conversation,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost_usd=self.cost_usd,
            unpriced_calls=self.unpriced,
            simulated=self.simulated,
            incomplete=incomplete,
        )
