"""Changes of a state as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.analyse.state import StateChange
from otel_mas.analyse.state.values import value_text
from otel_mas.errors.printable import shortened
from otel_mas.report.html.block import Head, left_out, table
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.text import count, offset, plain

_LONGEST = 500
_HEADS = (Head("when", numeric=True), Head("task"), Head("channel"), Head("version", numeric=True), Head("written"))


def state(changes: Sequence[StateChange], begin: int, most: int = 500) -> Markup:
    """A row for each change, in the order in which they were applied; at most so many."""
    rows = table(_HEADS, (list(_row(one, begin)) for one in changes[:most]))
    hidden = len(changes) - most
    return text(rows, left_out([count(hidden, "later change")] if hidden > 0 else []))


def _row(one: StateChange, begin: int) -> Iterator[Child]:
    yield offset(one.time_ns - begin)
    yield plain(one.task)
    yield plain(one.channel)
    yield str(one.version)
    if one.missing is not None:
        yield element("span", f"({one.missing})", class_="om-dim")
    else:
        update = f"{plain(one.reducer or 'update')} ← " if one.replaces is False else ""
        yield update + shortened(plain(value_text(one.value)), _LONGEST)


__all__ = ["state"]
