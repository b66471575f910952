"""LangGraph's own metadata (`langgraph_node`, `langgraph_step`, ...), which every instrumentation of it passes on.

Spans inside of a node have its metadata, too. The node's own one is that of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from otel_mas.dialects.control_flow import outcome
from otel_mas.dialects.reading import ForeignSpan, count, items
from otel_mas.semconv import Operation, RecordKind, RunOutcome, TaskOutcome
from otel_mas.semconv import attributes as names

_NODE: Final = "langgraph_node"
_START: Final = "__start__"
"""The task that hands on a graph's input: no code of the app runs in it, and our own recording has no span of it."""
_PLACE: Final = ("thread_id", "checkpoint_ns", _NODE, "langgraph_step", "langgraph_path")
_DEFAULT_NAME: Final = "LangGraph"
"""Name of a graph that the app gave none."""
_INTEGRATION: Final = ("ls_integration", "langgraph")
_RUN_OUTCOMES: Final = {
    TaskOutcome.INTERRUPTED: RunOutcome.INTERRUPTED,
    TaskOutcome.CANCELLED: RunOutcome.CANCELLED,
    TaskOutcome.ERROR: RunOutcome.ERROR,
}


def task(span: ForeignSpan, metadata: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The attributes of a node's task; None where the span is no node's.

    Args:
        span: gives the outcome.
        metadata: LangGraph's, with values of JSON or their text.
        name: of what the span ran, without the prefix of a dialect.
    """
    node = metadata.get(_NODE)
    if node is None or str(node) != name or name == _START:
        return None
    ended = outcome(span)
    found: dict[str, Any] = {
        names.MAS_RECORD_KIND: RecordKind.AGENT_TASK.value,
        names.GEN_AI_OPERATION_NAME: None,
        names.GEN_AI_AGENT_NAME: None,
        names.MAS_TASK_ID: _task_id(metadata, name),
        names.MAS_TASK_NAME: name,
        names.MAS_TASK_NAMESPACE: str(metadata.get("langgraph_checkpoint_ns") or "").rpartition("|")[0],
        names.MAS_TASK_OUTCOME: ended.value,
        names.MAS_TASK_STEP: count(metadata.get("langgraph_step")),
        **conversation(metadata),
    }
    if triggers := items(metadata.get("langgraph_triggers")):
        found[names.MAS_TASK_TRIGGERS] = tuple(map(str, triggers))
    return found


def run(span: ForeignSpan, metadata: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The attributes of an invocation of a whole graph; None where the span is none. A graph in a node is none."""
    if _NODE in metadata or (name != _DEFAULT_NAME and metadata.get(_INTEGRATION[0]) != _INTEGRATION[1]):
        return None
    return {
        names.MAS_RECORD_KIND: RecordKind.WORKFLOW.value,
        names.GEN_AI_OPERATION_NAME: Operation.INVOKE_WORKFLOW.value,
        names.GEN_AI_AGENT_NAME: name,
        names.MAS_RUN_OUTCOME: run_outcome(span).value,
        **conversation(metadata),
    }


def run_outcome(span: ForeignSpan) -> RunOutcome:
    """How a run ended, of which only exceptions tell. One that paused returned as well, and is ok here."""
    if span.failed and any(kind.endswith("GeneratorExit") for kind in span.exceptions()):
        return RunOutcome.ABANDONED
    return _RUN_OUTCOMES.get(outcome(span), RunOutcome.OK)


def conversation(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The conversation: LangGraph's thread."""
    thread = metadata.get("thread_id")
    return {} if thread is None else {names.GEN_AI_CONVERSATION_ID: str(thread)}


def _task_id(metadata: Mapping[str, Any], name: str) -> str:
    """LangGraph's id of the task, which ends its namespace; without one, an id that is the same for the same task."""
    own, _, task_id = str(metadata.get("langgraph_checkpoint_ns") or "").rpartition("|")[2].partition(":")
    if task_id and own == name:
        return task_id
    place = [str(metadata.get(key)) for key in _PLACE]
    return str(UUID(bytes=blake2b("\0".join(place).encode("utf-8", "replace"), digest_size=16).digest()))


__all__ = ["conversation", "run", "run_outcome", "task"]
