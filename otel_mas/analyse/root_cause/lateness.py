"""Lateness: whose time on the critical path was longer than that of its like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from statistics import median_low

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
    for step in path.sections:
        span = step.held_by or step.span
        act = None if span is None else acts.at(span)
        if act is not None:
            (took if step.kind is StepKind.SPAN else waited)[act.number] += step.duration_ns
    usual = _Usual(acts)
    for number in sorted(took.keys() | waited.keys()):
        on_path, others = took[number] + waited[number], usual.duration_ns(acts[number])
        beyond = max(0, on_path - (others or 0)) / max(1, path.total_ns)
        if beyond >= _LEAST:
            what = "held up" if waited[number] > took[number] else "took"
            like = "" if others is None else f"; others of its name take {others / path.total_ns:.0%} of it"
            yield Evidence(number, beyond, f"{what} {on_path / path.total_ns:.0%} of the critical path{like}")


class _Usual:
    """Durations of acts of the same kind and name."""

    def __init__(self, acts: Acts) -> None:
        self._by_name: dict[tuple[str | None, str], list[int]] = defaultdict(list)
        for act in acts:
            self._by_name[_name(act)].append(act.span.duration_ns)

    def duration_ns(self, act: Act) -> int | None:
        """Median duration of the others of its kind and name; None where there are none."""
        others = list(self._by_name[_name(act)])
        others.remove(act.span.duration_ns)
        return median_low(others) if others else None


def _name(act: Act) -> tuple[str | None, str]:
    return act.span.record_kind, act.span.name


__all__ = ["lateness_evidence"]
