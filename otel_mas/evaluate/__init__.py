"""Evaluation of recorded runs: cases, evaluators and reports. Passed, failed, or not enough recorded to tell."""

from __future__ import annotations

from otel_mas.evaluate.outcome import Outcome

__all__ = ["Outcome"]
