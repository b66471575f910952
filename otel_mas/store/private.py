"""Files that only their owner can read: what is recorded may be anybody's words."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from otel_mas.errors.log import logger

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private(*paths: Path) -> None:
    """Take the permissions of group and others from regular files that had them, and say so once.

    A file of another owner stays as it is: it cannot be changed, and recording goes on.
    """
    changed = [(path, mode) for path in paths if (mode := _narrowed(path)) is not None] if os.name == "posix" else []
    if changed:
        path, mode = changed[0]
        logger.warning("otel-mas: %s was open to others (mode %03o): it is private now (600)", path, mode)


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def _narrowed(path: Path) -> int | None:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) or not mode & _OTHERS:
            return None
        path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
    except OSError:
        return None
    return stat.S_IMODE(mode)
