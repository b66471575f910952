"""What a batch adds to the one-line summary of each trace that it touches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind
from otel_mas.store.columns import POSITION
from otel_mas.store.rows import Batch, OpenRow, SpanRow

_ERROR = 2
_RECORD_KIND = POSITION[names.MAS_RECORD_KIND]
_AGENT = POSITION[names.GEN_AI_AGENT_NAME]
_CONVERSATION = POSITION[names.GEN_AI_CONVERSATION_ID]
_RUN_OUTCOME = POSITION[names.MAS_RUN_OUTCOME]
_INPUT_TOKENS = POSITION[names.GEN_AI_USAGE_INPUT_TOKENS]
_OUTPUT_TOKENS = POSITION[names.GEN_AI_USAGE_OUTPUT_TOKENS]
_COST = POSITION[names.MAS_COST_USD]
_LLM_CALL = str(RecordKind.LLM_CALL)
NEVER = 2**63 - 1


@dataclass(slots=True)
class Rollup:
    """The sums, the extremes and the root of some spans of one trace."""

    trace_id: bytes
    name: str | None = None
    resource: int | None = None
    root_rank: int = 2
    root_start_ns: int = NEVER
    start_ns: int = NEVER
    end_ns: int | None = None
    spans: int = 0
    errors: int = 0
    conversation: str | None = None
    run_outcome: str | None = None
    run_end_ns: int | None = None
    run_rank: int = 2
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    unpriced: int = 0
    incomplete: str | None = None
    agents: set[str] = field(default_factory=set)
    conversations: set[str] = field(default_factory=set)
    resources: set[int] = field(default_factory=set)

    def add(self, row: SpanRow) -> None:
        """Count an ended span."""
        columns: tuple[Any, ...] = row.columns
        self._meet(row, columns)
        self.spans += 1
        end_ns = row.end_ns
        if self.end_ns is None or end_ns > self.end_ns:
            self.end_ns = end_ns
        if row.status == _ERROR:
            self.errors += 1
        if columns[_RUN_OUTCOME] is not None:
            rank = 0 if row.parent_span_id is None else 1
            if self.run_end_ns is None or (rank, -end_ns) <= (self.run_rank, -self.run_end_ns):
                self.run_outcome, self.run_end_ns, self.run_rank = columns[_RUN_OUTCOME], end_ns, rank
        if columns[_RECORD_KIND] == _LLM_CALL:
            self._spend(columns[_INPUT_TOKENS], columns[_OUTPUT_TOKENS], columns[_COST])

    def open(self, row: OpenRow) -> None:
        """A span that has begun: it can be the root, and say what the trace is about, before it ends."""
        self._meet(row, row.columns)

    def _meet(self, row: SpanRow | OpenRow, columns: tuple[Any, ...]) -> None:
        start_ns = row.start_ns
        if start_ns < self.start_ns:
            self.start_ns = start_ns
        rank = 0 if row.parent_span_id is None else 1
        better = rank < self.root_rank or (rank == self.root_rank and start_ns < self.root_start_ns)
        if better:
            self.name, self.resource, self.root_rank, self.root_start_ns = row.name, row.resource, rank, start_ns
        self.resources.add(row.resource)
        if columns[_AGENT] is not None:
            self.agents.add(columns[_AGENT])
        conversation = columns[_CONVERSATION]
        if conversation is not None:
            self.conversations.add(conversation)
            if better or self.conversation is None:
                self.conversation = conversation

    def _spend(self, input_tokens: object, output_tokens: object, cost: object) -> None:
        if isinstance(input_tokens, int):
            self.input_tokens += input_tokens
        if isinstance(output_tokens, int):
            self.output_tokens += output_tokens
        if isinstance(cost, int | float):
            self.cost_usd = (self.cost_usd or 0.0) + cost
        elif input_tokens is not None or output_tokens is not None:
            self.unpriced += 1

    def values(self, service_of: Callable[[int | None], str | None], trace: int) -> tuple[object, ...]:
        """The parameters of `sql/rollup.sql`."""
        return (
            trace, self.name, service_of(self.resource), self.root_rank, self.root_start_ns,
            self.start_ns, self.end_ns, self.spans, self.errors, self.conversation,
            self.run_outcome, self.run_end_ns, self.input_tokens, self.output_tokens,
            self.cost_usd, self.unpriced, self.incomplete, self.run_rank,
        )  # fmt: skip


def roll_up(batch: Batch, counted: Iterable[SpanRow]) -> dict[bytes, Rollup]:
    """One rollup for each trace that the batch says anything about; of its spans only `counted` are counted."""
    found: dict[bytes, Rollup] = {}
    for row in counted:
        rollup = found.get(row.trace_id)
        if rollup is None:
            rollup = found[row.trace_id] = Rollup(row.trace_id)
        rollup.add(row)
    for opened in batch.opened:
        _of(found, opened.trace_id).open(opened)
    for trace_id, reason in batch.incomplete.items():
        _of(found, trace_id).incomplete = reason
    return found


def trace_ids(batch: Batch) -> set[bytes]:
    """Every trace that the batch says anything about."""
    return {
        *(row.trace_id for row in batch.spans),
        *(row.trace_id for row in batch.opened),
        *(row.trace_id for row in batch.message_refs),
        *(row.trace_id for row in batch.contents),
        *batch.incomplete,
    }


def _of(found: dict[bytes, Rollup], trace_id: bytes) -> Rollup:
    rollup = found.get(trace_id)
    if rollup is None:
        rollup = found[trace_id] = Rollup(trace_id)
    return rollup
