"""Root causes of runs with injected faults, which the analysis does not see, are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.accuracy.injected.measures import Ranked, hits
from tests.accuracy.injected.runs import record
from tests.accuracy.injected.table import rankings
from tests.accuracy.topologies import TOPOLOGIES

pytestmark = pytest.mark.slow
FIRST, FIRST_THREE = 0.9, 0.98
RUNS = 400
"""Runs at least in which a fault did harm, of 450."""

Once = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="module")
def found(once: Once) -> Sequence[Ranked]:
    return rankings(once("injected", record))


def test_enough_faults_did_harm(found: Sequence[Ranked]) -> None:
    assert len(found) >= RUNS
    assert {one.run.topology for one in found} == set(TOPOLOGIES)


def test_the_true_cause_is_the_first_one(found: Sequence[Ranked]) -> None:
    assert hits(found, 1) >= FIRST, [(one.run.thread, one.run.fault) for one in found if one.place() != 1]


def test_the_true_cause_is_among_the_first_three(found: Sequence[Ranked]) -> None:
    missed = [(one.run.thread, one.run.fault) for one in found if not 1 <= one.place() <= 3]

    assert hits(found, 3) >= FIRST_THREE, missed
