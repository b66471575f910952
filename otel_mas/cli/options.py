"""Options that several commands share, and values as people write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from otel_mas.cli.failures import DEBUG
from otel_mas.cli.progress import progress

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Source, Trace

F = TypeVar("F", bound=Callable[..., Any])
_TRACE = 'TRACE is the id of a trace or the beginning of it, or "latest" (the default).'


def _debug(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        ctx.meta[DEBUG] = True


def debug(command: F) -> F:
    """`--debug`, wherever on the line it stands."""
    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=_debug,
        help="Show a traceback instead of one line for an error.",
    )(command)


def source_options(command: F) -> F:
    """Options of every command that reads: --from, --json, --debug."""
    return source_option(json_option(command))


def json_option(command: F) -> F:
    """Options of every command that answers: --json, --debug."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(debug(command))


def source_option(command: F) -> F:
    """--from: any source to read from. A store is one, so --store is the same option."""

    @wraps(command)
    def reading_once(*args: Any, **options: Any) -> Any:
        from otel_mas.sources.server import download_once

        with progress(), download_once():
            return command(*args, **options)

    return click.option(
        "--from",
        "--store",
        "store",
        metavar="SOURCE",
        help="Read from here: a store's path, a file of OTLP or trace records, jaeger+http://HOST:16686, "
        "tempo+http://HOST:3200, clickhouse://HOST:8123, ... "
        "[default: the store, $OTEL_MAS_STORE, else the one in your data directory]",
    )(cast(F, reading_once))


def not_empty(_: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse an empty text, such as that of a shell variable that is not set."""
    if value == "":
        raise click.BadParameter("it is empty: name a file", param=param)
    return value


def checked_address(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, int]:
    """HOST:PORT as its parts."""
    from otel_mas.doctor.server import address_of

    try:
        return address_of(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


def store_option(command: F) -> F:
    """--store: the path of a store."""
    return click.option(
        "--store",
        metavar="PATH",
        callback=not_empty,
        help="This store. [default: $OTEL_MAS_STORE, else the one in your data directory]",
    )(command)


@dataclass(frozen=True, slots=True)
class Target:
    """The subject of a command: a trace by the beginning of its id, the latest one, or a conversation."""

    trace: str | None
    conversation: str | None
    service: str | None

    def __post_init__(self) -> None:
        if self.trace is not None and self.conversation is not None:
            raise click.UsageError("Give either TRACE or --conversation, not both.")
        if self.service is not None and self.conversation is None:
            raise click.UsageError("--service is for a conversation: give --conversation too.")

    def find(self, source: Source) -> Trace | Conversation:
        """Raises `TraceNotFound`, or `UnsupportedQuery` where the thread alone does not say which."""
        if self.conversation is not None:
            return source.conversation(self.conversation, self.service)
        if self.trace is None or self.trace == "latest":
            return source.latest()
        return source.trace(self.trace)


def one_target(command: F) -> F:
    """Options of every command about one run: TRACE, or --conversation THREAD. The command gets a `target`."""

    @wraps(command)
    def with_target(trace: str | None, conversation: str | None, service: str | None, **options: Any) -> Any:
        return command(target=Target(trace, conversation, service), **options)

    with_target.__doc__ = f"{cleandoc(command.__doc__ or '')}\n\n{_TRACE}"
    return cast(F, click.argument("trace", required=False)(conversation_options(with_target)))


def conversation_options(command: F) -> F:
    """--conversation and --service."""
    command = click.option(
        "--service", metavar="NAME", help="Whose conversation, where several services use the same thread."
    )(command)
    return click.option(
        "--conversation", metavar="THREAD", help="All traces of this thread, as one, instead of TRACE."
    )(command)


def parsed_by(parse: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """A callback that refuses what the function of this name in `otel_mas.api.when` cannot read."""

    def check(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        from otel_mas.api import when

        try:
            if value is not None:
                getattr(when, parse)(value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from None
        return value

    return check
