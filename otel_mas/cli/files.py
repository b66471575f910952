"""Files that commands write."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from otel_mas.cli.output import note


@contextmanager
def written(output: str) -> Iterator[IO[bytes]]:
    """A new file, as `otel_mas.api.files.new_file` makes it; a note where others could read the one before.

    Raises:
        click.UsageError: the path cannot be that of a file to write.
    """
    from otel_mas.api.files import new_file

    mode = _mode(output)
    with new_file(output) as file:
        yield file
    if mode is not None and mode & (stat.S_IRWXG | stat.S_IRWXO):
        note(f"{output} was open to others (mode {stat.S_IMODE(mode):03o}): it is private now (600)")


def _mode(output: str) -> int | None:
    """The mode of the file that is there, behind links; None where none is."""
    try:
        path = Path(os.path.realpath(output))
        if not path.parent.is_dir():
            raise click.UsageError(f"There is no directory {path.parent}: make it, or give another FILE.")
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise click.UsageError(f"{output[:100]!r} cannot be written ({reason}): give another FILE.") from None
    if not stat.S_ISREG(mode):
        raise click.UsageError(f"{output} is no regular file: give another FILE, or - for standard output.")
    return mode
