"""Calls of tools that do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from otel_mas.analyse.findings.facts import RunFacts, ids, tool_name
from otel_mas.analyse.findings.requested_calls import RequestedCall, definitions, requested_calls
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names

_UNKNOWN = "unknown_tool"


@dataclass
class _Asked:
    """Calls of one tool by one agent."""

    askers: list[Span] = field(default_factory=list)
    refused: list[Span] = field(default_factory=list)
    """Spans of the calls, where the framework recorded them."""
    messages: list[str] = field(default_factory=list)
    known: frozenset[str] = frozenset()


def unknown_tool(facts: RunFacts) -> Iterator[Finding]:
    """A model called a tool that does not exist: the framework refused the call, or nobody executed it and the tool is
    not among those that the model call was told of. A model call whose tools were not recorded, or which has tools that
    its provider runs, is left out unless the call was refused.
    """
    found: dict[tuple[str, str], _Asked] = {}
    asked_for: set[str] = set()
    for one in facts.once(requested_calls):
        if _refused(one.call) or _is_unknown(facts, one):
            asked = found.setdefault((facts.who(one.asker), one.name), _Asked())
            asked.askers.append(one.asker)
            asked.messages.append(one.digest)
            asked.known |= (definitions(facts, one.asker) or {}).keys()
            if one.call is not None:
                asked.refused.append(one.call)
                asked_for.add(one.call.span_id)
    for call in facts.tool_calls:
        if _refused(call) and call.span_id not in asked_for:
            found.setdefault((facts.who(call), tool_name(call)), _Asked()).refused.append(call)
    for (who, tool), asked in found.items():
        spans = [*asked.askers, *asked.refused]
        times = max(len(asked.askers), len(asked.refused))
        yield Finding(
            code="unknown-tool",
            severity=Severity.ERROR if facts.ended_a_run(asked.refused) else Severity.WARNING,
            confidence=1.0 if asked.refused else 0.9,
            summary=f"{who} called {tool}, a tool that does not exist" + (f", {times} times" if times > 1 else ""),
            subject=f"{who}: {tool}",
            spans=ids(dict.fromkeys(spans)) if asked.askers else ids(asked.refused),
            messages=tuple(dict.fromkeys(asked.messages)),
            advice=_advice(who, tool, asked.known),
        )


def _refused(call: Span | None) -> bool:
    return call is not None and call.columns.get(names.ERROR_TYPE) == _UNKNOWN


def _is_unknown(facts: RunFacts, one: RequestedCall) -> bool:
    if one.call is not None:
        return False
    known = definitions(facts, one.asker)
    return known is not None and one.name not in known


def _advice(who: str, tool: str, known: frozenset[str]) -> str:
    there = f" ({', '.join(sorted(known))})" if known else ""
    return f"name the tools of {who} in its prompt as they are called{there}, or give it {tool}"


__all__ = ["unknown_tool"]
