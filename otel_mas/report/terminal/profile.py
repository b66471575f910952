"""A profile for people: time by agent, turn, node, model and tool, hot spots, profiled functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.text import Text

from otel_mas.analyse.profile import FunctionRow, HotSpot, Percentiles, Profile, ProfileRow
from otel_mas.report.cost_words import NAMELESS
from otel_mas.report.tables import Head
from otel_mas.report.terminal.lines import wrap
from otel_mas.report.terminal.table import grid
from otel_mas.report.text import count, duration, plain, share, usd

_WIDEST_NAME = 40
_MOST_ROWS = 20
_MOST_SPOTS = 15
_OF_ENOUGH = 100
"""So many durations tell P99 from the longest; a tenth of it P90."""
_Column = tuple[str, Sequence[str | Text]]
"""A heading, and a cell for each row; empty where there is nothing to say."""


def profile(found: Profile, width: int) -> Iterator[Text]:
    """Tables of the rows, of the hot spots and of the functions, the longest first, and what they add up to."""
    if not found.runs:
        yield Text("No run.")
        return
    if found.runs > 1:
        yield from _runs(found, width)
        yield Text("")
    for by in ("agent", "turn", "node", "model", "tool"):
        rows = [row for row in found.by(by) if row.calls or row.wall_ns]
        if rows and not (by == "turn" and len(rows) == len([row for row in found.by("agent") if row.calls])):
            yield from _group(by, rows, width)
            yield Text("")
    yield from _hot_spots(found, width)
    if found.functions:
        yield Text("")
        yield from _functions(found.functions, width)
    yield Text("")
    yield from _remarks(found, width)


def _runs(found: Profile, width: int) -> Iterator[Text]:
    p50, p90, p99 = _percentiles(found.durations)
    phrase = (
        f"{count(found.runs, 'run')}, {count(found.spans, 'span')}; a run took {p50} (P50), {p90} (P90), {p99} (P99), "
        f"{duration(found.durations.longest)} at most"
    )
    yield from wrap(Text(phrase), width)


def _group(by: str, rows: Sequence[ProfileRow], width: int) -> Iterator[Text]:
    shown = rows[:_MOST_ROWS]
    names = [plain(row.name if row.name is not None else NAMELESS.get(by, "")) for row in shown]
    yield from _table(f"by {by}", names, _columns(by, shown), width)
    yield from _left_out(len(rows) - len(shown), by)


def _columns(by: str, rows: Sequence[ProfileRow]) -> list[_Column]:
    """The columns, those that matter most first."""

    def times(heading: str, of: Callable[[ProfileRow], int | None]) -> _Column:
        return (heading, [duration(found) if (found := of(row)) else "" for row in rows])

    parallel = any(row.sum_ns > 1.001 * row.wall_ns for row in rows if row.calls)
    percentiles = [_percentiles(row.durations) if row.calls > 1 else ("", "", "") for row in rows]
    split = by in ("agent", "turn", "node")
    return [
        ("calls", [f"{row.calls:,}" if row.calls else "" for row in rows]),
        _failed(rows),
        ("wall", [duration(row.wall_ns) for row in rows]),
        times("sum", lambda row: row.sum_ns if parallel else 0),
        times("model", lambda row: row.model_ns if split or by == "tool" else 0),
        times("tools", lambda row: row.tool_ns if split else 0),
        times("own", lambda row: row.self_ns if by != "model" else 0),
        times("on path", lambda row: row.on_path_ns),
        times("sibling", lambda row: row.waiting_sibling_ns),
        times("person", lambda row: row.waiting_input_ns),
        times("rate limit", lambda row: row.waiting_rate_limit_ns),
        *((name, [one[at] for one in percentiles]) for at, name in enumerate(("P50", "P90", "P99"))),
        times("loop lag", lambda row: row.loop_lag_max_ns),
        times("1st chunk", lambda row: row.first_chunk.p50),
        ("tokens in + out", [_tokens(row) for row in rows]),
        ("USD", [usd(row.cost.usd) if row.cost.usd is not None else "" for row in rows]),
    ]


def _tokens(row: ProfileRow) -> str:
    return f"{row.cost.input_tokens:,} + {row.cost.output_tokens:,}" if row.cost.calls else ""


def _percentiles(took: Percentiles) -> tuple[str, str, str]:
    return (
        duration(took.p50),
        ("" if took.n >= _OF_ENOUGH // 10 else "~") + duration(took.p90),
        ("" if took.n >= _OF_ENOUGH else "~") + duration(took.p99),
    )


def _hot_spots(found: Profile, width: int) -> Iterator[Text]:
    shown = found.hot_spots[:_MOST_SPOTS]
    work = sum(spot.on_path_ns for spot in found.hot_spots)

    def times(heading: str, of: Callable[[HotSpot], int]) -> _Column:
        return (heading, [duration(of(spot)) if of(spot) else "" for spot in shown])

    columns = [
        ("spans", [f"{spot.spans:,}" for spot in shown]),
        times("self", lambda spot: spot.self_ns),
        times("on path", lambda spot: spot.on_path_ns),
        ("share", [share(spot.on_path_ns, work) if spot.on_path_ns else "" for spot in shown]),
        times("off path", lambda spot: spot.off_path_ns),
    ]
    names = [plain(spot.name if spot.name.startswith(spot.kind) else f"{spot.kind} {spot.name}") for spot in shown]
    yield from _table("hot spots by self time", names, columns, width)
    yield from _left_out(len(found.hot_spots) - len(shown), "hot spot")


def _functions(rows: Sequence[FunctionRow], width: int) -> Iterator[Text]:
    shown = rows[:_MOST_ROWS]

    def times(heading: str, of: Callable[[FunctionRow], int]) -> _Column:
        return (heading, [duration(of(row)) if of(row) else "" for row in shown])

    columns = [
        ("calls", [f"{row.calls:,}" for row in shown]),
        _failed(shown),
        times("total", lambda row: row.total_ns),
        times("self", lambda row: row.self_ns),
        times("awaiting", lambda row: max(0, row.total_ns - row.running_ns)),
        times("longest", lambda row: row.max_ns),
        ("in", [plain(row.node or row.agent or "") for row in shown]),
    ]
    yield from _table("profiled functions", [plain(row.name) for row in shown], columns, width)
    yield from _left_out(len(rows) - len(shown), "function")


def _failed(rows: Sequence[ProfileRow] | Sequence[FunctionRow]) -> _Column:
    return "failed", [Text(f"{row.errors:,}" if row.errors else "", style="red") for row in rows]


def _table(title: str, names: Sequence[str], columns: Sequence[_Column], width: int) -> Iterator[Text]:
    numbers = (Head(heading, numeric=True, optional=True) for heading, _ in columns)
    rows = list(zip(names, *(column for _, column in columns), strict=True))
    yield from grid([Head(title, widest=_WIDEST_NAME), *numbers], rows, width, titled=True)


def _left_out(number: int, noun: str) -> Iterator[Text]:
    if number > 0:
        yield Text(f"and {count(number, f'more {noun}')}; --json lists all of them", style="dim")


def _remarks(found: Profile, width: int) -> Iterator[Text]:
    work = found.total_ns - found.waiting_ns - found.outside_ns
    phrase = f"critical path: {duration(found.total_ns)} = {duration(work)} of hot spots"
    if found.waiting_ns:
        phrase += f" + {duration(found.waiting_ns)} waiting for input"
    if found.outside_ns:
        phrase += f" + {duration(found.outside_ns)} in which no span ran"
    yield from wrap(Text(phrase), width)
    rows = found.rows
    if any(row.waiting_sibling_ns or row.waiting_input_ns or row.waiting_rate_limit_ns for row in rows):
        phrase = "sibling, person, rate limit: how long it waited for these after its calls had ended"
        yield from wrap(Text(phrase, style="dim"), width)
    if any(1 < row.calls < _OF_ENOUGH for row in rows) or 1 < found.runs < _OF_ENOUGH:
        phrase = "~ says little: P90 of fewer than 10, P99 of fewer than 100 durations, interpolated to the longest"
        yield from wrap(Text(phrase, style="dim"), width)


__all__ = ["profile"]
