"""Findings: what is wrong with a run. Each kind is one file here, found by entry point, as those of other packages are.

A detector is a function of `RunFacts` that yields a `Finding` for each thing that is wrong, or `Undecided` where the
recording cannot tell. The name of its entry point is the code of its findings; its docstring is their paragraph in
docs/findings.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.model import Finding, Severity, Undecided

Detector = Callable[[RunFacts], Iterable[Finding | Undecided]]
_USELESS = ("truncated-output", "malformed-tool-result-used", "empty-tool-result-used", "unused-result")
_LOOPS = ("handoff-loop", "step-repetition", "tool-call-loop")
GROUP = "otel_mas_detector"
_ORDER = {severity: number for number, severity in enumerate(Severity)}


def installed_detectors() -> dict[str, EntryPoint]:
    """Installed detectors by the code of their findings, ours and those of other packages; nothing is imported yet."""
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


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


def ranked(findings: Iterable[Finding], facts: RunFacts | None = None) -> Sequence[Finding]:
    """The worst first; of the same severity the surest, then the one that cost most time.

    Args:
        facts: of the run that all of them are about. With these, a useless output comes before the loop that it is in:
            the agents went round for want of a better one.
    """

    def rank(one: Finding) -> tuple[int, float, int]:
        return _ORDER[one.severity], -one.confidence, -(one.saves_ns or 0)

    ordered = sorted(findings, key=rank)
    if facts is None:
        return ordered
    for one in [one for one in ordered if one.code in _USELESS]:
        places = [ordered.index(loop) for loop in _loops_around(facts, one, ordered)]
        if places and min(places) < ordered.index(one):
            ordered.remove(one)
            ordered.insert(min(places), one)
    return ordered


def _loops_around(facts: RunFacts, one: Finding, findings: Sequence[Finding]) -> Sequence[Finding]:
    """The loops in which a task of a finding takes part, and those that share a task with these."""
    loops = [(loop, _tasks(facts, loop)) for loop in findings if loop.code in _LOOPS]
    tasks = set(_tasks(facts, one))
    for _ in loops:  # as many times as there are loops to get to
        tasks.update(*(inside for _, inside in loops if tasks & inside))
    return [loop for loop, inside in loops if tasks & inside]


def _tasks(facts: RunFacts, one: Finding) -> frozenset[str]:
    spans = [facts.scopes.spans[span] for span in one.spans if span in facts.scopes.spans]
    return frozenset(task.span_id for span in spans if (task := facts.task(span)) is not None)


__all__ = ["GROUP", "Detector", "RunFacts", "detect", "installed_detectors", "ranked"]
