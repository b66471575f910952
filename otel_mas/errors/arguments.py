"""Arguments of public calls, checked: a wrong type is a `TypeError`, what means nothing an error of the tree."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from otel_mas.errors import OtelMasError, SourceError, UnsupportedQuery

T = TypeVar("T")
_ENDLESS = float("inf")


def name(what: str, value: object) -> str:
    """A name or an id: text with something in it.

    Raises:
        TypeError: It is no text.
        UnsupportedQuery: It is empty.
    """
    if not isinstance(value, str):
        raise TypeError(f"{what} is {value!r}: it must be a str")
    if not value.strip():
        raise UnsupportedQuery(f"{what} is empty: give a name, or leave it out")
    return value


def optional_name(what: str, value: object) -> str | None:
    """The same, or None. Raises as `name`."""
    return None if value is None else name(what, value)


def names(what: str, value: object) -> list[str]:
    """One name, or several in a collection.

    Raises:
        TypeError: It is neither, or one of them is no text.
        UnsupportedQuery: One of them is empty.
    """
    if not isinstance(value, str | Collection):
        raise TypeError(f"{what} is {value!r}: it must be a str, or several")
    return [name(what, one) for one in ([value] if isinstance(value, str) else value)]


def search_text(what: str, value: object) -> str:
    """Text to look for, which may be blanks.

    Raises:
        TypeError: It is no text.
        UnsupportedQuery: It is empty.
    """
    if not isinstance(value, str):
        raise TypeError(f"{what} is {value!r}: it must be a str")
    if not value:
        raise UnsupportedQuery(f"{what} is empty, which is everywhere: give the text to look for")
    return value


def choice(what: str, value: object, known: Collection[str]) -> str:
    """One of these names.

    Raises:
        TypeError: It is no text.
        UnsupportedQuery: It is another one.
    """
    if name(what, value) not in known:
        raise UnsupportedQuery(f"{what} is {value!r}: give one of {', '.join(known)}")
    return str(value)


def number_of(what: str, value: object, refused: type[OtelMasError] = UnsupportedQuery) -> int:
    """A number of things, 1 at least.

    Raises:
        TypeError: It is no `int`, or too large for an index.
        OtelMasError: It is less; of the class `refused`.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value > sys.maxsize:
        raise TypeError(f"{what} is {value!r}: it must be an int, of {sys.maxsize} at most")
    if value < 1:
        raise refused(f"{what} is {value}, which asks for none: give 1 or more")
    return value


def optional_number(what: str, value: object) -> float | None:
    """A number, finite, or a bool as 1 or 0; or None.

    Raises:
        TypeError: It is none.
        UnsupportedQuery: It is endless, or no number.
    """
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise TypeError(f"{what} is {value!r}: it must be a number")
    if not abs(value) < _ENDLESS:
        raise UnsupportedQuery(f"{what} is {value!r}: it must be a finite number")
    return float(value)


def seconds(what: str, value: object, refused: type[OtelMasError]) -> float:
    """A time in seconds, 0 or more.

    Raises:
        TypeError: It is no number.
        OtelMasError: It is negative or endless; of the class `refused`.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} is {value!r}: it must be a number of seconds")
    if not 0 <= value < float("inf"):
        raise refused(f"{what} is {value!r}: give seconds, 0 or more")
    return float(value)


def path(what: str, value: str | os.PathLike[str]) -> Path:
    """A path of the file system, which need not exist.

    Raises:
        TypeError: It is neither text nor a path.
        SourceError: No file can be called that.
    """
    found = Path(value)
    if value == "" or not is_path(str(found)):
        raise SourceError(f"{what} is {value!r}, which names no file: give a path")
    return found


def is_path(text: str) -> bool:
    """Whether a file can be called that."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def mapping(what: str, value: object, example: str) -> None:
    """Raise `TypeError`, with an example, where a value is no mapping whose keys are text."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise TypeError(f"{what}: {value!r} is no dict by name, such as {example}")


def all_of(what: str, values: Iterable[T], kind: type | tuple[type, ...]) -> tuple[T, ...]:
    """The values as a tuple. Raises `TypeError` where one is not of this kind."""
    found = tuple(values)
    for value in found:
        if not isinstance(value, kind):
            kinds = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
            raise TypeError(f"{what} has {value!r}: each must be a {kinds}")
    return found


__all__ = [
    "all_of",
    "choice",
    "is_path",
    "mapping",
    "name",
    "names",
    "number_of",
    "optional_name",
    "path",
    "search_text",
    "seconds",
]
