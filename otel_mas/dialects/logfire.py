"""Logfire and Pydantic AI: `agent_name`, `tool_arguments`, `all_messages_events`, `request_data`, `operation.cost`.

Names: https://github.com/pydantic/pydantic-ai, `pydantic_ai/models/instrumented.py` and `_instrumentation.py`, and
https://github.com/pydantic/logfire. An agent's span repeats the tokens of its calls of models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from otel_mas.dialects.calls import NO_CALL, called, present, tool_content
from otel_mas.dialects.messages import messages_in
from otel_mas.dialects.reading import Attributes, ForeignSpan, amount, items, mapping, parsed_json, text
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

MARKERS: Final = frozenset(
    {"logfire.msg", "logfire.span_type", "logfire.json_schema", "model_request_parameters", "pydantic_ai.all_messages"}
    | {"all_messages_events"}
)
_HISTORY: Final = "pydantic_ai.new_message_index"
"""Index of the first message of a run that was given earlier ones: of Pydantic AI's messages, not of those written."""
_RUN: Final = ("final_result", "all_messages_events", "pydantic_ai.all_messages", _HISTORY)
"""Attributes of which an agent's run has one."""
_COST: Final = "operation.cost"
_CHOICE: Final = "gen_ai.choice"
"""Name of the event that is an answer; the others are what was asked."""


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content."""
    attributes = span.attributes
    if attributes.get("logfire.span_type") == "pending_span":  # the same span comes again when it has ended
        return dict(NO_CALL)
    if _is_run(attributes):
        return called(Operation.INVOKE_AGENT, text(attributes, names.GEN_AI_AGENT_NAME, "agent_name") or span.name)
    cost = amount(attributes.get(_COST))
    found = {} if cost is None else {names.MAS_COST_USD: cost, names.MAS_COST_SOURCE: "Logfire"}
    usage = mapping(mapping(attributes.get("response_data")).get("usage"))
    found[names.GEN_AI_USAGE_INPUT_TOKENS] = usage.get("prompt_tokens", usage.get("input_tokens"))
    found[names.GEN_AI_USAGE_OUTPUT_TOKENS] = usage.get("completion_tokens", usage.get("output_tokens"))
    if "request_data" in attributes and text(attributes, names.GEN_AI_REQUEST_MODEL):
        found |= called(Operation.CHAT)
    return present(found)


def _is_run(attributes: Attributes) -> bool:
    return any(name in attributes for name in _RUN) and names.GEN_AI_TOOL_NAME not in attributes


def content(span: ForeignSpan) -> dict[str, Any]:
    """Arguments and result of a tool."""
    attributes = span.attributes
    if names.GEN_AI_TOOL_NAME not in attributes:
        return {}
    return tool_content(attributes.get("tool_arguments"), attributes.get("tool_response"))


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """The messages of a call, or of an agent's run, whose answer is the last of all that it names."""
    attributes = span.attributes
    if _is_run(attributes):
        known = items(attributes.get("pydantic_ai.all_messages")) or _events(attributes.get("all_messages_events"))
        if side == "input":
            return _given(known, went_on=_HISTORY in attributes)
        return list(known[-1:]) or messages_in(parsed_json(attributes.get("final_result")), side)
    if "events" in attributes:
        chosen = [one for one in items(attributes["events"]) if isinstance(one, dict)]
        return _events([one for one in chosen if (one.get("event.name") == _CHOICE) == (side == "output")])
    return messages_in(parsed_json(attributes.get("request_data" if side == "input" else "response_data")), side)


def _given(known: Sequence[Any], *, went_on: bool) -> list[Any]:
    """The messages that a run was given: those before its first answer.

    Args:
        went_on: the run went on in a conversation, whose earlier answers it was given, too: all but the last, since its
            own are not told from them.
    """
    answers = (at for at, one in enumerate(known) if isinstance(one, dict) and one.get("role") == "assistant")
    return list(known[: len(known) - 1 if went_on else next(answers, len(known) - 1)])


def _events(value: Any) -> list[Any]:
    """Messages in the form of the conventions' former events: a choice has its message within."""
    return [one.get("message", one) for one in items(value) if isinstance(one, dict)]


__all__ = ["MARKERS", "content", "messages", "structure"]
