"""Errors as users see them: one line and an exit code, or a traceback with --debug."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from otel_mas.cli.output import note
from otel_mas.errors import OtelMasError
from otel_mas.errors.printable import shortened

DEBUG = "otel_mas.debug"
# sysexits.h: internal software error.
_BUG = 70
_MAX_NAME = 80


@contextmanager
def reported(ctx: click.Context) -> Iterator[None]:
    """Turn errors of the block into a line on stderr and the exit code; leave click's own to click."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise  # click shows its own, and ends quietly when the reader of a pipe has gone
    except Exception as error:
        if ctx.meta.get(DEBUG):
            raise
        message, code = _reason(error)
        note(" ".join(message.split()))
        ctx.exit(code)


def _damage() -> str | None:
    """Damage of the store that the command read, if that is why it failed."""
    connection = sys.modules.get("otel_mas.store.connection")
    path = None if connection is None else connection.last_opened()
    if connection is None or path is None:
        return None
    from otel_mas.store.upkeep.check import check

    try:
        problems = check(path)
    except Exception:  # the error being reported comes first
        return None
    return str(connection.damaged(path, problems[0])) if problems else None


def _reason(error: Exception) -> tuple[str, int]:
    if isinstance(error, OtelMasError):
        return str(error), error.exit_code
    if isinstance(error, OSError):
        return _os_error(error), 1
    if damage := _damage():
        return damage, 1
    return f"a bug in otel-mas: {type(error).__name__}: {error}; please report it with what --debug shows", _BUG


def _os_error(error: OSError) -> str:
    if error.errno != errno.ENAMETOOLONG:
        return str(error)
    return f"{error.strerror}: {shortened(str(error.filename), _MAX_NAME)}: name a file with a shorter path"
