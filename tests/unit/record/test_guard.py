"""The guard: errors of recording never reach the app, are logged once, and show under the strict setting."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from otel_mas.record import guard, guarded


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    guard._logged.clear()
    guard.set_strict(False)
    yield
    guard.set_strict(False)


def test_an_error_inside_does_not_leave() -> None:
    with guarded("here"):
        raise ValueError("ours")


def test_a_guarded_function_returns_none_where_it_failed() -> None:
    @guarded("hook")
    def hook(fails: bool) -> int:
        if fails:
            raise ValueError("ours")
        return 7

    @guarded("named")
    def named() -> int:
        raise ValueError("ours")

    assert hook(False) == 7
    assert hook(True) is None
    assert named() is None
    assert hook.__name__ == "hook"


def test_each_place_is_logged_once_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "otel_mas"):
        for place in ("one", "one", "two"):
            with guarded(place):
                raise ValueError(place)
    assert ["(one)" in record.getMessage() for record in caplog.records] == [True, False]
    assert "(two)" in caplog.records[1].getMessage()
    assert caplog.text.count("raise ValueError(place)") == 2, "each with its stack"


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, SystemExit])
def test_other_base_exceptions_pass(error: type[BaseException]) -> None:
    with pytest.raises(error), guarded("here"):
        raise error


def test_strict_raises() -> None:
    guard.set_strict(True)
    with pytest.raises(ValueError, match="ours"), guarded("here"):
        raise ValueError("ours")

    @guarded("hook")
    def hook() -> None:
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        hook()
