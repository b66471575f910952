"""What a batch adds to the one-line summary of each trace that it touches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import Operation, RecordKind
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
_OPERATION = POSITION[names.GEN_AI_OPERATION_NAME]
_WORKFLOW = Operation.INVOKE_WORKFLOW.value  # whose `gen_ai.agent.name` is no agent's
_LLM_CALL = str(RecordKind.LLM_CALL)
NEVER = 2**63 - 1
# What a rollup calls as the table of traces does, and leaves to that table's defaults where it has not set it.
_COLUMNS = frozenset(
    {
        "name", "end_ns", "spans", "errors", "conversation", "run_outcome", "run_end_ns", "run_rank",
        "input_tokens", "output_tokens", "cost_usd", "unpriced", "incomplete",
    }
)  # fmt: skip


class Rollup:
    """The sums, the extremes and the root of some spans of one trace."""

    # Defaults of the class, and of the table: there can be as many rollups as spans, most of which set few of these.
    name: str | None = None
    resource: int | None = None
    root_rank = 2
    root_start_ns = NEVER
    start_ns = NEVER
    end_ns: int | None = None
    spans = 0
    errors = 0
    conversation: str | None = None
    run_outcome: str | None = None
    run_end_ns: int | None = None
    run_rank = 2
    input_tokens = 0
    output_tokens = 0
    cost_usd: float | None = None
    unpriced = 0
    agents: frozenset[str] = frozenset()
    conversations: frozenset[str] = frozenset()
    resources: frozenset[int] = frozenset()

    def __init__(self, trace_id: bytes, incomplete: str | None = None) -> None:
        self.trace_id = trace_id
        self.incomplete = incomplete

    def add(self, row: SpanRow) -> None:
        """Count an ended span."""
        columns: Mapping[int, Any] = row.columns
        self._meet(row, columns)
        self.spans += 1
        end_ns = row.end_ns
        if self.end_ns is None or end_ns > self.end_ns:
            self.end_ns = end_ns
        if row.status == _ERROR:
            self.errors += 1
        if _RUN_OUTCOME in columns:
            rank = 0 if row.parent_span_id is None else 1
            if self.run_end_ns is None or (rank, -end_ns) <= (self.run_rank, -self.run_end_ns):
                self.run_outcome, self.run_end_ns, self.run_rank = columns[_RUN_OUTCOME], end_ns, rank
        if columns.get(_RECORD_KIND) == _LLM_CALL:
            self._spend(columns.get(_INPUT_TOKENS), columns.get(_OUTPUT_TOKENS), columns.get(_COST))

    def open(self, row: OpenRow) -> None:
        """A span that has begun: it can be the root, and say what the trace is about, before it ends."""
        self._meet(row, row.columns)

    def _meet(self, row: SpanRow | OpenRow, columns: Mapping[int, Any]) -> None:
        start_ns = row.start_ns
        if start_ns < self.start_ns:
            self.start_ns = start_ns
        rank = 0 if row.parent_span_id is None else 1
        better = rank < self.root_rank or (rank == self.root_rank and start_ns < self.root_start_ns)
        if better:
            self.name, self.resource, self.root_rank, self.root_start_ns = row.name, row.resource, rank, start_ns
        if row.resource not in self.resources:
            self.resources |= {row.resource}
        if _AGENT in columns and columns[_AGENT] not in self.agents and columns.get(_OPERATION) != _WORKFLOW:
            self.agents |= {columns[_AGENT]}
        conversation = columns.get(_CONVERSATION)
        if conversation is not None:
            if conversation not in self.conversations:
                self.conversations |= {conversation}
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

    def row(
        self, key: int, present: int, service_of: Callable[[int | None], str | None], now_ns: int
    ) -> dict[str, object]:
        """The row of a trace that has nothing but this; `sql/rollup.sql` adds it to one that exists."""
        return {
            "id": key,
            "trace_id": bytearray(self.trace_id),
            "root_rank": self.root_rank,
            "root_start_ns": self.root_start_ns,
            "start_ns": now_ns if self.start_ns == NEVER else self.start_ns,
            "present": present,
            **{name: value for name, value in vars(self).items() if name in _COLUMNS and value is not None},
            **({} if (service := service_of(self.resource)) is None else {"service": service}),
        }


def roll_up(batch: Batch, counted: Iterable[SpanRow], trace_ids: Iterable[bytes]) -> Iterator[Rollup]:
    """A rollup for each of the batch's traces, one after the other; of its spans only `counted` are counted."""
    said: dict[bytes, list[SpanRow | OpenRow]] = {trace_id: [] for trace_id in trace_ids}
    for ended in counted:
        said[ended.trace_id].append(ended)
    for opened in batch.opened:
        said[opened.trace_id].append(opened)
    for trace_id, rows in said.items():
        rollup = Rollup(trace_id, batch.incomplete.get(trace_id))
        for row in rows:
            if isinstance(row, SpanRow):
                rollup.add(row)
            else:
                rollup.open(row)
        yield rollup


def trace_ids(batch: Batch) -> Sequence[bytes]:
    """Every trace that the batch says anything about, in the order in which it does."""
    return list(
        dict.fromkeys(
            [
                *[row.trace_id for row in batch.spans],
                *[row.trace_id for row in batch.opened],
                *[row.trace_id for row in batch.message_refs],
                *[row.trace_id for row in batch.contents],
                *batch.incomplete,
                *[row.trace_id for row in batch.drops],
            ]
        )
    )
