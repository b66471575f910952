"""Findings of many runs, grouped: the same finding is one line, with how often it comes and whether that changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from otel_mas.analyse.findings import ranked
from otel_mas.analyse.proportions import fisher_p
from otel_mas.model import Finding, Severity

_ALPHA = 0.05


class FindingTrend(StrEnum):
    """Change of the share of runs that have a finding, from the older half of the runs to the newer one."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"
    """No change that is significant."""
    CANNOT_TELL = "cannot tell"
    """So few runs that even the greatest change would not be significant."""


@dataclass(frozen=True, slots=True)
class ExaminedRun:
    """A run with its findings."""

    trace_id: str
    start_ns: int
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """The same finding over many runs: of one kind, about one subject."""

    code: str
    subject: str
    severity: Severity
    """The worst."""
    example: Finding
    """The surest of the worst."""
    example_trace: str
    """Id of its trace."""
    findings: int
    traces: Sequence[str]
    """Ids of the runs that have it, the newest first."""
    share: float
    """Part of all runs that were examined, 0 to 1."""
    first_ns: int
    """Start of the oldest of these runs, nanoseconds since 1970."""
    last_ns: int
    """Start of the newest."""
    trend: FindingTrend
    saves_ns: int | None
    """Sum over the findings that can tell."""
    saves_usd: float | None


def group(runs: Iterable[ExaminedRun]) -> list[FindingGroup]:
    """Groups of findings, the worst first; of the same severity those first that most runs have."""
    ordered = sorted(runs, key=lambda run: run.start_ns)
    found: dict[tuple[str, str], list[tuple[int, Finding]]] = {}
    for number, run in enumerate(ordered):
        for one in run.findings:
            found.setdefault((one.code, one.subject), []).append((number, one))
    groups = [_group(members, ordered) for members in found.values()]
    order = list(Severity)
    return sorted(groups, key=lambda one: (order.index(one.severity), -len(one.traces), one.code, one.subject))


def _group(members: Sequence[tuple[int, Finding]], runs: Sequence[ExaminedRun]) -> FindingGroup:
    numbers = sorted({number for number, _ in members})
    example = ranked(one for _, one in members)[0]
    where = next(number for number, one in reversed(members) if one is example)
    times = [one.saves_ns for _, one in members if one.saves_ns is not None]
    amounts = [one.saves_usd for _, one in members if one.saves_usd is not None]
    return FindingGroup(
        example.code,
        example.subject,
        example.severity,
        example,
        runs[where].trace_id,
        len(members),
        [runs[number].trace_id for number in reversed(numbers)],
        len(numbers) / len(runs),
        runs[numbers[0]].start_ns,
        runs[numbers[-1]].start_ns,
        _trend(numbers, len(runs)),
        sum(times) if times else None,
        sum(amounts) if amounts else None,
    )


def _trend(numbers: Sequence[int], runs: int) -> FindingTrend:
    """Trend of a finding that these runs have, of so many in the order of time."""
    older = runs // 2
    newer = runs - older
    before = sum(number < older for number in numbers)
    after = len(numbers) - before
    extreme = min(
        fisher_p(0, older, min(len(numbers), newer), newer), fisher_p(min(len(numbers), older), older, 0, newer)
    )
    if fisher_p(before, older, after, newer) < _ALPHA:
        return FindingTrend.RISING if after * older > before * newer else FindingTrend.FALLING
    return FindingTrend.STEADY if extreme < _ALPHA or len(numbers) == runs else FindingTrend.CANNOT_TELL


__all__ = ["ExaminedRun", "FindingGroup", "FindingTrend", "group"]
