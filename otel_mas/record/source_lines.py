"""Source lines around the frames of an exception, as they are when it is recorded."""

from __future__ import annotations

import linecache
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, TypedDict

_AROUND: Final = 3
"""Lines before and after the one that a frame was at."""
_MOST_FRAMES: Final = 8
_MOST_EXCEPTIONS: Final = 16
_LONGEST: Final = 200
"""Characters of a line."""


class Excerpt(TypedDict):
    """Lines of a file from `first` on, around `line`; joined, so that what spans several lines is redacted whole."""

    file: str
    line: int
    first: int
    text: str


def source_lines(exc: BaseException) -> list[Excerpt]:
    """Lines around the frames of an exception, of its causes and of a group's members, 8 frames at most.

    Those are the innermost frame of each, and the innermost ones of the app's own code. Never raises.
    """
    try:
        places = dict.fromkeys(place for one in _related(exc) for place in _places(one.__traceback__))
        return [found for file, line in list(places)[:_MOST_FRAMES] if (found := _excerpt(file, line)) is not None]
    except BaseException:  # what an exception's own attributes may raise, SystemExit too
        return []


def _related(exc: BaseException) -> Iterator[BaseException]:
    """An exception, then those that it follows from or holds, nearest first."""
    waiting, seen = [exc], set[int]()
    while waiting and len(seen) < _MOST_EXCEPTIONS:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        before = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        waiting += [before] if before is not None else []
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()


def _places(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    """File and line of the frames, the innermost first: that one, and those of the app's own code."""
    places = []
    while traceback is not None:
        places.append((traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    for number, (file, line) in enumerate(reversed(places)):
        if number == 0 or not file.startswith(_installed()):
            yield file, line


@cache
def _installed() -> tuple[str, ...]:
    """Folders of Python, of packages and of otel-mas; all other files are the app's own."""
    paths = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return (*filter(None, paths), str(Path(__file__).parents[1]))


def _excerpt(file: str, line: int) -> Excerpt | None:
    """The lines, from the cache that Python has filled for the stack; None where there is no source."""
    lines = linecache.getlines(file)
    if not 1 <= line <= len(lines):
        return None
    first = max(1, line - _AROUND)
    shown = [one.rstrip("\n")[:_LONGEST] for one in lines[first - 1 : line + _AROUND]]
    return {"file": file, "line": line, "first": first, "text": "\n".join(shown)}


__all__ = ["Excerpt", "source_lines"]
