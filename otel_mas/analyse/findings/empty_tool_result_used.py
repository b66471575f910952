"""Empty results of tools with which an agent went on all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from otel_mas.analyse.findings.facts import RunFacts, ids, tool_name
from otel_mas.analyse.findings.tool_results import UselessResult, document_texts, result_of, useless_results
from otel_mas.analyse.tool_kinds import calculates, changes_something, runs_code
from otel_mas.model import Finding, Severity, Span
from otel_mas.model.message_text import text_of
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names

_LIST, _OTHER, _NULL, _NONE_FOUND, _BLANK = "an empty list", "nothing", "null", "no documents", "documents without text"
_LITERALS = {"": _OTHER, "{}": _OTHER, '""': _OTHER, "[]": _LIST, "null": _NULL, "none": _NULL}


def empty_tool_result_used(facts: RunFacts) -> Iterator[Finding]:
    """A tool returned nothing (an empty text, object or list, or null), its call counts as done, and the agent went on
    to answer with that: no later call brought more. So with a retriever that found no documents, or some without any
    text, after which a model was asked. Only worth knowing is an empty list, which may be the right answer, and null
    from a tool that never returned anything else, which may have nothing to return. Left out are tools that run code
    or that, by their name, change something.
    """
    found: dict[tuple[str, str], list[UselessResult]] = {}
    for one in useless_results(facts, lambda call: _empty_result(facts, call)):
        tool = tool_name(one.call)
        given = facts.value(one.call, names.GEN_AI_TOOL_CALL_ARGUMENTS)
        if runs_code(given) or (changes_something(tool) and not calculates(given)):
            continue
        found.setdefault((facts.who(one.reader), tool), []).append(one)
    for (who, tool), results in found.items():
        kinds = {one.what for one in results}
        may_be_right = kinds <= {_LIST, _NONE_FOUND} or (kinds <= {_NULL} and not _returns_something(facts, tool))
        recorded = all(one.recorded for one in results)
        times = "" if len(results) == 1 else f" {len(results)} times"
        yield Finding(
            code="empty-tool-result-used",
            severity=Severity.INFO if may_be_right else Severity.WARNING,
            confidence=0.9 if recorded else 0.7,
            summary=f"{who} went on{times} although {tool} had returned {results[0].what}",
            subject=f"{who}: {tool}",
            spans=ids([*(one.call for one in results), results[0].reader]),
            messages=tuple(digest for one in results for digest in facts.wrote(one.call)),
            rests_on=("recorded",) if recorded else ("recorded", "inferred"),
            advice=f"look at what {tool} searches, its filters and its threshold, and tell {who} that nothing was found"
            if results[0].call.record_kind == RecordKind.RETRIEVAL
            else f"let {tool} raise an error, or say in words that there is nothing, and have {who} ask anew",
        )


def _empty_result(facts: RunFacts, call: Span) -> str | None:
    """Words for the result of a call where it is empty; one that was not kept is null where the arguments were kept."""
    if call.record_kind == RecordKind.RETRIEVAL:
        return _empty_documents(result_of(facts, call))
    recorded = facts.content.get(call, names.GEN_AI_TOOL_CALL_RESULT)
    if recorded is None:
        kept = call.record_kind is not None and facts.value(call, names.GEN_AI_TOOL_CALL_ARGUMENTS) is not None
        return _NULL if kept else None
    return _empty(result_of(facts, call))


def _empty_documents(documents: Any) -> str | None:
    if not isinstance(documents, list | tuple):
        return None
    texts = document_texts(documents)
    if not documents:
        return _NONE_FOUND
    return _BLANK if len(texts) == len(documents) and not any(text.strip() for text in texts) else None


def _empty(value: Any) -> str | None:
    """Words for an empty result; None for any other."""
    if isinstance(value, str):
        return _LITERALS.get(value.strip().lower()) if len(value) < 100 or value.isspace() else None
    if isinstance(value, list | tuple):
        if not value:
            return _LIST
        return _OTHER if all(map(_is_blank_text, value)) else None
    return _OTHER if isinstance(value, dict) and not value else None


def _is_blank_text(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "text" and not text_of(block.get("text")).strip()


def _returns_something(facts: RunFacts, tool: str) -> bool:
    results = (facts.value(call, names.GEN_AI_TOOL_CALL_RESULT) for call in facts.tool_calls if tool_name(call) == tool)
    return any(value is not None and _empty(value) is None for value in results)


__all__ = ["empty_tool_result_used"]
