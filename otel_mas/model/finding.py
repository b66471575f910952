"""A finding: one thing that is wrong with a run, with its evidence. And what could not be told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Severity of a finding, the worst first."""

    ERROR = "error"
    """The run failed of it, or its answer is wrong or missing."""
    WARNING = "warning"
    """It cost time, money or quality, or will."""
    INFO = "info"
    """Worth knowing; nothing has to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a run, in a sentence, with the spans and messages that show it."""

    code: str
    """The kind of finding: `tool-call-loop`. See docs/findings.md."""
    severity: Severity
    confidence: float
    """From 0 to 1; 1 where the recording says so itself."""
    summary: str
    """The fault, in one sentence without a period."""
    subject: str
    """An agent, a node, a tool, an edge `a -> b`. Groups findings of many runs."""
    spans: tuple[str, ...]
    """Ids of the spans that show it, the culprit first; at least one."""
    messages: tuple[str, ...] = ()
    """Digests of the messages that show it."""
    rests_on: tuple[str, ...] = ("recorded",)
    """Provenance of its evidence: "recorded", "metadata" (joined by stable keys, exact), "inferred"."""
    saves_ns: int | None = None
    """Nanoseconds by which the run would have been shorter without it; None where that cannot be told."""
    saves_usd: float | None = None
    """USD that it cost; None where that cannot be told."""
    advice: str = ""
    """Advice, in a sentence without a period."""

    def __post_init__(self) -> None:
        if not self.spans:
            raise ValueError(f"finding {self.code} shows no span")
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence of finding {self.code} is {self.confidence}; it must be from 0 to 1")


@dataclass(frozen=True, slots=True)
class Undecided:
    """A kind of finding of which the recording of a run cannot tell whether there is one."""

    code: str
    """The kind."""
    reason: str
    """The cause, and what would have to be recorded, in one sentence without a period."""


__all__ = ["Finding", "Severity", "Undecided"]
