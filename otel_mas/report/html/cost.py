"""Tokens and cost, by agent and by model."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.cost import CostRow, CostTable
from otel_mas.report.html.block import Head, left_out, table
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.text import count, plain, usd

_MOST_ROWS = 50
_MOST_UNPRICED = 10


def cost(found: CostTable) -> Markup:
    """A table by agent and one by model, both with the total; the calls that no price is known for."""
    if not found.total.calls:
        return element("p", "No model was called.")
    groups = (
        ("by agent", found.by_agent, "(outside any agent)"),
        ("by model", found.by_model, "(model not named)"),
    )
    tables = [_group(title, rows, nameless, found.total) for title, rows, nameless in groups]
    phrase = "simulated: a stand-in answered, nobody was charged; it is what the real model would have cost."
    simulated = element("p", phrase, class_="om-wait") if found.simulated else None
    return text(tables, simulated, _unpriced(found))


def _group(title: str, rows: Sequence[CostRow], nameless: str, total: CostRow) -> Markup:
    heads = [
        Head(title),
        *(Head(name, numeric=True) for name in ("calls", "tokens in", "cached", "tokens out", "reasoning", "USD")),
        Head(""),
    ]
    shown = [[plain(row.name or nameless), *_cells(row)] for row in rows[:_MOST_ROWS]]
    hidden = len(rows) - len(shown)
    return text(
        table(heads, shown, ["total", *_cells(total)]),
        left_out([f"{hidden:,} {title.removeprefix('by ')}s that cost less"] if hidden > 0 else []),
    )


def _cells(row: CostRow) -> list[Child]:
    priced = "no price" if row.usd is None and row.unpriced else "" if row.usd is None else usd(row.usd)
    return [
        f"{row.calls:,}",
        f"{row.input_tokens:,}",
        f"{row.cache_read_tokens:,}" if row.cache_read_tokens else "",
        f"{row.output_tokens:,}",
        f"{row.reasoning_tokens:,}" if row.reasoning_tokens else "",
        priced + ("+" if row.usd is not None and row.unpriced else ""),
        element("span", "simulated", class_="om-wait") if row.simulated and row.usd is not None else "",
    ]


def _unpriced(found: CostTable) -> Markup | None:
    if not found.unpriced:
        return None
    several = count(len(found.unpriced), "call has", "calls have")
    items = []
    for call in found.unpriced[:_MOST_UNPRICED]:
        who = f" by {plain(call.agent)}" if call.agent else ""
        phrase = f"{plain(call.model or 'model not named')}{who}, span {call.span_id}: {plain(call.reason)}"
        items.append(element("li", phrase))
    hidden = len(found.unpriced) - len(items)
    return text(
        element("p", f"{several} no known price and no part in the sums (+):", class_="om-wait"),
        element("ul", items),
        left_out([count(hidden, "more call")] if hidden else []),
    )
