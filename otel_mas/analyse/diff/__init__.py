"""Diff of two runs, or of two sets of runs: aligned by causal place and content. No I/O."""

from __future__ import annotations

from otel_mas.analyse.diff.content import answer_text, task_text
from otel_mas.analyse.diff.run_diff import RunDiff, diff_runs
from otel_mas.analyse.diff.run_steps import RunSteps
from otel_mas.analyse.diff.set_diff import RunSample, SetDiff, StepOfSets, diff_sets
from otel_mas.analyse.diff.steps import MEASURED, Change, Limits, StepOfRun, StepPair

__all__ = [
    "MEASURED",
    "Change",
    "Limits",
    "RunDiff",
    "RunSample",
    "RunSteps",
    "SetDiff",
    "StepOfRun",
    "StepOfSets",
    "StepPair",
    "answer_text",
    "diff_runs",
    "diff_sets",
    "task_text",
]
