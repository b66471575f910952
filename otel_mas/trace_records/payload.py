"""Payloads: what attributes with content hold, under short keys, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import orjson

from otel_mas.model.fit import fit, fit_messages
from otel_mas.semconv import attributes as names
from otel_mas.trace_records.formats import TAG, has_few_levels, parsed
from otel_mas.trace_records.record import EventType
from otel_mas.trace_records.values import is_shallow, plain, tagged, untagged


class _Part(NamedTuple):
    """A key of payloads, and the attribute that holds the same."""

    key: str
    attribute: str
    form: str = "json"
    """`json`: JSON text on a span; `text`; or `value`: structure, which stays among the attributes too."""


_MESSAGES: Final = (_Part("input", names.GEN_AI_INPUT_MESSAGES), _Part("output", names.GEN_AI_OUTPUT_MESSAGES))
_PARTS: Final[Mapping[EventType, tuple[_Part, ...]]] = {
    EventType.LLM_CALL: (
        _Part("instructions", names.GEN_AI_SYSTEM_INSTRUCTIONS),
        *_MESSAGES,
        _Part("tools", names.GEN_AI_TOOL_DEFINITIONS),
    ),
    EventType.TOOL_CALL: (
        _Part("arguments", names.GEN_AI_TOOL_CALL_ARGUMENTS),
        _Part("result", names.GEN_AI_TOOL_CALL_RESULT),
        *_MESSAGES,
    ),
    EventType.RETRIEVAL: (
        _Part("query", names.GEN_AI_RETRIEVAL_QUERY_TEXT, "text"),
        _Part("documents", names.GEN_AI_RETRIEVAL_DOCUMENTS),
    ),
    EventType.ROUTING_DECISION: (
        _Part("choice", names.MAS_ROUTING_CHOICE, "value"),
        _Part("candidates", names.MAS_ROUTING_CANDIDATES, "value"),
        _Part("reason", names.MAS_ROUTING_REASON, "text"),
    ),
    EventType.GUARDRAIL: (
        _Part("verdict", names.MAS_GUARDRAIL_VERDICT, "value"),
        _Part("reason", names.MAS_GUARDRAIL_REASON, "text"),
        *_MESSAGES,
    ),
    EventType.EVALUATION: (
        _Part("label", names.GEN_AI_EVALUATION_SCORE_LABEL, "value"),
        _Part("score", names.GEN_AI_EVALUATION_SCORE_VALUE, "value"),
        _Part("explanation", names.GEN_AI_EVALUATION_EXPLANATION, "text"),
        *_MESSAGES,
    ),
    EventType.SEND: (_Part("to", names.MAS_MESSAGE_PEER, "value"), *_MESSAGES),
    EventType.RECEIVE: (_Part("from", names.MAS_MESSAGE_PEER, "value"), *_MESSAGES),
    EventType.HUMAN_INPUT: (_Part("answers", names.MAS_RESUME_VALUES), *_MESSAGES),
    EventType.AGENT_TASK: (
        _Part("arguments", names.MAS_TASK_INPUT),
        _Part("result", names.MAS_TASK_RESULT),
        *_MESSAGES,
        _Part("questions", names.MAS_INTERRUPT_VALUES),
    ),
    EventType.WORKFLOW: (*_MESSAGES, _Part("questions", names.MAS_INTERRUPT_VALUES)),
}
_TEXT_IS: Final[Mapping[EventType, str]] = {
    EventType.LLM_CALL: "output",
    EventType.TOOL_CALL: "result",
    EventType.RETRIEVAL: "documents",
    EventType.ROUTING_DECISION: "reason",
    EventType.GUARDRAIL: "reason",
    EventType.EVALUATION: "explanation",
    EventType.SEND: "output",
    EventType.RECEIVE: "input",
    EventType.HUMAN_INPUT: "answers",
    EventType.AGENT_TASK: "output",
    EventType.WORKFLOW: "output",
}
"""The key that a payload which is no mapping stands for."""
_ROLES: Final = {"input": "user", "output": "assistant"}

CONTENT: Final = frozenset(part.attribute for parts in _PARTS.values() for part in parts if part.form != "value") | {
    names.MAS_RECORD_PAYLOAD
}
"""Attributes that are in the payload instead of among the attributes."""


def payload_of(
    event_type: EventType,
    content: Mapping[str, Any],
    attributes: Mapping[str, Any],
    read: Callable[[Any], Any] = untagged,
) -> Any:
    """The payload that content and attributes make; None where they hold none.

    Args:
        event_type: of the record.
        content: content that is kept beside the span, by the attribute's name.
        attributes: of the span, with content as JSON text.
        read: makes the value of a content, which may hold tags (`otel_mas.trace_records.values`).
    """
    given = attributes.get(names.MAS_RECORD_PAYLOAD)
    if isinstance(given, str):
        return parsed(given)
    found = {}
    for key, attribute, form in _PARTS.get(event_type, ()):
        value = content.get(attribute)
        if value is not None:
            found[key] = read(value)
            continue
        value = attributes.get(attribute)
        if value is not None:
            found[key] = parsed(value) if form == "json" else list(value) if isinstance(value, tuple) else value
    return found or None


def attributes_of(event_type: EventType, payload: Any) -> dict[str, Any]:
    """The attributes that hold a payload, and all of it as `mas.record.payload` where they do not hold it exactly."""
    if payload is None:
        return {}
    key, parts = _TEXT_IS.get(event_type), _PARTS.get(event_type, ())
    values = payload if isinstance(payload, dict) else {key: payload}
    found = {part.attribute: _attribute(part, values[part.key]) for part in parts if part.key in values}
    exact = payload is values and len(found) == len(values) and all(_is_exact(part, values) for part in parts)
    return found if exact else {**found, names.MAS_RECORD_PAYLOAD: json_text(payload)}


def plain_payload(
    event_type: EventType, content: Mapping[str, Any], attributes: Mapping[str, Any], max_bytes: int
) -> tuple[Any, bool]:
    """A copy of plain types of `payload_of`, made to fit as by `cut_to`, and whether it was shortened."""
    held = payload_of(event_type, content, attributes, read=lambda value: value)
    if held is None:
        return None, False
    try:
        line = orjson.dumps(held)
    except TypeError:  # it holds what JSON has no form for, or is nested deeply
        line = TAG
    if TAG not in line and len(line) <= max_bytes:
        found = orjson.loads(line)  # a copy by C
        # A null also stands for a float that is no number.
        if (b"null" not in line or found == held) and (has_few_levels(line) or is_shallow(found)):
            return found, False
    found, truncated = cut_to(payload_of(event_type, content, attributes), max_bytes)
    return plain(found), truncated


def cut_to(payload: Any, max_bytes: int) -> tuple[Any, bool]:
    """The payload, if need be shortened to about so many bytes of JSON, and whether it was.

    Of a mapping the largest values give way: texts keep their beginning, messages the first one and the latest.
    """
    try:
        text = orjson.dumps(payload)
        if len(text) <= max_bytes and has_few_levels(text):
            return payload, False
    except TypeError:
        pass  # it holds what JSON has no form for, or is nested deeply
    try:
        whole = tagged(plain(payload))
    except ValueError as error:  # JSON of another program, nested deeper than a record holds
        return f"cut: {error}", True
    if len(orjson.dumps(whole)) <= max_bytes:
        return payload, False
    if not isinstance(payload, dict) or len(payload) > max_bytes // 64:
        return untagged(orjson.loads(fit(whole, max_bytes)[0])), True
    kept, left = {}, max_bytes
    sizes = {key: len(orjson.dumps(tagged(value))) for key, value in payload.items()}
    for number, key in enumerate(sorted(sizes, key=sizes.__getitem__)):
        share = left // (len(sizes) - number)
        value = tagged(payload[key])
        shortened, _ = fit_messages(value, share) if _are_messages(value) else fit(value, share)
        left -= len(shortened)
        kept[key] = untagged(orjson.loads(shortened))
    return {key: kept[key] for key in payload}, True


def _are_messages(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and isinstance(one.get("parts"), list) for one in value)
    )


def _is_exact(part: _Part, values: Mapping[str, Any]) -> bool:
    """Whether the attribute gives the value back as it was."""
    value = values.get(part.key)
    if part.form == "text":
        return value is None or isinstance(value, str)
    return part.key not in values or (value is not None and not (part.key in _ROLES and isinstance(value, str)))


def _attribute(part: _Part, value: Any) -> Any:
    if part.form == "value":
        return tuple(value) if isinstance(value, list) else value
    if part.form == "text":
        return value if isinstance(value, str) else json_text(value)
    role = _ROLES.get(part.key)
    if role is not None and isinstance(value, str):
        value = [{"role": role, "parts": [{"type": "text", "content": value}]}]
    return json_text(value)


def json_text(value: Any) -> str:
    """A plain value as JSON, as `of_json_line` reads it."""
    return orjson.dumps(tagged(value)).decode()
