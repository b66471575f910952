"""Steps of two runs side by side: what changed in each, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from otel_mas.model import Span


class Change(StrEnum):
    """The way in which a step of one run differs from that of another."""

    ADDED = "added"
    """Only the second run has it."""
    REMOVED = "removed"
    """Only the first run has it."""
    REORDERED = "reordered"
    """It comes before another step of which it came after; never of steps that ran side by side."""
    RENAMED = "renamed"
    """Another name, or another model, at the same place."""
    ASKED = "asked differently"
    """Other messages, arguments, query or input."""
    ANSWERED = "answered differently"
    """Another answer, result, decision, or change of the state."""
    ENDED = "ended differently"
    """Another status, such as an error."""
    OFTENER = "more often"
    """In a greater share of runs; of sets alone."""
    RARER = "rarer"
    SLOWER = "slower"
    FASTER = "faster"
    DEARER = "dearer"
    CHEAPER = "cheaper"


MEASURED = (Change.SLOWER, Change.FASTER, Change.DEARER, Change.CHEAPER)
"""Changes of amounts, which no other difference follows from."""
_AT_BEGIN = (Change.ADDED, Change.REMOVED, Change.REORDERED, Change.RENAMED, Change.ASKED)


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a step counts as slower, faster, dearer or cheaper: by this ratio and by this amount, both."""

    ratio: float = 1.25
    least_ns: int = 20_000_000
    least_usd: float = 0.000_01

    def time(self, before: int | None, after: int | None) -> Change | None:
        """The change of a duration, in nanoseconds."""
        if before is None or after is None:
            return None
        return self._change(before, after, self.least_ns, Change.SLOWER, Change.FASTER)

    def cost(self, before: float | None, after: float | None) -> Change | None:
        """The change of a cost, in USD; one that is not known is no change."""
        if before is None or after is None:
            return None
        return self._change(before, after, self.least_usd, Change.DEARER, Change.CHEAPER)

    def _change(self, before: float, after: float, least: float, more: Change, less: Change) -> Change | None:
        if after - before >= least and after >= before * self.ratio:
            return more
        if before - after >= least and before >= after * self.ratio:
            return less
        return None


@dataclass(frozen=True, slots=True)
class StepOfRun:
    """A step in one of the two runs; times in ns."""

    number: int
    """In the tree of its run."""
    label: str
    kind: str
    """task, model, tool, retrieval, run, span, or another record kind in lower case."""
    name: str
    span: Span
    """The one in which it ended."""
    spans: int
    """Spans that it is: attempts, and those before and after a pause."""
    duration_ns: int | None
    """Time of all of them together; None while it has not ended."""
    status: str
    input_tokens: int
    """Tokens of the model calls inside it, or itself."""
    output_tokens: int
    usd: float | None
    """Cost of those that have a price; None where none has."""


@dataclass(frozen=True, slots=True)
class StepPair:
    """A step of the first run, that of the second run that it is, and what changed; one of the two may be None."""

    a: StepOfRun | None
    b: StepOfRun | None
    depth: int
    """Number of steps around it."""
    changes: tuple[Change, ...]
    before: str | None = None
    """Answers as text, where they differ or only one run has the step."""
    after: str | None = None

    @property
    def either(self) -> StepOfRun:
        """The step in the second run, else in the first."""
        found = self.b or self.a
        assert found is not None
        return found

    @property
    def label(self) -> str:
        """Its name: `researcher#1/model#2`."""
        return self.either.label

    @property
    def differs(self) -> bool:
        """Whether it did something else, and not only for longer or for more."""
        return any(change not in MEASURED for change in self.changes)

    @property
    def differs_from_its_begin(self) -> bool:
        """Whether it differed before it answered."""
        return any(change in _AT_BEGIN for change in self.changes)


__all__ = ["MEASURED", "Change", "Limits", "StepOfRun", "StepPair"]
