"""Options that select traces, made of the table in `otel_mas.api.filters`; and the same as words, for `compare`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from otel_mas.api.filters import FILTERS
from otel_mas.cli.options import parsed_by
from otel_mas.model import STATUSES

F = TypeVar("F", bound=Callable[..., Any])
_PARSERS = {"DURATION": "duration_ns", "TIME": "instant_ns"}


def filter_options(command: F) -> F:
    """An option for each filter, which the command gets as keywords."""
    for name, (field, meaning) in reversed(FILTERS.items()):
        flag, text = f"--{name.replace('_', '-')}", f"Only those {meaning[0].lower()}{meaning[1:]}"
        if name == "attribute":
            option = click.option(flag, metavar=field.metavar, multiple=True, callback=_attributes, help=text)
        elif name == "status":
            option = click.option(flag, type=click.Choice(STATUSES), help=text)
        elif field.metavar in _PARSERS:
            option = click.option(flag, metavar=field.metavar, callback=parsed_by(_PARSERS[field.metavar]), help=text)
        else:
            option = click.option(flag, metavar=field.metavar, help=text)
        command = option(command)
    return command


def _attributes(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str] | None:
    pairs = [one.partition("=") for one in given]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise click.BadParameter(f"{name!r} is no KEY=VALUE", ctx, param)
    return {name: value for name, _, value in pairs} or None
