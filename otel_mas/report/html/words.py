"""A table in words as HTML."""

from __future__ import annotations

from otel_mas.report.html.block import left_out, table
from otel_mas.report.markup import Markup, element, text
from otel_mas.report.tables import Table
from otel_mas.report.text import count


def words(found: Table) -> Markup:
    """The table, what was left out, and the notes."""
    if not found.rows:
        return element("p", f"No {found.noun} matches.")
    hidden = [count(found.left_out, f"more {found.noun}")] if found.left_out else []
    notes = [element("p", note, class_="om-dim") for note in found.notes]
    return text(table(found.heads, found.rows), left_out(hidden), notes)


__all__ = ["words"]
