"""Text of an entry: content beside a span, messages by digest, values of a state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.log.app_records import LogRecord, records_of
from otel_mas.model import STATE_EVENT, MessageRef, Span
from otel_mas.model.message_text import lines_of, text_of, withheld, written
from otel_mas.semconv import attributes as names

NOT_KEPT = "content not kept"
_DIGEST = 32
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
        self._refs: dict[tuple[str, str], list[MessageRef]] = {}
        for ref in content.refs:
            self._refs.setdefault((ref.trace_id, ref.span_id), []).append(ref)

    def digests(self, span: Span, direction: str) -> list[str]:
        """Digests of the messages that a span read (`input`) or wrote (`output`)."""
        refs = [ref for ref in self._refs.get((span.trace_id, span.span_id), ()) if ref.direction == direction]
        return [ref.digest for ref in sorted(refs, key=lambda ref: ref.position)]

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

    def logs(self, span: Span) -> Iterator[LogRecord]:
        """Log records of the app inside a span."""
        return records_of(span, self._content)

    def state(self, span: Span) -> Text:
        """Values written to channels of a state, a line for each channel."""
        channels = span.get(names.MAS_STATE_CHANGED) or ()
        if not channels:
            return NOTHING
        digests = span.get(names.MAS_STATE_DIGESTS) or ()
        carried = next((event.attributes for event in span.events if event.name == STATE_EVENT), {})
        lines, known = [], 0
        for number, channel in enumerate(channels):
            phrase = self._value(digests[number]) if number < len(digests) else None
            if phrase is None and channel in carried:
                phrase = text_of(carried[channel])
            known += phrase is not None
            lines.append(f"{channel}: {phrase if phrase is not None else f'({NOT_KEPT})'}")
        return Text("\n".join(lines) if known else None, None if known == len(lines) else NOT_KEPT)

    def _value(self, digest: str) -> str | None:
        message = self._content.messages.get(digest)
        if message is None and len(digest) != _DIGEST:
            return f"({digest.replace(':', ' ')}: not read)"
        if message is None or message.body is None:
            return None
        body: Mapping[str, Any] = message.body
        if "parts" in body:
            return f"{message.role}: {written(body)}"
        if body.get("size"):
            return f"({body['size']:,} bytes: not kept)"
        return self._listed(body.get("value"))

    def _listed(self, value: Any) -> str:
        """A value as text; in place of digests the messages that they stand for."""
        known = self._content.messages
        if isinstance(value, list) and value and all(isinstance(one, str) and one in known for one in value):
            number = f"{len(value)} message{'s' if len(value) > 1 else ''}"
            return "\n  ".join([number, *(self._value(one) or f"({NOT_KEPT})" for one in value)])
        return text_of(value)


__all__ = ["NOTHING", "NOT_KEPT", "SpanContents", "Text"]
