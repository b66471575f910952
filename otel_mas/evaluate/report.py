"""Reports of evaluations: by case, by run and by evaluator. As JSON they are baselines for later ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, computed_field

from otel_mas.errors.printable import one_line
from otel_mas.evaluate.judge_cost import JudgeCost
from otel_mas.evaluate.outcome import Outcome
from otel_mas.evaluate.reliability import Reliability
from otel_mas.evaluate.result_columns import RESULTS
from otel_mas.model.frame import Frame, Tabular, finite, text


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class EvaluationResult(_Record):
    """Result of one evaluator on one run."""

    evaluator: str
    outcome: Outcome
    value: bool | int | float | str | None = None
    """A bool is an assertion, a number a score, a str a label; None without evidence."""
    reason: str = ""
    """Why; of a failure the expected beside the actual, without evidence what the trace would have to say."""
    error_type: str | None = None
    """Class of the exception that the evaluator raised, which fails the run; None of one that gave a value."""
    warnings: tuple[str, ...] = ()
    """Doubts about the expectation itself, such as a tool that the run does not know."""
    judge_cost: JudgeCost | None = None
    """Cost of the judge that was asked; None of others."""


class RunResult(_Record):
    """Results of one run."""

    trace_ids: tuple[str, ...]
    span_id: str
    """Id of the span that stands for the run."""
    results: tuple[EvaluationResult, ...]
    tokens: int
    usd: float | None
    """US dollars; None where no model call has a price."""
    wall_ms: float
    critical_path_ms: float

    @computed_field  # type: ignore[prop-decorator]
    @property
    def outcome(self) -> Outcome:
        """Failed where one evaluator failed, else insufficient where one lacks evidence."""
        return Outcome.of(one.outcome for one in self.results)

    def result(self, evaluator: str) -> EvaluationResult:
        """The result of an evaluator by its name. Raises KeyError where there is none."""
        for one in self.results:
            if one.evaluator == evaluator:
                return one
        raise KeyError(evaluator)


class CaseResult(_Record):
    """Results of one case, on each of its runs."""

    name: str
    pass_rate: float = 1.0
    """The part of the runs that has to pass."""
    runs: tuple[RunResult, ...]
    reason: str = ""
    """Why there are no runs."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def outcome(self) -> Outcome:
        """Passed where enough runs did, failed where enough of them cannot have, else insufficient evidence.

        Failed, too, where an evaluator raised an exception, whatever the rate: the case is broken, not the run.
        """
        if not self.runs:
            return Outcome.INSUFFICIENT_EVIDENCE
        if self.error_type is not None:
            return Outcome.FAILED
        needed = math.ceil(self.pass_rate * len(self.runs) - 1e-9)
        passed, failed = self.count(Outcome.PASSED), self.count(Outcome.FAILED)
        if passed >= needed:
            return Outcome.PASSED
        return Outcome.FAILED if len(self.runs) - failed < needed else Outcome.INSUFFICIENT_EVIDENCE

    @property
    def error_type(self) -> str | None:
        """Class of the first exception that an evaluator raised; None where none did."""
        types = (one.error_type for run in self.runs for one in run.results if one.error_type is not None)
        return next(types, None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of each evaluator that has them on every run, after its name: a name that one run knows is right."""
        of: dict[str, list[tuple[str, ...]]] = {}
        for run in self.runs:
            for one in run.results:
                of.setdefault(one.evaluator, []).append(one.warnings)
        found = (f"{name}: {text}" for name, runs in of.items() if all(runs) for several in runs for text in several)
        return tuple(dict.fromkeys(found))

    def count(self, outcome: Outcome) -> int:
        """Number of runs of this outcome."""
        return sum(run.outcome == outcome for run in self.runs)

    @property
    def reliability(self) -> Reliability:
        """Reliability over its runs with a known outcome."""
        passed = self.count(Outcome.PASSED)
        return Reliability(passed, passed + self.count(Outcome.FAILED))

    def problems(self) -> Iterator[tuple[RunResult, EvaluationResult]]:
        """Results that did not pass, each with its run; those that failed before those that lack evidence."""
        for outcome in (Outcome.FAILED, Outcome.INSUFFICIENT_EVIDENCE):
            yield from ((run, one) for run in self.runs for one in run.results if one.outcome == outcome)


class EvalReport(_Record, Tabular):
    """Report of an evaluation. `str(report)` has a line for each case, and one for each result that did not pass.

    As a data frame it has a row for each result: `to_pandas()`, `to_arrow()`.
    """

    cases: tuple[CaseResult, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def outcome(self) -> Outcome:
        """Failed where a case failed, else insufficient where one lacks evidence, else passed."""
        return Outcome.of(case.outcome for case in self.cases)

    @property
    def passed(self) -> bool:
        """Whether every case passed."""
        return self.outcome == Outcome.PASSED

    @property
    def judge_cost(self) -> JudgeCost:
        """Cost of all judges."""
        return JudgeCost.total(one.judge_cost for case in self.cases for run in case.runs for one in run.results)

    def case(self, name: str) -> CaseResult:
        """The results of a case by its name. Raises KeyError where there is none."""
        for one in self.cases:
            if one.name == name:
                return one
        raise KeyError(name)

    def counts(self) -> Mapping[Outcome, int]:
        """Number of cases of each outcome."""
        return {outcome: sum(case.outcome == outcome for case in self.cases) for outcome in Outcome}

    def _frame(self) -> Frame:
        return Frame(RESULTS, [row for case in self.cases for row in _rows(case)])

    def to_json(self) -> str:
        """The report as JSON, with the outcomes of runs and cases; a baseline for later ones."""
        return self._json(indent=2)

    def _json(self, **options: Any) -> str:
        return self.model_dump_json(**options) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """A report as `to_json` wrote it. Raises pydantic.ValidationError."""
        return cls.model_validate_json(text)

    def __str__(self) -> str:
        return "\n".join(_lines(self.cases))


def _rows(case: CaseResult) -> Iterator[tuple[Any, ...]]:
    if not case.runs:
        nothing = (None,) * (len(RESULTS) - 10)
        yield case.name, case.outcome.value, *(None,) * 4, case.outcome.value, None, None, text(case.reason), *nothing
    for run in case.runs:
        for one in run.results:
            yield case.name, case.outcome.value, *_row(run, one)


def _row(run: RunResult, one: EvaluationResult) -> tuple[Any, ...]:
    cost = one.judge_cost
    return (
        run.trace_ids[0],
        run.span_id,
        run.outcome.value,
        one.evaluator,
        one.outcome.value,
        float(one.value) if isinstance(one.value, bool) else finite(one.value),
        text(one.value) if isinstance(one.value, str) else None,
        text(one.reason),
        one.error_type,
        text("; ".join(one.warnings)) or None,
        run.tokens,
        run.usd,
        run.wall_ms / 1e3,
        run.critical_path_ms / 1e3,
        None if cost is None else cost.tokens,
        None if cost is None else cost.usd,
    )


def _lines(cases: Sequence[CaseResult]) -> Iterator[str]:
    for case in cases:
        runs = f" ({case.count(Outcome.PASSED)} of {len(case.runs)} runs)" if len(case.runs) > 1 else ""
        yield f"{case.name}: {case.outcome.words}{runs}{f': {case.reason}' if case.reason else ''}"
        for run, one in case.problems():
            where = f" in trace {run.trace_ids[0][:12]}" if len(case.runs) > 1 else ""
            yield f"  {one.evaluator}: {one.outcome.words}{where}: {one_line(one.reason, 500)}"
        yield from (f"  warning: {one_line(text, 500)}" for text in case.warnings)


__all__ = ["CaseResult", "EvalReport", "EvaluationResult", "RunResult"]
