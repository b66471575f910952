"""Commands that run an app: all after `--` belongs to it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

_KEY = "otel_mas.app"


class AppCommand(click.Command):
    """A command that may have the command line of an app after `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[_KEY] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)


def app_of(ctx: click.Context) -> list[str]:
    """The command line of the app; empty where there is none."""
    return list(ctx.meta.get(_KEY) or ())


def arguments_of(app: Sequence[str]) -> list[str]:
    """Program and arguments of an app's command line, in which `-m module` may stand in place of a program."""
    return [sys.executable, *app] if app[0] == "-m" else list(app)


__all__ = ["AppCommand", "app_of", "arguments_of"]
