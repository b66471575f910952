"""Evaluator of the calls of tools: which ones, how often and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from otel_mas.analyse.executions import ExecutionKind
from otel_mas.analyse.findings.facts import RunFacts, canonical, tool_name
from otel_mas.errors import ConfigError, InsufficientEvidence
from otel_mas.evaluate.context import KEEP_CONTENT, RunContext
from otel_mas.evaluate.evaluator import EvaluationReason
from otel_mas.evaluate.known_names import warn_unless_known
from otel_mas.model import Span

Mode = Literal["strict", "unordered", "subset", "superset"]
_MODES = ("strict", "unordered", "subset", "superset")
_MOST_SHOWN = 40


@dataclass(frozen=True)
class ToolSequence:
    """Passes where the calls of tools are the expected ones.

    Args:
        expected: names of tools in order; or a mapping with `name` and the `arguments` that a call has to have.
        mode: "strict": these calls in this order, where calls that overlapped in time may be in either; "unordered":
            these calls; "subset": none but these; "superset": these and maybe others. Each counts as often as it
            stands.
        agent: only calls that this agent made.
    """

    expected: Sequence[str | Mapping[str, Any]]
    mode: Mode = "strict"
    agent: str | None = None

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            raise ConfigError(f"tools: mode is {self.mode!r}: give one of {', '.join(_MODES)}")
        if isinstance(self.expected, str) or not isinstance(self.expected, Sequence):
            raise ConfigError(f"tools: expected is {self.expected!r}: give a list of tools")
        for one in self.expected:
            name = one.get("name") if isinstance(one, Mapping) else one
            if not isinstance(name, str) or (isinstance(one, Mapping) and one.keys() - {"name", "arguments"}):
                raise ConfigError(f"tools: {one!r} is neither a name nor a mapping with name and arguments")

    def evaluate(self, context: RunContext) -> EvaluationReason:
        facts = context.facts
        calls = [call for call in facts.tool_calls if self.agent in (None, facts.agent(call))]
        wanted = [_wanted(one) for one in self.expected]
        for name in dict.fromkeys(name for name, _ in wanted):
            warn_unless_known(context, ExecutionKind.TOOL, name)
        warn_unless_known(context, ExecutionKind.AGENT, self.agent)
        # What was called and is not expected has failed, whatever else is missing from the trace.
        names = Counter(map(tool_name, calls)) - Counter(name for name, _ in wanted)
        if names and self.mode != "superset":
            return EvaluationReason(False, f"not expected: {_shown([(name, None) for name in names.elements()])}")
        detailed = {name for name, arguments in wanted if arguments is not None}
        made = [_made(call, facts, detailed) for call in calls]
        missing = list((Counter(wanted) - Counter(made)).elements())
        beyond = list((Counter(made) - Counter(wanted)).elements())
        lacking = {"subset": [], "superset": missing}.get(self.mode, missing)
        surplus = {"subset": beyond, "superset": []}.get(self.mode, beyond)
        if not surplus and (lacking or self.mode != "superset"):
            context.check_complete()
        if lacking or surplus:
            return EvaluationReason(False, "; ".join([*_named("missing", lacking), *_named("not expected", surplus)]))
        if self.mode == "strict" and not in_order(wanted, made, calls):
            return EvaluationReason(False, f"expected {_shown(wanted)}, the calls are {_shown(made)}")
        return EvaluationReason(True, _shown(made))


_Call = tuple[str, str | None]
"""The name of a tool, and its arguments as canonical JSON; None where these do not count."""


def _wanted(one: str | Mapping[str, Any]) -> _Call:
    return (one, None) if isinstance(one, str) else (str(one["name"]), canonical(one.get("arguments")))


def _made(call: Span, facts: RunFacts, detailed: set[str]) -> _Call:
    name = tool_name(call)
    if name not in detailed:
        return name, None
    arguments = facts.arguments(call)
    if arguments is None:
        raise InsufficientEvidence(f"the arguments of {name} were not kept: {KEEP_CONTENT}")
    return name, arguments


def in_order(wanted: Sequence[_Call], made: Sequence[_Call], calls: Sequence[Span]) -> bool:
    """Whether the calls happened in this order, where those that overlapped may be in either.

    Takes at each place the one of the equal calls that ended first: that leaves most room for what follows.
    """
    left = sorted(zip(made, calls, strict=True), key=lambda one: one[1].last_ns)
    for name in wanted:
        first_end = left[0][1].last_ns if left else 0
        place = next(
            (i for i, (call, span) in enumerate(left) if call == name and (i == 0 or span.start_ns < first_end)), None
        )
        if place is None:
            return False
        del left[place]
    return not left


def _named(what: str, calls: Sequence[_Call]) -> list[str]:
    return [f"{what}: {_shown(calls)}"] if calls else []


def _shown(calls: Sequence[_Call]) -> str:
    texts = [name if arguments is None else f"{name}({arguments})" for name, arguments in calls[:_MOST_SHOWN]]
    more = f" and {len(calls) - _MOST_SHOWN} more" if len(calls) > _MOST_SHOWN else ""
    return (", ".join(texts) or "no call") + more


__all__ = ["ToolSequence", "in_order"]
