"""Grade the researcher's facts: only those that bear on the question are written up."""

from __future__ import annotations

from typing import Literal

from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import BaseModel, Field

from examples.research_team.models import Models

GRADE = "You grade research. Say whether any of the facts bears on the question, and why you think so."


class Relevance(BaseModel):
    """Whether any of the facts bears on the question."""

    binary_score: Literal["yes", "no"]
    reason: str = Field(description="One short sentence.")


class Grader:
    """Grades facts by a model."""

    def __init__(self, models: Models) -> None:
        self._model = models.small().with_structured_output(Relevance)

    def grade(self, question: str, facts: str) -> Relevance:
        graded = self._model.invoke([SystemMessage(GRADE), HumanMessage(f"Question: {question}\nFacts:\n{facts}")])
        assert isinstance(graded, Relevance)
        return graded
