"""Provenance of a text or value: who brought it into a run, by whom it went on, and where it was last seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.final_output import final_output
from otel_mas.analyse.root_cause.acts import Act, Acts
from otel_mas.analyse.root_cause.passages import flattened
from otel_mas.analyse.root_cause.values import numbers_in
from otel_mas.causal import CausalGraph
from otel_mas.semconv import RecordKind

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class TextUse:
    """A span that wrote or read a text."""

    span: str
    """Its id."""
    agent: str | None
    """The agent at work in it, or the task."""
    wrote: bool
    """Whether it wrote the text; else it only read it."""
    time_ns: int
    """When: the end of what wrote it, the start of what read it."""


@dataclass(frozen=True, slots=True)
class Introduction:
    """Provenance of one text in a run."""

    text: str
    given: bool
    """Whether it came from outside: with the input of the run, from a person, or in an instruction."""
    uses: tuple[TextUse, ...]
    """Those who wrote or read it, in order of time."""
    in_answer: bool
    """Whether the final output has it."""
    dropped: str | None
    """Id of the task that followed the last one which had it on the way to the end, or that is around that one, and did
    not pass it on; None where the answer has it, and where several followed at once."""
    known: bool
    """False where the recording has no content: nothing can be said."""

    @property
    def first(self) -> TextUse | None:
        """The first that wrote it; None where nobody did."""
        return next((use for use in self.uses if use.wrote), None)

    @property
    def last(self) -> TextUse | None:
        """The last that wrote or read it."""
        return self.uses[-1] if self.uses else None


def introduced(graph: CausalGraph, content: RunContent, text: str) -> Introduction:
    """Find out who introduced a text.

    Args:
        graph: of a trace, or of a conversation.
        content: of the same.
        text: a text, found in any case and however it is spaced; a number, in whatever form: 1,250 is 1250.0.
    """
    acts, holds = Acts(graph, content), _holder(text)
    uses = sorted(_uses(acts, holds), key=lambda use: (use.time_ns, not use.wrote))
    answer = final_output(graph, content)
    in_answer = answer is not None and holds(answer)
    people = any(act.is_person and holds(act.wrote) for act in acts)
    written_ns = min((use.time_ns for use in uses if use.wrote), default=None)
    prompted = any(holds(body) and (written_ns is None or at_ns < written_ns) for at_ns, body in acts.prompts)
    given = people or prompted or any(map(holds, acts.task))
    dropped = None if in_answer or not uses else _dropped(acts, holds, uses)
    return Introduction(text, given, tuple(uses), in_answer, dropped, bool(content.messages) or bool(uses))


def _holder(text: str) -> Callable[[str], bool]:
    """Whether another text holds this one."""
    number = text.strip()
    if _NUMBER.fullmatch(number):
        (wanted,) = numbers_in(number)
        return lambda other: wanted in numbers_in(other)
    flat = flattened(text).casefold()
    return lambda other: flat in flattened(other).casefold()


def _uses(acts: Acts, holds: Callable[[str], bool]) -> Iterator[TextUse]:
    """Acts that wrote it, themselves and not something inside of them; and tasks that only read it."""
    for act in acts:
        if not act.is_person and (holds(act.wrote) or holds(act.arguments)):
            yield TextUse(act.span.span_id, act.agent, True, act.span.last_ns)
        elif act.span.record_kind == RecordKind.AGENT_TASK:
            read_ns = next((at_ns for at_ns, text in _read(acts, act) if holds(text)), None)
            if read_ns is not None:
                yield TextUse(act.span.span_id, act.agent, False, read_ns)


def _dropped(acts: Acts, holds: Callable[[str], bool], uses: Sequence[TextUse]) -> str | None:
    """The task on the way to the end that came next after the last one there which had it, and does not have it.

    One around the last one comes first, if nothing follows inside of it and it wrote something else. None where several
    follow at once: none of these is more to blame than the others.
    """
    leading = _leading_to_the_end(acts)
    holders = [act for use in reversed(uses) if (act := acts.of(use.span)) is not None]
    last = next((act for act in holders if not _around(acts, act).isdisjoint(leading)), None)
    while last is not None:
        after = [act for act in acts if last in acts.causes(act)]
        following = [act for act in after if not _around(acts, act).isdisjoint(leading)] or after
        if following:
            dropped = following[0] if len(following) == 1 and not _has(acts, holds, following[0]) else None
            return None if dropped is None else dropped.span.span_id
        last = acts.task_around(last)
        if last is not None and (wrote := acts.outputs(last)) and not any(map(holds, wrote)):
            return last.span.span_id
    return None


def _leading_to_the_end(acts: Acts) -> set[int]:
    """Numbers of the task that ended last, and of all that it follows from."""
    tasks = [act for act in acts if act.span.record_kind == RecordKind.AGENT_TASK]
    last = max(tasks, key=lambda act: act.span.last_ns, default=None)
    found: set[int] = set() if last is None else {last.number}
    waiting = [] if last is None else [last]
    while waiting:
        for cause in acts.causes(waiting.pop()):
            if cause.number not in found:
                found.add(cause.number)
                waiting.append(cause)
    return found


def _around(acts: Acts, act: Act) -> set[int]:
    """Numbers of an act and of those around it."""
    return {act.number, *(outer.number for outer in acts.around(act.span))}


def _read(acts: Acts, act: Act) -> Iterator[tuple[int, str]]:
    """Texts that a task read, itself or by the calls of models in it, each with the time."""
    yield from ((act.span.start_ns, text) for text in acts.read_by(act))
    for inner in acts.inside(act):
        if inner.span.record_kind == RecordKind.LLM_CALL:
            yield from ((inner.span.start_ns, text) for text in acts.read_by(inner))


def _has(acts: Acts, holds: Callable[[str], bool], act: Act | None) -> bool:
    return act is not None and (holds(act.wrote) or any(holds(text) for _, text in _read(acts, act)))


__all__ = ["Introduction", "TextUse", "introduced"]
