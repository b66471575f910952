"""Tokens and cost in words, for the terminal and for HTML alike."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.cost import CostRow, CostTable
from otel_mas.model import TraceSummary
from otel_mas.report.tables import Head
from otel_mas.report.text import count, plain, usd

COST_HEADS = (
    *(Head(title, numeric=True) for title in ("calls", "tokens in", "cached", "tokens out", "reasoning", "USD")),
    Head(""),
)
"""Heads of the cells of a row, without its name."""
SIMULATED = "simulated: a stand-in answered, nobody was charged; it is what the real model would have cost."
NAMELESS = {"agent": "(outside any agent)", "node": "(outside any node)", "model": "(model not named)"}
"""Names of rows for what has none, by what the rows are about."""
_MOST_UNPRICED = 10


def cost_cells(row: CostRow) -> list[str]:
    """The cells of a row, as `COST_HEADS`."""
    return [
        f"{row.calls:,}",
        f"{row.input_tokens:,}",
        f"{row.cache_read_tokens:,}" if row.cache_read_tokens else "",
        f"{row.output_tokens:,}",
        f"{row.reasoning_tokens:,}" if row.reasoning_tokens else "",
        _usd(row.usd, row.unpriced),
        "simulated" if row.simulated and row.usd is not None else "",
    ]


def unpriced_calls(found: CostTable) -> tuple[str, Sequence[str], int]:
    """A heading for the calls without a known price, a line for each of the first ones, and how many more there are."""
    lines = []
    for call in found.unpriced[:_MOST_UNPRICED]:
        who = f" by {plain(call.agent)}" if call.agent else ""
        lines.append(f"{plain(call.model or 'model not named')}{who}, span {call.span_id}: {plain(call.reason)}")
    several = count(len(found.unpriced), "call has", "calls have")
    return f"{several} no known price and no part in the sums (+):", lines, len(found.unpriced) - len(lines)


def tokens(summary: TraceSummary) -> str:
    """Input and output tokens: 1,203→45."""
    used = summary.input_tokens or summary.output_tokens
    return f"{summary.input_tokens:,}→{summary.output_tokens:,}" if used else ""


def price(summary: TraceSummary) -> str:
    """USD, and whether nobody was charged."""
    simulated = " sim." if summary.simulated and summary.cost_usd is not None else ""
    return _usd(summary.cost_usd, summary.unpriced_calls) + simulated


def _usd(amount: float | None, unpriced: int) -> str:
    """A + where some calls have no price, so that it is at least this."""
    if amount is None:
        return "no price" if unpriced else ""
    return usd(amount) + ("+" if unpriced else "")


__all__ = ["COST_HEADS", "NAMELESS", "SIMULATED", "cost_cells", "price", "tokens", "unpriced_calls"]
