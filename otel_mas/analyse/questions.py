"""Questions to people for which a run waited: since when, their outcome, and whether the answer was in time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from otel_mas.causal import CausalGraph
from otel_mas.causal.references import texts
from otel_mas.model import Span
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind, TaskOutcome

_SECOND = 10**9


class QuestionState(StrEnum):
    """Outcome of a question."""

    WAITING = "waiting"
    ANSWERED = "answered"
    WRITTEN = "written"
    """The app wrote the state in place of the task that asked (`update_state`)."""
    DROPPED = "dropped"
    """The thread went on from there without the task that asked."""


@dataclass(frozen=True, slots=True)
class Question:
    """Question that a task asked before it paused. Times in ns since the epoch.

    `paused` are the spans of the task in which it asked this: more than one where it ran again without an answer.
    `answer` is the HUMAN_INPUT span, or that of the update of the state; None where there is none.
    """

    paused: tuple[Span, ...]
    ids: tuple[str, ...]
    state: QuestionState
    asked_ns: int
    ended_ns: int | None
    """When it was answered, or stopped waiting; None while it waits."""
    answer: Span | None
    timeout_ns: int | None
    now_ns: int

    @property
    def waited_ns(self) -> int:
        """How long it took to be answered, or has waited until now."""
        return max(0, (self.now_ns if self.ended_ns is None else self.ended_ns) - self.asked_ns)

    @property
    def overdue(self) -> bool:
        """Waited, or was answered after waiting, for longer than allowed; a dropped question is not overdue."""
        late = self.timeout_ns is not None and self.waited_ns > self.timeout_ns
        return late and self.state is not QuestionState.DROPPED


def questions(causal: CausalGraph, *, now_ns: int, timeout_s: float | None = None) -> tuple[Question, ...]:
    """Every question, in the order in which they were asked.

    Args:
        causal: of whole conversations: a question is answered in another trace than it was asked in.
        now_ns: until when those without an answer have waited.
        timeout_s: within how many seconds they were to be answered, for those that do not say it themselves.
    """
    tasks: dict[str, list[Span]] = defaultdict(list)
    asking: set[str] = set()
    for span in causal.spans:
        if span.task_id is not None:
            tasks[span.task_id].append(span)
            if _asks(span):
                asking.add(span.task_id)
    search = _Search(causal, now_ns, timeout_s) if asking else None
    found = [one for task_id in asking for one in search.of(tasks[task_id])] if search is not None else []
    return tuple(sorted(found, key=lambda one: (one.asked_ns, one.paused[0].span_id)))


def _asks(span: Span) -> bool:
    """The innermost task of those that pause has the ids of what is asked; no body is looked at unless it paused."""
    paused = span.columns.get(names.MAS_TASK_OUTCOME) == TaskOutcome.INTERRUPTED
    return paused and bool(span.get(names.MAS_INTERRUPT_IDS))


class _Search:
    """The questions of a task, from its spans in start order."""

    def __init__(self, causal: CausalGraph, now_ns: int, timeout_s: float | None) -> None:
        self._causal = causal
        self._now_ns = now_ns
        self._timeout_s = timeout_s
        self._by_id = {span.span_id: span for span in causal.spans}
        self._starts: dict[object, list[Span]] = defaultdict(list)
        self._tasks_of: dict[str, set[str]] = defaultdict(set)
        for span in causal.spans:
            checkpoint = span.columns.get(names.MAS_CHECKPOINT_ID)
            if checkpoint is not None and span.columns.get(names.MAS_CHECKPOINT_LAST_ID) is not None:
                self._starts[checkpoint].append(span)
            if span.task_id is not None:
                self._tasks_of[span.trace_id].add(span.task_id)

    def of(self, spans: Sequence[Span]) -> Iterator[Question]:
        paused: list[Span] = []
        for span in spans:
            if paused:
                answer = self._answer(span)
                if answer is not None:
                    yield self._question(paused, QuestionState.ANSWERED, answer.start_ns, answer)
                    paused = []
                elif span.get(names.MAS_TASK_UPDATED):
                    yield self._question(paused, QuestionState.WRITTEN, span.start_ns, span)
                    paused = []
                elif span.columns.get(names.MAS_TASK_OUTCOME) not in (None, TaskOutcome.INTERRUPTED):
                    # It went on; who recorded it does not tell answers apart.
                    yield self._question(paused, QuestionState.ANSWERED, span.start_ns, None)
                    paused = []
            if _asks(span):
                paused.append(span)
        if paused:
            dropped = self._dropped(paused[-1])
            if dropped is None:
                yield self._question(paused, QuestionState.WAITING, None, None)
            else:
                yield self._question(paused, QuestionState.DROPPED, dropped, None)

    def _answer(self, span: Span) -> Span | None:
        inside = self._causal.children_of(span.span_id)
        return next((one for one in inside if one.record_kind == RecordKind.HUMAN_INPUT), None)

    def _dropped(self, paused: Span) -> int | None:
        """When the thread went on, from where the run that paused had left it, without the task."""
        run = self._run(paused)
        for later in self._starts.get(run.columns.get(names.MAS_CHECKPOINT_LAST_ID), ()):
            over = later.end_ns is not None and later.start_ns >= run.start_ns and later is not run
            if over and paused.task_id not in self._tasks_of[later.trace_id]:
                return later.start_ns
        return None

    def _run(self, span: Span) -> Span:
        """The outermost run around a span that says at which checkpoint it ended."""
        run, above, seen = span, self._by_id.get(span.parent_span_id or ""), {span.span_id}
        while above is not None and above.span_id not in seen:
            seen.add(above.span_id)
            if above.columns.get(names.MAS_CHECKPOINT_LAST_ID) is not None:
                run = above
            above = self._by_id.get(above.parent_span_id or "")
        return run

    def _question(
        self, paused: Sequence[Span], state: QuestionState, ended_ns: int | None, answer: Span | None
    ) -> Question:
        first = paused[0]
        own = first.get(names.MAS_INTERRUPT_TIMEOUT)
        timeout_s = own if isinstance(own, int | float) else self._timeout_s
        return Question(
            paused=tuple(paused),
            ids=tuple(texts(first.get(names.MAS_INTERRUPT_IDS))),
            state=state,
            asked_ns=first.last_ns,
            ended_ns=ended_ns,
            answer=answer,
            timeout_ns=None if timeout_s is None else int(timeout_s * _SECOND),
            now_ns=self._now_ns,
        )


__all__ = ["Question", "QuestionState", "questions"]
