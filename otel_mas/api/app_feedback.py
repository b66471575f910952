"""Feedback of an app: about the span that is current, or about a run that it names."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from otel_mas.config import Settings
from otel_mas.errors import OtelMasError, TraceNotFound
from otel_mas.errors.log import logger
from otel_mas.instrumentation.judgements import Judgement, score_of
from otel_mas.instrumentation.marks.feedback import current_feedback
from otel_mas.record import caught, recorder

_MOST_WAITING = 1_000
_ATTEMPTS = 5
_PAUSE_S = 0.5
_FLUSH_S = 5.0


class _About(NamedTuple):
    """The run that is judged, and in it the span."""

    trace: str | None
    span: str | None
    conversation: str | None


def feedback(
    score: float | str | bool | None = None,
    *,
    label: str | None = None,
    reason: str | None = None,
    name: str = "feedback",
    author: str | None = None,
    trace: str | None = None,
    span: str | None = None,
    conversation: str | None = None,
) -> None:
    """Record the judgement of a person, a test or a program about a run: docs/feedback.md.

    It is about the current span where no run is named. Else a thread of its own writes it into the store, once the run
    is there; this call does not wait. It never raises: a warning says what could not be recorded. While recording is
    off it does nothing.

    Args:
        score: a number, a label, or True or False.
        label: the judgement as a word: "wrong", "missing" or "late" is a complaint, "right" takes it back.
        reason: why; content, kept as OTEL_MAS_CONTENT says.
        name: the quality that is judged.
        author: the one who judges.
        trace: the id of the judged trace.
        span: the judged span in that trace or conversation, by its id or a task's label; by default the whole run.
        conversation: the id of a conversation (a thread): its last run is judged.
    """
    try:
        if recorder().active:
            number, word = (None if score is None else score_of(score)) or (None, None)
            if number is None and word is None and label is None:
                raise ValueError("feedback has neither a score nor a label")
            judged = Judgement(number, label or word, reason)
            if trace is None and conversation is None and span is None:
                current_feedback(judged, name, author)
            else:
                about = _About(trace, span, conversation)
                _later.put(partial(_write, recorder().settings, about, judged, name, author))
    except Exception as error:
        caught("feedback", error)


class _Later:
    """A thread that does things one after the other; all are done before the process ends. A fork has its own."""

    def __init__(self) -> None:
        self._pid = 0
        self._waiting = 0
        self._pool: ThreadPoolExecutor | None = None

    def put(self, work: Callable[[], None]) -> None:
        """Do it as soon as what came before is done; not if too much waits."""
        if self._pool is None or self._pid != os.getpid():
            self._pid, self._waiting = os.getpid(), 0
            self._pool = ThreadPoolExecutor(1, "otel-mas feedback")
        if self._waiting >= _MOST_WAITING:
            raise RuntimeError(f"feedback was dropped: {_MOST_WAITING:,} wait to be written")
        self._waiting += 1
        self._pool.submit(work).add_done_callback(self._done)

    def _done(self, _: Any) -> None:
        self._waiting -= 1


_later = _Later()


def _write(settings: Settings, about: _About, judged: Judgement, name: str, author: str | None) -> None:
    """Write feedback about a run that may be on its way to the store still."""
    from otel_mas.api.lifecycle import flush

    flush(_FLUSH_S)
    try:
        for _ in range(_ATTEMPTS - 1):
            try:
                _mark(settings, about, judged, name, author)
                return
            except TraceNotFound:
                time.sleep(_PAUSE_S)
        _mark(settings, about, judged, name, author)
    except OtelMasError as error:
        logger.warning("otel-mas: feedback was not recorded: %s", error)
    except Exception as error:
        caught("feedback", error)


def _mark(settings: Settings, about: _About, judged: Judgement, name: str, author: str | None) -> None:
    from otel_mas.api.evaluations import main_span, mark
    from otel_mas.api.source import open as open_source
    from otel_mas.api.trace import Conversation, Trace

    with open_source(settings.store) as source:
        found: Trace | Conversation
        if about.conversation is not None:
            found = source.conversation(about.conversation)
        elif about.trace is not None:
            found = source.trace(about.trace)
        else:
            raise TraceNotFound(f"span {about.span!r} alone names no run: give its trace or conversation too")
        parts = found._parts()
        span = main_span(parts) if about.span is None else found.span(about.span)
        mark(parts, span, judged, name=name, author=author, settings=settings)


__all__ = ["feedback"]
