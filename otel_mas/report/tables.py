"""A table in words, for the terminal and for HTML alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")

MOST: Final = 50
"""Rows that are shown unless all are asked for."""


@dataclass(frozen=True, slots=True)
class Head:
    """A column's heading; `numeric` ones are set to the right, `text` may be broken into lines, or cut.

    On a terminal, a column is no wider than `widest`, and an `optional` one is left out where not all fit.
    """

    title: str
    numeric: bool = False
    text: bool = False
    widest: int | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Headings, rows as wide as these, and what there is to say about them, a line each.

    `left_out` is the number of rows that there are beyond those given.
    """

    heads: Sequence[Head]
    rows: Sequence[Sequence[str]]
    noun: str
    """One of the things that rows are about, for people: "execution"."""
    left_out: int = 0
    notes: Sequence[str] = ()


def table_of(
    heads: Sequence[Head],
    found: Sequence[T],
    row: Callable[[T], list[str]],
    noun: str,
    most: int | None,
    notes: Sequence[str] = (),
) -> Table:
    """A row for each of the first ones, as many as are asked for."""
    shown = found if most is None else found[:most]
    return Table(heads, [row(one) for one in shown], noun, len(found) - len(shown), notes)


__all__ = ["MOST", "Head", "Table", "table_of"]
