"""The diff of two runs: their steps side by side, what changed, from where on, and what follows from what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from otel_mas.analyse.diff.alignment import NOTHING, Alignment, align
from otel_mas.analyse.diff.consequences import Differences, origins
from otel_mas.analyse.diff.content import same_answer, same_question
from otel_mas.analyse.diff.run_steps import RunSteps
from otel_mas.analyse.diff.step_tree import StepTree
from otel_mas.analyse.diff.steps import Change, Limits, StepOfRun, StepPair
from otel_mas.analyse.final_output import run_outcome
from otel_mas.model.amounts import duration, usd


@dataclass(frozen=True)
class RunDiff:
    """Two runs side by side. `a` is the first of the two, `b` the second."""

    a: RunSteps
    b: RunSteps
    steps: tuple[StepPair, ...]
    """All steps of both, each after what is around it, in the order of the second run; what only the first has stands
    after what it followed there."""
    limits: Limits

    @cached_property
    def counts(self) -> Counter[Change]:
        """Number of steps by change."""
        return Counter(change for step in self.steps for change in step.changes)

    @cached_property
    def differing(self) -> tuple[StepPair, ...]:
        """Steps that did something else, and not only for longer or for more."""
        return tuple(step for step in self.steps if step.differs)

    @property
    def same(self) -> bool:
        """Whether both did the same, however long it took and whatever it cost."""
        return not self.differing

    @property
    def content_compared(self) -> bool:
        """Whether it is known of both what they were asked and answered; if not, that counts as the same."""
        return self.a.content.kept and self.b.content.kept

    @property
    def first_divergence(self) -> StepPair | None:
        """The first step that differs although none of its causes does; None where both did the same."""
        return next(iter(self.divergences), None)

    @cached_property
    def divergences(self) -> tuple[StepPair, ...]:
        """Steps that differ although none of their causes does: the first, and those that do not follow from it."""
        return tuple(self.steps[rank] for rank, origin in sorted(self._origins.items()) if rank == origin)

    def follows_from(self, step: StepPair) -> StepPair | None:
        """The divergence that a step that differs follows from; itself where it is one, None where it is the same."""
        origin = self._origins.get(self._ranks[id(step)])
        return None if origin is None else self.steps[origin]

    def consequences(self, divergence: StepPair | None) -> tuple[StepPair, ...]:
        """The steps that differ because one does, in order, without itself; of None, where nothing differs, none."""
        if divergence is None:
            return ()
        origin = self._ranks[id(divergence)]
        return tuple(self.steps[rank] for rank, one in sorted(self._origins.items()) if one == origin != rank)

    @cached_property
    def _ranks(self) -> dict[int, int]:
        return {id(step): rank for rank, step in enumerate(self.steps)}

    @cached_property
    def _origins(self) -> dict[int, int]:
        sides = []
        for run, name in ((self.a, "a"), (self.b, "b")):
            differences = Differences({}, {})
            for rank, step in enumerate(self.steps):
                own: StepOfRun | None = getattr(step, name)
                if own is not None and step.differs:
                    group = differences.at_begin if step.differs_from_its_begin else differences.at_end
                    group[own.number] = rank  # type: ignore[index]
            sides.append((run.tree, differences))
        return origins(sides)

    def answers(self, step: StepPair) -> tuple[str | None, str | None]:
        """Answers of a step in each run, as text; None where it has none, or that was not kept."""
        return (
            None if step.a is None else self.a.content.answer(step.a.number),
            None if step.b is None else self.b.content.answer(step.b.number),
        )

    @property
    def causes_gone(self) -> tuple[tuple[str, str], ...]:
        """Causes and effects, by labels of tasks, that only the first run has."""
        return self._causes[0]

    @property
    def causes_new(self) -> tuple[tuple[str, str], ...]:
        """Those that only the second run has."""
        return self._causes[1]

    @cached_property
    def _causes(self) -> Sequence[tuple[tuple[str, str], ...]]:
        edges = []
        for run, name in ((self.a, "a"), (self.b, "b")):
            ranks = {own.number: rank for rank, step in enumerate(self.steps) if (own := getattr(step, name))}
            numbers, step_of = run.tree.graph.table.numbers, run.tree.step_of
            ends = (
                (step_of[numbers[edge.cause]], step_of[numbers[edge.effect]]) for edge in run.tree.graph.control_edges()
            )
            edges.append({(ranks[cause], ranks[effect]) for cause, effect in ends})
        labels = [step.label for step in self.steps]
        return [
            tuple((labels[cause], labels[effect]) for cause, effect in sorted(edges[side] - edges[1 - side]))
            for side in (0, 1)
        ]

    @property
    def slower_ns(self) -> int:
        """Nanoseconds that the second run took longer than the first; below 0 where it was faster."""
        return self.b.duration_ns - self.a.duration_ns

    @property
    def dearer_usd(self) -> float | None:
        """USD that the second run cost more; None where one of the two costs is not known."""
        return None if self.a.usd is None or self.b.usd is None else self.b.usd - self.a.usd

    @property
    def outcomes(self) -> tuple[str | None, str | None]:
        """Outcome of each run: ok, interrupted, error, cancelled or abandoned; None: not known."""
        return run_outcome(self.a.tree.graph), run_outcome(self.b.tree.graph)

    @property
    def summary(self) -> str:
        """Everything on a line: 3 steps added, 1 removed; +1.2 s, +$0.004; differs from writer#2 on."""
        parts = []
        if self.same:
            parts.append(f"no difference in {len(self.steps):,} step{'' if len(self.steps) == 1 else 's'}")
        if self.counts:
            parts.append(counted(self.counts.elements(), noun=not self.same))
        amounts = [f"{'+' if self.slower_ns > 0 else '-'}{duration(abs(self.slower_ns))}"] if self.slower_ns else []
        if self.dearer_usd and abs(self.dearer_usd) >= self.limits.least_usd / 10:
            amounts.append(f"{'+' if self.dearer_usd > 0 else '-'}{usd(abs(self.dearer_usd))}")
        if amounts:
            parts.append(", ".join(amounts))
        if self.first_divergence is not None:
            parts.append(f"differs from {self.first_divergence.label} on")
        if not self.content_compared:
            parts.append("questions and answers were not found in both, and not compared")
        return "; ".join(parts)


def counted(changes: Iterable[Change], *, noun: bool = True) -> str:
    """The number of steps by change: 3 steps added, 1 removed; empty where there is none."""
    counts = Counter(changes)
    found = [(counts[change], change) for change in Change if counts[change]]
    words = [f"{number:,} {change}" for number, change in found]
    if found and noun:
        number, change = found[0]
        words[0] = f"{number:,} step{'' if number == 1 else 's'} {change}"
    return ", ".join(words)


def diff_runs(a: RunSteps, b: RunSteps, limits: Limits | None = None) -> RunDiff:
    """Compare two runs step by step.

    Args:
        a: the first run: what it was.
        b: the second run: what it is now.
        limits: from where on a step is slower or dearer; by default 1.25 times as much, and 20 ms or $0.00001 more.
    """
    limits = limits or Limits()
    for run in (a, b):
        run.content.read_answers()
    alignment = align(a.content, b.content)
    reader = _Reader(a, b, alignment, limits)
    return RunDiff(a, b, tuple(reader.pair(*one) for one in _merged(a.tree, b.tree, alignment)), limits)


class _Reader:
    def __init__(self, a: RunSteps, b: RunSteps, alignment: Alignment, limits: Limits) -> None:
        self._a, self._b, self._alignment, self._limits = a, b, alignment, limits

    def pair(self, i: int, j: int, depth: int) -> StepPair:
        """The steps with these numbers, one of which may be -1."""
        one = None if i == NOTHING else self._a.step(i)
        other = None if j == NOTHING else self._b.step(j)
        if one is not None and other is not None:
            changes = tuple(self._changes(one, other))
            if Change.ANSWERED not in changes:
                return StepPair(one, other, depth, changes)
            return StepPair(one, other, depth, changes, self._a.content.answer(i), self._b.content.answer(j))
        if one is not None:
            return StepPair(one, None, depth, (Change.REMOVED,), self._a.content.answer(i), None)
        return StepPair(None, other, depth, (Change.ADDED,), None, self._b.content.answer(j))

    def _changes(self, one: StepOfRun, other: StepOfRun) -> Iterator[Change]:
        a, b = self._a.content, self._b.content
        if other.number in self._alignment.moved:
            yield Change.REORDERED
        if one.name != other.name:
            yield Change.RENAMED
        if not same_question(a, one.number, b, other.number):
            yield Change.ASKED
        if not same_answer(a, one.number, b, other.number):
            yield Change.ANSWERED
        if one.status != other.status:
            yield Change.ENDED
        for change in (
            self._limits.time(one.duration_ns, other.duration_ns),
            self._limits.cost(one.usd, other.usd),
        ):
            if change is not None:
                yield change


def _merged(a: StepTree, b: StepTree, alignment: Alignment) -> Iterator[tuple[int, int, int]]:
    """The numbers of the steps of both runs, and how deep they are, each after what is around it."""
    waiting = [(i, j, 0) for i, j in reversed(_siblings(a.roots, b.roots, alignment))]
    seen_a, seen_b = set[int](), set[int]()
    while waiting:
        i, j, depth = waiting.pop()
        if i in seen_a or j in seen_b:
            continue
        seen_a.update({i} - {NOTHING})
        seen_b.update({j} - {NOTHING})
        yield i, j, depth
        inside = _siblings(a.children[i] if i != NOTHING else (), b.children[j] if j != NOTHING else (), alignment)
        waiting += [(one, other, depth + 1) for one, other in reversed(inside)]


def _siblings(some: Sequence[int], others: Sequence[int], alignment: Alignment) -> list[tuple[int, int]]:
    """Siblings of both runs in the order of the second; one that only the first has after what it followed there."""
    ordered = [(alignment.of_b[j], j) for j in others]
    places = {i: place for place, (i, _) in enumerate(ordered) if i != NOTHING}
    after: dict[int, list[int]] = {}
    last = -1
    for i in some:
        if i in places:
            last = places[i]
        elif alignment.of_a[i] == NOTHING:
            after.setdefault(last, []).append(i)
    found = [(i, NOTHING) for i in after.get(-1, ())]
    for place, pair in enumerate(ordered):
        found.append(pair)
        found += [(i, NOTHING) for i in after.get(place, ())]
    return found


__all__ = ["RunDiff", "counted", "diff_runs"]
