"""Text of an entry: content beside a span, messages by digest, values of a state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.log.app_records import LogRecord, records_of
from otel_mas.analyse.state.values import NO_CONTENT, StateValues, is_message, value_text
from otel_mas.analyse.state.values import NOT_KEPT as VALUE_NOT_KEPT
from otel_mas.model import Span
from otel_mas.model.message_text import lines_of, text_of, withheld, written

NOT_KEPT = "content not kept"
_MESSAGES = "messages"
"""Name of the content that says why a message of a span was withheld."""


class Text(NamedTuple):
    """Text, and why some or all of it is missing."""

    text: str | None
    missing: str | None = None


NOTHING = Text(None)


class SpanContents:
    """Content of spans in the form of the log; the messages of each by direction, in their order."""

    def __init__(self, content: RunContent) -> None:
        self._content = content
        self._state = StateValues(content)
        self._logs: dict[tuple[str, str], tuple[LogRecord, ...]] = {}

    def digests(self, span: Span, direction: str) -> Sequence[str]:
        """Digests of the messages that a span read (`input`) or wrote (`output`)."""
        return self._content.digests_of(span, direction)

    def role(self, digest: str) -> str:
        """Role of a message; empty where it is not known."""
        message = self._content.messages.get(digest)
        return "" if message is None else message.role

    def messages(self, span: Span, digests: Sequence[str], *, roles: bool) -> Text:
        """Messages as text, if asked for each after its role."""
        lines, missing = [], None
        for digest in digests:
            message = self._content.messages.get(digest)
            body = None if message is None else message.body
            if body is None:
                missing = withheld(self._content.of(span).get(_MESSAGES)) or NOT_KEPT
                phrase = f"({missing})"
            else:
                phrase = written(body)
            role = message.role if roles and message is not None else ""
            lines.append((f"{role}: {phrase}" if role else phrase, body is not None))
        if not any(kept for _, kept in lines):
            return Text(None, missing)
        return Text("\n".join(line for line, _ in lines), missing)

    def value(self, span: Span, name: str, *, listed: bool = False) -> Text:
        """Content by its name; if `listed`, a line for each of its items or fields."""
        value = self._content.get(span, name)
        if value is None:
            return Text(None, NOT_KEPT)
        reason = withheld(value)
        return (
            Text(None, f"withheld: {reason}")
            if reason is not None
            else Text(lines_of(value) if listed else text_of(value))
        )

    def reason(self, span: Span) -> Text:
        """Why a decision was made; not every decision has a reason."""
        return Text(self._content.reason(span))

    def error_message(self, span: Span) -> Text:
        """Message of the error that a span ended with."""
        message = self._content.error_message(span)
        return Text(message, None if message else NOT_KEPT)

    def logs(self, span: Span) -> Sequence[LogRecord]:
        """Log records of the app inside a span."""
        key = span.trace_id, span.span_id
        found = self._logs.get(key)
        if found is None:  # the log looks for them before each span inside
            found = self._logs[key] = tuple(records_of(span, self._content))
        return found

    def state(self, span: Span) -> Text:
        """Values written to channels of a state, a line for each channel, and one for all that were not kept."""
        lines, lost = [], []
        for one in self._state.written(span):
            if one.missing in (VALUE_NOT_KEPT, NO_CONTENT):
                lost.append(one.channel)
            else:
                lines.append(f"{one.channel}: {_shown(one.value) if one.missing is None else f'({one.missing})'}")
        missing = NOT_KEPT if lost else None
        if not lines:
            return Text(None, missing)
        named = [f"{', '.join(lost)}: ({NOT_KEPT})"] if lost else []
        return Text("\n".join([*lines, *named]), missing)


def _shown(value: Any) -> str:
    """A value as text; messages each on a line."""
    if isinstance(value, list) and value and all(map(is_message, value)):
        number = f"{len(value)} message{'s' if len(value) > 1 else ''}"
        return "\n  ".join([number, *map(value_text, value)])
    return value_text(value)


__all__ = ["NOTHING", "NOT_KEPT", "SpanContents", "Text"]
