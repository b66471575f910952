"""Results of tools that are no data, with which an agent went on all the same."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.findings.facts import RunFacts, ids, tool_name
from otel_mas.analyse.findings.tool_results import UselessResult, document_texts, result_of, useless_results
from otel_mas.analyse.malformed import malformed
from otel_mas.analyse.tool_kinds import runs_code
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names

_NO_DOCUMENT = ("an error page", "binary", "[object", "filler")
"""Beginnings of the words for what nobody keeps in an index on purpose."""


def malformed_tool_result_used(facts: RunFacts) -> Iterator[Finding]:
    """A tool returned what is no data, its call counts as done, and the agent went on to answer with that: no later
    call brought more. No data are an HTML page whose title is an HTTP error, JSON that breaks off, a stack trace from
    its first line on, binary, filler, or an object printed as `[object Object]`. Other pages are no fault, nor is a
    text that says that it was shortened; a tool that runs code may return anything. So with a retriever, all of whose
    documents are such; parts of JSON and stack traces are documents as others.
    """
    found: dict[tuple[str, str, str], list[UselessResult]] = {}
    for one in useless_results(facts, lambda call: _malformed(facts, call)):
        if not runs_code(facts.value(one.call, names.GEN_AI_TOOL_CALL_ARGUMENTS)):
            found.setdefault((facts.who(one.reader), tool_name(one.call), one.what), []).append(one)
    for (who, tool, what), results in found.items():
        recorded = all(one.recorded for one in results)
        times = "" if len(results) == 1 else f" {len(results)} times"
        yield Finding(
            code="malformed-tool-result-used",
            severity=Severity.WARNING,
            confidence=0.9 if recorded else 0.7,
            summary=f"{who} went on{times} although {tool} had returned {what}",
            subject=f"{who}: {tool}",
            spans=ids([*(one.call for one in results), results[0].reader]),
            messages=tuple(digest for one in results for digest in facts.wrote(one.call)),
            rests_on=("recorded",) if recorded else ("recorded", "inferred"),
            advice=f"look at what is in the index of {tool}, and keep such pages out of it"
            if results[0].call.record_kind == RecordKind.RETRIEVAL
            else f"let {tool} check what its service answers and raise an error (ToolException) to be retried",
        )


def _malformed(facts: RunFacts, call: Span) -> str | None:
    """Words for a result that is no data; of a retriever where that is so of all documents."""
    result = result_of(facts, call)
    if call.record_kind != RecordKind.RETRIEVAL:
        return malformed(result)
    documents = [malformed(text) for text in document_texts(result)]
    return documents[0] if documents and all(what and what.startswith(_NO_DOCUMENT) for what in documents) else None


__all__ = ["malformed_tool_result_used"]
