"""One line about a trace, counted span by span, by the rules that the store's own summaries follow.

For sources that deliver spans and no summaries. Which query a trace answers is told by the same counts, so that every
source means the same by "of this agent" or "interrupted".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from otel_mas.model.missing import missing_parents
from otel_mas.model.span import Span, StatusCode
from otel_mas.model.status import INNER, NONE, ROOT, status
from otel_mas.model.trace import Query, Trace, TraceSummary
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names


@dataclass(slots=True)
class Tally:
    """The sums, the extremes and the root of the spans of one trace. Needs no span's body, and keeps no span."""

    trace_id: str
    spans: int = 0
    errors: int = 0
    open: int = 0
    stopped: int = 0
    """Of the open ones, those whose process is gone."""
    start_ns: int | None = None
    last_ns: int = 0
    name: str = ""
    service: str = ""
    conversation: str | None = None
    run_outcome: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    unpriced: int = 0
    simulated: bool = False
    services: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    conversations: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    _ids: set[str] = field(default_factory=set)
    _parents: set[str] = field(default_factory=set)
    _root: tuple[int, int] = (NONE, 0)
    _talk: tuple[int, int] = (NONE, 0)
    _run: tuple[int, int] = (NONE, 0)

    @classmethod
    def of(cls, trace: Trace) -> Tally:
        """The counts of a trace that is at hand."""
        counts = cls(trace.trace_id)
        for span in trace.spans:
            counts.add(span)
        return counts

    def add(self, span: Span) -> None:
        """Count a span; each is to be counted once."""
        self.spans += 1
        self._ids.add(span.span_id)
        if span.parent_span_id is not None:
            self._parents.add(span.parent_span_id)
        self.start_ns = span.start_ns if self.start_ns is None else min(self.start_ns, span.start_ns)
        self.last_ns = max(self.last_ns, span.last_ns)
        self.open += span.end_ns is None
        self.stopped += span.stopped
        self.errors += span.status == StatusCode.ERROR
        self._place(span)
        outcome = span.columns.get(names.MAS_RUN_OUTCOME)
        if isinstance(outcome, str) and span.end_ns is not None:
            rank = (_rank(span), -span.end_ns)
            if rank <= self._run:
                self.run_outcome, self._run = outcome, rank
        if span.record_kind == RecordKind.LLM_CALL and span.end_ns is not None:
            self._spend(span)

    def _place(self, span: Span) -> None:
        """What the span says of where the trace belongs. The earliest root speaks for it; where none has come, the
        earliest span."""
        rank = (_rank(span), span.start_ns)
        if rank < self._root:
            self._root, self.name, self.service = rank, span.name, span.service
        conversation = span.conversation_id
        if isinstance(conversation, str):
            self.conversations.add(conversation)
            if rank < self._talk:
                self._talk, self.conversation = rank, conversation
        if isinstance(span.agent, str):
            self.agents.add(span.agent)
        if span.service:
            self.services.add(span.service)
        run = span.resource.attributes.get(names.MAS_RUN_ID)
        if isinstance(run, str):
            self.runs.add(run)

    def _spend(self, span: Span) -> None:
        read = span.columns.get(names.GEN_AI_USAGE_INPUT_TOKENS)
        wrote = span.columns.get(names.GEN_AI_USAGE_OUTPUT_TOKENS)
        cost = span.columns.get(names.MAS_COST_USD)
        self.input_tokens += read if isinstance(read, int) else 0
        self.output_tokens += wrote if isinstance(wrote, int) else 0
        self.simulated = self.simulated or bool(span.columns.get(names.MAS_COST_SIMULATED))
        if isinstance(cost, int | float):
            self.cost_usd = (self.cost_usd or 0.0) + cost
        elif read is not None or wrote is not None:
            self.unpriced += 1

    @property
    def status(self) -> str:
        """One of `STATUSES`."""
        return status(
            running=self.open - self.stopped,
            stopped=self.stopped,
            errors=self.errors,
            run=(self._run[0], self.run_outcome),
            root=self._root[0],
        )

    @property
    def missing(self) -> str | None:
        """The parts that are missing from the trace by what its spans say, in words."""
        return missing_parents(self._ids, self._parents, self._root[0] == ROOT)

    def matches(self, query: Query) -> bool:
        """Whether the trace answers every field of the query but its limit."""
        start_ns = self.start_ns or 0
        return (
            (query.service is None or query.service in self.services)
            and (query.agent is None or query.agent in self.agents)
            and (query.status is None or query.status == self.status)
            and (query.conversation_id is None or query.conversation_id in self.conversations)
            and (query.run_id is None or query.run_id in self.runs)
            and (query.min_duration_ns is None or self.last_ns - start_ns >= query.min_duration_ns)
            and (query.since_ns is None or start_ns >= query.since_ns)
        )

    def summary(self, incomplete: str | None = None) -> TraceSummary:
        """The line. `incomplete` is what the source knows to be missing."""
        return TraceSummary(
            trace_id=self.trace_id,
            name=self.name,
            service=self.service,
            start_ns=self.start_ns or 0,
            end_ns=None if self.open > self.stopped else self.last_ns,
            status=self.status,
            span_count=self.spans,
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


def _rank(span: Span) -> int:
    return ROOT if span.parent_span_id is None else INNER
