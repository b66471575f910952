"""LangSmith's spans over OpenTelemetry: `langsmith.span.kind`, `langsmith.metadata.*`, `gen_ai.prompt` of JSON.

Names: https://github.com/langchain-ai/langsmith-sdk, `python/langsmith/_internal/otel/_otel_exporter.py`. The agents of
Claude's SDK, among others, are instrumented in it.
"""

from __future__ import annotations

from typing import Any, Final

from otel_mas.dialects import langgraph
from otel_mas.dialects.calls import NO_CALL, called, present, provider, retrieval_content, tool_content
from otel_mas.dialects.messages import messages_in
from otel_mas.dialects.reading import ForeignSpan, mapping, parsed_json, text
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

KIND: Final = "langsmith.span.kind"
MARKERS: Final = frozenset({KIND})
_METADATA: Final = "langsmith.metadata."
_INPUTS: Final = ("gen_ai.prompt", "inputs")
_OUTPUTS: Final = ("gen_ai.completion", "outputs")
_THREADS: Final = ("thread_id", "session_id", "conversation_id")
_OPERATIONS: Final = {
    "llm": Operation.CHAT,
    "tool": Operation.EXECUTE_TOOL,
    "retriever": Operation.RETRIEVAL,
    "embedding": Operation.EMBEDDINGS,
}


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content."""
    attributes = span.attributes
    metadata = {name.removeprefix(_METADATA): value for name, value in attributes.items() if name.startswith(_METADATA)}
    found = langgraph.task(span, metadata, span.name) or langgraph.run(span, metadata, span.name)
    if found is None:
        operation = _OPERATIONS.get(str(attributes.get(KIND)))
        found = dict(NO_CALL) if operation is None else called(operation, span.name)
        if operation in (Operation.CHAT, Operation.EMBEDDINGS):
            found |= present({names.GEN_AI_REQUEST_MODEL: metadata.get("ls_model_name")})
    maker = provider(text(attributes, names.GEN_AI_PROVIDER_NAME, "gen_ai.system", f"{_METADATA}ls_provider"))
    found[names.GEN_AI_PROVIDER_NAME] = maker
    thread = next((metadata[key] for key in _THREADS if metadata.get(key)), None)
    return found | ({} if thread is None else {names.GEN_AI_CONVERSATION_ID: str(thread)})


def content(span: ForeignSpan) -> dict[str, Any]:
    """Arguments and result of a tool, query and documents of a retriever."""
    attributes = span.attributes
    inputs, outputs = text(attributes, *_INPUTS), text(attributes, *_OUTPUTS)
    kind = attributes.get(KIND)
    if kind == "tool":
        return tool_content(_only(inputs, "input"), _only(outputs, "output"))
    return retrieval_content(mapping(inputs) or inputs, _only(outputs, "documents")) if kind == "retriever" else {}


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """The messages in the inputs or outputs."""
    attributes = span.attributes
    if attributes.get(KIND) in ("tool", "retriever", "embedding"):
        return []
    return messages_in(value(span, side), side)


def value(span: ForeignSpan, side: str) -> Any:
    """The input or the output of a span, as JSON has it."""
    return parsed_json(text(span.attributes, *(_INPUTS if side == "input" else _OUTPUTS)))


def _only(value: str | None, key: str) -> Any:
    """The value under a name; the whole where there is more."""
    found = parsed_json(value)
    return found[key] if isinstance(found, dict) and found.keys() == {key} else found


__all__ = ["MARKERS", "content", "messages", "structure", "value"]
