"""Lateness: whose time on the critical path was longer than that of its like."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest

from otel_mas.analyse.root_cause.acts import Act, Acts
from otel_mas.analyse.root_cause.evidence import Evidence
from otel_mas.causal import Step, StepKind

_LEAST = 0.02
"""Share of the critical path below which nobody is held responsible."""
_BEGAN_LATE = 0.6
"""Share of the time before a called task that is its own: its caller has little to do between two calls."""


def lateness_evidence(acts: Acts) -> Iterator[Evidence]:
    """Acts by the time for which they held up the run, and by that beyond what others of their kind and name take.

    The mean of the two; usual is the median of the others' durations, and nothing for the only one of its name.
    """
    path = acts.graph.critical_path()
    took: dict[int, float] = defaultdict(float)
    waited: dict[int, float] = defaultdict(float)
    for step, following in zip_longest(path.sections, path.sections[1:]):
        for act, share, waits in _held_up_by(step, following, acts):
            (waited if waits else took)[act.number] += step.duration_ns * share
    usual = _Usual(acts)
    for number in sorted(took.keys() | waited.keys()):
        on_path, others = took[number] + waited[number], usual.duration_ns(acts[number])
        beyond = (on_path + max(0, on_path - (others or 0))) / 2 / max(1, path.total_ns)
        if beyond >= _LEAST:
            what = "held up, or began late for," if waited[number] > took[number] else "took"
            like = "" if others is None else f"; others of its name take {others / path.total_ns:.0%} of it"
            yield Evidence(number, beyond, f"{what} {on_path / path.total_ns:.0%} of the critical path{like}")


def _held_up_by(step: Step, following: Step | None, acts: Acts) -> Iterator[tuple[Act, float, bool]]:
    """The acts that a step of the path is owed to, with their shares, and whether they held up or began late.

    Time of the framework is that of whoever held it up, else of what began late. An act that goes on to another one
    inside of it may have worked, or waited for that one to begin, which is more likely.
    """
    act = None if step.span is None else acts.at(step.span)
    after = None if following is None or following.span is None else acts.at(following.span)
    if step.held_by is not None or step.kind is not StepKind.SPAN:
        owed = after if step.held_by is None else acts.at(step.held_by)
        if owed is not None:
            yield owed, 1.0, True
    elif act is not None and after is not None and _waited_for(act, after, acts):
        yield act, 1 - _BEGAN_LATE, False
        yield after, _BEGAN_LATE, True
    elif act is not None:
        yield act, 1.0, False


def _waited_for(act: Act, after: Act, acts: Acts) -> bool:
    """Whether an act had another one inside of it, or called, and not as the first."""
    if acts.caller_of(after) is act:
        return acts.called_before(after) is not None
    return act in acts.around(after.span) and acts.inside(act)[0] is not after


class _Usual:
    """Durations of acts of the same kind and name."""

    def __init__(self, acts: Acts) -> None:
        self._by_name: dict[tuple[str | None, str], list[int]] = defaultdict(list)
        for act in acts:
            self._by_name[_name(act)].append(act.span.duration_ns)
        for durations in self._by_name.values():
            durations.sort()

    def duration_ns(self, act: Act) -> int | None:
        """Median duration of the others of its kind and name (the lower of two); None where there are none."""
        durations = self._by_name[_name(act)]
        if len(durations) < 2:
            return None
        middle = (len(durations) - 2) // 2
        own = bisect_left(durations, act.span.duration_ns)
        return durations[middle if middle < own else middle + 1]


def _name(act: Act) -> tuple[str | None, str]:
    return act.span.record_kind, act.span.name


__all__ = ["lateness_evidence"]
