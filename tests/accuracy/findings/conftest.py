"""Findings of what was recorded last."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import otel_mas
from otel_mas.api.findings import Findings

Found = Callable[..., Findings]


@pytest.fixture
def found(recorded: Path) -> Found:
    """Findings of some kinds in the latest trace: `found("token-growth")`, with thresholds by name."""

    def findings(*codes: str, **thresholds: float) -> Findings:
        assert otel_mas.flush(30)
        return otel_mas.open(recorded).latest().findings(codes=codes, thresholds=thresholds)

    return findings
