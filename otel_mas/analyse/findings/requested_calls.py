"""Tool calls that models asked for, with what became of them and the definitions that the models had."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.model import Span
from otel_mas.semconv import attributes as names


@dataclass(frozen=True, slots=True)
class RequestedCall:
    """A tool call that a model asked for."""

    asker: Span
    """The model call."""
    name: str
    arguments: Any
    """As the model gave them: text where they were no JSON."""
    digest: str
    """Digest of the message that asks for it."""
    call: Span | None
    """The span of the tool's call; None where there is none."""


def requested_calls(facts: RunFacts) -> Sequence[RequestedCall]:
    """Tool calls in the answers of model calls whose content was kept, in order. For `RunFacts.once`."""
    return tuple(_requested_calls(facts))


def _requested_calls(facts: RunFacts) -> Iterator[RequestedCall]:
    executed: dict[str, list[Span]] = {}
    for span in facts.tool_calls:
        identity = span.get(names.GEN_AI_TOOL_CALL_ID)
        if identity:
            executed.setdefault(str(identity), []).append(span)
    for asker in facts.model_calls:
        for digest in facts.wrote(asker):
            message = facts.message(digest)
            parts = None if message is None or message.body is None else message.body.get("parts")
            for part in parts if isinstance(parts, list | tuple) else ():
                if isinstance(part, Mapping) and part.get("type") == "tool_call" and part.get("name"):
                    after = executed.get(str(part.get("id")), [])
                    at = bisect_left(after, asker.last_ns, key=lambda span: span.start_ns)
                    call = after[at] if at < len(after) else None
                    yield RequestedCall(asker, str(part["name"]), part.get("arguments"), digest, call)


def definitions(facts: RunFacts, asker: Span) -> Mapping[str, Any] | None:
    """By name the JSON schema of the arguments of each tool that a model call was told of.

    None where that was not recorded, or where one is no function: a provider's own tools have no name.
    """
    defined = facts.value(asker, names.GEN_AI_TOOL_DEFINITIONS)
    if not isinstance(defined, Sequence) or isinstance(defined, str) or not defined:
        return None
    found: dict[str, Any] = {}
    for one in defined:
        function = one.get("function", one) if isinstance(one, Mapping) else None
        name = function.get("name") if isinstance(function, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(name, str):
            return None
        found[name] = function.get("parameters", function.get("input_schema"))
    return found


__all__ = ["RequestedCall", "definitions", "requested_calls"]
