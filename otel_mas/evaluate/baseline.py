"""A report against an earlier one, the baseline: what regressed, what improved, and what became dearer or slower."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import ValidationError

from otel_mas.analyse.proportions import fisher_p
from otel_mas.errors import ConfigError, arguments
from otel_mas.evaluate.outcome import Outcome
from otel_mas.evaluate.report import CaseResult, EvalReport

SIGNIFICANT = 0.05
"""From which p-value on a lower rate of passing runs is no chance."""
_NOTABLE = 0.1
"""From which part on an amount has changed."""
_AMOUNTS = ("tokens", "usd", "wall_ms", "critical_path_ms")


class BaselineChangeKind(StrEnum):
    """Kind of a change since the baseline."""

    REGRESSED = "regressed"
    """It passed, and fails now, or less often than by chance."""
    IMPROVED = "improved"
    """It failed, and passes now."""
    LOST = "lost"
    """It passed or failed, and the evidence is insufficient now."""
    AMOUNT = "amount"
    """A mean amount or score has changed by a tenth or more; that alone fails nothing."""
    NEW = "new"
    """A case that the baseline does not have."""
    MISSING = "missing"
    """A case that only the baseline has."""


@dataclass(frozen=True, slots=True)
class BaselineChange:
    """One change of a case, or of one of its evaluators."""

    kind: BaselineChangeKind
    case: str
    subject: str
    """An evaluator, an amount such as "tokens", or "" for the case as a whole."""
    summary: str
    """The change in words: before, and now."""


@dataclass(frozen=True, slots=True)
class BaselineComparison:
    """All changes since the baseline."""

    changes: tuple[BaselineChange, ...] = field(default=())

    def of_kind(self, *kinds: BaselineChangeKind) -> tuple[BaselineChange, ...]:
        """Changes of these kinds."""
        return tuple(one for one in self.changes if one.kind in kinds)

    @property
    def regressed(self) -> bool:
        """Whether something that passed fails now."""
        return bool(self.of_kind(BaselineChangeKind.REGRESSED))


def read_baseline(path: str | os.PathLike[str]) -> EvalReport:
    """The report in a file that `EvalReport.to_json` or `otel-mas evaluate --json` made.

    Raises:
        ConfigError: It cannot be read, or is no report.
    """
    file = arguments.path("path", path)
    try:
        return EvalReport.from_json(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"baseline {file} cannot be read: {error.strerror or error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"baseline {file} is no report of `otel-mas evaluate --json`: {where + ': ' if where else ''}{first['msg']}"
        ) from None


def compare_with_baseline(report: EvalReport, baseline: EvalReport) -> BaselineComparison:
    """The changes from a baseline to a report, case by case in the order of the report."""
    before = {case.name: case for case in baseline.cases}
    names = {case.name for case in report.cases}
    changes: list[BaselineChange] = []
    for case in report.cases:
        if case.name in before:
            changes += _changes(case, before[case.name])
        else:
            changes.append(BaselineChange(BaselineChangeKind.NEW, case.name, "", "the baseline does not have it"))
    gone = [name for name in before if name not in names]
    changes += [BaselineChange(BaselineChangeKind.MISSING, name, "", "only the baseline has it") for name in gone]
    return BaselineComparison(tuple(changes))


def _changes(now: CaseResult, before: CaseResult) -> Iterator[BaselineChange]:
    whole = _change_of(now.outcome, before.outcome, _rates(now, None), _rates(before, None))
    if whole is not None:
        yield BaselineChange(whole[0], now.name, "", whole[1])
    outcomes, known = _outcomes(now), _outcomes(before)
    for evaluator in outcomes:
        if evaluator in known:
            found = _change_of(outcomes[evaluator], known[evaluator], _rates(now, evaluator), _rates(before, evaluator))
            if found is not None:
                yield BaselineChange(found[0], now.name, evaluator, found[1])
    yield from _amounts(now, before)


def _outcomes(case: CaseResult) -> Mapping[str, Outcome]:
    """The worst outcome of each evaluator over all runs."""
    found: dict[str, list[Outcome]] = {}
    for run in case.runs:
        for one in run.results:
            found.setdefault(one.evaluator, []).append(one.outcome)
    return {name: Outcome.of(several) for name, several in found.items()}


def _rates(case: CaseResult, evaluator: str | None) -> tuple[int, int]:
    """How many runs passed, of those whose outcome is known."""
    if evaluator is None:
        outcomes = [run.outcome for run in case.runs]
    else:
        outcomes = [one.outcome for run in case.runs for one in run.results if one.evaluator == evaluator]
    return outcomes.count(Outcome.PASSED), len(outcomes) - outcomes.count(Outcome.INSUFFICIENT_EVIDENCE)


def _change_of(
    now: Outcome, before: Outcome, rate: tuple[int, int], rate_before: tuple[int, int]
) -> tuple[BaselineChangeKind, str] | None:
    words = f"{rate_before[0]} of {rate_before[1]} runs passed, now {rate[0]} of {rate[1]}"
    if now != before:
        text = f"{before.words}, now {now.words}" + (f" ({words})" if max(rate[1], rate_before[1]) > 1 else "")
        if now == Outcome.INSUFFICIENT_EVIDENCE:
            return BaselineChangeKind.LOST, text
        if now == Outcome.FAILED and before == Outcome.PASSED:
            return BaselineChangeKind.REGRESSED, text
        return (BaselineChangeKind.IMPROVED, text) if now == Outcome.PASSED and before == Outcome.FAILED else None
    if rate[1] and rate_before[1] and rate[0] / rate[1] != rate_before[0] / rate_before[1]:
        p = fisher_p(*rate, *rate_before)
        if p < SIGNIFICANT:
            less = rate[0] / rate[1] < rate_before[0] / rate_before[1]
            return (BaselineChangeKind.REGRESSED if less else BaselineChangeKind.IMPROVED), f"{words} (p = {p:.2g})"
    return None


def _amounts(now: CaseResult, before: CaseResult) -> Iterator[BaselineChange]:
    means, known = _means(now), _means(before)
    for name, mean in means.items():
        if name in known and abs(mean - known[name]) > _NOTABLE * abs(known[name]):
            yield BaselineChange(
                BaselineChangeKind.AMOUNT, now.name, name, f"{known[name]:.6g} on average, now {mean:.6g}"
            )


def _means(case: CaseResult) -> Mapping[str, float]:
    """Mean of each amount, and of each score, over the runs that have it."""
    found: dict[str, list[float]] = {}
    for run in case.runs:
        for name in _AMOUNTS:
            if (amount := getattr(run, name)) is not None:
                found.setdefault(name, []).append(float(amount))
        for one in run.results:
            if isinstance(one.value, int | float) and not isinstance(one.value, bool):
                found.setdefault(one.evaluator, []).append(float(one.value))
    return {name: sum(several) / len(several) for name, several in found.items()}


__all__ = [
    "SIGNIFICANT",
    "BaselineChange",
    "BaselineChangeKind",
    "BaselineComparison",
    "compare_with_baseline",
    "read_baseline",
]
