"""OpenInference (Arize, Phoenix): `openinference.span.kind`, `llm.*`, `input.value`, `output.value`, `metadata`.

Names: https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md. Agno, CrewAI, Google ADK,
LiteLLM and others are instrumented in it. Its instrumentation of LangChain calls a node an agent where "agent" is in
its name: that is a guess, and is not taken over.
"""

from __future__ import annotations

import re
from typing import Any, Final

from otel_mas.dialects import langgraph
from otel_mas.dialects.calls import called, provider, retrieval_content, tool_content
from otel_mas.dialects.messages import messages_in, numbered
from otel_mas.dialects.reading import Attributes, ForeignSpan, amount, count, mapping, parsed_json, text
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

KIND: Final = "openinference.span.kind"
MARKERS: Final = frozenset({KIND})
TOKENS: Final = {
    "llm.token_count.prompt": names.GEN_AI_USAGE_INPUT_TOKENS,
    "llm.token_count.completion": names.GEN_AI_USAGE_OUTPUT_TOKENS,
    "llm.token_count.prompt_details.cache_read": names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    "llm.token_count.prompt_details.cache_write": names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    "llm.token_count.completion_details.reasoning": names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
}
TOTAL: Final = "llm.token_count.total"
_COST: Final = "llm.cost.total"
PREFIXES: Final = {"input": "llm.input_messages.", "output": "llm.output_messages."}
_INPUT, _OUTPUT = "input.value", "output.value"
_OPERATIONS: Final = {
    "LLM": Operation.CHAT,
    "EMBEDDING": Operation.EMBEDDINGS,
    "RETRIEVER": Operation.RETRIEVAL,
    "TOOL": Operation.EXECUTE_TOOL,
    "AGENT": Operation.INVOKE_AGENT,
}
_SPEAKING: Final = frozenset({"LLM", "AGENT", "CHAIN"})
_BRACKETS: Final = re.compile(r"^(\w+) \[(.+)\]$")
"""Names of Google ADK's spans: `invocation [app]`, `agent_run [agent]`."""


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content."""
    attributes = span.attributes
    metadata = mapping(attributes.get("metadata"))
    found = langgraph.task(span, metadata, span.name) or langgraph.run(span, metadata, span.name)
    if found is not None:
        return found
    found = {}
    operation = _OPERATIONS.get(str(attributes.get(KIND)).upper())
    if operation is Operation.INVOKE_AGENT and "langgraph_node" in metadata:
        operation = None
    invocation = _BRACKETS.match(span.name)
    if operation is Operation.INVOKE_AGENT:
        found |= called(operation, agent_name(span))
    elif operation is Operation.EXECUTE_TOOL:
        found |= called(operation, text(attributes, "tool.name", names.GEN_AI_TOOL_NAME) or span.name)
        found[names.GEN_AI_TOOL_CALL_ID] = text(attributes, "tool_call.id", "tool.id", names.GEN_AI_TOOL_CALL_ID)
    elif operation is not None:
        found |= called(operation)
    elif invocation and invocation[1] == "invocation":
        found |= called(Operation.INVOKE_WORKFLOW, invocation[2])
    if operation in (Operation.CHAT, Operation.EMBEDDINGS):
        found |= _model(attributes)
    session = text(attributes, names.SESSION_ID)
    return {**found, **langgraph.conversation(metadata), **({names.GEN_AI_CONVERSATION_ID: session} if session else {})}


def _model(attributes: Attributes) -> dict[str, Any]:
    model = text(attributes, "llm.model_name", "embedding.model_name", "reranker.model_name")
    found: dict[str, Any] = {names.GEN_AI_REQUEST_MODEL: model, names.GEN_AI_RESPONSE_MODEL: model}
    found[names.GEN_AI_PROVIDER_NAME] = provider(text(attributes, "llm.provider", "llm.system"))
    found |= {ours: count(attributes.get(theirs)) for theirs, ours in TOKENS.items()}
    found[names.MAS_COST_USD] = amount(attributes.get(_COST))
    return {name: value for name, value in found.items() if value is not None}


def agent_name(span: ForeignSpan) -> str:
    """The name of an agent: as its instrumentation says it, else as the span's name has it."""
    attributes = span.attributes
    known = text(attributes, "agent.name", names.GEN_AI_AGENT_NAME, "graph.node.id")
    if known is not None:
        return known
    found = _BRACKETS.match(span.name)
    return found[2] if found else span.name


def content(span: ForeignSpan) -> dict[str, Any]:
    """Arguments and results of a tool, query and documents of a retriever, in our names."""
    attributes = span.attributes
    kind = str(attributes.get(KIND)).upper()
    if kind == "TOOL":
        return tool_content(attributes.get("tool.parameters", attributes.get(_INPUT)), attributes.get(_OUTPUT))
    if kind == "RETRIEVER":
        documents = [one.get("document", one) for one in numbered("retrieval.documents.", attributes)]
        return retrieval_content(attributes.get(_INPUT), documents or attributes.get(_OUTPUT))
    return {}


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """The messages of one side; of a side that lists none, those in its value."""
    attributes = span.attributes
    found = numbered(PREFIXES[side], attributes)
    if found:
        return [one.get("message", one) for one in found]
    return messages_in(value(span, side), side) if str(attributes.get(KIND)).upper() in _SPEAKING else []


def value(span: ForeignSpan, side: str) -> Any:
    """The input or the output of a span, as JSON has it."""
    return parsed_json(span.attributes.get(_INPUT if side == "input" else _OUTPUT))


__all__ = ["KIND", "MARKERS", "PREFIXES", "TOTAL", "content", "messages", "structure", "value"]
