"""The result of matching: the expected beside the actual, statement by statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from otel_mas.evaluate.outcome import Outcome

_SIGNS: Final = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.INSUFFICIENT_EVIDENCE: "?"}
_WIDEST: Final = 48
"""Characters of the column of expectations, unless one edge alone is longer."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One statement of an expectation, and how it compares with the run."""

    expected: str
    """The statement: one edge of a chain."""
    outcome: Outcome
    actual: str
    """The run there, in words; with insufficient evidence the reason why the trace does not tell."""
    unexpected: tuple[str, ...] = ()
    """Edges, calls and executions that should not have been."""

    def __str__(self) -> str:
        return f"{_SIGNS[self.outcome]} {self.expected}: {self.actual}"


@dataclass(frozen=True)
class TopologyResult:
    """Whether a run has the expected topology, and where it departs from it."""

    verdicts: tuple[Verdict, ...]
    observed: str
    """The topology of the run, in the language of expectations; empty where it is as expected."""
    warnings: tuple[str, ...] = ()
    """Doubts about the expectation: names that the run does not know, which may be misspelled."""

    @cached_property
    def outcome(self) -> Outcome:
        return Outcome.of(verdict.outcome for verdict in self.verdicts)

    @property
    def missing(self) -> tuple[str, ...]:
        """Expected edges, orders and executions that the run does not have."""
        return tuple(one.expected for one in self.verdicts if one.outcome is Outcome.FAILED and not one.unexpected)

    @property
    def unexpected(self) -> tuple[str, ...]:
        """Edges, calls and executions of the run that should not have been."""
        return tuple(dict.fromkeys(edge for one in self.verdicts for edge in one.unexpected))

    @property
    def evidence(self) -> tuple[str, ...]:
        """Reasons of insufficient evidence, statement by statement: parts that the trace would have to have."""
        unknown = Outcome.INSUFFICIENT_EVIDENCE
        return tuple(f"{one.expected}: {one.actual}" for one in self.verdicts if one.outcome is unknown)

    @cached_property
    def text(self) -> str:
        """Expected beside actual, a line for each edge or other statement; below it the run, where it does not pass."""
        lines = [self._summary(), "", *_table(self.verdicts)]
        if self.outcome is not Outcome.PASSED:
            lines += ["", "The run:", *(f"  {line}" for line in self.observed.splitlines())]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text

    def _summary(self) -> str:
        failed = sum(one.outcome is Outcome.FAILED for one in self.verdicts)
        unknown = sum(one.outcome is Outcome.INSUFFICIENT_EVIDENCE for one in self.verdicts)
        if not failed and not unknown:
            return f"Topology as expected: {len(self.verdicts)} of {len(self.verdicts)} statements hold."
        parts = (
            [f"{failed} of {len(self.verdicts)} statements {'does' if failed == 1 else 'do'} not hold"]
            if failed
            else []
        )
        if unknown:
            parts.append(f"{unknown} of {len(self.verdicts)} cannot be told from this trace")
        return f"Topology {'not as expected' if failed else 'with insufficient evidence'}: {', '.join(parts)}."


def _table(verdicts: Sequence[Verdict]) -> list[str]:
    width = max(min(max(len(one.expected) for one in verdicts), _WIDEST), len("expected"))
    lines = [f"    {'expected':{width}}  actual"]
    for one in verdicts:
        sign = _SIGNS[one.outcome]
        if len(one.expected) > width:
            lines += [f"  {sign} {one.expected}", f"    {'':{width}}  {one.actual}"]
        else:
            lines.append(f"  {sign} {one.expected:{width}}  {one.actual}")
    return lines


__all__ = ["TopologyResult", "Verdict"]
