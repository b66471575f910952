"""Judges: a model scores the output of a run against its task and expectation, where that is asked for."""

from __future__ import annotations

from otel_mas.evaluate.judge.judge import GeminiJudge, Judge
from otel_mas.evaluate.judge.score import Breakdown, JudgeScore
from otel_mas.evaluate.judge_cost import JudgeCost

__all__ = ["Breakdown", "GeminiJudge", "Judge", "JudgeCost", "JudgeScore"]
