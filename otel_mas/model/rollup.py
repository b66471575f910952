"""The rule of a trace's summary: sums, extremes and the root of its spans, counted span by span.

The store counts its rows by it, sources without summaries their spans (`otel_mas.model.summary`). A new field needs a
line here, in `model/summary.py`, and in the store a migration and lines in `sql/rollup.sql` and `sql/summaries.sql`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, ClassVar, Final, NamedTuple

from otel_mas.model.query import SPAN_FIELDS
from otel_mas.model.span import StatusCode
from otel_mas.model.status import INNER, NONE, ROOT
from otel_mas.semconv import Operation, RecordKind
from otel_mas.semconv import attributes as names

NEVER: Final = 2**63 - 1
"""A time after all others."""

_ERROR = int(StatusCode.ERROR)
_LLM_CALL = RecordKind.LLM_CALL.value
_WORKFLOW = Operation.INVOKE_WORKFLOW.value  # whose `gen_ai.agent.name` is no agent's


class RollupKeys(NamedTuple):
    """The keys of the values that count, in the columns of a span."""

    record_kind: Any = names.MAS_RECORD_KIND
    operation: Any = names.GEN_AI_OPERATION_NAME
    agent: Any = names.GEN_AI_AGENT_NAME
    conversation: Any = names.GEN_AI_CONVERSATION_ID
    run_outcome: Any = names.MAS_RUN_OUTCOME
    input_tokens: Any = names.GEN_AI_USAGE_INPUT_TOKENS
    output_tokens: Any = names.GEN_AI_USAGE_OUTPUT_TOKENS
    cost_usd: Any = names.MAS_COST_USD


def span_field_keys(key_of: Callable[[str], Any]) -> tuple[tuple[str, Any], ...]:
    """Each of `SPAN_FIELDS` with the key of one of its attributes in the columns of a span."""
    return tuple((field, key_of(name)) for field, attributes in SPAN_FIELDS.items() for name in attributes)


class Rollup:
    """The summary of some spans of one trace. Needs no span's body, and keeps no span.

    A span is anything with `parent_span_id`, `name`, `start_ns`, `end_ns`, `status` and `columns`.
    """

    keys: ClassVar[RollupKeys] = RollupKeys()
    span_fields: ClassVar[tuple[tuple[str, Any], ...]] = span_field_keys(str)
    emitter_of: ClassVar[attrgetter[Any]] = attrgetter("service")

    # Defaults of the class, since the store may have a rollup for each span, most of which set few of these.
    name: str | None = None
    emitter: Any = None
    """Emitter of the root; `emitters` has those of all spans."""
    root_rank = NONE
    root_start_ns = NEVER
    start_ns = NEVER
    end_ns: int | None = None
    spans = 0
    """That have ended."""
    errors = 0
    conversation: str | None = None
    conversation_rank = (NONE, 0)
    run_outcome: str | None = None
    run_end_ns: int | None = None
    run_rank = NONE
    input_tokens = 0
    output_tokens = 0
    cost_usd: float | None = None
    unpriced = 0
    agents: frozenset[str] = frozenset()
    conversations: frozenset[str] = frozenset()
    emitters: frozenset[Any] = frozenset()
    values: frozenset[tuple[str, str]] = frozenset()
    """Names of `SPAN_FIELDS`, each with a value that some span has."""

    def add_ended(self, span: Any) -> None:
        """Count an ended span; each is to be counted once."""
        self.add_open(span)
        self.spans += 1
        end_ns = span.end_ns
        if self.end_ns is None or end_ns > self.end_ns:
            self.end_ns = end_ns
        if span.status == _ERROR:
            self.errors += 1
        columns: Mapping[Any, Any] = span.columns
        if not columns:
            return
        keys = self.keys
        if keys.run_outcome in columns:
            # The outermost run: a root if there is one, and of several the one that ended last.
            rank = ROOT if span.parent_span_id is None else INNER
            if self.run_end_ns is None or (rank, -end_ns) <= (self.run_rank, -self.run_end_ns):
                self.run_outcome, self.run_end_ns, self.run_rank = columns[keys.run_outcome], end_ns, rank
        if columns.get(keys.record_kind) == _LLM_CALL:
            self._add_usage(columns.get(keys.input_tokens), columns.get(keys.output_tokens), columns.get(keys.cost_usd))

    def add_open(self, span: Any) -> None:
        """Take from a span, ended or not, what the trace is: the earliest root names it, or else the earliest span."""
        start_ns = span.start_ns
        if start_ns < self.start_ns:
            self.start_ns = start_ns
        rank = ROOT if span.parent_span_id is None else INNER
        emitter = self.emitter_of(span)
        root_rank = self.root_rank
        if rank < root_rank or (rank == root_rank and start_ns < self.root_start_ns):
            self.name, self.emitter, self.root_rank, self.root_start_ns = span.name, emitter, rank, start_ns
        if emitter not in self.emitters:
            self.emitters |= {emitter}
        if span.columns:
            self._add_values(span.columns, rank, start_ns)

    def _add_values(self, columns: Mapping[Any, Any], rank: int, start_ns: int) -> None:
        keys = self.keys
        agent = columns.get(keys.agent)
        if isinstance(agent, str) and agent not in self.agents and columns.get(keys.operation) != _WORKFLOW:
            self.agents |= {agent}
        for field, key in self.span_fields:
            if key in columns:
                value = columns[key]
                if (field, value) not in self.values and isinstance(value, str):
                    self.values |= {(field, value)}
        conversation = columns.get(keys.conversation)
        if isinstance(conversation, str):
            if conversation not in self.conversations:
                self.conversations |= {conversation}
            if self.conversation is None or (rank, start_ns) < self.conversation_rank:
                self.conversation, self.conversation_rank = conversation, (rank, start_ns)

    def _add_usage(self, input_tokens: object, output_tokens: object, cost_usd: object) -> None:
        if isinstance(input_tokens, int):
            self.input_tokens += input_tokens
        if isinstance(output_tokens, int):
            self.output_tokens += output_tokens
        if isinstance(cost_usd, int | float):
            self.cost_usd = (self.cost_usd or 0.0) + cost_usd
        elif input_tokens is not None or output_tokens is not None:
            self.unpriced += 1
