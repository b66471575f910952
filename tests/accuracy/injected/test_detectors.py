"""Precision and recall of each detector on runs with injected faults, and no errors in clean ones."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.accuracy.injected.detectors import Examined, examine, quality
from tests.accuracy.injected.runs import CLEAN, record

pytestmark = pytest.mark.slow

PRECISION = RECALL = 0.95


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Examined]:
    folder = tmp_path_factory.mktemp("injected")
    record(folder)
    return examine(folder)


def test_detectors_find_what_was_injected_and_nothing_else(examined: Sequence[Examined]) -> None:
    for one in quality(examined):
        assert one.expected >= 10, one
        assert one.precision >= PRECISION, one
        assert one.recall >= RECALL, one


def test_clean_runs_have_no_errors(examined: Sequence[Examined]) -> None:
    clean = [one for one in examined if one.run.fault is None]
    assert len(clean) == CLEAN
    assert [one.run.thread for one in clean if one.errors] == []
