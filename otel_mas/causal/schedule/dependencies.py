"""Dependencies of the start and the end of every span: from them the times of a run can be worked out again.

Each span has two events, its start and its end. An event takes place a lag after the last of those it depends on:

- A start depends on the start of the span around it, on the ends of its causes, and on the order: on the ends of the
  siblings that had ended strictly before it. A task of LangGraph depends on those that had ended before its step
  began, for a step begins only when all tasks of the one before have ended. A span that has causes among its siblings,
  and is no task of a step, depends on no order.
- A start depends on a free place too, if more tasks are in a step than ever ran at once.
- An end depends on the span's own start and on the ends of its children, but for those that it did not wait for: a
  consumer under a producer, and what was cancelled because another one had failed.
- A cause that still ran when its effect started counts by its start.

The lag is the rest: own work, or the time it took to start something. In a recorded run no lag is negative, since
events depend on earlier ones only: with the same lags the recorded times come out again, to the nanosecond, and with
shorter lags no event comes later.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from otel_mas.causal.failed import failed_in
from otel_mas.causal.forest import ROOT, Forest
from otel_mas.causal.links import Links
from otel_mas.causal.schedule.limits import Limit, find_limits
from otel_mas.causal.siblings import SiblingLinks, lift_to_siblings
from otel_mas.model import SpanKind
from otel_mas.semconv import LinkKind, TaskOutcome
from otel_mas.semconv import attributes as names

NOTHING = -1
"""Stands for an event where there is nothing to depend on."""

_MESSAGE = LinkKind.MESSAGE.value
_CALL = LinkKind.CALL.value
_CANCELLED = TaskOutcome.CANCELLED.value


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Events of `n` spans: `i` is the start of span `i`, `n + i` its end; those from `2 * n` on are joins.

    A join is the last of the ends of several siblings: there is one for each end that something may wait for, and it
    takes in the join before it, so that to depend on one join is to depend on any number of ends.
    """

    forest: Forest
    links: Links
    siblings: SiblingLinks
    roots: Sequence[int]
    """The spans whose first start and last end are those of the run."""
    order: Sequence[int]
    """All events in the order of the recorded time; limits aside, none depends on a later one."""
    before: Sequence[int]
    """By event: the start of the span around it, or of itself, or the end that a join adds; or `NOTHING`."""
    joined: list[int]
    """By event: the join that it depends on, or `NOTHING`."""
    causes: dict[int, list[int]]
    """By event: further ones that it depends on, where there are any; of a start those of its causes."""
    limits: dict[int, Limit]
    """By start: the limit that it was under, where there was one."""
    steps: Sequence[int]
    """By span: the first task of the step that it is a task of, or `NOTHING`."""
    caused: Sequence[int]
    """By span: whether a sibling caused it, other than by a message."""

    def copied(self) -> Dependencies:
        """The same, to be changed: with containers of its own for all but the order."""
        return replace(self, joined=self.joined[:], causes=self.causes.copy(), limits=self.limits.copy())

    @property
    def count(self) -> int:
        """Number of spans."""
        return len(self.forest.spans)

    @property
    def parent(self) -> array[int]:
        """The span around each; around a called task of the functional API that is its caller."""
        return self.siblings.parent

    def joined_span(self, join: int) -> int:
        """The span whose end a join adds."""
        return self.before[join] - self.count

    @property
    def first_join(self) -> int:
        """Events from this one on are joins."""
        return 2 * self.count


def find_dependencies(forest: Forest, links: Links) -> Dependencies:
    """Dependencies of a recorded run. Linear, but for sorting."""
    return _Search(forest, links).run()


class _Search:
    """Puts the events in order, then looks family by family for what each depends on."""

    def __init__(self, forest: Forest, links: Links) -> None:
        self.forest = forest
        self.links = links
        self.siblings = lift_to_siblings(forest, links)
        self.parent = self.siblings.parent
        self.count = len(forest.spans)
        self.order = _ordered(forest, self.siblings)
        self.rank = [0] * (2 * self.count)
        for at, event in enumerate(self.order):
            self.rank[event] = at
        self.before = [NOTHING] * (2 * self.count)
        self.joined = [NOTHING] * (2 * self.count)
        self.causes: dict[int, list[int]] = {}
        self.limits: dict[int, Limit] = {}
        self.steps = array("q", [NOTHING]) * self.count
        self.caused = bytearray(self.count)
        self.called = bytearray(self.count)
        """By span: whether the one around it called it, by the functional API; then it is no task of a step."""
        self.last_end: list[int] = []
        """By join: when it took place."""
        self.step = forest.spans.column(names.MAS_TASK_STEP)
        self.namespace = forest.spans.column(names.MAS_TASK_NAMESPACE)

    def run(self) -> Dependencies:
        self._find_causes()
        self._find_surroundings()
        for above, children in self._families():
            self._join(above, children)
        return Dependencies(
            self.forest,
            self.links,
            self.siblings,
            self.siblings.roots,
            self._with_joins(),
            self.before,
            self.joined,
            self.causes,
            self.limits,
            self.steps,
            self.caused,
        )

    def _find_causes(self) -> None:
        links, rank, parent = self.links, self.rank, self.parent
        for cause, effect, kind in zip(links.cause, links.effect, links.kind, strict=True):
            if cause < 0 or cause in (effect, parent[effect]):
                self.called[effect] |= kind == _CALL and cause == parent[effect]
                continue
            orders = parent[cause] == parent[effect] and kind != _MESSAGE
            event = self.count + cause
            if rank[event] > rank[effect]:
                event = cause  # it still ran
                if not orders or rank[event] > rank[effect]:
                    continue
            self.causes.setdefault(effect, []).append(event)
            self.caused[effect] |= orders

    def _find_surroundings(self) -> None:
        count, rank, parent = self.count, self.rank, self.parent
        for span in range(count):
            above = parent[span]
            if above != ROOT and rank[above] < rank[span]:
                self.before[span] = above
            self.before[count + span] = span
            around = self.forest.parent[span]
            if around not in (above, ROOT) and rank[count + above] < rank[count + span] < rank[count + around]:
                # A called task that outlasts its caller, as where that failed: the run waits for it.
                self.causes.setdefault(count + around, []).append(count + span)

    def _families(self) -> Iterator[tuple[int, list[int]]]:
        """The roots, and the children of each span that has any, with the span around them."""
        yield ROOT, [span for span in self.siblings.roots if self.parent[span] == ROOT]
        head, following = self.siblings.head, self.siblings.following
        for above in range(self.count):
            child, children = head[above], []
            while child != ROOT:
                children.append(child)
                child = following[child]
            if children:
                yield above, children

    def _join(self, above: int, children: list[int]) -> None:
        """Joins of the ends of siblings, and on which of them each start, and the end around them, depends."""
        rank, count = self.rank, self.count
        awaited = self._awaited(above, children)
        awaited.sort(key=lambda child: rank[count + child])
        base = len(self.before)
        for place, child in enumerate(awaited):
            self.before.append(count + child)
            self.joined.append(base + place - 1 if place else NOTHING)
            end = self.forest.end[child]
            self.last_end.append(max(end, self.last_end[-1]) if place else end)
        children.sort(key=rank.__getitem__)
        groups = self._find_steps(children)
        ends = [self.forest.end[child] for child in awaited]
        for child in children:
            first = self.steps[child]
            if first not in (NOTHING, child):
                self.joined[child] = self.joined[first]
            elif first == child or not self.caused[child]:
                # As on the critical path: what ends at the very instant is no mere predecessor.
                ended = bisect_left(ends, self.forest.start[child])
                while first == child and ended < len(awaited) and rank[count + awaited[ended]] < rank[child]:
                    ended += 1
                if ended:
                    self.joined[child] = base + ended - 1
        for tasks in groups:
            self._limit(tasks)
        if above != ROOT:
            last = len(awaited)
            while last and rank[count + awaited[last - 1]] > rank[count + above]:
                last -= 1
            if last:
                self.joined[count + above] = base + last - 1

    def _awaited(self, above: int, children: list[int]) -> list[int]:
        """Those whose ends something may wait for."""
        spans = self.forest.spans
        if above == ROOT:
            return children[:]
        if spans.kinds[above] == SpanKind.PRODUCER:
            children = [child for child in children if spans.kinds[child] != SpanKind.CONSUMER]
        if len(children) > 1 and failed_in(spans, above):
            left = [child for child in children if spans.value(child, names.MAS_TASK_OUTCOME) != _CANCELLED]
            if any(failed_in(spans, child) for child in left):
                return left
        return children[:]

    def _find_steps(self, children: list[int]) -> list[list[int]]:
        """Tasks of steps, each step by the starts of its tasks. Called tasks have the step of their caller."""
        latest: dict[str, list[int]] = {}
        groups = []
        for child in children:
            step = self.step[child]
            if not isinstance(step, int) or self.called[child] or self.parent[child] != self.forest.parent[child]:
                continue
            namespace = self.namespace[child]
            known = latest.get(namespace if isinstance(namespace, str) else "")
            if known is None or self.step[known[0]] != step:
                known = latest[namespace if isinstance(namespace, str) else ""] = []
                groups.append(known)
            known.append(child)
            self.steps[child] = known[0]
        return groups

    def _limit(self, tasks: list[int]) -> None:
        """Look for a limit in a step, unless its tasks caused each other, as a failed attempt does the next one."""
        inside = frozenset(tasks)
        if any(event - self.count in inside for task in tasks for event in self.causes.get(task, ())):
            return
        join, around = self.joined[tasks[0]], self.before[tasks[0]]
        ready = self.forest.start[around] if around != NOTHING else self.forest.start[tasks[0]]
        if join != NOTHING:
            ready = max(ready, self.last_end[join - 2 * self.count])
        self.limits.update(find_limits(tasks, self.forest.start, self.forest.end, ready))

    def _with_joins(self) -> list[int]:
        """The order of all events: each join directly after the end that it adds."""
        join_of = {self.before[join]: join for join in range(2 * self.count, len(self.before))}
        order = []
        for event in self.order:
            order.append(event)
            if event in join_of:
                order.append(join_of[event])
        return order


def _ordered(forest: Forest, siblings: SiblingLinks) -> list[int]:
    """Starts and ends by time. At one instant ends come before starts, and instants are nested as their spans are."""
    enters, leaves = _nesting(forest, siblings)
    start, end, count = forest.start, forest.end, len(forest.spans)
    keys = [(start[span], 1, enters[span], span) for span in range(count)]
    keys += [(end[span], int(end[span] == start[span]), leaves[span], count + span) for span in range(count)]
    keys.sort()
    return [key[3] for key in keys]


def _nesting(forest: Forest, siblings: SiblingLinks) -> tuple[Sequence[int], Sequence[int]]:
    """When a walk through the forest enters and leaves each span."""
    count = len(forest.spans)
    enters, leaves = array("q", [0]) * count, array("q", [0]) * count
    clock, stack = 0, [span for span in reversed(siblings.roots) if siblings.parent[span] == ROOT]
    while stack:
        span = stack.pop()
        clock += 1
        if span < 0:
            leaves[~span] = clock
            continue
        enters[span] = clock
        stack.append(~span)
        child, children = siblings.head[span], []
        while child != ROOT:
            children.append(child)
            child = siblings.following[child]
        stack.extend(reversed(children))
    return enters, leaves
