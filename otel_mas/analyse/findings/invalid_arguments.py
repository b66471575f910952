"""Tool calls whose arguments do not fit the tool."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from otel_mas.analyse.findings.facts import RunFacts, ids, tool_name
from otel_mas.analyse.findings.requested_calls import RequestedCall, definitions, requested_calls
from otel_mas.analyse.findings.tool_results import succeeded
from otel_mas.analyse.finish_reasons import was_cut
from otel_mas.analyse.json_schema import violation
from otel_mas.model import Finding, Severity, Span, Undecided
from otel_mas.semconv import attributes as names
from otel_mas.trace_records.formats import parsed

_VALIDATION = frozenset(("ValidationError", "ToolInvocationError"))
_TITLE = re.compile(r"\d+ validation errors? for (?:call\[)?([\w.]+)")
_PROBLEM = re.compile(r"^([\w.]+)\n\s+(.+?)(?: \[type=.*)?$", re.MULTILINE)
_SIGNATURE = "(?:missing|got an unexpected|takes|got multiple)"
_PARSES = "_parse_input"
"""The function in which LangChain validates arguments."""
_NO_JSON = "they are no JSON"


@dataclass
class _Refused:
    """Calls of one tool by one agent with arguments that do not fit."""

    problem: str
    spans: list[Span] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    calls: list[Span] = field(default_factory=list)


def invalid_arguments(facts: RunFacts) -> Iterator[Finding | Undecided]:
    """A tool was called with arguments that do not fit: it refused them (LangChain's validation, pydantic, Python),
    they contradict the JSON schema that the model had and the call failed, or they are no JSON. Errors of the same kind
    that a tool raises about its own data are none; nor is what a tool takes all the same, such as a number as text.
    """
    requested = facts.once(requested_calls)
    asked = {one.call.span_id: one for one in requested if one.call is not None}
    found: dict[tuple[str, str], _Refused] = {}
    undecided: Span | None = None
    for call in facts.tool_calls:
        if succeeded(call) or call.end_ns is None:
            continue
        one = asked.get(call.span_id)
        problem = _complaint(facts, call) or _contradiction(facts, call, one)
        if problem is not None:
            who = facts.who(call if one is None else one.asker)
            _add(found, who, tool_name(call), problem, call, one)
        elif _is_validation(call) and facts.content.error_message(call) is None:
            undecided = call
    for one in requested:
        if one.call is None and _is_no_json(one.arguments) and not was_cut(one.asker):
            _add(found, facts.who(one.asker), one.name, _NO_JSON, None, one)
    for (who, tool), refused in found.items():
        yield _finding(facts, who, tool, refused)
    if undecided is not None:
        yield Undecided(
            "invalid-arguments",
            f"{tool_name(undecided)} failed with a validation error, of its arguments or of its own data: the message "
            "tells, which was not kept",
        )


def _is_no_json(arguments: Any) -> bool:
    return isinstance(arguments, str) and arguments != "" and isinstance(parsed(arguments), str)


def _add(
    found: dict[tuple[str, str], _Refused],
    who: str,
    tool: str,
    problem: str,
    call: Span | None,
    one: RequestedCall | None,
) -> None:
    refused = found.setdefault((who, tool), _Refused(problem))
    if call is not None:
        refused.calls.append(call)
    if one is not None:
        refused.spans.append(one.asker)
        refused.messages.append(one.digest)
    elif call is not None:
        refused.spans.append(call)


def _finding(facts: RunFacts, who: str, tool: str, refused: _Refused) -> Finding:
    times = len(refused.spans)
    return Finding(
        code="invalid-arguments",
        severity=Severity.ERROR if facts.ended_a_run(refused.calls) else Severity.WARNING,
        confidence=1.0,
        summary=f"{who} called {tool} with arguments that do not fit"
        + (f" {times} times: " if times > 1 else ": ")
        + refused.problem,
        subject=f"{who}: {tool}",
        spans=ids(dict.fromkeys([*refused.spans, *refused.calls])),
        messages=tuple(dict.fromkeys(refused.messages)),
        saves_ns=facts.saves_ns_without(refused.calls) if refused.calls else None,
        advice=f"describe each argument of {tool} in its schema, with an example; make optional what may be missing",
    )


def _is_validation(call: Span) -> bool:
    return str(call.columns.get(names.ERROR_TYPE)).rpartition(".")[2] in _VALIDATION


def _complaint(facts: RunFacts, call: Span) -> str | None:
    """Words of a tool itself against its arguments; None where its error is about other things."""
    message, tool = facts.content.error_message(call), tool_name(call)
    if message is None:
        return None
    if _is_validation(call):
        title = _TITLE.search(message)
        stack = str(facts.value(call, names.EXCEPTION_STACKTRACE) or "")
        if (title is None or title[1] != tool) and _PARSES not in stack:
            return None
        problem = _PROBLEM.search(message)
        return "they were refused" if problem is None else f"{problem[1]}: {problem[2]}"
    if str(call.columns.get(names.ERROR_TYPE)).rpartition(".")[2] == "TypeError":
        wrong = re.search(rf"\b{re.escape(tool)}\(\) ({_SIGNATURE}.*)", message)
        return None if wrong is None else wrong[1]
    return None


def _contradiction(facts: RunFacts, call: Span, one: RequestedCall | None) -> str | None:
    """The fault by which the arguments of a call that failed contradict the schema that the model had."""
    known = None if one is None else definitions(facts, one.asker)
    given: Any = parsed(facts.value(call, names.GEN_AI_TOOL_CALL_ARGUMENTS) if one is None else one.arguments)
    return None if known is None or given is None else violation(given, known.get(tool_name(call)))


__all__ = ["invalid_arguments"]
