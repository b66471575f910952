"""Two sets of runs compared, measure by measure: what got longer, dearer or failed more often, and what is chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean, median

from otel_mas.analyse.measures import UNITS, Measures, Subject
from otel_mas.analyse.statistics import TwoSampleTest, fisher, holm, mann_whitney

ALPHA_RUN, ALPHA_PARTS = 0.03, 0.02
"""Chance of any false alarm about the run as a whole, and about its agents, nodes and edges: 5 % together."""
_TOKENS = ("input_tokens", "output_tokens")
"""Left out where no run has any: what calls no model has none to compare."""
_ORDER = ("run", "agent", "node", "edge", "step")


class Verdict(StrEnum):
    """The verdict on one measure."""

    HIGHER = "higher"
    LOWER = "lower"
    NO_DIFFERENCE = "no difference found"
    """There may be a small one: see `ChangedMeasure.effect` and the numbers of runs."""
    CANNOT_TELL = "cannot tell"
    """So few runs have this measure that no difference, however large, could be told from chance."""


@dataclass(frozen=True, slots=True)
class ComparedMeasure:
    """One measure in two sets of runs."""

    of: str
    """run, agent, node or edge; step in the diff of two sets."""
    name: str
    measure: str
    unit: str
    """s, tokens, USD, count, or share (of runs, for `errors`)."""
    n_before: int
    """Runs that have a value: an agent's only where it acted, a cost only where every price is known."""
    n_after: int
    before: float | None
    """Median; of errors the share of runs with one. None without a run."""
    after: float | None
    change: float | None
    """`after / before - 1`; of errors `after - before`. None where before is 0 or unknown."""
    effect: float | None
    """Cliff's delta (rank-biserial correlation), -1 to 1; of errors the difference of the shares."""
    p: float | None
    """Two-sided, of the Mann-Whitney U test; of errors of Fisher's exact test."""
    p_adjusted: float | None
    """The same, by Holm's method for the number of measures."""
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sets of runs compared. Measures that changed come first, then by subject, the run itself first."""

    runs_before: int
    runs_after: int
    measures: tuple[ComparedMeasure, ...]

    @property
    def changed(self) -> tuple[ComparedMeasure, ...]:
        """Those that are higher or lower."""
        return tuple(one for one in self.measures if one.verdict in (Verdict.HIGHER, Verdict.LOWER))


def compare(before: Sequence[Measures], after: Sequence[Measures]) -> Comparison:
    """Compare two sets of runs.

    The chance that anything at all is called higher or lower although both sets are of one distribution is 5 % at most,
    however many agents and edges there are: Holm's method over the measures of the run (at 3 %) and over those of its
    parts (at 2 %). Runs are taken to be independent of each other.

    Args:
        before, after: The measures of each run.

    Raises:
        MissingExtra: scipy is not installed.
    """
    runs = (*before, *after)
    keys = sorted(
        {key for run in runs for key in run if key[1] not in _TOKENS or any(other.get(key) for other in runs)},
        key=lambda key: (_ORDER.index(key[0].of), key[0].name, list(UNITS).index(key[1])),
    )
    found = [_untested(key, before, after) for key in keys]
    for family, alpha in (("run",), ALPHA_RUN), (_ORDER[1:], ALPHA_PARTS):
        _judge(found, [place for place, (one, _) in enumerate(found) if one.of in family], alpha)
    changed = sorted((one for one, _ in found), key=lambda one: one.verdict not in (Verdict.HIGHER, Verdict.LOWER))
    return Comparison(len(before), len(after), tuple(changed))


_Compared = tuple[ComparedMeasure, TwoSampleTest | None]


def _untested(key: tuple[Subject, str], before: Iterable[Measures], after: Iterable[Measures]) -> _Compared:
    """The measure without a verdict, and its test where both sets have values."""
    subject, measure = key
    old, new = (_values(key, runs) for runs in (before, after))
    shares = measure == "errors"
    first, second = (((fmean if shares else median)(values) if values else None) for values in (old, new))
    change = None
    if first is not None and second is not None:
        change = second - first if shares else second / first - 1 if first else None
    tested = None
    if old and new:
        tested = fisher(list(map(bool, old)), list(map(bool, new))) if shares else mann_whitney(old, new)
    compared = ComparedMeasure(
        of=subject.of,
        name=subject.name,
        measure=measure,
        unit=UNITS[measure],
        n_before=len(old),
        n_after=len(new),
        before=first,
        after=second,
        change=change,
        effect=None if tested is None else tested.effect,
        p=None if tested is None else tested.p,
        p_adjusted=None,
        verdict=Verdict.CANNOT_TELL,
    )
    return compared, tested


def _values(key: tuple[Subject, str], runs: Iterable[Measures]) -> list[float]:
    """Values of the runs that have one; an agent or edge that is not in a run has 0 steps there."""
    if key[1] == "steps":
        return [run.get(key, 0.0) for run in runs]
    return [run[key] for run in runs if key in run]


def _judge(found: list[_Compared], places: Sequence[int], alpha: float) -> None:
    """Put the verdicts of one family in place."""
    tests = [(place, tested) for place in places if (tested := found[place][1]) is not None]
    adjusted = holm([tested for _, tested in tests], alpha)
    for (place, tested), p in zip(tests, adjusted, strict=True):
        verdict = Verdict.CANNOT_TELL
        if p is not None and p <= alpha:
            verdict = Verdict.HIGHER if tested.effect > 0 else Verdict.LOWER
        elif p is not None or _alike(found[place][0]):
            verdict = Verdict.NO_DIFFERENCE
        found[place] = replace(found[place][0], p_adjusted=p, verdict=verdict), tested


def _alike(one: ComparedMeasure) -> bool:
    """Whether all values are equal, of runs enough to have shown a difference that is always there."""
    return one.before == one.after and one.p == 1.0 and min(one.n_before, one.n_after) >= FEWEST_RUNS


FEWEST_RUNS = 5
"""Runs on each side below which nothing is said of values that are all equal."""

__all__ = ["ALPHA_PARTS", "ALPHA_RUN", "FEWEST_RUNS", "ComparedMeasure", "Comparison", "Verdict", "compare"]
