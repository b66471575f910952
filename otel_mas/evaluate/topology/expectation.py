"""Statements of an expected topology: terms, cardinalities and the edges between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from otel_mas.evaluate.outcome import Outcome

AGENT, TASK, TOOL = "agent", "task", "tool"
START, END = "START", "END"
UNBOUNDED: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Cardinality:
    """Bounds of a number, both included; `most` is None where there is no upper one."""

    least: int
    most: int | None

    def __str__(self) -> str:
        known = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((self.least, self.most))
        if known is not None:
            return known
        return f"{{{self.least}}}" if self.least == self.most else f"{{{self.least},{self.most or ''}}}"

    def outcome(self, certain: float, possible: float) -> Outcome:
        """Outcome for a number that is known to lie between these two."""
        most = UNBOUNDED if self.most is None else self.most
        if certain > most or possible < self.least:
            return Outcome.FAILED
        return Outcome.PASSED if certain >= self.least and possible <= most else Outcome.INSUFFICIENT_EVIDENCE


SOME: Final = Cardinality(1, None)
"""At least one, as where an expectation says nothing."""
NONE: Final = Cardinality(0, 0)


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A name of agents, tasks or tools: `writer`, `team/writer` by the end of a path, `/writer` by all of it.

    `kind` is "agent", "task" (which is no agent) or "tool", or None for any of them.
    """

    text: str
    kind: str | None = None
    wildcards: bool = False
    """Whether `*` stands for any text that has no `/` in it."""

    def fits(self, name: str) -> bool:
        """Whether it is a name for a path, or a path's end."""
        if self.wildcards:
            return _compiled(self.text).search(name) is not None
        return name.endswith("/" + self.text) or name == self.text.removeprefix("/")


@dataclass(frozen=True)
class Term:
    """One of the things that a statement is about: all that some names stand for, or a variable."""

    text: str
    """As it is written, without a cardinality."""
    names: tuple[NamePattern, ...]
    """It stands for all that one of them fits."""
    variable: str | None = None
    """Name of a variable, which stands for one node, the same in all statements."""
    cardinality: Cardinality | None = None

    def __str__(self) -> str:
        return f"{self.text}{self.cardinality or ''}"

    @cached_property
    def is_boundary(self) -> bool:
        """Whether it is `START` or `END`."""
        return not self.names and self.variable is None

    @property
    def bounds(self) -> Cardinality:
        return self.cardinality or SOME


@dataclass(frozen=True, slots=True)
class Count:
    """So many executions of a term, or calls of a tool."""

    term: Term
    never: bool = False

    def __str__(self) -> str:
        return f"never {self.term}" if self.never else str(self.term)


@dataclass(frozen=True, slots=True)
class ExpectedEdge:
    """An edge from a cause to an effect, or from an agent or task to a tool that it calls."""

    source: Term
    target: Term
    kind: str | None = None
    """Value of `mas.link.kind`, or "child"; None for any but "message"."""
    calls: bool = False
    each: bool = False
    never: bool = False

    def __str__(self) -> str:
        arrow = "=>" if self.calls else f"-{self.kind}->" if self.kind else "->"
        word = "never " if self.never else "each " if self.each else ""
        return f"{word}{self.source} {arrow} {self.target}"

    @property
    def has_variable(self) -> bool:
        return self.source.variable is not None or self.target.variable is not None


@dataclass(frozen=True, slots=True)
class Before:
    """Each execution of `later` has one of `earlier` before it. With `never`, `later` need not have run."""

    earlier: Term
    later: Term
    never: bool = False

    def __str__(self) -> str:
        return f"never {self.later} before {self.earlier}" if self.never else f"{self.earlier} before {self.later}"


@dataclass(frozen=True, slots=True)
class Joins:
    """Each execution of `join` waits for all executions of `branch` of its round."""

    join: Term
    branch: Term

    def __str__(self) -> str:
        return f"{self.join} joins {self.branch}"


@dataclass(frozen=True, slots=True)
class NothingElse:
    """No edge and no call of a tool but the expected ones."""

    def __str__(self) -> str:
        return "nothing else"


Statement = Count | ExpectedEdge | Before | Joins | NothingElse


@dataclass(frozen=True, slots=True)
class Expectation:
    """An expected topology: statements that all have to hold."""

    statements: tuple[Statement, ...]

    def __str__(self) -> str:
        return "; ".join(map(str, self.statements))


def terms_of(statements: Sequence[Statement]) -> list[Term]:
    """The terms of statements, each as often as it is written."""
    found: list[Term] = []
    for one in statements:
        match one:
            case Count(term):
                found.append(term)
            case ExpectedEdge():
                found += (one.source, one.target)
            case Before():
                found += (one.earlier, one.later)
            case Joins():
                found += (one.join, one.branch)
            case NothingElse():
                pass
    return found


@cache
def _compiled(text: str) -> re.Pattern[str]:
    """A pattern of wildcards, at the end of a path; a backslash takes the next character as it is."""
    parts = re.findall(r"\\.|\*|[^\\*]+", text.removeprefix("/"), re.DOTALL)
    return re.compile((r"\A" if text.startswith("/") else r"(?:\A|/)") + "".join(map(_part, parts)) + r"\Z")


def _part(part: str) -> str:
    if part == "*":
        return "[^/]*"
    return re.escape(part[1:] if part.startswith("\\") and len(part) == 2 else part)


__all__ = [
    "AGENT",
    "END",
    "NONE",
    "SOME",
    "START",
    "TASK",
    "TOOL",
    "UNBOUNDED",
    "Before",
    "Cardinality",
    "Count",
    "Expectation",
    "ExpectedEdge",
    "Joins",
    "NamePattern",
    "NothingElse",
    "Statement",
    "Term",
    "terms_of",
]
