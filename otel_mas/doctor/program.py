"""Which Python a command runs, and whether it lets anything be loaded into it; nothing is started for that."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

_PYTHON = re.compile(r"python[0-9.]*(\.exe)?|pypy[0-9.]*")
ISOLATED = {"I": "isolates it from the environment", "E": "ignores the environment", "S": "starts without site"}


def interpreter(command: Sequence[str]) -> tuple[str, list[str]] | None:
    """The Python that a command runs, and its options: the program itself, or what the script's first line names.

    Args:
        command: with the path of its program first.
    """
    program = command[0]
    if _PYTHON.fullmatch(os.path.basename(program)):
        return program, list(command[1:])
    try:
        with Path(program).open("rb") as file:
            line = file.readline(1024).decode(errors="replace")
    except OSError:
        return None
    words = line[2:].split() if line.startswith("#!") else []
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if word != "-S"]
    python = shutil.which(words[0]) if words else None
    if python is None or not _PYTHON.fullmatch(os.path.basename(python)):
        return None
    return python, words[1:]


def isolation(options: Sequence[str]) -> str | None:
    """The option of Python, among those before the script, under which it does not look at PYTHONPATH or site."""
    for option in options:
        if not option.startswith("-") or option.startswith("--") or option[1:2] in ("c", "m", ""):
            return None
        for flag in ISOLATED:
            if flag in option[1:] and option[1] not in "WX":
                return flag
    return None
