"""Evaluation cases: expectations of a run's output, its cost and its behaviour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from otel_mas.analyse.state.values import value_text
from otel_mas.errors import ConfigError
from otel_mas.evaluate.evaluator import Evaluator, made_from, name_of
from otel_mas.evaluate.evaluators.budgets import MaxCostUsd, MaxLatencyMs, MaxTokens
from otel_mas.evaluate.evaluators.output import Exact
from otel_mas.evaluate.evaluators.topology import Topology
from otel_mas.evaluate.judge import Judge
from otel_mas.model.message_text import text_of


def _made(given: object) -> Evaluator:
    """An evaluator; what is wrong with it becomes a problem of the field, so that a suite can point at its line."""
    try:
        return made_from(given)
    except ValidationError as error:
        problems = ((".".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
        raise ValueError(
            "; ".join(f"{where}: {message}" if where else message for where, message in problems)
        ) from None
    except ConfigError as error:
        raise ValueError(str(error)) from None


Check = Annotated[Evaluator, BeforeValidator(_made)]


def _several(given: Any) -> Any:
    return given if isinstance(given, Sequence) and not isinstance(given, str) else [given]


def _judge(given: object) -> object:
    """A judge as code or a suite gives it: itself, the name of its model, or its fields."""
    if given is None or isinstance(given, Judge):
        return given
    return _made({"judge": given})


class EvaluationCase(BaseModel):
    """Expectations of runs. Those that are None are not checked; default limits only where the trace tells of them.

    Args:
        name: a name for reports, unique in a suite.
        input: the input of the run that it is about: text, or the channels of the state by name.
        expected_output: the output. Text is compared exactly, without blanks around it; other evaluators of the output
            go into `checks`. With a judge it is what the judge compares with.
        max_tokens: tokens of all model calls, input and output together.
        max_latency_ms: wall time in milliseconds.
        max_cost_usd: US dollars of all model calls.
        expected_topology: a graph of what has to cause what, as text or as a networkx graph: docs/topology.md.
        checks: evaluators: `Contains("Paris")`, `no_findings()`, or as in suites `{"contains": "Paris"}`.
        judge: a model that judges the output, called only where that is asked for.
        pass_rate: the part of the runs, above 0 and up to 1, that has to pass, where there are several.

    Raises:
        pydantic.ValidationError: A field has another type, or there is none of that name.
    """

    __test__: ClassVar[bool] = False  # imported as TestCase it is no test class for pytest
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, frozen=True)

    name: str = Field(min_length=1)
    input: Any = None
    expected_output: Any = None
    max_tokens: Annotated[int, Field(ge=0, strict=True)] | None = 50_000
    max_latency_ms: Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)] | None = 30_000
    max_cost_usd: Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)] | None = None
    expected_topology: Any = None
    checks: Annotated[tuple[Check, ...], BeforeValidator(_several)] = ()
    judge: Annotated[Judge | None, BeforeValidator(_judge)] = None
    pass_rate: Annotated[float, Field(gt=0, le=1)] = 1.0

    @field_validator("expected_topology")
    @classmethod
    def _is_topology(cls, given: Any) -> Any:
        if given is not None:
            _made({"topology": {"expected": given}})
        return given

    @model_validator(mode="after")
    def _checks_something(self) -> Self:
        if next(self._evaluators(), None) is None:
            raise ValueError("it checks nothing: give an expected output, a budget, a topology or checks")
        return self

    def is_default(self, name: str) -> bool:
        """Whether a result of this name is about a limit that nobody wrote, but a field's own default."""
        return name in ("max_tokens", "max_latency_ms") and name not in self.model_fields_set

    def evaluators(self) -> Iterator[tuple[str, Evaluator]]:
        """All that has to be evaluated, by a name that is unique in the case."""
        names: dict[str, int] = {}
        for name, evaluator in self._evaluators():
            names[name] = number = names.get(name, 0) + 1
            yield (name if number == 1 else f"{name}#{number}"), evaluator

    def _evaluators(self) -> Iterator[tuple[str, Evaluator]]:
        if self.expected_output is not None and self.judge is None:
            yield "expected_output", Exact(self.expected_output)
        if self.max_tokens is not None:
            yield "max_tokens", MaxTokens(self.max_tokens)
        if self.max_latency_ms is not None:
            yield "max_latency_ms", MaxLatencyMs(self.max_latency_ms)
        if self.max_cost_usd is not None:
            yield "max_cost_usd", MaxCostUsd(self.max_cost_usd)
        if self.expected_topology is not None:
            yield "expected_topology", Topology(self.expected_topology)
        for check in self.checks:
            yield name_of(check), self._informed(check) if isinstance(check, Judge) else check
        if self.judge is not None:
            yield "judge", self._informed(self.judge)

    def _informed(self, judge: Judge) -> Judge:
        """A judge with what the case knows of the task and the expectation, where it does not say so itself."""
        task = value_text(self.input) if judge.task is None and self.input is not None else judge.task
        expected = judge.expected
        if expected is None and self.expected_output is not None:
            expected = text_of(self.expected_output)
        return replace(judge, task=task, expected=expected)


__all__ = ["EvaluationCase"]
