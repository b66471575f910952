"""A run as evaluators see it: its causal graph, facts, output, amounts and findings, each worked out once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from otel_mas.analyse.cost import CostTable, cost
from otel_mas.analyse.executions import Execution, executions
from otel_mas.analyse.final_output import outcome_without_output
from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.analyse.state.changes import INPUT
from otel_mas.analyse.state.values import value_text
from otel_mas.causal import CausalGraph
from otel_mas.errors import InsufficientEvidence
from otel_mas.evaluate.judge_cost import JudgeCost
from otel_mas.model import Finding, Undecided
from otel_mas.model.message_text import withheld
from otel_mas.semconv import RunOutcome
from otel_mas.semconv import attributes as names

T = TypeVar("T")
Find = Callable[[RunFacts], tuple[Sequence[Finding], Sequence[Undecided]]]
KEEP_CONTENT = "record with content (OTEL_MAS_CONTENT=redacted), and export it with --with-content"


class RunContext:
    """One recorded run.

    Args:
        facts: graph and content of the run.
        find: makes the findings about the run, and names what could not be told.
        incomplete: known losses of its traces, in words; None without any.
        ask_judge: whether a judge may be called.
    """

    def __init__(
        self,
        facts: RunFacts,
        find: Find,
        *,
        incomplete: str | None = None,
        ask_judge: bool = False,
    ) -> None:
        self.facts = facts
        self.incomplete = incomplete
        self.ask_judge = ask_judge
        self.judge_costs: list[JudgeCost] = []
        """Costs of judges that were asked about the run."""
        self.warnings: list[str] = []
        """Doubts about expectations, by all evaluators until now."""
        self._find = find
        self._made: dict[Callable[[RunContext], Any], Any] = {}

    def once(self, make: Callable[[RunContext], T]) -> T:
        """The result of a function of the run, worked out once, however many cases and evaluators ask."""
        if make not in self._made:
            self._made[make] = make(self)
        made: T = self._made[make]
        return made

    def warn(self, text: str) -> None:
        """Add a warning to the result of the evaluator that is at work; it fails nothing."""
        self.warnings.append(text)

    def check_complete(self) -> None:
        """Raise `InsufficientEvidence` where spans of the run were lost: what is not there may have been."""
        if self.incomplete is not None:
            raise InsufficientEvidence(
                f"parts of the trace are missing, so nothing tells what was not done: {self.incomplete}"
            )

    @property
    def graph(self) -> CausalGraph:
        """The causal graph, without judgements from outside of the run."""
        return self.facts.graph

    @cached_property
    def output(self) -> str | None:
        """Text of the final output; None where the run failed or was cancelled, so that its caller got nothing.

        Of a last change of the state with one channel it is the channel's value.

        Raises:
            InsufficientEvidence: It was not kept.
        """
        if self.without_output is not None:
            return None
        self._check_ended()
        if not self.facts.content.kept:
            raise InsufficientEvidence(f"the source keeps no content, so no output: {KEEP_CONTENT}")
        text = self.facts.final_output
        if text is None:
            raise InsufficientEvidence(f"the final output was not kept: {KEEP_CONTENT}")
        channel, colon, rest = text.partition(": ")
        return rest if colon and self._final_values.get(channel) is not None and "\n" not in text else text

    def _check_ended(self) -> None:
        last = max(self.graph.roots, key=lambda root: root.start_ns, default=None)
        if last is None or last.end_ns is None:
            raise InsufficientEvidence("the run has not ended, or its end was not recorded, so it has no final output")
        if last.columns.get(names.MAS_RUN_OUTCOME) == RunOutcome.INTERRUPTED:
            raise InsufficientEvidence(
                "the run paused and has no final output yet: evaluate its conversation, once somebody has answered"
            )

    @property
    def without_output(self) -> str | None:
        """The outcome of a run that gave its caller nothing, such as "error"; None for others."""
        outcome = outcome_without_output(self.graph)
        return None if outcome is None else outcome.value

    def channel(self, name: str) -> Any:
        """The last value of a channel of the outermost graph; of one with a reducer a list of what was written to it.

        Raises:
            InsufficientEvidence: Nothing was written to it, or the value was not kept.
        """
        if name not in self._final_values:
            known = ", ".join(sorted(self._final_values)) or "none"
            raise InsufficientEvidence(f"no value of channel {name!r} was recorded; there are {known}: {KEEP_CONTENT}")
        return self._final_values[name]

    @cached_property
    def _final_values(self) -> Mapping[str, Any]:
        values: dict[str, Any] = {}
        for one in self.facts.state.changes:
            if one.graph != "" or one.missing is not None:
                continue
            if one.replaces is False:
                update = one.value if isinstance(one.value, list) else [one.value]
                values[one.channel] = [*values.get(one.channel, ()), *update]
            else:
                values[one.channel] = one.value
        return values

    @cached_property
    def input(self) -> Mapping[str, Any]:
        """Input of the run by channel of the outermost graph; empty where that was not kept."""
        changes = self.facts.state.changes
        return {
            one.channel: one.value
            for one in changes
            if one.graph == "" and one.task == INPUT and one.missing is None and withheld(one.value) is None
        }

    @cached_property
    def input_text(self) -> str | None:
        """The same as text: the value of a single channel, else a line for each; None where it was not kept."""
        if self.input:
            texts = {name: value_text(value) for name, value in self.input.items()}
            return next(iter(texts.values())) if len(texts) == 1 else "\n".join(f"{k}: {v}" for k, v in texts.items())
        read = [
            text for root in self.graph.roots for digest in self.facts.read(root) if (text := self.facts.text(digest))
        ]
        return "\n".join(read) or None

    @cached_property
    def cost(self) -> CostTable:
        """Tokens and dollars."""
        return cost(self.graph.spans)

    @cached_property
    def executions(self) -> Sequence[Execution]:
        """Tasks, agents, tools, retrievers and model calls, in start order."""
        return executions(self.graph)

    @cached_property
    def _found(self) -> tuple[Sequence[Finding], Sequence[Undecided]]:
        return self._find(self.facts)

    @property
    def findings(self) -> Sequence[Finding]:
        """Findings about the run, the worst first."""
        return self._found[0]

    @property
    def undecided(self) -> Sequence[Undecided]:
        """Kinds of findings of which the recording cannot tell whether there are any."""
        return self._found[1]


__all__ = ["KEEP_CONTENT", "Find", "RunContext"]
