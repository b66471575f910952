"""Metrics: counts, percentiles, windows and trends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.analyse.metrics import Observation, metrics

HOUR = 3_600 * 10**9


def test_values_are_counted_by_name_in_all_and_by_window() -> None:
    found = metrics(
        [Observation("a", hour * HOUR + 5, float(hour)) for hour in (0, 0, 1, 3)] + [Observation("b", 0, 7.0)],
        "duration",
        "agent",
        HOUR,
    )

    assert [(one.name, one.whole.n, one.whole.mean, one.whole.p50, one.whole.max) for one in found] == [
        ("a", 4, 1.0, 0.5, 3.0),
        ("b", 1, 7.0, 7.0, 7.0),
    ]
    assert [(one.start_ns // HOUR, one.end_ns // HOUR, one.n, one.sum) for one in found[0].windows] == [
        (0, 1, 2, 0.0), (1, 2, 1, 1.0), (3, 4, 1, 3.0),
    ]  # fmt: skip
    assert (found[0].unit, found[0].trend) == ("s", None)


def test_a_metric_that_grows_has_a_rising_trend_per_hour() -> None:
    [found] = metrics([Observation("", hour * HOUR, 1.0 + hour / 2) for hour in range(20)], "duration", "run")

    assert found.trend is not None
    assert (found.trend.direction, found.trend.slope) == ("rising", pytest.approx(0.5))


def test_errors_are_shares_and_their_trend_is_that_of_the_windows() -> None:
    values = [Observation("", hour * HOUR + n, float(n < hour)) for hour in range(12) for n in range(12)]

    [plain] = metrics(values, "errors", "run")
    [windowed] = metrics(values, "errors", "run", HOUR)

    assert (plain.whole.mean, plain.whole.p50, plain.trend) == (pytest.approx(66 / 144), None, None)
    assert windowed.trend is not None
    assert (windowed.trend.direction, windowed.trend.n) == ("rising", 12)
    assert windowed.trend.slope == pytest.approx(1 / 12)


_values = st.lists(
    st.builds(Observation, st.sampled_from("ab"), st.integers(0, 10 * HOUR), st.floats(0, 1e6)), max_size=30
)


@given(_values, st.integers(1, 5 * HOUR))
def test_windows_hold_each_value_once(values: list[Observation], window_ns: int) -> None:
    for one in metrics(values, "cost", "agent", window_ns, trends=False):
        mine = [value for value in values if value.name == one.name]
        assert sum(window.n for window in one.windows) == one.whole.n == len(mine)
        for window in one.windows:
            inside = [value.value for value in mine if window.start_ns <= value.time_ns < window.end_ns]
            assert (window.n, window.max) == (len(inside), max(inside))
