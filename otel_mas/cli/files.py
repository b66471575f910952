"""Files that commands write: all of one or nothing, and only their owner can read them."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from otel_mas.cli.output import note


@contextmanager
def written(output: str) -> Iterator[IO[bytes]]:
    """A new file of mode 0600. An older file at the path, or at the end of a link there, stays until it is complete.

    Raises:
        click.UsageError: the path cannot be that of a file to write.
    """
    path, mode = _target(output)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".otel-mas-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if mode is not None and mode & (stat.S_IRWXG | stat.S_IRWXO):
        note(f"{path} was open to others (mode {stat.S_IMODE(mode):03o}): it is private now (600)")


def _target(output: str) -> tuple[Path, int | None]:
    """The path behind links, and the mode of the file that is there."""
    try:
        path = Path(os.path.realpath(output))
        if not path.parent.is_dir():
            raise click.UsageError(f"There is no directory {path.parent}: make it, or give another FILE.")
        mode = path.stat().st_mode
    except FileNotFoundError:
        return path, None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise click.UsageError(f"{output[:100]!r} cannot be written ({reason}): give another FILE.") from None
    if not stat.S_ISREG(mode):
        raise click.UsageError(f"{output} is no regular file: give another FILE, or - for standard output.")
    return path, mode
