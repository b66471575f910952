"""Profile of one or several runs: time by agent, turn, node, model and tool, hot spots, and profiled functions."""

from __future__ import annotations

from collections.abc import Iterable

from otel_mas.analyse.percentiles import Percentiles
from otel_mas.analyse.profile.answer import FunctionRow, HotSpot, Profile, ProfileRow
from otel_mas.analyse.profile.functions import Functions
from otel_mas.analyse.profile.hot_spots import HotSpots
from otel_mas.analyse.profile.rows import Rows
from otel_mas.analyse.profile.timing import Timing
from otel_mas.causal import CausalGraph


def profile(graphs: Iterable[CausalGraph], *, turns: bool = True) -> Profile:
    """Add up the time of runs, each given as a graph; n log n in the spans of each.

    Args:
        graphs: One at a time is held.
        turns: Whether to have a row for each turn of an agent, too: of several runs they have the same names.
    """
    rows, hot_spots, functions = Rows(turns), HotSpots(), Functions()
    durations: list[int] = []
    spans = waiting = outside = 0
    for graph in graphs:
        timing = Timing(graph)
        spans += len(timing.spans)
        durations.append(graph.critical_path().total_ns)
        waiting += timing.waiting_ns
        outside += timing.outside_ns
        rows.add(timing)
        hot_spots.add(timing)
        functions.add(timing)
    return Profile(
        runs=len(durations),
        spans=spans,
        durations=Percentiles.of(durations),
        total_ns=sum(durations),
        waiting_ns=waiting,
        outside_ns=outside,
        rows=rows.rows(),
        hot_spots=hot_spots.spots(),
        functions=functions.rows(),
    )


__all__ = ["FunctionRow", "HotSpot", "Percentiles", "Profile", "ProfileRow", "profile"]
