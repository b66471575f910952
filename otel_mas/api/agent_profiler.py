"""Profile of runs, for code that is written against `AgentProfiler`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from otel_mas.api.answers import Profile
from otel_mas.api.graph import Graph
from otel_mas.api.run import Run
from otel_mas.api.source import Source
from otel_mas.errors import arguments
from otel_mas.trace_records.record import TraceRecord
from otel_mas.trace_records.spans import traces_of

if TYPE_CHECKING:
    import pandas

    from otel_mas.analyse.profile import HotSpot, Percentiles
    from otel_mas.causal import CausalGraph


class AgentProfiler:
    """A front of `source.profile()` and `trace.profile()`.

    Args:
        runs: A source; a trace or conversation, or several; or trace records, of which each trace is a run.
        which: Of a source, filters of `traces`, such as `since="1d"`.

    Raises:
        TypeError: There are filters, and `runs` is no source; or it has something else in it.
    """

    def __init__(self, runs: Source | Run | Iterable[Run | TraceRecord], **which: Any) -> None:
        if which and not isinstance(runs, Source):
            raise TypeError("filters are for a source: give one, or leave them out")
        self._runs = runs if isinstance(runs, Source | Run) else arguments.all_of("runs", runs, (Run, TraceRecord))
        self._which = which

    def __repr__(self) -> str:
        return f"<AgentProfiler of {self._runs!r}>" if isinstance(self._runs, Source | Run) else "<AgentProfiler>"

    def profile(self) -> Profile:
        """Time by agent, turn (of a single run), node, model and tool, and hot spots; read once."""
        return self._profile

    def hotspots(self, limit: int = 10) -> tuple[HotSpot, ...]:
        """Names with the most self time, and how much of it is on the critical path."""
        return self._profile.hot_spots[: arguments.number_of("limit", limit)]

    def percentiles(self, by: str = "agent") -> Mapping[str, Percentiles]:
        """Percentiles of the durations of calls in ns, by name of the agent, node, model or tool."""
        return {row.name: row.durations for row in self._profile.by(by) if row.name is not None and row.calls}

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each agent, turn, node, model and tool. Raises `MissingExtra` without pandas."""
        return self._profile.to_pandas()

    @cached_property
    def _profile(self) -> Profile:
        runs = self._runs
        if isinstance(runs, Source):
            return runs.profile(**self._which)
        if isinstance(runs, Run):
            return runs.profile()
        graphs = list(_graphs(runs))
        return Profile.of(graphs, turns=len(graphs) == 1)


def _graphs(given: Iterable[Run | TraceRecord]) -> Iterator[CausalGraph]:
    records = []
    for one in given:
        if isinstance(one, TraceRecord):
            records.append(one)
        else:
            yield one.graph().causal
    for trace in traces_of(records):
        yield Graph((trace,)).causal


__all__ = ["AgentProfiler"]
