"""Calls that failed or brought nothing and were never made good, and calls that cannot be taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from otel_mas.analyse.root_cause.acts import Act, Acts
from otel_mas.analyse.root_cause.evidence import Evidence
from otel_mas.analyse.tool_kinds import changes_something, runs_code
from otel_mas.causal.failed import failed
from otel_mas.semconv import RecordKind
from otel_mas.trace_records.formats import parsed

_NOTHING = re.compile(
    r"\b(?:none|null|nil|nan|undefined|false|empty|no (?:results?|matches|data|output|rows|records)|0)\b|[\W_]+",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r"\b(?:error|exception|traceback|failed to|could ?n[o']t|cannot|unable to|not found|no such)\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_STEM, _FEW_STEMS, _UNRELATED = 5, 2, 0.4
"""Letters that words are compared by, words of a query that tell anything, and the weight of what they tell."""
_COMMON = frozenset(("what", "which", "when", "where", "does", "have", "long", "many", "much", "with", "that", "this"))
_TOOL, _FIRST, _AGAIN = 0.7, 0.3, 0.15
_SHORT = 300
"""Characters of a result that may be nothing but an error in words; a longer one says something else, too."""
_HEADER = re.compile(r"\A(?:exit ?code: -?\d+ \([^)]*\)\s*)?(?:[\w ]*output:)?", re.IGNORECASE)
"""Lines that executors of code put before the output."""
_NO_RESULT = re.compile(r"(?:think|note|log|notify|print|emit|wait|sleep)(?![a-z])", re.IGNORECASE)
"""Tools that need not answer, beside those that change something."""


def brought_nothing(act: Act) -> bool:
    """Whether a call failed, gave an empty result, or one that only says that it failed."""
    need_not = changes_something(_tool(act)) or _NO_RESULT.match(_tool(act)) is not None
    if need_not and not act.wrote.strip() and not failed(act.span):
        return False
    result = "\n".join(_leaves(parsed(_HEADER.sub("", act.wrote))))
    return failed(act.span) or not _NOTHING.sub("", result) or (len(result) < _SHORT and bool(_FAILURE.search(result)))


def _leaves(value: object) -> Iterator[str]:
    """The texts, numbers and so on in a result that may be JSON."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield str(value)


def useless_call_evidence(acts: Acts) -> Iterator[Evidence]:
    """Calls that brought nothing and were not followed by one of the same tool that did.

    Of a tool that runs what it is given as code, who wrote the code; of one that says what is wrong, who asked.
    """
    tools: dict[str, list[Act]] = {}
    for act in acts:
        if act.is_call:
            tools.setdefault(act.span.name, []).append(act)
    for calls in tools.values():
        series = [list(same) for _, same in groupby(calls, key=brought_nothing)]
        if brought_nothing(series[-1][0]):
            yield from _unresolved(series[-1])


def _unresolved(calls: Sequence[Act]) -> Iterator[Evidence]:
    """The first of them set the way that did not work, the others went on with it."""
    for act in calls:
        asked_wrongly = runs_code(act.arguments) or _refused(act)
        blamed = act.caller if act.caller is not None and asked_wrongly else act.number
        ended = "failed" if failed(act.span) else "brought nothing"
        which = "it" if blamed == act.number else f"{_tool(act)}, which it called,"
        weight = _AGAIN if act is not calls[0] else _FIRST if asked_wrongly else _TOOL
        yield Evidence(blamed, weight, f"{which} {ended}, and no later call did better")


def unrelated_documents_evidence(acts: Acts) -> Iterator[Evidence]:
    """Retrievers that found documents without any word of the query, by its first letters; synonyms may fit as well."""
    for act in acts:
        if act.span.record_kind == RecordKind.RETRIEVAL and act.wrote.strip():
            asked, found = _stems(act.arguments), _stems(act.wrote)
            if len(asked) >= _FEW_STEMS and asked.isdisjoint(found):
                yield Evidence(act.number, _UNRELATED, "none of the documents that it found has a word of the query")


def _stems(text: str) -> set[str]:
    return {word[:_STEM].lower() for word in _WORD.findall(text)} - _COMMON


def change_evidence(acts: Acts) -> Iterator[Evidence]:
    """Those who asked for calls that change something outside, and the people who had asked for it.

    A mistake in what is only read can be made good; what was changed stays.
    """
    for act in acts:
        if act.is_call and act.caller is not None and not failed(act.span) and changes_something(_tool(act)):
            yield Evidence(act.caller, 0.2, f"had {_tool(act)} change something that cannot be taken back")
            for cause in acts.causes(acts[act.caller]):
                if cause.is_person:
                    yield Evidence(cause.number, 0.1, f"asked for what {_tool(act)} changed")


def _refused(act: Act) -> bool:
    """Whether a tool says in words that what it was asked cannot be done, instead of failing itself."""
    return len(act.wrote) < _SHORT and _FAILURE.search(act.wrote) is not None


def _tool(act: Act) -> str:
    return act.span.name.removeprefix("execute_tool ")


__all__ = ["brought_nothing", "change_evidence", "unrelated_documents_evidence", "useless_call_evidence"]
