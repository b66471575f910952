"""The forms of a profile. All times are ns."""

from __future__ import annotations

from dataclasses import dataclass

from otel_mas.analyse.cost import CostRow
from otel_mas.analyse.percentiles import Percentiles
from otel_mas.errors import arguments

KINDS = ("agent", "turn", "node", "model", "tool")
"""Kinds of rows of a profile."""


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """The time of one agent, turn of an agent, node, model or tool.

    Parallel work counts once in `wall_ns`, `model_ns`, `tool_ns` and `self_ns` (unions of intervals), and as
    often as it ran in `sum_ns`. Over several runs each run's time is added.
    """

    by: str
    """agent, turn, node, model or tool."""
    name: str | None
    """None: outside of any agent or node; of a model without a name."""
    calls: int
    errors: int
    """Calls that failed, or that an error passed through."""
    wall_ns: int
    sum_ns: int
    model_ns: int
    tool_ns: int
    """In tools and retrievers, without the model calls and agents inside them."""
    self_ns: int
    """In its own code and the framework's: nothing inside of it that is a span of its own."""
    waiting_sibling_ns: int
    """After its end, until the siblings of a join or step had ended, too."""
    waiting_input_ns: int
    """From its pause to its resumption."""
    waiting_rate_limit_ns: int
    """From an attempt that a rate limit refused to the next one."""
    on_path_ns: int
    """Part of the critical path."""
    loop_lag_max_ns: int | None
    """The longest time for which the event loop was blocked while a call ran; None where none was noticed."""
    loop_lag_total_ns: int | None
    durations: Percentiles
    """Durations of its calls."""
    first_chunk: Percentiles
    """Time to the first chunk of its streamed model calls."""
    cost: CostRow
    """Tokens and dollars of its model calls."""


@dataclass(frozen=True, slots=True)
class HotSpot:
    """Self time of what has the same name: nothing inside of it that is a span of its own. Overlaps count once."""

    kind: str
    """node, model, tool, retrieval, workflow (the framework between tasks), or the kind of another span."""
    name: str
    spans: int
    self_ns: int
    on_path_ns: int
    """Its steps on the critical path. May exceed `self_ns` by time in which something off the path ran inside it."""
    off_path_ns: int
    """Self time while something else was on the path: to shorten it does not shorten the run."""


@dataclass(frozen=True, slots=True)
class FunctionRow:
    """Calls of one function marked with `otel_mas.profiled`, inside one agent, node or other place."""

    name: str
    """Its qualified name."""
    agent: str | None
    node: str | None
    calls: int
    errors: int
    total_ns: int
    """Sum of the durations of its calls; of a generator without the time that its reader took."""
    self_ns: int
    """The total without profiled functions that it called, or that tasks which it started called (a union)."""
    running_ns: int
    """The part of the total in which it ran and did not wait in an `await`."""
    max_ns: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Time of one or several runs, by agent, turn, node, model and tool; a run is what was given as one graph."""

    runs: int
    spans: int
    durations: Percentiles
    """Durations of the runs, each from its first start to its last end."""
    total_ns: int
    """Sum of the critical paths: that of the hot spots' `on_path_ns`, `waiting_ns` and `outside_ns`."""
    waiting_ns: int
    """On the critical paths: waiting for input."""
    outside_ns: int
    """On the critical paths: while no recorded span ran."""
    rows: tuple[ProfileRow, ...]
    """By agent, turn (of a single run), node, model and tool; in each by wall time, the longest first."""
    hot_spots: tuple[HotSpot, ...]
    """The most self time first."""
    functions: tuple[FunctionRow, ...]
    """The most self time first."""

    def by(self, kind: str) -> tuple[ProfileRow, ...]:
        """The rows by agent, turn, node, model or tool. Raises `UnsupportedQuery` for another kind."""
        arguments.choice("kind", kind, KINDS)
        return tuple(row for row in self.rows if row.by == kind)


__all__ = ["FunctionRow", "HotSpot", "Profile", "ProfileRow"]
