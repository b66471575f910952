"""The attributes at hand in `Span.columns`: what lists, graphs, paths and costs are made from needs no body."""

from __future__ import annotations

from typing import Final

from otel_mas.semconv import attributes as names

COLUMN_ATTRIBUTES: Final = frozenset(
    {
        names.MAS_RECORD_KIND,
        names.GEN_AI_OPERATION_NAME,
        names.GEN_AI_AGENT_NAME,
        names.GEN_AI_CONVERSATION_ID,
        names.MAS_TASK_ID,
        names.MAS_TASK_NAME,
        names.MAS_TASK_STEP,
        names.MAS_TASK_NAMESPACE,
        names.MAS_TASK_OUTCOME,
        names.MAS_RUN_OUTCOME,
        names.MAS_CHECKPOINT_ID,
        names.MAS_CHECKPOINT_LAST_ID,
        names.GEN_AI_REQUEST_MODEL,
        names.GEN_AI_RESPONSE_MODEL,
        names.GEN_AI_PROVIDER_NAME,
        names.GEN_AI_TOOL_NAME,
        names.GEN_AI_TOOL_CALL_ID,
        names.GEN_AI_USAGE_INPUT_TOKENS,
        names.GEN_AI_USAGE_OUTPUT_TOKENS,
        names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
        names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
        names.MAS_COST_USD,
        names.MAS_COST_MISSING,
        names.MAS_COST_SIMULATED,
        names.ERROR_TYPE,
        names.MAS_ERROR_SPAN,
        names.MAS_CAUSE_REFS,
        names.MAS_CHECKPOINT_PENDING,
        names.MAS_TASK_INDEX,
    }
)

__all__ = ["COLUMN_ATTRIBUTES"]
