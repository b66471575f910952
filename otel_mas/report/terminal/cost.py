"""Tokens and cost for people, by agent and by model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from otel_mas.analyse.cost import CostRow, CostTable
from otel_mas.report.tables import Head
from otel_mas.report.terminal.lines import fit, wrap
from otel_mas.report.terminal.table import grid
from otel_mas.report.text import count, listing, plain, usd

_HEADINGS = ("calls", "tokens in", "cached", "tokens out", "reasoning", "USD", "")
_WIDEST_NAME = 40
_MOST_UNPRICED = 10


def cost(table: CostTable, width: int) -> Iterator[Text]:
    """A table by agent, one by model, the total, and the calls that no price is known for."""
    if not table.total.calls:
        yield Text("No model was called.")
        return
    agents = [[plain(row.name or "(outside any agent)"), *_numbers(row)] for row in table.by_agent]
    models = [[plain(row.name or "(model not named)"), *_numbers(row)] for row in table.by_model]
    total = ["total", *_numbers(table.total)]
    used = [any(column) for column in zip(*agents, *models, total, strict=True)]
    heads = [Head("by agent", widest=_WIDEST_NAME), *(Head(heading, numeric=True) for heading in _HEADINGS)]
    headings = (Text(head.title if some else "", "dim") for head, some in zip(heads[1:], used[1:], strict=True))
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


def _numbers(row: CostRow) -> tuple[str, ...]:
    priced = "no price" if row.usd is None and row.unpriced else "" if row.usd is None else usd(row.usd)
    return (
        f"{row.calls:,}",
        f"{row.input_tokens:,}",
        f"{row.cache_read_tokens:,}" if row.cache_read_tokens else "",
        f"{row.output_tokens:,}",
        f"{row.reasoning_tokens:,}" if row.reasoning_tokens else "",
        priced + ("+" if row.usd is not None and row.unpriced else ""),
        "simulated" if row.simulated and row.usd is not None else "",
    )


def _remarks(table: CostTable, width: int) -> Iterator[Text]:
    if table.simulated:
        yield Text("")
        phrase = "simulated: a stand-in answered, nobody was charged; it is what the real model would have cost."
        yield from (Text(piece.plain, style="yellow") for piece in wrap(Text(phrase), width))
    if not table.unpriced:
        return
    yield Text("")
    several = count(len(table.unpriced), "call has", "calls have")
    yield Text(f"{several} no known price and no part in the sums (+):", style="yellow")
    for call in table.unpriced[:_MOST_UNPRICED]:
        who = f" by {plain(call.agent)}" if call.agent else ""
        model = plain(call.model or "model not named")
        yield fit(Text(f"  {model}{who}, span {call.span_id}: {plain(call.reason)}"), width)
    if len(table.unpriced) > _MOST_UNPRICED:
        yield Text(f"  and {len(table.unpriced) - _MOST_UNPRICED} more; --json lists all of them")
