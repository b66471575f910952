"""Questions that people answered too late, or have not answered in time: the words for it beside a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.text import Text

from otel_mas.analyse.questions import Question
from otel_mas.report.text import duration

STYLE = "bold red"


def marks(asked: Iterable[Question]) -> Mapping[str, Text]:
    """Remarks by span id: of the task that waits, or the one that ran again with the answer."""
    found = {}
    for one in asked:
        if not one.overdue or one.timeout_ns is None:
            continue
        within = duration(one.timeout_ns)
        if one.ended_ns is None:
            found[one.paused[-1].span_id] = Text(
                f"overdue: waits for {duration(one.waited_ns)}, was to be answered within {within}", style=STYLE
            )
        elif one.answer is not None:
            phrase = Text(f"answered overdue: after {duration(one.waited_ns)}, not within {within}", style=STYLE)
            found[one.answer.span_id] = phrase
            if one.answer.task_id is None and one.answer.parent_span_id is not None:
                found[one.answer.parent_span_id] = phrase
    return found
