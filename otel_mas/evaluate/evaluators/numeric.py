"""Evaluator of a number in the final output, within a tolerance."""

from __future__ import annotations

import re
from dataclasses import dataclass

from otel_mas.errors import ConfigError
from otel_mas.evaluate.context import RunContext
from otel_mas.evaluate.evaluator import EvaluationReason
from otel_mas.evaluate.evaluators.output import nothing, output_text, quoted

_NUMBER = re.compile(r"(?<![\w.])[-+\N{MINUS SIGN}]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Numeric:
    """Passes where a number of the output is near the expected one; commas between thousands are read over.

    Args:
        expected: the number.
        tolerance: how far from it the number may be; both tolerances count, the larger one decides.
        relative: the same as a part of the expected number: 0.01 is 1 %.
        last: only the last number of the output counts, as where an answer ends with its result; else any.
        channel: this channel of the final state instead of the output.
    """

    expected: float
    tolerance: float = 0.0
    relative: float = 0.0
    last: bool = False
    channel: str | None = None

    def __post_init__(self) -> None:
        for name in ("expected", "tolerance", "relative"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
                raise ConfigError(f"numeric: {name} is {value!r}: it must be a finite number")
            if name != "expected" and value < 0:
                raise ConfigError(f"numeric: {name} is {value!r}: it must be 0 or more")

    def evaluate(self, context: RunContext) -> EvaluationReason:
        text = output_text(context, self.channel)
        if text is None:
            return nothing(context)
        found = numbers_in(text)
        within = max(self.tolerance, self.relative * abs(self.expected))
        near = [one for one in (found[-1:] if self.last else found) if abs(one - self.expected) <= within]
        if near:
            return EvaluationReason(True, f"{near[-1]:g}")
        wanted = f"expected {self.expected:g}" + (f" ± {within:g}" if within else "")
        has = (
            f"its numbers are {', '.join(f'{one:g}' for one in found[-8:])}"
            if found
            else f"there is none: {quoted(text)}"
        )
        return EvaluationReason(False, f"{wanted}, {has}")


def numbers_in(text: str) -> list[float]:
    """The numbers in a text, in order: 1,234.5, -3, 2e6."""
    return [float(one[0].replace(",", "").replace("\N{MINUS SIGN}", "-")) for one in _NUMBER.finditer(text)]


__all__ = ["Numeric", "numbers_in"]
