"""Happens-before between executions and tool calls, by recorded causes and never by the clock.

An activity (an execution, a tool call, or another span at the end of a link) has two events, its start and its end.
Before an event come: before an end its own start; before a start those of the activities around it and of its caller;
before an end those of the activities inside; and before the start of an effect the end of its cause. One activity
happened before another if its end comes before the other's start (L. Lamport, Time, clocks, and the ordering of events
in a distributed system, 1978; of intervals: On interprocess communication, 1986).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain

from otel_mas.causal import CausalGraph
from otel_mas.causal.forest import ROOT, nearest
from otel_mas.evaluate.topology.nodes import OUTSIDE, CausalEdge, Execution, ToolCall
from otel_mas.semconv import LinkKind

NONE = -1
_NEVER = 1 << 100
"""Later than any end, in ns."""


class HappensBefore:
    """The order of events in one run. Activities are numbered: executions, then tool calls, then other spans."""

    def __init__(
        self,
        graph: CausalGraph,
        executions: Sequence[Execution],
        tool_calls: Sequence[ToolCall],
        edges: Sequence[CausalEdge],
    ) -> None:
        self._graph = graph
        self._executions = executions
        self._tool_calls = tool_calls
        self._edges = edges
        self._table = graph.table
        self._calls_from = len(executions)
        self._links = [(cause, effect, kind) for cause, effect, kind, _ in graph.links if cause >= 0]
        self._of = self._activities()
        self._above = nearest(graph.parents, [activity != NONE for activity in self._of])
        self._around = self._surroundings()
        self._after = self._events()

    @cached_property
    def _ordered(self) -> tuple[list[int], list[int]]:
        return _ordered(self._after)

    def call(self, place: int) -> int:
        """The activity of a tool call, by its place in `ObservedTopology.tool_calls`."""
        return self._calls_from + place

    def has_before(self, earlier: Sequence[int]) -> bytearray:
        """For each activity whether one of these happened before it."""
        return self._reached([2 * activity + 1 for activity in earlier])[::2]

    def may_have_before(self, earlier: Sequence[int]) -> bytearray:
        """For each activity whether more of its past may have gone unrecorded, one of these among it.

        Calls that a function's code makes one after the other have an order that no cause tells of: if one of `earlier`
        ended before such a call by the clock, the past of the call is unknown.
        """
        unknown = [2 * number for number, one in enumerate(self._executions) if one.unknown is not None]
        unknown += [2 * activity for activity in self._called_after(earlier)]
        return self._reached(unknown)[::2]

    def joins_before(self, joins: Sequence[int]) -> Sequence[int]:
        """For each activity those of `joins` that ended before it began, a bit each."""
        bits = {2 * activity + 1: 1 << bit for bit, activity in enumerate(joins)}
        return self._propagated(bits, self._after, self._ordered[0])[::2]

    def joins_after(self, joins: Sequence[int], before: Sequence[int]) -> Sequence[int]:
        """For each of `joins` those of them that began after it ended, a bit each; `before` is of `joins_before`."""
        later = _later_in_a_row([before[join] for join in joins])
        if later is not None:
            return later
        bits = {2 * activity: 1 << bit for bit, activity in enumerate(joins)}
        back: list[list[int]] = [[] for _ in self._after]
        for event, following in enumerate(self._after):
            for one in following:
                back[one].append(event)
        found = self._propagated(bits, back, self._ordered[0][::-1])
        return [found[2 * activity + 1] for activity in joins]

    # -- the graph of events -----------------------------------------------------------------------------------------

    def _activities(self) -> list[int]:
        """For each span the activity that it is, or `NONE`."""
        found = [NONE] * len(self._table)
        for number, one in enumerate(self._executions):
            for i in one.spans:
                found[i] = number
        for place, call in enumerate(self._tool_calls):
            found[call.span] = self.call(place)
        self._count = self._calls_from + len(self._tool_calls)
        for *ends, _ in self._links:
            for i in ends:
                if found[i] == NONE:
                    found[i] = self._count
                    self._count += 1
        return found

    def _surroundings(self) -> list[int]:
        """For each activity the one that encloses it, or `OUTSIDE`."""
        found = [OUTSIDE] * self._count
        for i, activity in enumerate(self._of):
            above = self._above[i]
            if activity != NONE and above != ROOT and self._of[above] != activity:
                found[activity] = self._of[above]
        return found

    def _events(self) -> list[list[int]]:
        """For each event those that come next: of activity n the start is event 2n, the end 2n + 1."""
        after: list[list[int]] = [[event + 1] if event % 2 == 0 else [] for event in range(2 * self._count)]
        enclosing = set(self._around)
        for activity, around in enumerate(self._around):
            if around != OUTSIDE:
                after[2 * around].append(2 * activity)
                after[2 * activity + 1].append(2 * around + 1)
        for one, other, kind in self._links:
            cause, effect = self._of[one], self._of[other]
            if cause != effect:
                while_it_ran = kind == LinkKind.CALL or (cause in enclosing and self._encloses(cause, effect))
                after[2 * cause + (not while_it_ran)].append(2 * effect)
        return after

    def _encloses(self, outer: int, inner: int) -> bool:
        seen = set()
        while inner != OUTSIDE and inner not in seen:
            seen.add(inner)
            inner = self._around[inner]
            if inner == outer:
                return True
        return False

    def _reached(self, events: Sequence[int]) -> bytearray:
        """For each event whether one of these leads to it, or it is one of them."""
        found = bytearray(len(self._after))
        waiting = list(events)
        for event in waiting:
            found[event] = 1
        while waiting:
            for event in self._after[waiting.pop()]:
                if not found[event]:
                    found[event] = 1
                    waiting.append(event)
        return found

    def _propagated(
        self, bits: Mapping[int, int], following: Sequence[Sequence[int]], order: Sequence[int]
    ) -> list[int]:
        """For each event the bits of all events that lead to it, and its own."""
        found = [0] * len(following)
        for event, mask in bits.items():
            found[event] = mask
        for event in order:
            mask = found[event]
            if mask:
                for one in following[event]:
                    found[one] |= mask
        waiting = list(self._ordered[1])
        while waiting:
            event = waiting.pop()
            for one in following[event]:
                if found[event] & ~found[one]:
                    found[one] |= found[event]
                    waiting.append(one)
        return found

    # -- calls by code ----------------------------------------------------------------------------------------------

    def _called_after(self, earlier: Iterable[int]) -> Iterable[int]:
        """Activities that code called, by the clock after it had seen the end of one of `earlier`."""
        seen = self._ends_inside(earlier)
        for number, one in enumerate(self._executions):
            if one.caller is not None and self._start(number) >= seen.get(one.caller, _NEVER):
                yield number
        for call in map(self.call, range(len(self._tool_calls))):
            if self._start(call) >= seen.get(self._caller(call), _NEVER):
                yield call
        yield from self._later_runs(earlier)

    def _ends_inside(self, earlier: Iterable[int]) -> dict[int, int]:
        """By activity the first end, in ns, of one of `earlier` in it or called by it; by `OUTSIDE` of any."""
        found: dict[int, int] = {}
        for activity in earlier:
            end, above, seen = self._end(activity), activity, set[int]()
            while above != OUTSIDE and above not in seen:
                seen.add(above)
                above = self._caller(above)
                if above in found and found[above] <= end:
                    break
                found[above] = end
        return found

    def _later_runs(self, earlier: Iterable[int]) -> Iterable[int]:
        """First tasks of runs that began, by the clock, after one of `earlier` ended in a run before."""
        ends: dict[str, int] = {}
        for activity in earlier:
            trace_id = self._table.trace_ids[self._first(activity)]
            ends[trace_id] = min(self._end(activity), ends.get(trace_id, _NEVER))
        for edge in self._edges:
            if edge.source == OUTSIDE:
                here = self._table.trace_ids[self._first(edge.target)]
                others = [end for trace_id, end in ends.items() if trace_id != here]
                if others and self._start(edge.target) >= min(others):
                    yield edge.target

    def _caller(self, activity: int) -> int:
        """The activity that called one, or else that encloses it."""
        if activity < self._calls_from:
            one = self._executions[activity]
            return one.around if one.caller is None else one.caller
        return self._around[activity]

    def _first(self, activity: int) -> int:
        if activity < self._calls_from:
            return self._executions[activity].spans[0]
        return self._tool_calls[activity - self._calls_from].span

    def _start(self, activity: int) -> int:
        return self._table.starts[self._first(activity)]

    def _end(self, activity: int) -> int:
        if activity < self._calls_from:
            return max(self._graph.ends[i] for i in self._executions[activity].spans)
        return self._graph.ends[self._first(activity)]


def _later_in_a_row(before: Sequence[int]) -> list[int] | None:
    """For each of some activities the later ones, from those before each, if all are one after the other."""
    later, done, whole = [0] * len(before), 0, (1 << len(before)) - 1
    for place in sorted(range(len(before)), key=lambda place: before[place].bit_count()):
        if before[place] != done:
            return None
        done |= 1 << place
        later[place] = whole & ~done
    return later


def _ordered(after: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Events in an order that fits (A. B. Kahn, 1962), and those on or behind a cycle, which bad data may have."""
    waiting_for = [0] * len(after)
    for event in chain.from_iterable(after):
        waiting_for[event] += 1
    order = [event for event, count in enumerate(waiting_for) if not count]
    for event in order:
        for following in after[event]:
            waiting_for[following] -= 1
            if not waiting_for[following]:
                order.append(following)
    if len(order) == len(after):
        return order, []
    done = set(order)
    return order, [event for event in range(len(after)) if event not in done]


__all__ = ["HappensBefore"]
