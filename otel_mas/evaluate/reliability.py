"""Reliability over repeated runs: how likely one run passes, and how likely several in a row all do."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from otel_mas.analyse.proportions import wilson_interval

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Reliability:
    """Repeated runs of one case. Runs without enough evidence count neither as passed nor as run."""

    passed: int
    runs: int

    def __post_init__(self) -> None:
        if not 0 <= self.passed <= self.runs:
            raise ValueError(f"{self.passed} of {self.runs} runs cannot have passed")

    @property
    def pass_rate(self) -> float | None:
        """The part that passed, 0 to 1; None without runs."""
        return self.passed / self.runs if self.runs else None

    def interval(self, k: int = 1, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Interval of the probability that k runs in a row all pass: Wilson's of one run, to the power of k."""
        low, high = wilson_interval(self.passed, self.runs, confidence)
        return low ** _checked(k), high**k

    def pass_hat(self, k: int) -> float | None:
        """Unbiased estimate of the probability that k independent runs all pass; None where there are fewer than k.

        C(passed, k) / C(runs, k), the "pass^k" of tau-bench (arXiv:2406.12045).
        """
        return comb(self.passed, k) / comb(self.runs, k) if _checked(k) <= self.runs else None

    def pass_at(self, k: int) -> float | None:
        """Unbiased estimate of the probability that at least one of k runs passes; None where there are fewer than k.

        1 - C(failed, k) / C(runs, k), the "pass@k" of Codex (arXiv:2107.03374).
        """
        return 1 - comb(self.runs - self.passed, k) / comb(self.runs, k) if _checked(k) <= self.runs else None


def _checked(k: int) -> int:
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k is {k!r}: it must be a number of runs, 1 or more")
    return k


__all__ = ["CONFIDENCE", "Reliability"]
