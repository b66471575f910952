"""Durations and times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.api.when import duration_ns, instant_ns

S = 10**9


@pytest.mark.parametrize(
    ("written", "ns"),
    [
        ("500ms", S // 2),
        ("2s", 2 * S),
        ("1.5h", 5400 * S),
        ("1h30m", 5400 * S),
        ("2 d", 172800 * S),
        (0.25, S // 4),
        (3, 3 * S),
    ],
)
def test_a_duration_is_read(written: str | float, ns: int) -> None:
    assert duration_ns(written) == ns


@pytest.mark.parametrize("written", ["", "2", "s", "2x", "-1s", "1h-2m", "5 minutes", -1, float("nan"), float("inf")])
def test_what_is_no_duration_is_refused_with_an_example(written: str | float) -> None:
    with pytest.raises(ValueError, match=r"is not a duration: (write it like 500ms|give seconds)"):
        duration_ns(written)


def test_a_duration_counts_back_from_now() -> None:
    assert instant_ns("1h", now_ns=7200 * S) == 3600 * S
    assert instant_ns(60, now_ns=7200 * S) == 7140 * S


def test_a_time_without_a_zone_is_local() -> None:
    assert instant_ns("2026-11-21T10:00") == int(datetime(2026, 11, 21, 10).astimezone().timestamp()) * S


def test_what_is_neither_is_refused() -> None:
    with pytest.raises(ValueError, match="neither a duration nor a time"):
        instant_ns("yesterday")


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1)), st.integers(-12, 12))
def test_a_moment_is_exact_to_the_microsecond(moment: datetime, hours: int) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    passed = zoned - datetime(1970, 1, 1, tzinfo=UTC)
    assert instant_ns(zoned) == (passed // timedelta(microseconds=1)) * 1_000
    assert instant_ns(zoned.isoformat()) == instant_ns(zoned)
