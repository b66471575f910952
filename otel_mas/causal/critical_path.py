"""Critical path: the steps that make up the duration of a trace or conversation, and why each one had to wait.

Without causes it is Jaeger's walk. It goes backwards in time, from the end of a span to its child that ends
last, into that child, at the child's start back to the parent, and on to the child that ended last
*strictly before* that. Children are first cut to their parent's interval, and dropped where nothing is
left; a consumer under a producer does not block it.

With causes between siblings it goes, at a span's start, to the cause that ended last instead. The time
between the cause's end and the effect's start is the parent's: a step `framework`, whose words name the
task that kept LangGraph's step from ending, if that took most of it. From a resume back to its pause it is
a step `waiting for input`. A cause and an effect deep inside different branches count
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
  that does nothing itself. If no cause decides, the walk goes at a root's start to the root that had
  started before and ended last, cut there if it still ran. So what ran beside the path is not on it. If
  no root ran, the step has no span: between traces it is `waiting for input`, within one `framework`.
- From the start of a consumer span that took a message out of a queue (`deliveries`), the walk goes to the end of the
  producer span, in whatever branch that is, by a step `waiting in queue`; not where something in the consumer's
  parent ended in between. A consumer inside its producer is a root: the producer does not wait for it.
- A `message` link (one span read what another one wrote) counts only between siblings without another cause.
- A run that failed did not wait for the siblings that were cancelled for it.
- Open spans last until the last instant seen in their trace; a span that ends before it starts is an
  instant at its start.
- Cycles of links need no care: the walk only goes back in time, and visits an instant once. No recursion:
  depth is no limit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

from otel_mas.causal.barrier import Barrier
from otel_mas.causal.failed import failed_in
from otel_mas.causal.forest import ROOT, Forest
from otel_mas.causal.links import NONE, Links
from otel_mas.causal.reasons import (
    CAUSED,
    DELAYED,
    FOLLOWED,
    INVOKED_AGAIN,
    NO_SPAN,
    OVERLAPPED,
    PAUSED,
    QUEUED,
    RESUMED,
    SCHEDULED,
    SENT,
    STARTED,
    UNRECORDED,
    WAITED,
    Reason,
    ReasonText,
)
from otel_mas.causal.siblings import Predecessor, SiblingLinks, lift_to_siblings
from otel_mas.causal.steps import CriticalPath, PathBuilder, StepKind
from otel_mas.model import SpanKind
from otel_mas.semconv import LinkKind, TaskOutcome
from otel_mas.semconv import attributes as names

_RESUME = LinkKind.RESUME.value
_MESSAGE = LinkKind.MESSAGE.value
_CANCELLED = TaskOutcome.CANCELLED.value


_Last = tuple[int, int, str, int, int, tuple[int, ...]]
"""The sibling that came last before a span, until when, by what kind of link, from which span at or inside of it, to
which at or inside of the effect, and the branches that were waited for (`_branches`)."""


def critical_path(forest: Forest, links: Links, tasks: Callable[[], Mapping[int, str]]) -> CriticalPath:
    """Walk back from the last end to the first start. Linear, but for sorting children.

    Args:
        tasks: names of task spans by number, asked for only when a sentence needs one.
    """
    siblings = lift_to_siblings(forest, links)
    builder = PathBuilder(
        max((forest.end[root] for root in siblings.roots), default=0),
        forest.start[:0],
        _DelayReasons(forest).resolve,
    )
    if siblings.roots:
        _Walk(forest, siblings, builder).run()
    return CriticalPath(builder, forest.spans, ReasonText(forest.spans, tasks, links).sentence)


class _DelayReasons:
    """Reasons for a delay between the last cause and the effect, computed on demand."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._barrier: Barrier | None = None

    def resolve(self, reason: Reason, around: int, reached: int) -> Reason:
        """Args: a `DELAYED` reason, the span in which the effect is, and when the cause had ended."""
        _, cause, effect, _ = reason
        self._barrier = self._barrier or Barrier(self._forest)
        holder = self._barrier.holder(effect, reached)
        if holder is None or holder == cause:
            return SCHEDULED, around, effect, ()
        return WAITED, effect, holder, (cause, self._forest.end[holder] - reached)


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
    """Back in time along the trail, in and out of spans."""

    def __init__(self, forest: Forest, siblings: SiblingLinks, builder: PathBuilder) -> None:
        self.start = forest.start
        self.end = forest.end
        self.spans = forest.spans
        self.kinds = forest.spans.kinds
        self.siblings = siblings
        self.builder = builder
        self.stack: list[_Frame] = []
        self.left: dict[int, _Frame] = {}
        """Spans that the walk is in or came out of by a message: it may come back to them."""
        self.instants = bytearray(len(forest.spans))
        """Which spans were gone to as causes: those that are instants are so once."""
        self.root_starts = [forest.start[root] for root in siblings.roots]
        self.last_root = _last_ending(siblings.roots, forest.end)

    def run(self) -> None:
        root: int | None = self.last_root[-1]
        while root is not None:
            if not self.stack:
                self._enter(root, self.start[root])
            root = self._before_root(self._inside())

    def _inside(self) -> int:
        """From where the walk is in a root, back to the start of the root that it comes to; returns that."""
        builder, stack, head = self.builder, self.stack, self.siblings.head
        root = stack[0].span
        while stack:
            frame = stack[-1]
            child = self._last_child(frame)
            if child is None:
                builder.back_to(frame.start, frame.span)
                stack.pop()
                root = frame.span
                if stack:
                    self._leave(stack[-1], frame.span)
                continue
            finish, begin = self.end[child], self.start[child]
            builder.back_to(finish if finish < frame.end else frame.end, frame.span)
            begin = begin if begin > frame.start else frame.start
            if builder.reason is None:
                builder.reason = (WAITED, frame.span, child, self._race(frame, begin))
            if head[child] == ROOT:
                builder.back_to(begin, child)
                self._leave(frame, child)
            else:
                self._enter(child, begin)
        return root

    def _leave(self, frame: _Frame, begun: int) -> None:
        """From the start of a span from cause to cause, while siblings are known to be that, and then to its parent."""
        builder, around, starts, head = self.builder, frame.span, self.start, self.siblings.head
        while True:
            if self._take_message(begun, frame):
                return
            found = self._last_cause(begun, frame)
            if found is None:
                builder.set_reason((STARTED, around, begun, ()))
                return
            sibling, reached, kind, cause, effect, branches = found
            if kind == _RESUME:
                self._wait(cause, effect, reached)
            elif reached < builder.now:
                builder.set_reason((DELAYED, sibling, begun, ()))
                builder.back_to(reached, around, StepKind.FRAMEWORK)
            builder.set_reason((CAUSED[kind], begun, sibling, branches))
            begun, start = sibling, starts[sibling]
            if start < frame.start:
                start = frame.start
            if head[begun] != ROOT:
                self._enter(begun, start)
                return
            builder.back_to(start, begun)

    def _before_root(self, root: int) -> int | None:
        """Which root the walk goes on to from the start of this one."""
        if self._take_message(root, None):
            return self.stack[0].span
        found = self._last_cause(root, None)
        if found is not None:
            sibling, reached, kind, cause, effect, branches = found
            if kind == _RESUME:
                self._wait(cause, effect, reached)
            else:
                self._outside(root, sibling, reached)
            self.builder.set_reason((CAUSED[kind], root, sibling, branches))
            return sibling
        begun = bisect_left(self.root_starts, self.builder.now)
        if begun == 0:
            return None
        earlier = self.last_root[begun - 1]
        overlaps = self.end[earlier] > self.builder.now
        self._outside(root, earlier, min(self.end[earlier], self.builder.now))
        self.builder.set_reason((OVERLAPPED if overlaps else FOLLOWED, root, earlier, ()))
        return earlier

    def _take_message(self, received: int, frame: _Frame | None) -> bool:
        """Whether a span began by taking a message from a queue. The walk is then where that was sent."""
        sent = self._sent(received, frame)
        if sent is None:
            return False
        builder = self.builder
        builder.set_reason((QUEUED, received, NO_SPAN, ()))
        builder.back_to(self.end[sent], sent, StepKind.QUEUE)
        builder.set_reason((SENT, sent, received, ()))
        self._go_to(sent)
        return True

    def _sent(self, received: int, frame: _Frame | None) -> int | None:
        """Which span sent the last of the messages that a span received, unless its parent had been busy since."""
        sent = [one for one in self.siblings.deliveries.get(received, ()) if self.start[one] < self.builder.now]
        if not sent:
            return None
        last = max(sent, key=self.end.__getitem__)
        before = None if frame is None else self._last_child(frame)
        return None if before is not None and self.end[before] > self.end[last] else last

    def _go_to(self, span: int) -> None:
        """Go into a span, wherever it is, from out of those that the walk is in."""
        self.left.update((frame.span, frame) for frame in self.stack)
        self.stack.clear()
        chain = [span]
        while (above := self.siblings.parent[chain[-1]]) != ROOT:
            chain.append(above)
        start = 0
        for one in reversed(chain):
            start = min(max(start, self.start[one]), self.builder.now)
            frame = self.left.get(one)
            if frame is None:
                self._enter(one, start)
                self.stack[-1].returned = one != span  # of its children, only what ended before is left
            else:
                frame.end = self.builder.now
                self.stack.append(frame)

    def _outside(self, root: int, earlier: int, reached: int) -> None:
        """The time between two roots."""
        again = self.spans.trace_ids[root] != self.spans.trace_ids[earlier]
        if reached < self.builder.now:
            self.builder.set_reason((INVOKED_AGAIN if again else UNRECORDED, root, NO_SPAN, ()))
            self.builder.back_to(reached, NO_SPAN, StepKind.WAITING if again else StepKind.FRAMEWORK)

    def _wait(self, pause: int, resume: int, paused: int) -> None:
        if paused < self.builder.now:
            self.builder.set_reason((RESUMED, resume, NO_SPAN, ()))
            self.builder.back_to(paused, pause, StepKind.WAITING)
        self.builder.set_reason((PAUSED, pause, NO_SPAN, ()))

    def _last_cause(self, effect: int, frame: _Frame | None) -> _Last | None:
        """The cause that ended last, of those that count."""
        siblings, links = self.siblings, self.siblings.links
        edge = links.first[effect]
        if effect in siblings.forks or (edge != NONE and links.following[edge] != NONE):
            return self._last_of(siblings.predecessors(effect), effect, frame)
        if edge == NONE:
            return None
        # A single link, as most have.
        cause = links.cause[edge]
        if cause < 0 or cause == effect or siblings.parent[cause] != siblings.parent[effect]:
            return None
        reached = self._reached(cause, frame)
        if reached is None:
            return None
        self.instants[cause] = True
        return cause, reached, links.kind[edge], cause, effect, ()

    def _last_of(self, known: list[Predecessor], effect: int, frame: _Frame | None) -> _Last | None:
        counting = []
        for predecessor in known:
            reached = self._reached(predecessor.sibling, frame)
            if reached is not None and (
                predecessor.effect == effect or self.end[predecessor.cause] <= self.builder.now
            ):
                counting.append((predecessor, reached))
        if len(counting) > 1:
            counting = [one for one in counting if one[0].kind != _MESSAGE] or counting
        if not counting:
            return None
        counting.sort(key=_rank, reverse=True)
        last, reached = counting[0]
        self.instants[last.sibling] = True
        return last.sibling, reached, last.kind, last.cause, last.effect, _branches(counting)

    def _reached(self, sibling: int, frame: _Frame | None) -> int | None:
        """Until when a sibling counts as a cause of what starts now; None where it does not."""
        start, end, now = self.start[sibling], self.end[sibling], self.builder.now
        if frame is not None:
            if not self._blocks(sibling, frame):
                return None
            if start < frame.start:
                start = frame.start
            if end > frame.end:
                end = frame.end
        if start < now:
            return end if end < now else now
        return now if start == end == now and not self.instants[sibling] else None

    def _blocks(self, child: int, frame: _Frame) -> bool:
        """Whether anything of a child lies in what is left of its parent, and the parent waits for it."""
        start = self.start[child]
        if start >= frame.end or (start < frame.start and self.end[child] <= frame.start):
            return False
        return not frame.produces or self.kinds[child] != SpanKind.CONSUMER

    def _enter(self, span: int, start: int) -> None:
        """Go into a span, which ends now (or is cut here)."""
        frame = _Frame(span, start, self.builder.now, self.kinds[span] == SpanKind.PRODUCER)
        child, following, children = self.siblings.head[span], self.siblings.following, frame.children
        while child != ROOT:
            if self._blocks(child, frame):
                children.append(child)
            child = following[child]
        if len(children) > 1 and failed_in(self.spans, span):
            frame.children = children = self._uncancelled(children)
        if len(children) > 1:
            ends, end = self.end, frame.end
            if max(map(ends.__getitem__, children)) <= end:
                children.sort(key=ends.__getitem__, reverse=True)
            else:
                children.sort(key=lambda one: min(ends[one], end), reverse=True)
        self.stack.append(frame)

    def _uncancelled(self, children: list[int]) -> list[int]:
        """The children of a span that failed, without those cancelled because another one had failed."""
        left = [child for child in children if self.spans.value(child, names.MAS_TASK_OUTCOME) != _CANCELLED]
        return left if any(failed_in(self.spans, child) for child in left) else children

    def _last_child(self, frame: _Frame) -> int | None:
        """The child that ended last: at all, when the span is entered; strictly before now, when it is returned to."""
        children, at = frame.children, frame.at
        if frame.returned:
            # What is cut at the span's own end ends there: not before now, which is never later.
            while at < len(children) and self.end[children[at]] >= self.builder.now:
                at += 1
            frame.at = at
        frame.returned = True
        return children[at] if at < len(children) else None

    def _race(self, frame: _Frame, begin: int) -> tuple[int, ...]:
        """Number of children that ran beside the one that ended last, the second to last, and how far it was ahead.

        Empty where there is no other. Those beside it are passed over afterwards, so that none is counted twice.
        """
        children, at = frame.children, frame.at + 1
        while at < len(children) and self.end[children[at]] > begin:
            at += 1
        branches = at - frame.at
        if branches == 1:
            return ()
        second = children[frame.at + 1]
        return branches, second, self.builder.now - min(self.end[second], frame.end)


def _branches(causes: list[tuple[Predecessor, int]]) -> tuple[int, ...]:
    """How many siblings an effect waited for, the second to last of them, and how far the last was behind it.

    Empty where there is no other.
    """
    ends: dict[int, int] = {}
    for predecessor, reached in causes:
        ends.setdefault(predecessor.sibling, reached)
    last, *others = ends
    return (len(ends), others[0], ends[last] - ends[others[0]]) if others else ()


def _rank(cause: tuple[Predecessor, int]) -> tuple[int, bool, int, int]:
    """By end; at ties a resume, then the first in start order; of several in one branch the innermost."""
    predecessor, reached = cause
    return reached, predecessor.kind == _RESUME, -predecessor.sibling, predecessor.cause


def _last_ending(roots: list[int], ends: Sequence[int]) -> list[int]:
    """For each root, which of the roots up to it ends last: so that the search among many is short."""
    last: list[int] = []
    for root in roots:
        last.append(last[-1] if last and ends[last[-1]] >= ends[root] else root)
    return last
