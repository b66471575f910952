"""Findings: what is wrong with a run. Each kind is one file here, found by entry point, as those of other packages are.

A detector is a function of `RunFacts` that yields a `Finding` for each thing that is wrong, or `Undecided` where the
recording cannot tell. The name of its entry point is the code of its findings; its docstring is their paragraph in
docs/findings.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.model import Finding, Severity, Undecided

Detector = Callable[[RunFacts], Iterable[Finding | Undecided]]
_ORDER = {severity: number for number, severity in enumerate(Severity)}


def detect(facts: RunFacts, detectors: Mapping[str, Detector]) -> Iterator[Finding | Undecided]:
    """Findings of each detector in a run.

    One that fails, of whoever it is, takes nothing from the others: it is named as undecided.
    """
    for code, detector in detectors.items():
        try:
            found = list(detector(facts))
        except Exception as error:
            yield Undecided(code, f"its detector failed with {type(error).__name__}: {error}")
        else:
            yield from found


def ranked(findings: Iterable[Finding]) -> Sequence[Finding]:
    """The worst first; of the same severity the surest, then the one that cost most time."""

    def rank(one: Finding) -> tuple[int, float, int]:
        return _ORDER[one.severity], -one.confidence, -(one.saves_ns or 0)

    return sorted(findings, key=rank)


__all__ = ["Detector", "RunFacts", "detect", "ranked"]
