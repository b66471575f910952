"""Text → values."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.config import parse


@pytest.mark.parametrize(("text", "value"), [("true", True), ("Yes", True), ("1", True), ("off", False), ("0", False)])
def test_switches_are_read_in_any_case(text: str, value: bool) -> None:
    assert parse.boolean(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1024", 1024), ("1kB", 1000), ("512MiB", 512 * 2**20), ("1.5 GiB", 3 * 2**29), ("2tb", 2 * 10**12), ("7b", 7)],
)
def test_sizes_take_decimal_and_binary_units(text: str, value: int) -> None:
    assert parse.size(text) == value


@given(st.integers(min_value=1, max_value=2**60))
def test_a_plain_number_of_bytes_is_itself(number: int) -> None:
    assert parse.size(str(number)) == number


@pytest.mark.parametrize(("text", "value"), [("30", 30.0), ("30d", 30.0), ("12h", 0.5), ("0.5", 0.5)])
def test_ages_are_days_or_hours(text: str, value: float) -> None:
    assert parse.days(text) == value


@pytest.mark.parametrize(("text", "value"), [("5", 5.0), ("0.25s", 0.25), ("0", 0.0)])
def test_timeouts_are_seconds(text: str, value: float) -> None:
    assert parse.seconds(text) == value


@pytest.mark.parametrize(
    ("parser", "text"),
    [
        (parse.boolean, "maybe"),
        (parse.count, "0"),
        (parse.count, "-1"),
        (parse.count, "1.5"),
        (parse.count, "²"),
        (parse.size, "0"),
        (parse.size, "12 parsecs"),
        (parse.size, "-1"),
        (parse.days, "0d"),
        (parse.days, "soon"),
        (parse.seconds, "-1"),
        (parse.seconds, "nan"),
        (parse.digest_key, "abc"),
        (parse.digest_key, "g" * 64),
        (parse.choice("full", "none"), "half"),
    ],
)
def test_unreadable_text_names_what_it_takes(parser: object, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parser(text)  # type: ignore[operator]


def test_choices_are_read_in_any_case_and_given_as_written() -> None:
    assert parse.choice("NO_CONTENT", "SPAN_ONLY")("span_only") == "SPAN_ONLY"


def test_paths_are_absolute_since_an_app_may_change_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert parse.path("runs.db") == str(tmp_path / "runs.db")


def test_paths_may_begin_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")

    assert parse.path("~/runs.db") == "/home/ada/runs.db"


def test_headers_are_pairs_with_decoded_values_and_names_in_lower_case() -> None:
    assert parse.headers("Authorization=Bearer%20a%2Cb, X-Scope-OrgID=team=1,") == (
        ("authorization", "Bearer a,b"),
        ("x-scope-orgid", "team=1"),
    )


@pytest.mark.parametrize("text", ["authorization", "=x", "a b=c", "a=b%0d%0ac"])
def test_malformed_headers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="URL-encoded"):
        parse.headers(text)


def test_a_wait_of_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        parse.positive_seconds("0")
