"""Durations, times, amounts and foreign text as people read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.report import text

S = 10**9


@pytest.mark.parametrize(
    ("ns", "phrase"),
    [
        (0, "0 s"),
        (640_000, "640 µs"),
        (999_600, "1.0 ms"),
        (5_240_000, "5.2 ms"),
        (52_000_000, "52 ms"),
        (999_600_000, "1.00 s"),
        (3_412_000_000, "3.41 s"),
        (59_999_000_000, "1m 00s"),
        (124 * S, "2m 04s"),
        (3_900 * S, "1h 05m"),
        (183_600 * S, "2d 03h"),
    ],
)
def test_a_duration_is_said_in_three_digits_or_so(ns: int, phrase: str) -> None:
    assert text.duration(ns) == phrase


@given(st.integers(0, 10**18))
def test_a_duration_fits_its_column(ns: int) -> None:
    assert re.fullmatch(r"\d[\d.]* (s|ms|µs)|\d+[mhd] \d\d[smh]", text.duration(ns))


@pytest.mark.parametrize(
    ("amount", "phrase"),
    [(0, "$0"), (12.3, "$12.30"), (1234.5, "$1,234.50"), (0.5, "$0.5000"), (0.0123, "$0.0123"), (0.00031, "$0.00031")],
)
def test_an_amount_keeps_two_digits_that_mean_something(amount: float, phrase: str) -> None:
    assert text.usd(amount) == phrase


def test_a_share_that_rounds_to_nothing_is_not_nothing() -> None:
    assert text.share(1, 1000) == "<1%"
    assert text.share(0, 1000) == "0%"
    assert text.share(14, 1000) == "1%"
    assert text.share(1, 0) == "0%"


def test_foreign_text_cannot_steer_the_terminal() -> None:
    assert text.plain("a\x1b[31mred\x07\nb\u202ec") == "a [31mred b c"


@given(st.text())
def test_foreign_text_is_one_printable_line(given_text: str) -> None:
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", text.plain(given_text))


def test_a_long_list_says_how_many_more() -> None:
    assert text.listing(["a", "b", "c"]) == "a, b, c"
    assert text.listing(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


@given(st.lists(st.text("0123456789abcdef", min_size=32, max_size=32), unique=True))
def test_short_ids_tell_ids_apart(ids: list[str]) -> None:
    short = text.short_ids(ids)
    assert set(short) == set(ids)
    for whole, beginning in short.items():
        assert len(beginning) >= 8
        assert [one for one in ids if one.startswith(beginning)] == [whole]


@pytest.mark.parametrize("ns", [0, 2**63, -(2**63), 10**30, -(10**30), -62_135_647_200 * S, 253_402_300_799 * S])
def test_every_time_can_be_shown(ns: int) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text.local_time(ns))
