"""A profile: tables by agent, node, model and tool, the hot spots, and the profiled functions."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.profile import FunctionRow, HotSpot, Profile, ProfileRow
from otel_mas.report.cost_words import NAMELESS
from otel_mas.report.html.block import Head, left_out, table
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.text import count, duration, plain, share, usd

_MOST_ROWS = 30
_HEADS = (
    *("calls", "failed", "wall", "sum", "model", "tools", "own", "waited for a sibling", "for a person"),
    *("for a rate limit", "P50", "P90", "P99", "on the path", "loop lag", "first chunk", "tokens in", "out", "USD"),
)


def profile(found: Profile) -> Markup:
    """All tables; those that say nothing are left out."""
    groups = [
        (by, [row for row in found.by(by) if row.calls or row.wall_ns]) for by in ("agent", "node", "model", "tool")
    ]
    return text(
        _runs(found),
        [_group(by, rows) for by, rows in groups if rows],
        _hot_spots(found.hot_spots),
        _functions(found.functions) if found.functions else None,
    )


def _runs(found: Profile) -> Markup | None:
    if found.runs < 2:
        return None
    took = found.durations
    phrase = (
        f"{count(found.runs, 'run')}; a run took {duration(took.p50)} (P50), {duration(took.p90)} (P90), "
        f"{duration(took.p99)} (P99), {duration(took.longest)} at most"
    )
    return element("p", phrase)


def _group(by: str, rows: Sequence[ProfileRow]) -> Markup:
    heads = [Head(f"by {by}"), *(Head(name, numeric=True) for name in _HEADS)]
    shown = [[plain(row.name if row.name is not None else NAMELESS.get(by, "")), *_cells(row)] for row in rows]
    return text(table(heads, shown[:_MOST_ROWS]), _more(len(rows), by))


def _cells(row: ProfileRow) -> list[Child]:
    took, cost = row.durations, row.cost
    several = row.calls > 1
    times = (
        *(row.wall_ns, row.sum_ns if row.sum_ns > row.wall_ns else 0, row.model_ns, row.tool_ns, row.self_ns),
        *(row.waiting_sibling_ns, row.waiting_input_ns, row.waiting_rate_limit_ns),
        *((took.p50, took.p90, took.p99) if several else (0, 0, 0)),
        *(row.on_path_ns, row.loop_lag_max_ns or 0, row.first_chunk.p50),
    )
    return [
        f"{row.calls:,}" if row.calls else "",
        f"{row.errors:,}" if row.errors else "",
        *(duration(time) if time else "" for time in times),
        f"{cost.input_tokens:,}" if cost.calls else "",
        f"{cost.output_tokens:,}" if cost.calls else "",
        usd(cost.usd) if cost.usd is not None else "",
    ]


def _hot_spots(spots: Sequence[HotSpot]) -> Markup:
    heads = [Head("hot spots"), *(Head(name, numeric=True) for name in ("spans", "self", "on the path", "share"))]
    work = sum(spot.on_path_ns for spot in spots)
    rows: list[list[Child]] = [
        [
            plain(spot.name if spot.name.startswith(spot.kind) else f"{spot.kind} {spot.name}"),
            f"{spot.spans:,}",
            duration(spot.self_ns),
            duration(spot.on_path_ns) if spot.on_path_ns else "",
            share(spot.on_path_ns, work) if spot.on_path_ns else "",
            duration(spot.off_path_ns) if spot.off_path_ns else "",
        ]
        for spot in spots[:_MOST_ROWS]
    ]
    return text(table([*heads, Head("off the path", numeric=True)], rows), _more(len(spots), "hot spot"))


def _functions(found: Sequence[FunctionRow]) -> Markup:
    names = ("calls", "failed", "total", "self", "awaiting", "longest")
    heads = [Head("profiled functions"), *(Head(name, numeric=True) for name in names), Head("in")]
    rows: list[list[Child]] = [
        [
            plain(row.name),
            f"{row.calls:,}",
            f"{row.errors:,}" if row.errors else "",
            *(
                duration(time)
                for time in (row.total_ns, row.self_ns, max(0, row.total_ns - row.running_ns), row.max_ns)
            ),
            plain(row.node or row.agent or ""),
        ]
        for row in found[:_MOST_ROWS]
    ]
    return text(table(heads, rows), _more(len(found), "function"))


def _more(number: int, noun: str) -> Markup | None:
    hidden = number - _MOST_ROWS
    return left_out([count(hidden, f"more {noun}")] if hidden > 0 else [])


__all__ = ["profile"]
