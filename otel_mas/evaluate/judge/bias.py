"""Bias of a judge, tested with pairs: does the order, or the length, of outputs decide?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from otel_mas.analyse.proportions import wilson_interval
from otel_mas.evaluate.judge.judge import Judge
from otel_mas.evaluate.judge.prompt import Question

_SWAPPED = {"a": "b", "b": "a", "tie": "tie"}
_PADDING = (
    "Let me go through this carefully and in full. {text}\n\nTo put it in other words, and to sum up what was said "
    "above: {text}\n\nI hope that this thorough and detailed answer covers the question from all relevant sides."
)


@dataclass(frozen=True, slots=True)
class Bias:
    """Pairs of outputs, and those of which something beside the content decided."""

    biased: int
    pairs: int

    @property
    def share(self) -> float:
        """The part of the pairs that it decided, 0 to 1; 0 without pairs."""
        return self.biased / self.pairs if self.pairs else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of that part, at 95 % (Wilson's)."""
        return wilson_interval(self.biased, self.pairs)


def order_bias(judge: Judge, pairs: Iterable[tuple[str | None, str, str]]) -> Bias:
    """How often a judge prefers another output when the two are swapped.

    Args:
        judge: the judge; it is asked twice for each pair.
        pairs: task and two outputs.

    Raises:
        InsufficientEvidence: It cannot be asked.
    """
    found = [judge.prefer(task, one, other) != _SWAPPED[judge.prefer(task, other, one)] for task, one, other in pairs]
    return Bias(sum(found), len(found))


def verbosity_bias(judge: Judge, outputs: Iterable[tuple[str | None, str]]) -> Bias:
    """How often a judge scores an output higher when the same is said twice, with phrases around it.

    Args:
        judge: the judge; it is asked twice for each output.
        outputs: task and output.

    Raises:
        InsufficientEvidence: It cannot be asked.
    """
    found = []
    for task, text in outputs:
        short, long = (
            judge.score(Question(task, judge.expected, one, rubric=judge.rubric)) for one in (text, padded(text))
        )
        found.append(long.score > short.score)
    return Bias(sum(found), len(found))


def padded(text: str) -> str:
    """The same said twice, with phrases around it that add nothing."""
    return _PADDING.format(text=text)


__all__ = ["Bias", "order_bias", "padded", "verbosity_bias"]
