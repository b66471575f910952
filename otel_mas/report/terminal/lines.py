"""Lines of a report: styled text, fitted to columns by what a terminal shows of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from otel_mas.model import Span
from otel_mas.report import status_words
from otel_mas.report.status_words import STATUS_TONES, StatusWords, Tone
from otel_mas.report.text import plain
from otel_mas.semconv.enums import RecordKind

# Text.wrap asks for a console; nothing is printed on this one.
_RULER = Console(file=StringIO(), width=1)
# The blank in "52 ms" and after an arrow; rich would break even at a no-break space, so it is another character
# meanwhile.
_TIED = re.compile(r"(?<=\d) (?=(?:s|ms|µs|min)\b)|(?<=←) ")
_HOLD = "\ue000"
_KIND_STYLES: Mapping[str | None, str] = {
    RecordKind.LLM_CALL: "magenta",
    RecordKind.TOOL_CALL: "blue",
    RecordKind.RETRIEVAL: "blue",
    RecordKind.AGENT_TASK: "cyan",
    RecordKind.WORKFLOW: "bold",
}
_TONE_STYLES = {
    Tone.GOOD: "green",
    Tone.BAD: "bold red",
    Tone.WAITING: "yellow",
    Tone.RUNNING: "cyan",
    Tone.MINOR: "dim",
}
STATUS_STYLES = {status: _TONE_STYLES[tone] for status, tone in STATUS_TONES.items()}


def fit(text: Text, width: int, justify: str = "left") -> Text:
    """Cut (with …) or padded to exactly this many cells."""
    fitted = text.copy()
    missing = width - cell_len(fitted.plain)
    if missing < 0:
        fitted.truncate(width, overflow="ellipsis")
        missing = width - cell_len(fitted.plain)
    if justify == "right":
        fitted.pad_left(missing)
    else:
        fitted.pad_right(missing)
    return fitted


def cells(*parts: Text | str | tuple[str, str]) -> Text:
    """Parts, styled or not, one after the other, without blanks at the end."""
    line = Text.assemble(*parts)
    line.rstrip()
    return line


def wrap(text: Text, width: int) -> list[Text]:
    """The text in pieces of this width, at least one; a number keeps its unit."""
    held = text.copy()
    held.plain = _TIED.sub(_HOLD, held.plain)  # as long as before, so that styles stay where they are
    pieces = list(held.wrap(_RULER, max(width, 24))) or [Text()]
    for piece in pieces:
        piece.plain = piece.plain.replace(_HOLD, " ")
        piece.rstrip()
    return pieces


def bar(parts: Iterable[tuple[int, int]], start: int, total: int, width: int) -> str:
    """Stretches of time (start, end) on a line that stands for `total` from `start`; none is invisible."""
    drawn = [" "] * width
    for begin, end in parts:
        if total <= 0:
            continue
        first = min(width - 1, max(0, (begin - start) * width // total))
        last = min(width, max(first + 1, -(-(end - start) * width // total)))
        drawn[first:last] = "█" * (last - first)
    return "".join(drawn)


def kind_style(span: Span) -> str:
    """The colour of what a span records; none for spans of other code."""
    return _KIND_STYLES.get(span.record_kind, "")


def run_status(spans: Sequence[Span]) -> Text:
    """How these traces stand: the status of the last one, in the words of a sentence."""
    return _styled(status_words.run_status(spans))


def outcome(span: Span, error_message: str = "") -> Text | None:
    """How a span ended, where that is worth a word; of an error with its message, on a line."""
    found = status_words.outcome(span)
    if found is None:
        return None
    ended = _styled(found)
    return ended.append(f": {plain(error_message)}", "red") if error_message and found.tone is Tone.BAD else ended


def _styled(found: StatusWords) -> Text:
    return Text(found.words, style=_TONE_STYLES[found.tone] if found.tone else "")


def joined(parts: Sequence[Text], separator: str = "  ") -> Text:
    return Text(separator).join(parts)
