"""The harness: holds recorded runs against cases."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from otel_mas.analyse.findings import RunFacts
from otel_mas.analyse.state.values import value_text
from otel_mas.errors import InsufficientEvidence
from otel_mas.errors.log import logger
from otel_mas.evaluate.case import EvaluationCase
from otel_mas.evaluate.context import RunContext
from otel_mas.evaluate.evaluator import EvaluationReason, Evaluator
from otel_mas.evaluate.evaluators.budgets import critical_path_ns, wall_times
from otel_mas.evaluate.judge_cost import JudgeCost
from otel_mas.evaluate.outcome import Outcome
from otel_mas.evaluate.report import CaseResult, EvalReport, EvaluationResult, RunResult
from otel_mas.model import Finding, Span, Undecided

_NS_PER_MS = 1e6


class FoundFindings(Protocol):
    """Findings of a run, as `Trace.findings()` gives them."""

    undecided: tuple[Undecided, ...]

    def __iter__(self) -> Iterator[Finding]: ...


@runtime_checkable
class RunHandle(Protocol):
    """A handle on a trace or a conversation: `otel_mas.open(...).latest()`."""

    @property
    def incomplete(self) -> str | None: ...
    def findings(self) -> FoundFindings: ...
    def _facts(self) -> RunFacts: ...


class EvaluationHarness:
    """Scores recorded runs by cases.

    Args:
        cases: the cases, or one; their names are to be different.
        ask_judge: whether the judges of the cases may be called, which costs what their models cost.

    Raises:
        TypeError: Something else is given for a case.
        ValueError: There are none, or two have the same name.
    """

    def __init__(self, cases: EvaluationCase | Iterable[EvaluationCase], *, ask_judge: bool = False) -> None:
        self.cases = (cases,) if isinstance(cases, EvaluationCase) else tuple(cases)
        for case in self.cases:
            if not isinstance(case, EvaluationCase):
                raise TypeError(f"cases has {case!r}: each must be an EvaluationCase")
        if not self.cases:
            raise ValueError("there are no cases: give at least one")
        names = [case.name for case in self.cases]
        again = sorted({name for name in names if names.count(name) > 1})
        if again:
            raise ValueError(f"several cases are called {', '.join(again)}: give each a name of its own")
        self._ask_judge = ask_judge

    def score(self, run: Any) -> EvalReport:
        """The results of a run, or of several.

        Args:
            run: a trace, a conversation, or a replay session, which every case is held against; or several of them: a
                case with an `input` is held against those that had this input, another one against each.

        Raises:
            TypeError: It is none of these.
        """
        one = isinstance(run, RunHandle) or hasattr(run, "trace") or not isinstance(run, Iterable)
        results: dict[str, list[RunResult]] = {case.name: [] for case in self.cases}
        read = unknown = 0
        for each in [run] if one else run:  # one after the other: a thousand traces need not be in memory at once
            context = _context(each, self._ask_judge)
            read += 1
            unknown += context.input_text is None
            for case in self.cases:
                if one or case.input is None or has_input(context, case.input):
                    results[case.name].append(score_run(case, context))
        lacking = _no_run(read, unknown)
        return EvalReport(
            cases=tuple(
                CaseResult(
                    name=case.name,
                    pass_rate=case.pass_rate,
                    runs=tuple(results[case.name]),
                    reason="" if results[case.name] else lacking,
                )
                for case in self.cases
            )
        )


def _no_run(read: int, unknown: int) -> str:
    if not read:
        return "there is no run"
    kept = f"; the input of {unknown:,} was not kept" if unknown else ""
    return f"none of {read:,} runs had its input{kept}"


def score_run(case: EvaluationCase, context: RunContext) -> RunResult:
    """The results of all evaluators of a case on one run."""
    total = context.cost.total
    return RunResult(
        trace_ids=tuple(dict.fromkeys(span.trace_id for span in context.graph.spans)),
        span_id=_main_span(context).span_id,
        results=_results(case, context),
        tokens=total.input_tokens + total.output_tokens,
        usd=total.usd,
        wall_ms=sum(end - start for start, end in wall_times(context)) / _NS_PER_MS,
        critical_path_ms=critical_path_ns(context) / _NS_PER_MS,
    )


def has_input(context: RunContext, expected: Any) -> bool:
    """Whether a run was given an input: text that is one of its values or messages, or channels of these values."""
    if isinstance(expected, Mapping):
        return all(name in context.input and _same(context.input[name], value) for name, value in expected.items())
    wanted = value_text(expected).strip()
    values = [
        value for given in context.input.values() for value in (given, *(given if isinstance(given, list) else ()))
    ]
    texts = [one["text"] if isinstance(one, Mapping) and "text" in one else value_text(one) for one in values]
    return any(wanted == (text or "").strip() for text in [*texts, context.input_text])


def _same(given: Any, expected: Any) -> bool:
    return given == expected or value_text(given).strip() == value_text(expected).strip()


def _results(case: EvaluationCase, context: RunContext) -> tuple[EvaluationResult, ...]:
    """The results of all evaluators; of limits that nobody wrote only where the trace tells, or nothing else does."""
    found = tuple(_result(name, evaluator, context) for name, evaluator in case.evaluators())
    lacking = Outcome.INSUFFICIENT_EVIDENCE
    kept = tuple(one for one in found if one.outcome != lacking or not case.is_default(one.evaluator))
    return kept or found


def _result(name: str, evaluator: Evaluator, context: RunContext) -> EvaluationResult:
    """The result of one evaluator, with what it cost and its warnings."""
    costs, warnings = len(context.judge_costs), len(context.warnings)
    result = _judged(name, evaluator, context)
    cost = JudgeCost.total(context.judge_costs[costs:])
    more = {"judge_cost": cost or None, "warnings": tuple(dict.fromkeys(context.warnings[warnings:]))}
    return result.model_copy(update=more)


def _judged(name: str, evaluator: Evaluator, context: RunContext) -> EvaluationResult:
    """The result of one evaluator; one that raises an exception fails, and the others are asked all the same."""
    try:
        found = evaluator.evaluate(context)
        judged = found if isinstance(found, EvaluationReason) else EvaluationReason(found)
    except InsufficientEvidence as lacking:
        return EvaluationResult(evaluator=name, outcome=Outcome.INSUFFICIENT_EVIDENCE, reason=str(lacking))
    except AssertionError as error:
        return EvaluationResult(evaluator=name, outcome=Outcome.FAILED, value=False, reason=str(error))
    except Exception as error:
        logger.debug("otel-mas: evaluator %s failed", name, exc_info=True)
        kind, frame = type(error).__name__, traceback.extract_tb(error.__traceback__)[-1]
        reason = f"the evaluator raised {kind}: {error} ({os.path.basename(frame.filename)}:{frame.lineno})"
        return EvaluationResult(evaluator=name, outcome=Outcome.FAILED, reason=reason, error_type=kind)
    passed = judged.passed if judged.passed is not None else judged.value is not False
    outcome = Outcome.PASSED if passed else Outcome.FAILED
    return EvaluationResult(evaluator=name, outcome=outcome, value=judged.value, reason=judged.reason)


def _context(run: Any, ask_judge: bool) -> RunContext:
    handle = run if isinstance(run, RunHandle) else getattr(run, "trace", None)
    if not isinstance(handle, RunHandle):
        raise TypeError(f"{run!r} is no recorded run: give a trace, a conversation or a replay session, or several")

    def find(_: RunFacts) -> tuple[Sequence[Finding], Sequence[Undecided]]:
        found = handle.findings()
        return tuple(found), found.undecided

    return RunContext(handle._facts(), find, incomplete=handle.incomplete, ask_judge=ask_judge)


def _main_span(context: RunContext) -> Span:
    """The span that stands for the run: the root of its last trace."""
    roots = context.graph.roots
    last = context.graph.spans[-1].trace_id
    return next((root for root in roots if root.trace_id == last), roots[0])


__all__ = ["EvaluationHarness", "RunHandle", "has_input", "score_run"]
