"""Questions over many runs: which traces a source is asked for, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import cached_property

from otel_mas.analyse import comparison, measures, metrics
from otel_mas.analyse.complaints import accepted
from otel_mas.analyse.execution_statistics import BY
from otel_mas.analyse.executions import Execution
from otel_mas.analyse.outcome_costs import JudgedRun, outcome_costs
from otel_mas.api.query_answers import Comparison, Events, Executions, Metrics, Outcomes, ReadRun
from otel_mas.causal import build
from otel_mas.errors import MissingExtra, UnsupportedQuery, arguments
from otel_mas.model import PartialList, Query, Trace, TraceSummary
from otel_mas.model.instants import instant
from otel_mas.sources import Source as Port
from otel_mas.sources.server import download_once

# Conditions on an execution or event that hold for its trace, too: what it does not match, no span of it does.
_OF_TRACES = frozenset(
    {"service", "agent", "conversation_id", "run_id", "attributes", "until_ns", "min_duration_ns"}
    | {"operation", "tool", "model", "error_type"}
)

_OF_RUNS = ("run", "service")
"""By what a metric is one of traces, not of executions."""


def list_traces(port: Port, query: Query) -> PartialList[TraceSummary]:
    """The newest traces that match. Raises `UnsupportedQuery` for what the source cannot select by."""
    found = port.traces(answerable(port, query))
    return found if isinstance(found, PartialList) else PartialList(found)


def answerable(port: Port, query: Query) -> Query:
    """The query itself. Raises `UnsupportedQuery` where it selects by what the source does not know."""
    beyond = sorted(query.asked().keys() - port.capabilities.filters)
    if beyond:
        can = ", ".join(sorted(port.capabilities.filters)) or "nothing"
        raise UnsupportedQuery(f"{port.location} cannot select traces by {', '.join(beyond)}, only by {can}")
    return query


class Runs:
    """The traces that may have executions or events that match, read one conversation after the other."""

    def __init__(self, port: Port, query: Query) -> None:
        self._port = port
        asked = {name: value for name, value in query.asked().items() if name in _OF_TRACES}
        note = None
        if query.since_ns is not None:
            if "ended_since_ns" in port.capabilities.filters:
                asked["ended_since_ns"] = query.since_ns
            else:
                asked["since_ns"] = query.since_ns
                note = f"{port.location} finds traces by their start: those that had started before are left out"
        self._found = list_traces(port, Query(**asked, limit=query.limit))
        self.limited = len(self._found) == query.limit
        self.incomplete = "; ".join(filter(None, (self._found.incomplete, note))) or None

    def __iter__(self) -> Iterator[ReadRun]:
        """A run for each conversation, with those of its traces that were found, and for each other trace."""
        for _, trace_ids in self.groups():
            traces = [self._port.trace(trace_id) for trace_id in trace_ids]
            yield ReadRun(build(traces), [(self._port, trace_id) for trace_id in trace_ids])

    def groups(self) -> Iterator[tuple[str | None, Sequence[str]]]:
        """The thread and the traces, oldest first, of each run."""
        groups: dict[tuple[str, str], list[str]] = {}
        for summary in self._found:
            thread = summary.conversation_id
            key = (summary.trace_id, "") if thread is None else (summary.service, thread)
            groups.setdefault(key, []).append(summary.trace_id)
        for (_, thread), trace_ids in groups.items():
            yield thread or None, trace_ids[::-1]


def find_executions(port: Port, query: Query, kind: str | None) -> Executions:
    """Executions that match, newest first.

    Raises:
        UnsupportedQuery: The source cannot select by something that is asked, or no execution is of this kind.
    """
    with download_once(listed=True):
        runs = Runs(port, query)
        found = Executions(runs, query, kind)
    found.limited, found.incomplete = runs.limited, runs.incomplete
    return found


def find_events(port: Port, query: Query, kind: str | None) -> Events:
    """Events that match, newest first. Raises `UnsupportedQuery` as `find_executions`."""
    with download_once(listed=True):
        runs = Runs(port, query)
        found = Events.of(runs, query, kind)
    found.limited, found.incomplete = runs.limited, runs.incomplete
    return found


def find_metrics(port: Port, query: Query, measure: str, by: str, window_ns: int | None) -> Metrics:
    """A measure of runs, for which a list of traces is enough, or of executions.

    Raises:
        UnsupportedQuery: There is no such metric, the source cannot select by something, or windows are too many.
    """
    check_metric(measure, by)
    if by in _OF_RUNS:
        found = list_traces(port, query)
        answer = _metrics(_of_traces(found, measure, by), measure, by, window_ns)
        answer.limited = len(found) == query.limit
        answer.incomplete = "; ".join(filter(None, (found.incomplete, answer.incomplete))) or None
        return answer
    return metrics_of(find_executions(port, query, None), measure, by, window_ns)


def metrics_of(found: Executions, measure: str, by: str, window_ns: int | None) -> Metrics:
    """A measure of these executions, by agent, node, tool or model."""
    answer = _metrics(_of_executions(found, measure, by), measure, by, window_ns)
    answer.limited = found.limited
    answer.incomplete = "; ".join(filter(None, (found.incomplete, answer.incomplete))) or None
    return answer


def check_metric(measure: str, by: str) -> None:
    """Raise `UnsupportedQuery` where there is no such metric."""
    if arguments.name("by", by) not in (*_OF_RUNS, *BY):
        raise UnsupportedQuery(f"there are no metrics by {by!r}: ask for {', '.join((*_OF_RUNS, *BY))}")
    known = metrics.OF_RUNS if by in _OF_RUNS else metrics.OF_EXECUTIONS
    if arguments.name("name", measure) not in known:
        raise UnsupportedQuery(f"there is no metric {measure!r} by {by}: ask for one of {', '.join(known)}")


def _of_traces(found: Sequence[TraceSummary], measure: str, by: str) -> list[metrics.Observation]:
    return [
        metrics.Observation("" if by == "run" else one.service, one.start_ns, value)
        for one in found
        if (value := measures.run_measure(one, measure)) is not None
    ]


def _of_executions(found: Sequence[Execution], measure: str, by: str) -> list[metrics.Observation]:
    return [
        metrics.Observation((one.node if by == "node" else None) or one.name, one.start_ns, value)
        for one in found
        if one.kind in BY[by] and (value := measures.execution_measure(one, measure)) is not None
    ]


def _metrics(observed: Sequence[metrics.Observation], measure: str, by: str, window_ns: int | None) -> Metrics:
    if window_ns is not None and observed:
        times = [one.time_ns for one in observed]
        if window_ns < 1 or (max(times) - min(times)) // window_ns > metrics.MOST_WINDOWS:
            raise UnsupportedQuery(f"more than {metrics.MOST_WINDOWS:,} windows: ask for longer ones")
    try:
        return Metrics(metrics.metrics(observed, measure, by, window_ns))
    except MissingExtra as missing:
        found = metrics.metrics(observed, measure, by, window_ns, trends=False)
        return Metrics(found, incomplete=f"without trends: {missing}")


def find_outcomes(port: Port, query: Query) -> Outcomes:
    """Cost of the traces that match, by outcome. Raises `UnsupportedQuery` for what the source cannot select by."""
    with download_once(listed=True):
        found = list_traces(port, query)
        judged = [JudgedRun(one, accepted(build([port.trace(one.trace_id)]))) for one in found]
    return Outcomes(outcome_costs(judged), limited=len(found) == query.limit, incomplete=found.incomplete)


class RunSet:
    """One set of runs of a comparison. Raises `UnsupportedQuery` where no trace matches."""

    def __init__(self, port: Port, name: str, query: Query) -> None:
        self._port = port
        self.found = list_traces(port, query)
        self.limited = len(self.found) == query.limit
        if not self.found:
            raise UnsupportedQuery(
                f"{port.location} has no run for {name!r}, {_words(query)}: `otel-mas traces` with the same filters "
                "lists what there is"
            )

    @cached_property
    def measured(self) -> list[measures.Measures]:
        """The measures of each trace by itself."""
        return [measures.measures_of(one, build([self._read(one)])) for one in self.found]

    def _read(self, one: TraceSummary) -> Trace:
        return self._port.trace(one.trace_id)


def compare(port: Port, before: Query, after: Query) -> Comparison:
    """Compare the traces of two queries.

    Raises:
        UnsupportedQuery: No trace matches one of them, some match both, or the source cannot select by something.
        MissingExtra: scipy is not installed.
    """
    with download_once(listed=True):
        sides = [RunSet(port, "before", before), RunSet(port, "after", after)]
        check_apart(sides, before, after)
        answer = comparison.compare(sides[0].measured, sides[1].measured)
    return Comparison(
        **{one.name: getattr(answer, one.name) for one in fields(answer)},
        limited=any(side.limited for side in sides),
        incomplete=incomplete_of(sides),
    )


def check_apart(sides: Sequence[RunSet], before: Query, after: Query) -> None:
    """Raise `UnsupportedQuery` where the sets of two queries share a run."""
    both = set.intersection(*({one.trace_id for one in side.found} for side in sides))
    if both:
        raise UnsupportedQuery(
            f"{len(both):,} of the runs before ({_words(before)}) are after ({_words(after)}), too: "
            "name sets that have no run in common"
        )


def incomplete_of(sides: Sequence[RunSet]) -> str | None:
    """Losses of the sources of both sets, in words."""
    return "; ".join(dict.fromkeys(filter(None, (side.found.incomplete for side in sides)))) or None


def _words(query: Query) -> str:
    pairs = [_pair(name, value) for name, value in query.asked().items() if name != "attributes"]
    pairs += [f"{name}={value}" for name, value in query.attributes]
    return ", ".join(pairs) or "every run"


def _pair(name: str, value: object) -> str:
    """A filter as people write it: times as local times, durations with their unit."""
    if name in ("since_ns", "until_ns") and isinstance(value, int):
        return f"{name[:-3]}={instant(value):%Y-%m-%dT%H:%M:%S}"
    if name.endswith("_ns") and isinstance(value, int):
        return f"{name[:-3]}={value / 1e9:g}s"
    return f"{name}={value}"


__all__ = [
    "RunSet",
    "Runs",
    "check_apart",
    "check_metric",
    "compare",
    "find_events",
    "find_executions",
    "find_metrics",
    "find_outcomes",
    "incomplete_of",
    "list_traces",
    "metrics_of",
]
