"""The steps of a critical path: numbers while it is worked out, objects and words when somebody looks."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

from otel_mas.causal.reasons import DELAYED, NO_REASON, NO_SPAN, Reason, is_held
from otel_mas.model import Span


class StepKind(StrEnum):
    """The kind of a step."""

    SPAN = "span"
    """A span did the work."""
    FRAMEWORK = "framework"
    """A span encloses work that waited for its turn."""
    WAITING = "waiting for input"
    """A span had paused."""
    QUEUE = "waiting in queue"
    """A message was in a queue; the span is the one that sent it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A section of the critical path. Times are ns since the Unix epoch.

    `span` did the work (`span`), encloses what waited for its turn (`framework`), had paused (`waiting for input`), or
    sent a message that nobody had taken yet (`waiting in queue`); None where no recorded span was responsible. `why`
    says why the next step waited for this one; empty on the last. `held_by` is the task without which a `framework`
    step would have been short: it caused nothing of what came next, but a step of LangGraph ends only when all its
    tasks have.
    """

    span: Span | None
    start_ns: int
    end_ns: int
    kind: StepKind
    why: str
    held_by: Span | None = None

    @property
    def duration_ns(self) -> int:
        return self.end_ns - self.start_ns


class PathBuilder:
    """Sections from the end back to the start. Each ends where the one listed before it starts."""

    def __init__(self, end: int, starts: MutableSequence[int], resolve: Callable[[Reason, int, int], Reason]) -> None:
        """
        Args:
            starts: an empty sequence that can hold the times of the spans.
            resolve: gives the reason of a `DELAYED` section, by its span and start.
        """
        self._resolve = resolve
        self.end = end
        self.now = end
        """Position of the walk; all time after it is accounted for."""
        self.reason: Reason | None = NO_REASON
        """Why what comes after the next section waited for it, if that is known already."""
        self.spans = array("q")
        self.starts = starts
        self.kinds: list[StepKind] = []
        # The parts of the reasons, apart: a tuple for each would be as large as all the rest.
        self._texts: list[str] = []
        self._one = array("q")
        self._other = array("q")
        self._more: dict[int, tuple[int, ...]] = {}

    def back_to(self, start: int, span: int, kind: StepKind = StepKind.SPAN) -> None:
        """The section from `start` to now belongs to this span; go there."""
        if start < self.now:
            text, one, other, more = self.reason or NO_REASON
            self.spans.append(span)
            self.starts.append(start)
            self.kinds.append(kind)
            self._texts.append(text)
            self._one.append(one)
            self._other.append(other)
            if more:
                self._more[len(self._texts) - 1] = more
            self.reason = None
            self.now = start

    def reasons(self) -> Iterator[Reason]:
        """Why what came next waited, for each section."""
        for place, text in enumerate(self._texts):
            reason = text, self._one[place], self._other[place], self._more.get(place, ())
            yield self._resolve(reason, self.spans[place], self.starts[place]) if text is DELAYED else reason

    def set_reason(self, reason: Reason) -> None:
        """Keep the reason for the section that comes next, unless one nearer to the one after it is kept already."""
        if self.reason is None:
            self.reason = reason


class CriticalPath:
    """Steps in time order, end to end: each starts where the one before it ended."""

    def __init__(self, builder: PathBuilder, spans: Sequence[Span], sentence: Callable[[Reason, int], str]) -> None:
        self._trail = builder
        self._spans = spans
        self._sentence = sentence

    @classmethod
    def like(cls, path: CriticalPath) -> Self:
        """The same path as an instance of this class."""
        return cls(path._trail, path._spans, path._sentence)

    def __repr__(self) -> str:
        return f"<CriticalPath {len(self)} steps, {self.total_ns} ns>"

    @property
    def start_ns(self) -> int:
        """When the first root started."""
        return self._trail.now

    @property
    def end_ns(self) -> int:
        """When the last root ended."""
        return self._trail.end

    @property
    def total_ns(self) -> int:
        """The duration that the sections sum to."""
        return self.end_ns - self.start_ns

    @cached_property
    def sections(self) -> tuple[Step, ...]:
        """The steps, in time order."""
        known = self._spans
        steps = [
            Step(
                known[span] if span != NO_SPAN else None,
                start,
                end,
                kind,
                why,
                known[holder] if holder != NO_SPAN else None,
            )
            for span, start, end, kind, why, holder in self.explained()
        ]
        return tuple(reversed(steps))

    def explained(self) -> Iterator[tuple[int, int, int, StepKind, str, int]]:
        """As `numbers`, with why the next step waited, and the place of the task that held it, or -1."""
        for (span, start, end, kind), reason in zip(self.numbers(), self._trail.reasons(), strict=True):
            holder = reason[2] if is_held(reason) else NO_SPAN
            yield span, start, end, kind, self._sentence(reason, end - start), holder

    def numbers(self) -> Iterator[tuple[int, int, int, StepKind]]:
        """The steps from the last to the first, with no object made: the place of the span, start, end and kind.

        The place is that in `CausalGraph.spans`, -1 where no recorded span was responsible.
        """
        trail = self._trail
        return zip(trail.spans, trail.starts, (trail.end, *trail.starts), trail.kinds, strict=False)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The spans that did the work, each once, in the order in which they first appear."""
        builder = self._trail
        worked = zip(reversed(builder.spans), reversed(builder.kinds), strict=True)
        return tuple(
            self._spans[span] for span in dict.fromkeys(span for span, kind in worked if kind == StepKind.SPAN)
        )

    def __iter__(self) -> Iterator[Step]:
        return iter(self.sections)

    def __len__(self) -> int:
        return len(self._trail.spans)
