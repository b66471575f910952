"""A traceback as Python writes it, read back into exceptions, their frames and how they follow from each other.

Python's format: `traceback.format_exception`. A message may hold lines that look like a frame; the text itself is the
record, this is a reading of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

_HEADER = re.compile(r"(?:Exception Group )?Traceback \(most recent call last\):")
_FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+)(?:, in (?P<function>.*))?')
_CARETS = re.compile(r"[\s~^]+")
_TYPE = re.compile(r"(?P<type>[\w.<>]+)(?:: (?P<message>.*))?")
_PART = re.compile(r"(?P<inset> *)\+[-+]*-{4,} ?(?:\d+|\.\.\.)? ?-*")
_BEGINS = re.compile(r"  (?:\+ |\| .*\(\d+ sub-exceptions?\)$)")
"""The first line of a group; the second form is that of one that was never raised."""
_GROUP = re.compile(r"(?P<inset> *)[|+] ?(?P<text>.*)")
_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"


class Relation(StrEnum):
    """How an exception belongs to the one that was raised."""

    RAISED = "raised"
    CAUSE = "cause"
    """`__cause__` of the next one."""
    CONTEXT = "context"
    """`__context__` of the next one, which was raised while this one was handled."""
    MEMBER = "member"
    """One of an exception group, or a cause or context of one."""


@dataclass(frozen=True, slots=True)
class StackFrame:
    """A frame, with its source line as it was when the exception was recorded; None where it was not to be had."""

    file: str
    line: int
    function: str
    source: str | None
    around: tuple[tuple[int, str], ...] = ()
    """That line and those around it with their numbers, where they were recorded (`mas.error.source`)."""


@dataclass(frozen=True, slots=True)
class ExceptionInStack:
    """An exception of a traceback. `message` holds its notes, too."""

    type: str
    message: str
    relation: Relation
    frames: tuple[StackFrame, ...]


@dataclass(slots=True)
class _Exception:
    depth: int
    frames: list[StackFrame] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    relation: Relation = Relation.RAISED


def exceptions_in(text: str) -> tuple[ExceptionInStack, ...]:
    """The exceptions of a traceback in its order: causes before what they caused, a group before its members."""
    found: list[_Exception] = []
    in_stack, fresh = False, True
    for depth, line, separates in _lines(text):
        if separates:
            fresh, in_stack = True, False
        elif _HEADER.fullmatch(line):
            found.append(_Exception(depth))
            in_stack, fresh = True, False
        elif line in (_CAUSE, _CONTEXT) and found:
            found[-1].relation = Relation.CAUSE if line == _CAUSE else Relation.CONTEXT
            fresh = True
        elif in_stack and line.startswith("  "):
            _add_to_stack(found[-1], line)
        elif fresh and line:
            found.append(_Exception(depth, lines=[line]))
            fresh = False
        elif found and not fresh:
            in_stack = False
            found[-1].lines.append(line)
    return tuple(_made(one) for one in found if one.lines)


def with_source(exceptions: Sequence[ExceptionInStack], recorded: Any) -> tuple[ExceptionInStack, ...]:
    """The exceptions, their frames with the lines around them; `recorded` is the value of `mas.error.source`."""
    around = dict(filter(None, map(_excerpt, recorded if isinstance(recorded, list | tuple) else ())))
    return tuple(
        replace(one, frames=tuple(replace(it, around=around.get((it.file, it.line), ())) for it in one.frames))
        for one in exceptions
    )


def _excerpt(found: Any) -> tuple[tuple[str, int], tuple[tuple[int, str], ...]] | None:
    """Lines by the file and line that they are around; None of what another program wrote in their place."""
    match found:
        case {"file": str(file), "line": int(line), "first": int(first), "text": str(text)}:
            return (file, line), tuple(enumerate(text.rstrip().split("\n"), first))
    return None


def _lines(text: str) -> Iterator[tuple[int, str, bool]]:
    """Depth in groups, the line without what draws the group, and whether it begins a member."""
    depth = 0
    for line in text.splitlines():
        part, group = _PART.fullmatch(line), _GROUP.fullmatch(line)
        if part is not None and (depth or part["inset"]):
            depth = len(part["inset"]) // 2 + 1
            yield depth, "", True
        elif group is not None and group["inset"] and len(group["inset"]) % 2 == 0 and (depth or _BEGINS.match(line)):
            depth = len(group["inset"]) // 2
            yield depth, group["text"], False
        else:
            yield 0, line, False


def _add_to_stack(one: _Exception, line: str) -> None:
    frame = _FRAME.fullmatch(line)
    if frame is not None:
        one.frames.append(StackFrame(frame["file"], int(frame["line"]), frame["function"] or "", None))
    elif one.frames and one.frames[-1].source is None and not _CARETS.fullmatch(line):
        last = one.frames[-1]
        one.frames[-1] = StackFrame(last.file, last.line, last.function, line.strip())


def _made(one: _Exception) -> ExceptionInStack:
    first, *more = one.lines
    named = _TYPE.fullmatch(first)
    kind, message = (named["type"], named["message"] or "") if named is not None else (first, "")
    relation = Relation.MEMBER if one.depth > 1 else one.relation
    return ExceptionInStack(kind, "\n".join([message, *more]).strip(), relation, tuple(one.frames))


__all__ = ["ExceptionInStack", "Relation", "StackFrame", "exceptions_in", "with_source"]
