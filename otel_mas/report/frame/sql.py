"""Rows of an SQL query as a data frame: a column is of the one type that all its values have, else text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from otel_mas.model.frame import Column, Frame, text


def sql(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Frame:
    """A row for each of the result; two columns of one name are told apart by a number."""
    across = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    columns, values = [], []
    for name, cells in zip(_distinct(names), across, strict=True):
        kinds = {type(cell) for cell in cells if cell is not None}
        kind = "integer" if kinds == {int} else "number" if kinds and kinds <= {int, float} else "string"
        columns.append(Column(name, kind, "of the query"))
        values.append([_text(cell) for cell in cells] if kind == "string" else list(cells))
    return Frame(columns, list(zip(*values, strict=True)) if rows else [])


def _distinct(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        number, wanted = 2, name
        while wanted in found:
            wanted, number = f"{name} {number}", number + 1
        found.append(wanted)
    return found


def _text(cell: Any) -> str | None:
    return None if cell is None else text(cell.hex() if isinstance(cell, bytes) else cell) or ""


__all__ = ["sql"]
