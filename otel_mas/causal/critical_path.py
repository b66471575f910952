"""The critical path: what the duration of a trace or conversation is made of, and why each step had to wait.

Without causes it is Jaeger's walk. It goes backwards in time, from the end of a span to its child that ends
last, into that child, at the child's start back to the parent, and on to the child that ended last
*strictly before* that. Children are first cut to their parent's interval, and dropped where nothing is
left; a consumer under a producer does not block it.

With causes between siblings it goes, at a span's start, to the cause that ended last instead. What lies
between the cause's end and the effect's start is the parent's: a step `framework`. From a resume back to
its pause that is a step `waiting for input`. A cause and an effect deep inside different branches count
where the branches fork. A functional-API task (`call`) blocks its caller as a child does.

Steps never overlap and sum to the duration, which is from the first start to the last end of the roots.
Precisely:

- Ties. Of several that end last at the same instant, the first in start order (among causes: a resume
  first). A child that ends at the very instant at which the next one starts is passed over, as in Jaeger; a
  *cause* that does so is not. Steps of no length are left out.
- A cause that still ran when its effect started counts up to that instant, as if it and what is inside it
  had been cut there. One that started at the same instant or later counts only if both are instants; where
  an effect lies deeper than the siblings, only if the cause had ended before the effect's branch began.
- Several roots, orphans (roots too) and the concurrent traces of a conversation are branches of a whole
  that does nothing itself. Where no cause decides, the walk goes at a root's start to the root that had
  started before and ended last, cut there if it still ran. So what ran beside the path is not on it. Where
  no root ran, the step has no span: between traces it is `waiting for input`, within one `framework`.
- Open spans last until the last instant seen in their trace; a span that ends before it starts is an
  instant at its start.
- Cycles of links need no care: the walk only goes back in time, and visits an instant once. No recursion:
  depth is no limit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from otel_mas.causal.causes import Links
from otel_mas.causal.siblings import Before, Lanes, side_by_side
from otel_mas.causal.tree import ROOT, Tree
from otel_mas.causal.why import (
    CAUSED,
    FOLLOWED,
    INVOKED_AGAIN,
    NO_SPAN,
    NOBODY,
    OVERLAPPED,
    PAUSED,
    RESUMED,
    STARTED,
    UNRECORDED,
    WAITED,
    Reason,
    Words,
    scheduled,
)
from otel_mas.model import Span, SpanKind
from otel_mas.semconv import LinkKind

StepKind = Literal["span", "framework", "waiting for input"]

SPAN: StepKind = "span"
FRAMEWORK: StepKind = "framework"
WAITING: StepKind = "waiting for input"

_RESUME = LinkKind.RESUME.value


@dataclass(frozen=True, slots=True)
class Step:
    """A section of the critical path. Times are ns since the Unix epoch.

    `span` did the work (`span`), encloses what waited for its turn (`framework`), or had paused (`waiting for
    input`); None where no recorded span was responsible. `why` says why the next step waited for this one; empty
    on the last.
    """

    span: Span | None
    start_ns: int
    end_ns: int
    kind: StepKind
    why: str

    @property
    def duration_ns(self) -> int:
        return self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """Steps in time order, end to end: each starts where the one before it ended."""

    sections: tuple[Step, ...]
    start_ns: int
    end_ns: int

    @property
    def total_ns(self) -> int:
        """The duration that the sections sum to."""
        return self.end_ns - self.start_ns

    @property
    def spans(self) -> tuple[Span, ...]:
        """The spans that did the work, each once, in the order in which they first appear."""
        seen = {step.span.span_id: step.span for step in self.sections if step.span and step.kind == SPAN}
        return tuple(seen.values())

    def __iter__(self) -> Iterator[Step]:
        return iter(self.sections)

    def __len__(self) -> int:
        return len(self.sections)


def critical_path(tree: Tree, links: Links, tasks: Callable[[], Mapping[int, str]]) -> CriticalPath:
    """Walk back from the last end to the first start. Linear, but for sorting children.

    Args:
        tasks: names of task spans by number, asked for only when a sentence needs one.
    """
    if not tree.roots:
        return CriticalPath((), 0, 0)
    steps = _Walk(tree, side_by_side(tree, links), Words(tree.spans, tasks)).run()
    return CriticalPath(tuple(steps), tree.start[tree.roots[0]], max(tree.end[root] for root in tree.roots))


class _Frame:
    """A span on the way from the root to where the walk is, cut to the interval in which it is on the path."""

    __slots__ = ("at", "children", "end", "produces", "returned", "span", "start")

    def __init__(self, span: int, start: int, end: int, produces: bool) -> None:
        self.span = span
        self.start = start
        self.end = end
        self.produces = produces
        """It does not wait for a consumer below it."""
        self.children: list[int] = []
        """Those that block it, the one that ends last first."""
        self.at = 0
        self.returned = False


class _Walk:
    """Where the walk is (`now`, `stack`) and the steps behind it, the latest in time first."""

    def __init__(self, tree: Tree, lanes: Lanes, words: Words) -> None:
        self.start = tree.start
        self.end = tree.end
        self.spans = tree.spans
        self.lanes = lanes
        self.words = words
        self.now = 0
        self.stack: list[_Frame] = []
        self.steps: list[Step] = []
        self.reason: Reason | None = NOBODY
        self.instants: set[int] = set()
        self.root_starts = [tree.start[root] for root in tree.roots]
        self.last_root = _last_ending(tree)

    def run(self) -> list[Step]:
        last = self.last_root[-1]
        self.now = self.end[last]
        root: int | None = last
        while root is not None:
            self._enter(root, self.start[root])
            self._inside()
            root = self._before_root(root)
        self.steps.reverse()
        return self.steps

    def _inside(self) -> None:
        """From where the walk entered a root, back to that root's start."""
        while self.stack:
            frame = self.stack[-1]
            child = self._last_child(frame)
            if child is None:
                self._emit(frame.span, frame.start, SPAN)
                self.stack.pop()
                if self.stack:
                    self._leave(self.stack[-1], frame.span)
                continue
            finish, begin = self.end[child], self.start[child]
            self._emit(frame.span, finish if finish < frame.end else frame.end, SPAN)
            begin = begin if begin > frame.start else frame.start
            if self.reason is None:
                self.reason = (WAITED, frame.span, child, self._race(frame, begin))
            if self.lanes.head[child] == ROOT:
                self._emit(child, begin, SPAN)
                self._leave(frame, child)
            else:
                self._enter(child, begin)

    def _leave(self, frame: _Frame, begun: int) -> None:
        """From the start of a span to its cause, if a sibling is known to be one, or else back to its parent."""
        found = self._last_cause(begun, frame)
        if not found:
            self._because((STARTED, frame.span, begun, ()))
            return
        chosen, reached = found[0]
        if chosen.kind == _RESUME:
            self._wait(chosen, reached)
        elif reached < self.now:
            self._because((scheduled(self.now - reached), frame.span, begun, ()))
            self._emit(frame.span, reached, FRAMEWORK)
        self._because((CAUSED[chosen.kind], begun, chosen.beside, _branches(found)))
        self._enter(chosen.beside, max(self.start[chosen.beside], frame.start))

    def _before_root(self, root: int) -> int | None:
        """Which root the walk goes on to from the start of this one."""
        found = self._last_cause(root, None)
        if found:
            chosen, reached = found[0]
            if chosen.kind == _RESUME:
                self._wait(chosen, reached)
            else:
                self._outside(root, chosen.beside, reached)
            self._because((CAUSED[chosen.kind], root, chosen.beside, _branches(found)))
            return chosen.beside
        begun = bisect_left(self.root_starts, self.now)
        if begun == 0:
            return None
        earlier = self.last_root[begun - 1]
        overlaps = self.end[earlier] > self.now
        self._outside(root, earlier, min(self.end[earlier], self.now))
        self._because((OVERLAPPED if overlaps else FOLLOWED, root, earlier, ()))
        return earlier

    def _outside(self, root: int, earlier: int, reached: int) -> None:
        """The time between two roots."""
        again = self.spans[root].trace_id != self.spans[earlier].trace_id
        if reached < self.now:
            self._because((INVOKED_AGAIN if again else UNRECORDED, root, NO_SPAN, ()))
        self._emit(ROOT, reached, WAITING if again else FRAMEWORK)

    def _wait(self, resume: Before, paused: int) -> None:
        if paused < self.now:
            self._because((RESUMED, resume.effect, NO_SPAN, ()))
        self._emit(resume.cause, paused, WAITING)
        self._because((PAUSED, resume.cause, NO_SPAN, ()))

    def _last_cause(self, effect: int, frame: _Frame | None) -> list[tuple[Before, int]]:
        """The causes that count, each with the instant until which it does, the one that ended last first."""
        counting = []
        for before in self.lanes.before(effect):
            reached = self._reached(before, effect, frame)
            if reached is not None:
                counting.append((before, reached))
        if counting:
            counting.sort(key=_rank, reverse=True)
            self.instants.add(counting[0][0].beside)
        return counting

    def _reached(self, before: Before, effect: int, frame: _Frame | None) -> int | None:
        start, end = self.start[before.beside], self.end[before.beside]
        if frame is not None:
            if not self._blocks(before.beside, frame):
                return None
            start, end = max(start, frame.start), min(end, frame.end)
        if before.effect != effect and self.end[before.cause] > self.now:
            return None
        if start < self.now:
            return min(end, self.now)
        instant = start == end == self.now and before.beside not in self.instants
        return self.now if instant else None

    def _blocks(self, child: int, frame: _Frame) -> bool:
        """Whether anything of a child lies in what is left of its parent, and the parent waits for it."""
        start = self.start[child]
        if start >= frame.end or (start < frame.start and self.end[child] <= frame.start):
            return False
        return not frame.produces or self.spans[child].kind != SpanKind.CONSUMER

    def _enter(self, span: int, start: int) -> None:
        """Go into a span, which ends now (or is cut here)."""
        frame = _Frame(span, start, self.now, self.spans[span].kind == SpanKind.PRODUCER)
        child, following, children = self.lanes.head[span], self.lanes.following, frame.children
        while child != ROOT:
            if self._blocks(child, frame):
                children.append(child)
            child = following[child]
        if len(children) > 1:
            ends, end = self.end, frame.end
            children.sort(key=lambda one: ends[one] if ends[one] < end else end, reverse=True)
        self.stack.append(frame)

    def _last_child(self, frame: _Frame) -> int | None:
        """The child that ended last: at all, when the span is entered; strictly before now, when it is returned to."""
        children, at = frame.children, frame.at
        if frame.returned:
            # What is cut at the span's own end ends there: not before now, which is never later.
            while at < len(children) and self.end[children[at]] >= self.now:
                at += 1
            frame.at = at
        frame.returned = True
        return children[at] if at < len(children) else None

    def _race(self, frame: _Frame, begin: int) -> tuple[int, ...]:
        """How many children ran beside the one that ended last, the second to last, and how far it was ahead.

        Empty where there is no other. Those beside it are passed over afterwards, so that none is counted twice.
        """
        children, at = frame.children, frame.at + 1
        while at < len(children) and self.end[children[at]] > begin:
            at += 1
        beside = at - frame.at
        if beside == 1:
            return ()
        second = children[frame.at + 1]
        return beside, second, self.now - min(self.end[second], frame.end)

    def _because(self, reason: Reason) -> None:
        """Keep the reason for the step that comes next, unless one nearer to the step after it is kept already."""
        if self.reason is None:
            self.reason = reason

    def _emit(self, span: int, start: int, kind: StepKind) -> None:
        """Make the step from `start` to now, and go there."""
        if start < self.now:
            why = self.words.say(self.reason or NOBODY)
            self.steps.append(Step(self.spans[span] if span != ROOT else None, start, self.now, kind, why))
            self.reason = None
        self.now = start


def _branches(causes: list[tuple[Before, int]]) -> tuple[int, ...]:
    """How many siblings an effect waited for, the second to last of them, and how far the last was behind it.

    Empty where there is no other.
    """
    ends: dict[int, int] = {}
    for before, reached in causes:
        ends.setdefault(before.beside, reached)
    last, *others = ends
    return (len(ends), others[0], ends[last] - ends[others[0]]) if others else ()


def _rank(cause: tuple[Before, int]) -> tuple[int, bool, int, int]:
    """By end; at ties a resume, then the first in start order; of several in one branch the innermost."""
    before, reached = cause
    return reached, before.kind == _RESUME, -before.beside, before.cause


def _last_ending(tree: Tree) -> list[int]:
    """For each root, which of the roots up to it ends last: so that the search among many is short."""
    last: list[int] = []
    for root in tree.roots:
        last.append(last[-1] if last and tree.end[last[-1]] >= tree.end[root] else root)
    return last
