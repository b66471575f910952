"""Results of tools that nobody read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from otel_mas.analyse.findings.facts import RunFacts, ids, tool_name
from otel_mas.analyse.findings.requested_calls import requested_calls
from otel_mas.analyse.findings.tool_results import is_command, reader_of, succeeded
from otel_mas.analyse.tool_kinds import changes_something
from otel_mas.model import Finding, Severity, Span, Undecided
from otel_mas.semconv import attributes as names

_BEGINNING = 80
_SHORTEST = 12
"""Characters of a result that are looked for in what was read later; shorter ones may be anywhere."""
_MOST = 200
"""Messages read later that are looked at for a result in another form."""


def unused_result(facts: RunFacts) -> Iterator[Finding | Undecided]:
    """A model asked for a tool, the tool returned something, and the agent went on to ask its model again, but neither
    this nor any other call read the result: it was dropped from the history, or overwritten. A result that was read in
    another form, that is the last thing in a run, that hands the conversation over or changes the state, or of a tool
    that by its name changes something, is none.
    """
    found: dict[tuple[str, str], list[Span]] = {}
    undecided: Span | None = None
    later_calls = _LaterCalls(facts)
    for one in facts.once(requested_calls):
        call = one.call
        if call is None or not succeeded(call) or not facts.wrote(call) or changes_something(one.name):
            continue
        if reader_of(facts, call) is not None or is_command(facts, call):
            continue
        later = later_calls.of(one.asker, call.last_ns)
        if not later:
            continue
        read = _read_elsewhere(facts, call, later_calls.after(call.last_ns))
        if read is None:
            undecided = call
        elif not read:
            found.setdefault((facts.who(one.asker), one.name), []).append(call)
    for (who, tool), calls in found.items():
        times = "" if len(calls) == 1 else f" {len(calls)} times"
        yield Finding(
            code="unused-result",
            severity=Severity.WARNING,
            confidence=0.8,
            summary=f"{who} called {tool}{times} and went on without reading what it returned",
            subject=f"{who}: {tool}",
            spans=ids(calls),
            messages=tuple(digest for call in calls for digest in facts.wrote(call)),
            saves_ns=facts.saves_ns_without(calls),
            advice=f"give {who} the messages of its tools (add_messages as the reducer, nothing trimmed before it is "
            f"read), or take {tool} away",
        )
    if undecided is not None:
        yield Undecided(
            "unused-result",
            f"nobody read the result of {tool_name(undecided)} as it was; whether somebody read it in another form, "
            "texts would tell that were not kept, or are too short or too many",
        )


class _LaterCalls:
    """Model calls, by the graph that they are a step of."""

    def __init__(self, facts: RunFacts) -> None:
        self._facts = facts
        self._all = facts.model_calls
        self._by_graph: dict[tuple[str | None, str], list[Span]] = {}
        for call in facts.model_calls:
            self._by_graph.setdefault(self._graph(call), []).append(call)

    def _graph(self, call: Span) -> tuple[str | None, str]:
        task = self._facts.task(call)
        return None if task is None else task.parent_span_id, self._facts.who(call)

    def of(self, asker: Span, since_ns: int) -> Sequence[Span]:
        """Those of the same agent in the same run of its graph, from a time on."""
        return _from(self._by_graph.get(self._graph(asker), ()), since_ns)

    def after(self, since_ns: int) -> Sequence[Span]:
        """All of them, from a time on."""
        return _from(self._all, since_ns)


def _from(calls: Sequence[Span], since_ns: int) -> Sequence[Span]:
    return calls[bisect_left(calls, since_ns, key=lambda call: call.start_ns) :]


def _read_elsewhere(facts: RunFacts, call: Span, later: Sequence[Span]) -> bool | None:
    """Whether a later call read the result in another form: by the id of its call, or by its text; None if unknown."""
    identity = str(call.get(names.GEN_AI_TOOL_CALL_ID) or "")
    result = (facts.result(call) or "").strip()[:_BEGINNING]
    if len(result) < _SHORTEST:
        return None
    seen: set[str] = set()
    for one in later:
        if one.get(names.MAS_INPUT_OMITTED_MESSAGES):
            return None
        for digest in facts.read(one):
            if digest in seen:
                continue
            seen.add(digest)
            text = facts.text(digest)
            if text is None or len(seen) > _MOST:
                return None
            if result in text or _answers(facts, digest, identity):
                return True
    return False


def _answers(facts: RunFacts, digest: str, identity: str) -> bool:
    """Whether a message is the answer to the tool call of this id."""
    message = facts.message(digest)
    parts: Any = None if message is None or message.body is None else message.body.get("parts")
    return any(
        isinstance(part, Mapping) and part.get("type") == "tool_call_response" and str(part.get("id")) == identity
        for part in (parts if isinstance(parts, list | tuple) else ())
    )


__all__ = ["unused_result"]
