"""Agents that start over after progress."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.model import Finding, Severity, Span

_OPENING = 20
"""Characters that an opening has at least; a shorter answer may come again for another reason."""


def conversation_restart(facts: RunFacts) -> Iterator[Finding]:
    """An agent started over: after it had said other things that built on its opening (its plan, greeting or first
    question), it said the opening again, word for word, and what its model read then did not have the opening any more.
    Its history was lost, by a state or a thread that began anew or a window that was cut. An agent that never reads
    what it has said, one that was asked the same again by a new message that opens like the first, and an answer that
    is repeated with the history at hand (a `step-repetition`) are none.
    """
    for who, calls in _conversations(facts):
        found = _restarted(facts, calls)
        if found is not None:
            opening, last, again = found
            digest = facts.wrote(opening)[0]
            yield Finding(
                code="conversation-restart",
                severity=Severity.WARNING,
                confidence=0.9,
                summary=f"{who} started over after {last} other answers: it repeated its opening, without its history",
                subject=who,
                spans=ids([again, opening]),
                messages=(digest,),
                rests_on=("recorded", "inferred"),
                advice=f"see which thread, state and window of messages {who} is called with; keep its first messages",
            )


def _conversations(facts: RunFacts) -> Iterator[tuple[str, Sequence[Span]]]:
    """Calls of models by the agent and the graph that it works in; a graph that a thread invokes again is the same."""
    found: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for call in facts.model_calls:
        if facts.wrote(call) and facts.read(call):
            task = facts.task(call)
            scope = None if task is None else facts.scopes.scope_of(task)
            found[facts.who(call), call.trace_id if scope is None else scope.runs[0].span_id].append(call)
    for (who, _), calls in found.items():
        yield who, calls


def _restarted(facts: RunFacts, calls: Sequence[Span]) -> tuple[Span, int, Span] | None:
    """The call with the opening, how many others came after it, and the call that said it again."""
    opening = calls[0]
    digest = facts.wrote(opening)[0]
    text = facts.text(digest)
    if text is not None and len(text) < _OPENING:
        return None
    built_on = False
    for number, call in enumerate(calls[1:], 1):
        wrote, read = facts.wrote(call), facts.read(call)
        asked_again = call.trace_id != opening.trace_id and read[-1] == facts.read(opening)[-1]
        if digest in wrote and digest not in read and built_on and not asked_again:
            return opening, number - 1, call
        built_on = built_on or (digest in read and digest not in wrote)
    return None


__all__ = ["conversation_restart"]
