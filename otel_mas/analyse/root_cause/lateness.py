"""Lateness: whose time on the critical path was longer than that of its like."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest

from otel_mas.analyse.root_cause.acts import Act, Acts
from otel_mas.analyse.root_cause.evidence import Evidence
from otel_mas.causal import StepKind

_LEAST = 0.02
"""Share of the critical path below which nobody is held responsible."""


def lateness_evidence(acts: Acts) -> Iterator[Evidence]:
    """Acts by the time that they held up the run beyond what others of their kind and name take.

    That is the median of the others' durations; the only one of its name counts with all of its time on the path.
    """
    path = acts.graph.critical_path()
    took: dict[int, int] = defaultdict(int)
    waited: dict[int, int] = defaultdict(int)
    for step, following in zip_longest(path.sections, path.sections[1:]):
        # Time of the framework is that of whoever held it up, else of what started late.
        waits = step.kind is not StepKind.SPAN
        span = step.held_by or (following.span if waits and following is not None else step.span)
        act = None if span is None else acts.at(span)
        if act is not None:
            (waited if waits else took)[act.number] += step.duration_ns
    usual = _Usual(acts)
    for number in sorted(took.keys() | waited.keys()):
        on_path, others = took[number] + waited[number], usual.duration_ns(acts[number])
        beyond = max(0, on_path - (others or 0)) / max(1, path.total_ns)
        if beyond >= _LEAST:
            what = "held up, or began late for," if waited[number] > took[number] else "took"
            like = "" if others is None else f"; others of its name take {others / path.total_ns:.0%} of it"
            yield Evidence(number, beyond, f"{what} {on_path / path.total_ns:.0%} of the critical path{like}")


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
