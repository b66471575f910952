"""Status of runs and outcome of spans in words, each with its tone, for the terminal and for HTML alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from otel_mas.model import Span, StatusCode, SummaryBuilder, Trace
from otel_mas.report.text import plain
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RunOutcome, TaskOutcome


class Tone(StrEnum):
    """The weight of a word, for which each renderer has a colour."""

    GOOD = "good"
    BAD = "bad"
    WAITING = "waiting"
    RUNNING = "running"
    MINOR = "minor"


class StatusWords(NamedTuple):
    """A status or an outcome as people read it; without a tone, where another program has recorded one of its own."""

    words: str
    tone: Tone | None


STATUS_TONES: Mapping[str, Tone] = {
    "ok": Tone.GOOD,
    "error": Tone.BAD,
    "stopped": Tone.BAD,
    "running": Tone.RUNNING,
    **dict.fromkeys(("interrupted", "cancelled", "abandoned"), Tone.WAITING),
}
_PAUSED, _ABANDONED = "paused for input", "abandoned by its caller"
_STATUS_WORDS = {"interrupted": _PAUSED, "abandoned": _ABANDONED, "stopped": "stopped before it ended"}


def run_status(spans: Sequence[Span]) -> StatusWords:
    """How these traces stand: the status of the last one, in the words of a sentence."""
    last = next((span for span in reversed(spans) if span.parent_span_id is None), spans[0])
    counts = SummaryBuilder.of(Trace(last.trace_id, tuple(span for span in spans if span.trace_id == last.trace_id)))
    status = counts.status
    words = _error_words(last) if status == "error" else plain(_STATUS_WORDS.get(status, status))
    return StatusWords(words, STATUS_TONES.get(status))


def _error_words(span: Span) -> str:
    if span.columns.get(names.MAS_RUN_OUTCOME) == RunOutcome.ERROR and (limited := span.get(names.MAS_BUDGET_AMOUNT)):
        return f"✗ stopped by budget ({plain(str(limited))})"
    return f"✗ {plain(span.columns.get(names.ERROR_TYPE) or 'error')}"


def outcome(span: Span) -> StatusWords | None:
    """How a span ended, where that is worth a word."""
    task = span.columns.get(names.MAS_TASK_OUTCOME)
    run = span.columns.get(names.MAS_RUN_OUTCOME)
    if task == TaskOutcome.INTERRUPTED or run == RunOutcome.INTERRUPTED:
        return StatusWords(_PAUSED, Tone.WAITING)
    if span.status == StatusCode.ERROR or TaskOutcome.ERROR in (task, run):
        return StatusWords(_error_words(span), Tone.BAD)
    if TaskOutcome.CANCELLED in (task, run):
        return StatusWords("cancelled", Tone.WAITING)
    if run == RunOutcome.ABANDONED:
        return StatusWords(_ABANDONED, Tone.WAITING)
    if task == TaskOutcome.HANDOFF:
        return StatusWords("handed over", Tone.MINOR)
    if span.end_ns is None:
        return StatusWords("not ended", Tone.RUNNING)
    if task == TaskOutcome.OK and span.get(names.MAS_TASK_CACHED):
        return StatusWords("from the cache", Tone.MINOR)
    return None


__all__ = ["STATUS_TONES", "StatusWords", "Tone", "outcome", "run_status"]
