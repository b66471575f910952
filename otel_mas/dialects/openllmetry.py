"""OpenLLMetry (Traceloop): `traceloop.*`, `gen_ai.prompt.0.role`, `llm.usage.total_tokens`, and LangGraph's metadata.

Names: opentelemetry-semantic-conventions-ai of https://github.com/traceloop/openllmetry. Around a graph's run there is
a second span, `invoke_agent LangGraph`, which stands for nothing of its own; every graph is called an agent there.
"""

from __future__ import annotations

from typing import Any, Final

from otel_mas.dialects import langgraph
from otel_mas.dialects.messages import messages_in
from otel_mas.dialects.reading import Attributes, ForeignSpan, mapping, parsed_json, text
from otel_mas.semconv import Operation, RecordKind
from otel_mas.semconv import attributes as names

KIND: Final = "traceloop.span.kind"
_OWN: Final = frozenset({KIND, "traceloop.workflow.name", "traceloop.entity.name"})
MARKERS: Final = _OWN | {names.GEN_AI_PROVIDER_NAME}
_ASSOCIATED: Final = "traceloop.association.properties."
_INPUT, _OUTPUT = "traceloop.entity.input", "traceloop.entity.output"
_FRAMEWORKS: Final = ("langgraph", "langchain")
"""Values of `gen_ai.provider.name` that are no provider of a model."""
_UPDATE: Final = "LangGraphUpdateState"
"""A write of the app into a graph's state, which is no run."""
_OPERATIONS: Final = tuple(operation.value for operation in Operation)


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content."""
    attributes = span.attributes
    if _OWN.isdisjoint(attributes) and attributes.get(names.GEN_AI_PROVIDER_NAME) not in _FRAMEWORKS:
        return {}
    metadata = associated(attributes)
    name = text(attributes, "traceloop.entity.name") or span.name
    kind = attributes.get(KIND)
    found = (kind is not None and langgraph.task(span, metadata, name)) or langgraph.run(span, metadata, name)
    if found:
        return {**_no_provider(attributes), **found}
    found = {**_no_provider(attributes), **langgraph.conversation(metadata)}
    if kind == "workflow" and name != _UPDATE:
        found[names.MAS_RECORD_KIND] = RecordKind.WORKFLOW.value
        found[names.GEN_AI_OPERATION_NAME] = Operation.INVOKE_WORKFLOW.value
        found[names.GEN_AI_AGENT_NAME] = name
        found[names.MAS_RUN_OUTCOME] = langgraph.run_outcome(span).value
    elif kind == "agent":
        found[names.MAS_RECORD_KIND] = RecordKind.AGENT_TASK.value
        found[names.GEN_AI_OPERATION_NAME] = Operation.INVOKE_AGENT.value
        found[names.GEN_AI_AGENT_NAME] = name
    elif kind == "tool":
        found[names.MAS_RECORD_KIND] = RecordKind.TOOL_CALL.value
        found[names.GEN_AI_OPERATION_NAME] = Operation.EXECUTE_TOOL.value
        found[names.GEN_AI_TOOL_NAME] = text(attributes, names.GEN_AI_TOOL_NAME) or name
    elif _is_no_operation(attributes):
        found[names.MAS_RECORD_KIND] = found[names.GEN_AI_OPERATION_NAME] = found[names.GEN_AI_AGENT_NAME] = None
    return found


def _is_no_operation(attributes: Attributes) -> bool:
    """Whether the operation is none of the conventions, or stands for a graph that has a span of its own."""
    operation = attributes.get(names.GEN_AI_OPERATION_NAME)
    if operation == Operation.INVOKE_AGENT:
        return attributes.get(names.GEN_AI_PROVIDER_NAME) in _FRAMEWORKS
    return operation is not None and operation not in _OPERATIONS


def _no_provider(attributes: Attributes) -> dict[str, Any]:
    provider = attributes.get(names.GEN_AI_PROVIDER_NAME)
    return {names.GEN_AI_PROVIDER_NAME: None} if provider in _FRAMEWORKS else {}


def associated(attributes: Attributes) -> dict[str, Any]:
    """LangGraph's metadata, and what the app associated with its traces."""
    return {name.removeprefix(_ASSOCIATED): value for name, value in attributes.items() if name.startswith(_ASSOCIATED)}


def content(span: ForeignSpan) -> dict[str, Any]:
    """Arguments and result of a tool."""
    attributes = span.attributes
    if attributes.get(KIND) != "tool" or names.GEN_AI_TOOL_CALL_ARGUMENTS in attributes:
        return {}
    return {
        names.GEN_AI_TOOL_CALL_ARGUMENTS: _inner(attributes.get(_INPUT), "inputs", "input_str"),
        names.GEN_AI_TOOL_CALL_RESULT: _inner(attributes.get(_OUTPUT), "outputs", "output"),
    }


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """The messages in what a task, a workflow or an agent was given, or gave."""
    if span.attributes.get(KIND) == "tool":
        return []
    return messages_in(value(span, side), side)


def value(span: ForeignSpan, side: str) -> Any:
    """The input or the output of a span, as JSON has it."""
    key, inner = (_INPUT, "inputs") if side == "input" else (_OUTPUT, "outputs")
    return _inner(span.attributes.get(key), inner)


def _inner(value: Any, *keys: str) -> Any:
    """The value under the first of these names; the whole one where it has none."""
    found = mapping(value)
    return next((found[key] for key in keys if key in found), parsed_json(value))


__all__ = ["KIND", "MARKERS", "associated", "content", "messages", "structure", "value"]
