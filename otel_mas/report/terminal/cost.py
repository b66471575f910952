"""Tokens and cost for people, by agent and by model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from otel_mas.analyse.cost import CostRow, CostTable
from otel_mas.report.terminal.lines import cells, fit, wrap
from otel_mas.report.text import count, listing, plain, usd

_HEADINGS = ("calls", "tokens in", "cached", "tokens out", "reasoning", "USD", "")
_WIDEST_NAME = 40
_MOST_UNPRICED = 10


def cost(table: CostTable, width: int) -> Iterator[Text]:
    """A table by agent, one by model, the total, and the calls that no price is known for."""
    if not table.total.calls:
        yield Text("No model was called.")
        return
    groups = (
        ("by agent", table.by_agent, "(outside any agent)"),
        ("by model", table.by_model, "(model not named)"),
    )
    named = [[plain(row.name or nameless) for row in rows] for _, rows, nameless in groups]
    wide = min(_WIDEST_NAME, max(len("by agent"), *(Text(name).cell_len for group in named for name in group)))
    numbers = [_numbers(row) for _, rows, _ in groups for row in rows] + [_numbers(table.total)]
    # A column that says nothing is left out.
    widths = [
        max(map(len, (heading, *column))) if any(column) else 0
        for heading, *column in zip(_HEADINGS, *numbers, strict=True)
    ]
    for (title, rows, _), labels in zip(groups, named, strict=True):
        yield _line(Text(title, style="bold"), _HEADINGS, wide, widths, "dim")
        for row, label in zip(rows, labels, strict=True):
            yield _line(Text(label), _numbers(row), wide, widths)
        yield Text("")
    yield _line(Text("total", style="bold"), _numbers(table.total), wide, widths, "bold")
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


def _line(label: Text, numbers: Sequence[str], wide: int, widths: Sequence[int], style: str = "") -> Text:
    parts = [fit(label, wide)]
    parts += [Text(f"  {number:>{room}}", style=style) for number, room in zip(numbers, widths, strict=True) if room]
    return cells(*parts)


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
