"""Tokens and cost for people, by agent and by model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from otel_mas.analyse.cost import CostTable
from otel_mas.report.cost_words import COST_HEADS, NAMELESS, SIMULATED, cost_cells, unpriced_calls
from otel_mas.report.tables import Head
from otel_mas.report.terminal.lines import fit, wrap
from otel_mas.report.terminal.table import grid
from otel_mas.report.text import count, listing, plain, usd

_WIDEST_NAME = 40


def cost(table: CostTable, width: int) -> Iterator[Text]:
    """A table by agent, one by model, the total, and the calls that no price is known for."""
    if not table.total.calls:
        yield Text("No model was called.")
        return
    agents = [[plain(row.name or NAMELESS["agent"]), *cost_cells(row)] for row in table.by_agent]
    models = [[plain(row.name or NAMELESS["model"]), *cost_cells(row)] for row in table.by_model]
    total = ["total", *cost_cells(table.total)]
    used = [any(column) for column in zip(*agents, *models, total, strict=True)]
    headings = (Text(head.title if some else "", "dim") for head, some in zip(COST_HEADS, used[1:], strict=True))
    heads = [Head("by agent", widest=_WIDEST_NAME), *COST_HEADS]
    blank = [""] * len(heads)
    rows: list[Sequence[str | Text]] = [*agents, blank]
    rows += [[Text("by model", "bold"), *headings], *models, blank]
    rows.append([Text(cell, "bold") for cell in total])
    yield from grid(heads, rows, width, titled=True)
    yield from _remarks(table, width)


def cost_in_a_line(table: CostTable) -> Text:
    """Calls, tokens and dollars of everything."""
    total = table.total
    phrase = Text(f"{count(total.calls, 'model call')}, {total.input_tokens:,} tokens in")
    if total.cache_read_tokens:
        phrase.append(f" ({total.cache_read_tokens:,} cached)")
    phrase.append(f", {total.output_tokens:,} out")
    if total.usd is not None:
        phrase.append(f", {usd(total.usd)}").append(" simulated" if total.simulated else "", style="yellow")
    if total.unpriced:
        models = list(dict.fromkeys(plain(call.model or "a model without a name") for call in table.unpriced))
        phrase.append(f", {count(total.unpriced, 'call')} without a price ({listing(models)})", style="yellow")
    return phrase


def _remarks(table: CostTable, width: int) -> Iterator[Text]:
    if table.simulated:
        yield Text("")
        yield from wrap(Text(SIMULATED, style="yellow"), width)
    if not table.unpriced:
        return
    heading, lines, hidden = unpriced_calls(table)
    yield Text("")
    yield Text(heading, style="yellow")
    for line in lines:
        yield fit(Text(f"  {line}"), width)
    if hidden:
        yield Text(f"  and {hidden} more; --json lists all of them")
