"""Outcomes of an evaluation: passed, failed, or insufficient evidence to tell."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Outcome(StrEnum):
    """Outcome of one evaluator, of a case, or of a report."""

    PASSED = "passed"
    FAILED = "failed"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    """The trace does not have what would tell; the result names it."""

    @property
    def words(self) -> str:
        """The same for people: "insufficient evidence"."""
        return self.value.replace("_", " ")

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Outcome:
        """The outcome of several: failed where one failed, else insufficient where one is, else passed."""
        found = set(outcomes)
        return next((one for one in (cls.FAILED, cls.INSUFFICIENT_EVIDENCE) if one in found), cls.PASSED)


__all__ = ["Outcome"]
