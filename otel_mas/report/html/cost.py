"""Tokens and cost, by agent and by model."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.cost import CostRow, CostTable
from otel_mas.report.cost_words import COST_HEADS, NAMELESS, SIMULATED, cost_cells, unpriced_calls
from otel_mas.report.html.block import Head, left_out, table
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.text import count, plain

_MOST_ROWS = 50


def cost(found: CostTable) -> Markup:
    """A table by agent and one by model, both with the total; the calls that no price is known for."""
    if not found.total.calls:
        return element("p", "No model was called.")
    groups = (("agent", found.by_agent), ("model", found.by_model))
    tables = [_group(by, rows, found.total) for by, rows in groups]
    simulated = element("p", SIMULATED, class_="om-wait") if found.simulated else None
    return text(tables, simulated, _unpriced(found))


def _group(by: str, rows: Sequence[CostRow], total: CostRow) -> Markup:
    shown = [[plain(row.name or NAMELESS[by]), *_cells(row)] for row in rows[:_MOST_ROWS]]
    hidden = len(rows) - len(shown)
    return text(
        table([Head(f"by {by}"), *COST_HEADS], shown, ["total", *_cells(total)]),
        left_out([f"{hidden:,} {by}s that cost less"] if hidden > 0 else []),
    )


def _cells(row: CostRow) -> list[Child]:
    *numbers, simulated = cost_cells(row)
    return [*numbers, element("span", simulated, class_="om-wait") if simulated else ""]


def _unpriced(found: CostTable) -> Markup | None:
    if not found.unpriced:
        return None
    heading, lines, hidden = unpriced_calls(found)
    return text(
        element("p", heading, class_="om-wait"),
        element("ul", [element("li", line) for line in lines]),
        left_out([count(hidden, "more call")] if hidden else []),
    )
