"""Regular expressions of users for secrets, checked before they are used on any text."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

_MAX_S = 0.02  # of CPU time for a text of a few hundred characters; a usable expression takes a thousandth of it
# Exponential time shows before it is too long to wait for, since a step makes it no more than 16 times as long; cubic
# time shows at the last.
_LENGTHS = range(12, 204, 4)
_MAX_CHARS = 8
_MAX_FILE_BYTES = 1024 * 1024


def patterns(text: str) -> tuple[str, ...]:
    """A regular expression, or `@FILE` with one on each line, without blank lines and those that begin with `#`."""
    if not text.startswith("@"):
        return checked_patterns([text])
    path = Path(text[1:]).expanduser()
    try:
        lines = _contents(path).decode().splitlines()
    except (OSError, ValueError) as error:
        raise ValueError(
            f"a regular expression, or @FILE with one on each line; {path} cannot be read: {error}"
        ) from error
    return checked_patterns([line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")])


def _contents(path: Path) -> bytes:
    if not stat.S_ISREG(os.stat(path).st_mode):  # to open a pipe may wait for ever, and a device may never end
        raise ValueError("not a regular file")
    with path.open("rb") as file:
        contents = file.read(_MAX_FILE_BYTES + 1)
    if len(contents) > _MAX_FILE_BYTES:
        raise ValueError("larger than 1 MiB")
    return contents


def checked_patterns(expressions: Sequence[str]) -> tuple[str, ...]:
    """The same expressions, each of which compiles, does not match the empty text, and takes linear or quadratic time.

    Raises:
        ValueError: names the first other one by its number, since the expression itself may be a secret.
    """
    for number, expression in enumerate(expressions, 1):
        if not isinstance(expression, str):
            raise ValueError(f"regular expressions as text; number {number} is {type(expression).__name__}")
        try:
            compiled = re.compile(expression)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"regular expressions; number {number} is none: {error}") from error
        if compiled.search("") is not None:
            raise ValueError(f"regular expressions; number {number} matches the empty text, and so everywhere")
        if _is_slow(compiled):
            raise ValueError(
                f"regular expressions that end in time; number {number} takes exponential or cubic time: "
                "look for a repetition inside a repetition, such as (a+)+"
            )
    return tuple(expressions)


def names(text: str) -> tuple[str, ...]:
    """Names of keys, separated by commas."""
    return checked_names(list(filter(None, map(str.strip, text.split(",")))))


def checked_names(given: Sequence[str]) -> tuple[str, ...]:
    """The same names, none of which is empty."""
    if not all(isinstance(name, str) and name.strip() for name in given):
        raise ValueError("names of keys, such as iban, customer_no")
    return tuple(name.strip() for name in given)


def _is_slow(pattern: re.Pattern[str]) -> bool:
    for length in _LENGTHS:  # shortest first: an exponential one would not end on the longest
        for unit in _units(pattern.pattern):
            text = unit * (length // len(unit)) + "\0"
            # Twice, since the first time may have been disturbed.
            if _seconds(pattern, text) > _MAX_S and _seconds(pattern, text) > _MAX_S:
                return True
    return False


def _seconds(pattern: re.Pattern[str], text: str) -> float:
    began = time.thread_time()
    pattern.search(text)
    return time.thread_time() - began


def _units(expression: str) -> Iterator[str]:
    """Texts to repeat: characters of the expression, and pairs of them."""
    own = [char for char in dict.fromkeys(expression) if char not in "\\()[]{}^$*+?|"]
    chars = list(dict.fromkeys([*own[:_MAX_CHARS], *"a1A -_"]))
    yield from chars
    yield from ("".join(pair) for pair in product(chars[:_MAX_CHARS], repeat=2))
