"""Tests by scipy, and the correction for many."""

from __future__ import annotations

import builtins
import sys
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from otel_mas.analyse import statistics
from otel_mas.analyse.statistics import TwoSampleTest, fisher, holm, mann_whitney, trend
from otel_mas.errors import MissingExtra

HOUR = 3_600 * 10**9


def test_the_effect_is_how_often_one_is_greater_less_how_often_the_other_is() -> None:
    before, after = [1.0, 2.0, 3.0, 4.0], [2.5, 3.5, 4.5, 5.5, 6.5]
    pairs = [(x < y) - (x > y) for x in before for y in after]

    found = mann_whitney(before, after)

    assert found.effect == pytest.approx(sum(pairs) / len(pairs))
    assert found.p == pytest.approx(stats.mannwhitneyu(before, after, method="exact").pvalue)


def test_the_least_p_is_that_of_samples_that_do_not_overlap() -> None:
    assert mann_whitney([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0]).p == pytest.approx(
        mann_whitney([3.0, 4.0, 1.0, 9.0], [2.0, 6.0, 5.0]).least_p
    )


@pytest.mark.parametrize("values", [([1.0] * 9, [1.0] * 9), ([0.0], [0.0])])
def test_equal_values_differ_in_nothing(values: tuple[list[float], list[float]]) -> None:
    assert mann_whitney(*values) == TwoSampleTest(0.0, 1.0, 1.0)


@given(st.integers(1, 9), st.integers(1, 9), st.data())
def test_fisher_knows_the_least_p_with_the_same_sums(n: int, m: int, data: Any) -> None:
    hits = data.draw(st.integers(0, n + m))
    tables = [(k, hits - k) for k in range(max(0, hits - m), min(hits, n) + 1)]
    first, second = data.draw(st.sampled_from(tables))

    found = fisher([True] * first + [False] * (n - first), [True] * second + [False] * (m - second))

    every = [stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue for a, b in tables]
    assert found.least_p == pytest.approx(min(every))
    assert found.effect == pytest.approx(second / m - first / n)


def test_holm_multiplies_the_least_by_all_the_next_by_one_less() -> None:
    tests = [TwoSampleTest(0, p, 0.0) for p in (0.01, 0.04, 0.02, 0.9)]

    assert holm(tests, 0.05) == pytest.approx([0.04, 0.08, 0.06, 0.9])


def test_what_cannot_be_significant_is_not_counted() -> None:
    """Tarone: three tests of too few values cost the others nothing."""
    able, unable = TwoSampleTest(0, 0.02, 0.0), TwoSampleTest(0, 0.3, 0.3)

    assert holm([able, unable, unable, unable], 0.05) == [0.02, None, None, None]
    assert holm([unable], 0.05) == [None]
    assert holm([], 0.05) == []


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=8), st.floats(0.01, 0.2))
def test_adjusted_values_keep_their_order_and_are_never_smaller(pairs: list[tuple[float, float]], alpha: float) -> None:
    tests = [TwoSampleTest(0, max(p, least), least) for p, least in pairs]
    adjusted = holm(tests, alpha)

    told = [(test.p, p) for test, p in zip(tests, adjusted, strict=True) if p is not None]
    assert all(p <= found <= 1 for p, found in told)
    assert all((one[0] < other[0]) <= (one[1] <= other[1]) for one, other in combinations(told, 2))


def test_a_trend_is_the_median_slope_per_hour_whatever_a_few_values_do() -> None:
    points = [(hour * HOUR, 10.0 + 2 * hour) for hour in range(20)]
    points[3], points[11] = (3 * HOUR, 900.0), (11 * HOUR, -900.0)

    found = trend(list(reversed(points)))

    assert found is not None
    assert (found.slope, found.direction, found.n) == (pytest.approx(2.0), "rising", 20)


def test_there_is_no_trend_in_few_points_or_at_one_time() -> None:
    assert trend([(n * HOUR, float(n)) for n in range(statistics.FEWEST_POINTS - 1)]) is None
    assert trend([(0, float(n)) for n in range(50)]) is None


def test_constant_values_have_no_direction_and_many_points_are_thinned() -> None:
    found = trend([(n * HOUR, 1.0) for n in range(5_000)])

    assert found is not None
    assert (found.slope, found.direction, found.n) == (0.0, "none", 1_000)


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    monkeypatch.setattr(builtins, "__import__", builtins.__import__)

    with pytest.raises(MissingExtra, match=r"otel-mas\[statistics\]"):
        mann_whitney([1.0], [2.0])
