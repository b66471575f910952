"""The steps of one run, with their content and what each of them took and cost."""

from __future__ import annotations

import math

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.diff.content import StepContent
from otel_mas.analyse.diff.step_tree import StepTree
from otel_mas.analyse.diff.steps import StepOfRun
from otel_mas.analyse.executions import status_of
from otel_mas.analyse.model_calls import model_calls
from otel_mas.causal import CausalGraph
from otel_mas.causal.forest import ROOT
from otel_mas.semconv import attributes as names


class RunSteps:
    """The steps of one run, with their content and what each of them took and cost."""

    def __init__(self, graph: CausalGraph, content: RunContent) -> None:
        self.tree = tree = StepTree(graph)
        self.content = StepContent(tree, content)
        self.calls = 0
        self._tokens = [[0, 0] for _ in range(len(tree))]
        self._costs: list[list[float]] = [[] for _ in range(len(tree))]
        numbers = graph.table.numbers
        for call in model_calls(graph.spans):
            self.calls += 1
            step = tree.step_of[numbers[call.span.span_id]]
            self._tokens[step][0] += call.tokens(names.GEN_AI_USAGE_INPUT_TOKENS)
            self._tokens[step][1] += call.tokens(names.GEN_AI_USAGE_OUTPUT_TOKENS)
            if call.usd is not None:
                self._costs[step].append(call.usd)
        self.tokens = sum(map(sum, self._tokens))
        self.usd = math.fsum(all_costs) if (all_costs := [one for costs in self._costs for one in costs]) else None
        self._sum_up()

    def _sum_up(self) -> None:
        """Give each step the tokens and the cost of all inside it."""
        parents = self.tree.parent
        self._usd = [math.fsum(costs) if costs else None for costs in self._costs]
        for step in self.tree.from_inside():
            above = parents[step]
            if above == ROOT:
                continue
            for side, amount in enumerate(self._tokens[step]):
                self._tokens[above][side] += amount
            if (cost := self._usd[step]) is not None:
                self._usd[above] = cost + (self._usd[above] or 0.0)

    @property
    def duration_ns(self) -> int:
        """Nanoseconds from the first start to the last end."""
        tree = self.tree
        return max(tree.end, default=0) - min(tree.start, default=0)

    def step(self, number: int) -> StepOfRun:
        """One step."""
        tree = self.tree
        spans = tree.spans(number)
        return StepOfRun(
            number=number,
            label=tree.label[number],
            kind=tree.kind[number],
            name=tree.name[number],
            span=spans[-1],
            spans=len(spans),
            duration_ns=None if tree.is_open(number) else sum(span.duration_ns for span in spans),
            status=status_of(spans[-1]),
            input_tokens=self._tokens[number][0],
            output_tokens=self._tokens[number][1],
            usd=self._usd[number],
        )


__all__ = ["RunSteps"]
