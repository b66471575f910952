"""Detectors find the conditions of generated runs, and nothing in those that nearly have them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from otel_mas.api.findings import load_detectors
from tests.accuracy.generated.measures import GeneratedRun, examine, failures, quality, record
from tests.accuracy.injected.detectors import EXPECTED

pytestmark = pytest.mark.slow

PRECISION = RECALL = 0.95
FEWEST = 20
"""Runs of each kind at least."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Sequence[GeneratedRun]:
    folder = tmp_path_factory.mktemp("generated")
    record(folder)
    return examine(folder)


def test_detectors_find_the_condition_and_nothing_else(runs: Sequence[GeneratedRun]) -> None:
    found = quality(runs)

    for one in found:
        assert min(one.positive, one.negative) >= FEWEST, one
    poor = [one for one in found if one.precision < PRECISION or one.recall < RECALL]
    assert poor == [], list(failures(runs))


def test_nothing_else_is_found_in_these_runs(runs: Sequence[GeneratedRun]) -> None:
    assert sum(bool(run.strange) for run in runs) <= (1 - PRECISION) * len(runs), list(failures(runs))


def test_every_detector_has_numbers(runs: Sequence[GeneratedRun]) -> None:
    assert {one.code for one in quality(runs)} | set(EXPECTED) == set(load_detectors())
