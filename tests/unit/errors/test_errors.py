"""The exception tree: shape, exit codes, one line."""

from __future__ import annotations

import inspect

import pytest

from otel_mas import errors

EVERY = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("error", EVERY, ids=lambda error: error.__name__)
def test_everything_we_raise_can_be_caught_as_one(error: type[errors.OtelMasError]) -> None:
    assert issubclass(error, errors.OtelMasError)
    assert issubclass(error, Exception)


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        name = line.lstrip("│├└─ ").split(" ")[0]
        if name in errors.__all__:
            depth = (len(line) - len(line.lstrip("│├└─ "))) // 4
            above[depth:] = [name]
            drawn[name] = above[depth - 1] if depth else None
    written = {
        name: base.__name__ if (base := getattr(errors, name).__base__) is not Exception else None
        for name in errors.__all__
    }

    assert drawn == written


def test_all_classes_of_the_module_are_public() -> None:
    classes = {name for name, member in inspect.getmembers(errors, inspect.isclass)}

    assert classes == set(errors.__all__)


@pytest.mark.parametrize(
    ("error", "code"),
    [(errors.ConfigError, 2), (errors.TraceNotFound, 4), (errors.NotAStore, 1), (errors.BadTrace, 1)],
)
def test_the_command_line_ends_with_the_code_of_the_error(error: type[errors.OtelMasError], code: int) -> None:
    assert error("it broke").exit_code == code


def test_a_config_error_is_one_line_and_keeps_each_problem() -> None:
    error = errors.ConfigError("A is 1; it must be 2", "B is x; it must be y")

    assert str(error) == "A is 1; it must be 2; B is x; it must be y"
    assert error.problems == ("A is 1; it must be 2", "B is x; it must be y")
