"""The structured answer of a judge."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

Points = Annotated[int, Field(ge=1, le=5)]


class Breakdown(BaseModel):
    """Points by quality, 1 (worst) to 5 (best)."""

    accuracy: Points = Field(description="Are its statements and figures right, by the expectation and the steps?")
    completeness: Points = Field(description="Does it answer every part of the task?")
    coherence: Points = Field(description="Do its parts fit together, without contradictions?")


class JudgeScore(BaseModel):
    """A judge's score of an output."""

    rationale: str = Field(description="Two or three sentences that name what decided the score.")
    breakdown: Breakdown
    score: Points = Field(description="The overall score, 1 (worst) to 5 (best), by the scale that was given.")


__all__ = ["Breakdown", "JudgeScore", "Points"]
