"""The diff of two sets of runs: which steps are in what share of each, and what they took, cost and answered there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from statistics import median

from otel_mas.analyse.comparison import ComparedMeasure, Verdict, compare
from otel_mas.analyse.diff.run_diff import counted
from otel_mas.analyse.diff.run_steps import RunSteps
from otel_mas.analyse.diff.steps import Change, Limits
from otel_mas.analyse.measures import Measures, Subject
from otel_mas.model.amounts import duration
from otel_mas.semconv import TaskOutcome

_S = 1e9
STEP = "step"
_CHANGES: Mapping[tuple[str, Verdict], Change] = {
    ("steps", Verdict.HIGHER): Change.OFTENER,
    ("steps", Verdict.LOWER): Change.RARER,
    ("duration", Verdict.HIGHER): Change.SLOWER,
    ("duration", Verdict.LOWER): Change.FASTER,
    ("cost", Verdict.HIGHER): Change.DEARER,
    ("cost", Verdict.LOWER): Change.CHEAPER,
    ("errors", Verdict.HIGHER): Change.ENDED,
    ("errors", Verdict.LOWER): Change.ENDED,
}
_NEW_ANSWERS = 0.5
"""Share of the runs after, from which on a step whose answer no run before gave has answered differently."""


@dataclass(frozen=True, slots=True)
class StepSample:
    """One step in one run of a set."""

    place: int
    """Among the steps of its run, in order."""
    kind: str
    duration_ns: int | None
    usd: float | None
    failed: bool
    answer: bytes | None
    """Digest of its answer; None where it has none, or that was not kept."""


@dataclass(frozen=True, slots=True)
class RunSample:
    """One run of a set: what is kept of it."""

    duration_ns: int
    steps: Mapping[str, StepSample]
    """By label."""

    @classmethod
    def of(cls, run: RunSteps) -> RunSample:
        """The sample of a run."""
        found = {}
        for place, number in enumerate(run.tree.in_order()):
            step, answer = run.step(number), run.content.answer(number)
            found[step.label] = StepSample(
                place,
                step.kind,
                step.duration_ns,
                step.usd,
                step.status == TaskOutcome.ERROR,
                None if answer is None else blake2b(answer.encode(errors="replace"), digest_size=8).digest(),
            )
        return cls(run.duration_ns, found)

    def measures(self) -> Measures:
        """The measures of each step, for tests of significance."""
        found: dict[tuple[Subject, str], float] = {}
        for label, step in self.steps.items():
            subject = Subject(STEP, label)
            found[subject, "steps"] = 1.0
            found[subject, "errors"] = float(step.failed)
            if step.duration_ns is not None:
                found[subject, "duration"] = step.duration_ns / _S
            if step.usd is not None:
                found[subject, "cost"] = step.usd
        return found


@dataclass(frozen=True, slots=True)
class StepOfSets:
    """One step, by its label, in two sets of runs."""

    label: str
    kind: str
    n_before: int
    """Runs that have it."""
    n_after: int
    share_before: float
    share_after: float
    duration_before_ns: float | None
    """Median; None where no run has it, or none has ended."""
    duration_after_ns: float | None
    usd_before: float | None
    """Median; None where none is known."""
    usd_after: float | None
    new_answers: float | None
    """Share of the runs after that answered as no run before did; None where no answer was kept on one side."""
    changes: tuple[Change, ...]
    measures: tuple[ComparedMeasure, ...] = field(repr=False, default=())
    """The tests behind these changes: presence (`steps`), duration, cost and errors."""


@dataclass(frozen=True)
class SetDiff:
    """Two sets of runs, step by step, by label."""

    runs_before: int
    runs_after: int
    steps: tuple[StepOfSets, ...]
    """In the order in which they usually come."""
    slower_ns: float
    """Difference of the medians of the durations of the runs, in nanoseconds."""
    limits: Limits

    @cached_property
    def differing(self) -> tuple[StepOfSets, ...]:
        """Steps with a change, the greatest difference in share first."""
        found = (step for step in self.steps if step.changes)
        return tuple(sorted(found, key=lambda step: -abs(step.share_after - step.share_before)))

    @property
    def same(self) -> bool:
        """Whether no step changed."""
        return not self.differing

    @property
    def summary(self) -> str:
        """Everything on a line: 20 runs and 20: 1 step added, 2 slower; +32 ms in the median."""
        changes = [change for step in self.steps for change in step.changes]
        phrase = counted(changes) or f"no difference in {len(self.steps):,} step{'' if len(self.steps) == 1 else 's'}"
        amount = f"{'-' if self.slower_ns < 0 else '+'}{duration(round(abs(self.slower_ns)))} in the median"
        noun = "run" if self.runs_before == 1 else "runs"
        return f"{self.runs_before:,} {noun} and {self.runs_after:,}: {phrase}; {amount}"


def diff_sets(before: Sequence[RunSample], after: Sequence[RunSample], limits: Limits | None = None) -> SetDiff:
    """Compare two sets of runs step by step.

    A step is oftener, rarer, slower, dearer or fails more where that is significant (`otel_mas.analyse.comparison`); of
    times and costs the medians are beyond the limits, too. A step that one set lacks is added or removed, however rare.

    Raises:
        MissingExtra: scipy is not installed.
    """
    limits = limits or Limits()
    tests: dict[str, list[ComparedMeasure]] = {}
    for one in compare([run.measures() for run in before], [run.measures() for run in after]).measures:
        tests.setdefault(one.name, []).append(one)
    found = [
        _step(label, _having(label, before), _having(label, after), (len(before), len(after)), tests[label], limits)
        for label in _in_usual_order((*before, *after))
    ]
    old, new = (median([run.duration_ns for run in runs]) if runs else 0 for runs in (before, after))
    return SetDiff(len(before), len(after), tuple(found), new - old, limits)


def _having(label: str, runs: Sequence[RunSample]) -> list[StepSample]:
    return [run.steps[label] for run in runs if label in run.steps]


def _in_usual_order(runs: Iterable[RunSample]) -> list[str]:
    places: dict[str, list[int]] = {}
    for run in runs:
        for label, step in run.steps.items():
            places.setdefault(label, []).append(step.place)
    return sorted(places, key=lambda label: (sum(places[label]) / len(places[label]), label))


def _step(
    label: str,
    old: Sequence[StepSample],
    new: Sequence[StepSample],
    runs: tuple[int, int],
    tests: Sequence[ComparedMeasure],
    limits: Limits,
) -> StepOfSets:
    times = [_median(one.duration_ns for one in side) for side in (old, new)]
    costs = [_median(one.usd for one in side) for side in (old, new)]
    answers = _new_answers(old, new)
    return StepOfSets(
        label=label,
        kind=(*new, *old)[0].kind,
        n_before=len(old),
        n_after=len(new),
        share_before=len(old) / runs[0],
        share_after=len(new) / runs[1],
        duration_before_ns=times[0],
        duration_after_ns=times[1],
        usd_before=costs[0],
        usd_after=costs[1],
        new_answers=answers,
        changes=tuple(_changes(old, new, tests, answers, _beyond(times, costs, limits))),
        measures=tuple(tests),
    )


def _beyond(
    times: Sequence[float | None], costs: Sequence[float | None], limits: Limits
) -> tuple[Change | None, Change | None]:
    rounded = [None if one is None else round(one) for one in times]
    return limits.time(*rounded), limits.cost(*costs)


def _changes(
    old: Sequence[StepSample],
    new: Sequence[StepSample],
    tests: Sequence[ComparedMeasure],
    answers: float | None,
    beyond: tuple[Change | None, Change | None],
) -> Iterator[Change]:
    if not old or not new:
        yield Change.REMOVED if old else Change.ADDED
        return
    significant = {_CHANGES.get((one.measure, one.verdict)) for one in tests}
    if answers is not None and answers >= _NEW_ANSWERS:
        yield Change.ANSWERED
    for change in (Change.OFTENER, Change.RARER, Change.ENDED):
        if change in significant:
            yield change
    for limited in beyond:
        if limited is not None and limited in significant:
            yield limited


def _new_answers(old: Sequence[StepSample], new: Sequence[StepSample]) -> float | None:
    known = {one.answer for one in old if one.answer is not None}
    given = [one.answer for one in new if one.answer is not None]
    return sum(answer not in known for answer in given) / len(given) if known and given else None


def _median(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None and math.isfinite(value)]
    return float(median(found)) if found else None


__all__ = ["RunSample", "SetDiff", "StepOfSets", "diff_sets"]
