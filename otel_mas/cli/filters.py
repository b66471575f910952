"""Options that select traces, made of the table in `otel_mas.api.filters`; and the same as words, for `compare`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar, cast

import click

from otel_mas.api.filters import FILTERS, MOST_TRACES, Filters
from otel_mas.cli.options import parsed_by
from otel_mas.model import STATUSES

F = TypeVar("F", bound=Callable[..., Any])
_PARSERS = {"DURATION": "duration_ns", "TIME": "instant_ns"}


def filter_options(statuses: Sequence[str] = STATUSES, without: Collection[str] = ()) -> Callable[[F], F]:
    """An option for each filter, which the command gets as keywords.

    Args:
        statuses: The values of the filter by status.
        without: Filters that the command does not have.
    """

    def decorate(command: F) -> F:
        for name in reversed([name for name in FILTERS if name not in without]):
            command = _option(name, statuses)(command)
        return command

    return decorate


def limit_option(meaning: str, most: int = MOST_TRACES) -> Callable[[F], F]:
    """--limit: how many traces to read."""
    return click.option("--limit", type=click.IntRange(min=1), default=most, show_default=True, help=meaning)


def _option(name: str, statuses: Sequence[str]) -> Callable[[F], F]:
    field, meaning = FILTERS[name]
    flag, text = f"--{name.replace('_', '-')}", f"Only those {meaning[0].lower()}{meaning[1:]}"
    if name == "attribute":
        return click.option(flag, metavar=field.metavar, multiple=True, callback=_attributes, help=text)
    if name == "status":
        known = text if statuses == STATUSES else "Only those with this status."
        return click.option(flag, type=click.Choice(statuses), help=known)
    parse = parsed_by(_PARSERS[field.metavar]) if field.metavar in _PARSERS else None
    return click.option(flag, metavar=field.metavar, callback=parse, help=text)


def filters_of(option: str, given: Sequence[str]) -> Filters:
    """Filters written as KEY=VALUE; a key that is no filter is the name of an attribute.

    Raises:
        click.BadParameter: One is written otherwise.
    """
    found: dict[str, Any] = {}
    for name, value in _pairs(given, option):
        key = name.replace("-", "_")
        if key in FILTERS and key != "attribute":
            found[key] = value
        else:
            found.setdefault("attribute", {})[name] = value
    return cast(Filters, found)


def _pairs(given: Sequence[str], option: str) -> list[tuple[str, str]]:
    pairs = [one.partition("=") for one in given]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise click.BadParameter(f"{name!r} is no KEY=VALUE", param_hint=option)
    return [(name, value) for name, _, value in pairs]


def _attributes(_: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str] | None:
    return dict(_pairs(given, param.opts[0])) or None
