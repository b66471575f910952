"""Options that name destinations, for every command that sends to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from otel_mas.config import Settings
    from otel_mas.shipping import Destination

F = TypeVar("F", bound=Callable[..., Any])
_PREFIX = "OTEL_EXPORTER_OTLP_"


def destination_options(command: F) -> F:
    """--to and --endpoint, each any number of times, and --protocol."""
    for option in (
        click.option(
            "--protocol",
            type=click.Choice(["grpc", "http/protobuf"]),
            help="OTLP protocol. [default: $OTEL_EXPORTER_OTLP_PROTOCOL]",
        ),
        click.option(
            "--endpoint",
            "endpoints",
            metavar="URL",
            multiple=True,
            help="OTLP endpoint; may be repeated. [default: $OTEL_EXPORTER_OTLP_ENDPOINT]",
        ),
        click.option(
            "--to",
            "wanted",
            metavar="NAME[:TARGET]",
            multiple=True,
            help="otlp, otlp:URL, file:PATH, or another; may be repeated. [default: otlp]",
        ),
    ):
        command = option(command)
    return command


def opened_destinations(
    settings: Settings, wanted: Sequence[str], endpoints: Sequence[str], protocol: str | None
) -> list[Destination]:
    """The destinations that options name, each once.

    Raises:
        ConfigError: nothing of such a name is installed, or its settings are wrong.
    """
    from otel_mas.shipping import open_destination

    environ = dict(os.environ)
    if protocol is not None:
        environ[f"{_PREFIX}TRACES_PROTOCOL"] = protocol
    named = [*wanted, *(f"otlp:{url}" for url in endpoints)] or ["otlp"]
    if endpoints and "otlp" in wanted:  # that is what --endpoint is of
        named.remove("otlp")
    opened = (open_destination(one, settings, environ) for one in named)
    return list({destination.name: destination for destination in opened}.values())


def hex_digits(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse what is neither a trace's id nor the beginning of one."""
    if value is not None and (not value or set(value.lower()) - set("0123456789abcdef")):
        raise click.BadParameter(f"{value!r} is no trace id, nor the beginning of one: hex digits.", ctx, param)
    return value
