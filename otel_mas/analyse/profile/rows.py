"""Rows of a profile: the spans of one agent, turn, node, model or tool added up, over one or several graphs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from otel_mas.analyse.cost import add_up
from otel_mas.analyse.intervals import Interval, length, union
from otel_mas.analyse.model_calls import ModelCall
from otel_mas.analyse.percentiles import Percentiles
from otel_mas.analyse.profile.answer import ProfileRow
from otel_mas.analyse.profile.timing import MODEL, OWN, TOOL, Timing
from otel_mas.analyse.profile.waiting import Waits, waits
from otel_mas.causal.failed import failed
from otel_mas.model import Span
from otel_mas.semconv import attributes as names

Key = tuple[str, str | None]
"""By what, and which one."""

_ORDER = ("agent", "turn", "node", "model", "tool")
_SECOND = 1_000_000_000


@dataclass(slots=True)
class _Intervals:
    """The intervals of one row in one graph."""

    wall: list[Interval] = field(default_factory=list)
    parts: dict[str, list[Interval]] = field(default_factory=lambda: {MODEL: [], TOOL: [], OWN: []})


@dataclass(slots=True)
class _Row:
    """One row, as its graphs are added."""

    durations: list[int] = field(default_factory=list)
    errors: int = 0
    wall: int = 0
    parts: dict[str, int] = field(default_factory=lambda: dict.fromkeys((MODEL, TOOL, OWN), 0))
    waits: Waits = field(default_factory=Waits)
    on_path: int = 0
    lags: list[tuple[int, int]] = field(default_factory=list)
    calls: list[ModelCall] = field(default_factory=list)
    first_chunks: list[int] = field(default_factory=list)

    def add(self, here: _Intervals) -> None:
        """Add the intervals of one graph."""
        self.wall += length(union(here.wall))
        for part, intervals in here.parts.items():
            self.parts[part] += length(union(intervals))

    def row(self, by: str, name: str | None) -> ProfileRow:
        own = {"model": MODEL, "tool": TOOL}.get(by, OWN)
        return ProfileRow(
            by=by,
            name=name,
            calls=len(self.durations),
            errors=self.errors,
            wall_ns=self.wall,
            sum_ns=sum(self.durations),
            model_ns=self.parts[MODEL],
            tool_ns=self.parts[TOOL],
            self_ns=self.parts[own],
            waiting_sibling_ns=self.waits.sibling,
            waiting_input_ns=self.waits.input,
            waiting_rate_limit_ns=self.waits.rate_limit,
            on_path_ns=self.on_path,
            loop_lag_max_ns=max((longest for longest, _ in self.lags), default=None),
            loop_lag_total_ns=sum(total for _, total in self.lags) if self.lags else None,
            durations=Percentiles.of(self.durations),
            first_chunk=Percentiles.of(self.first_chunks),
            cost=add_up(name, self.calls),
        )


class Rows:
    """Rows by agent, turn, node, model and tool, to which graphs are added."""

    def __init__(self, turns: bool) -> None:
        self._turns = turns
        self._rows: dict[Key, _Row] = {}

    def add(self, timing: Timing) -> None:
        """Add one graph."""
        here: dict[Key, _Intervals] = {}
        waited = waits(timing)
        around = [tuple(self._around(timing, i)) for i in range(len(timing.spans))]
        for i, span in enumerate(timing.spans):
            if i in timing.ignored:
                continue
            part, intervals = timing.parts[i], timing.self_times[i]
            for key in around[i]:
                found = here.get(key)
                if found is None:
                    found = here[key] = _Intervals()
                    self._rows.setdefault(key, _Row())
                found.parts[part] += intervals
                if key[1] is None and key[0] in ("agent", "node"):  # no call of its own: what nothing encloses
                    found.wall += intervals
            for key in self._called(timing, i):
                here[key].wall.append((span.start_ns, timing.graph.ends[i]))
                self._count(self._rows[key], timing, i, waited.get(span.span_id))
            call = timing.calls.get(i)
            if call is not None:
                chunk = _ns(span.get(names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK))
                for key in around[i]:
                    self._rows[key].calls.append(call)
                    if chunk is not None:
                        self._rows[key].first_chunks.append(chunk)
        for key, intervals_of in here.items():
            self._rows[key].add(intervals_of)
        for i, start, end in timing.steps:
            for key in around[i]:
                self._rows[key].on_path += end - start

    def rows(self) -> tuple[ProfileRow, ...]:
        """The rows, by what they are by, and in each group the longest wall time first."""
        found = [row.row(by, name) for (by, name), row in self._rows.items()]
        return tuple(sorted(found, key=lambda row: (_ORDER.index(row.by), -row.wall_ns, row.name or "")))

    def _around(self, timing: Timing, i: int) -> Iterator[Key]:
        """The rows that a span belongs to."""
        agent = timing.agents[i]
        call = timing.calls.get(i)
        # Where no agent is around a model call, the one that it names.
        yield "agent", timing.agent(i) if agent >= 0 or call is None else call.agent
        if self._turns and agent >= 0:
            yield "turn", timing.turns[agent]
        yield "node", timing.node(i)
        if call is not None:
            yield "model", call.model
        if timing.tools[i] >= 0:
            yield "tool", timing.tool_name(timing.tools[i])

    def _called(self, timing: Timing, i: int) -> Iterator[Key]:
        """The rows of which a span is a call."""
        if timing.agents[i] == i:
            yield "agent", timing.agent(i)
            if self._turns:
                yield "turn", timing.turns[i]
        if timing.tasks[i] == i:
            yield "node", timing.node(i)
        if i in timing.calls:
            yield "model", timing.calls[i].model
        if timing.tools[i] == i:
            yield "tool", timing.tool_name(i)

    def _count(self, row: _Row, timing: Timing, i: int, waited: Waits | None) -> None:
        span = timing.spans[i]
        row.durations.append(timing.graph.ends[i] - span.start_ns)
        row.errors += failed(span)
        if waited is not None:
            row.waits.sibling += waited.sibling
            row.waits.input += waited.input
            row.waits.rate_limit += waited.rate_limit
        lag = _lag(span) if timing.tasks[i] == i or timing.agents[i] == i else None
        if lag is not None:
            row.lags.append(lag)


def _lag(span: Span) -> tuple[int, int] | None:
    """The longest block of the event loop while a span was open and the sum of all, in ns; None where none was."""
    longest = _ns(span.get(names.MAS_EVENT_LOOP_LAG_MAX))
    total = None if longest is None else _ns(span.get(names.MAS_EVENT_LOOP_LAG_TOTAL))
    return None if longest is None or total is None else (longest, total)


def _ns(seconds: object) -> int | None:
    """Seconds of an attribute in ns; None for what is no duration."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds < 0:
        return None
    return round(seconds * _SECOND)


__all__ = ["Rows"]
