"""Measures of what the analysis says about runs with injected faults, which are hidden from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from otel_mas.analyse.places import places
from otel_mas.analyse.root_cause import Complaint, ComplaintLabel, RootCause
from otel_mas.api import Conversation, Source
from tests.accuracy.injected.runs import LATE, InjectedRun


@dataclass(frozen=True)
class Ranked:
    """A run, and the names behind its ranked root causes: agent and task of each."""

    run: InjectedRun
    names: Sequence[frozenset[str]]

    def place(self) -> int:
        """Place of the true cause in the ranking, from 1; 0 where it is missing."""
        return next((place for place, one in enumerate(self.names, 1) if self.run.true_cause in one), 0)


def ranked(source: Source, run: InjectedRun) -> Ranked:
    """Root causes of a run, distinct agents and tasks, for what a person would have against it."""
    conversation = source.conversation(run.thread)
    complaint = ComplaintLabel.LATE if run.kind in LATE and run.outcome == "ok" else ComplaintLabel.WRONG
    failed = run.outcome == "error"
    causes = conversation.root_cause(complaint=None if failed else Complaint(complaint))
    return Ranked(run, list(dict.fromkeys(_names(conversation, one) for one in causes)))


def _names(conversation: Conversation, cause: RootCause) -> frozenset[str]:
    """The innermost agent and the innermost task of the span."""
    place = places(conversation.graph().causal)[cause.span]
    task = None if place.task is None else place.task.task_name
    return frozenset(name for name in (cause.agent, task) if name)


def hits(rankings: Sequence[Ranked], most: int) -> float:
    """Share of runs whose true cause is among the first so many."""
    return sum(0 < one.place() <= most for one in rankings) / len(rankings)


__all__ = ["Ranked", "hits", "ranked"]
