"""Percentiles by linear interpolation, as numpy and pandas have them."""

from __future__ import annotations

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.analyse.percentiles import Percentiles, percentile


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=50), st.floats(0, 1))
def test_a_percentile_is_that_of_pandas(values: list[float], share: float) -> None:
    found = percentile(sorted(values), share)
    assert found == pytest.approx(pandas.Series(values).quantile(share), rel=1e-9, abs=1e-6)


def test_of_durations_the_number_and_the_longest_are_told() -> None:
    assert Percentiles.of([30, 10, 20]) == Percentiles(n=3, p50=20, p90=28, p99=30, longest=30)


def test_of_no_duration_all_are_0() -> None:
    assert Percentiles.of([]) == Percentiles(0, 0, 0, 0, 0)
