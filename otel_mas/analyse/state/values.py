"""Values that a span wrote to a state, by digest or on the span itself, and the reasons why some are not there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from otel_mas.analyse.content import RunContent
from otel_mas.dialects import OWN_SCOPE, state_writes
from otel_mas.dialects.messages import messages_in
from otel_mas.model import STATE_EVENT, Span
from otel_mas.model.message_text import text_of, written
from otel_mas.semconv import attributes as names
from otel_mas.trace_records.formats import parsed
from otel_mas.trace_records.values import untagged

_DIGEST = 32  # hexadecimal digits
NOT_KEPT = "not kept"
NO_CONTENT = "the source keeps no content"
OPAQUE = "an object without readable fields"
LARGE = "too large to read while the app ran"
_ROLED = frozenset({"role", "type", "lc"})
"""Fields of which a message has one."""
_NUMBER = re.compile(r"[0-9]{1,18}")


class Written(NamedTuple):
    """A value written to a channel; `missing` says why it is not there. `digest` is empty where there is none."""

    channel: str
    digest: str
    value: Any
    missing: str | None

    @property
    def is_too_large(self) -> bool:
        """Whether the value is not there because of its size."""
        return self.missing is not None and self.missing.startswith((LARGE, f"{NOT_KEPT}: "))


class StateValues:
    """Reads values. In place of the digests of messages it gives the messages, as their role and text."""

    def __init__(self, content: RunContent) -> None:
        self._content = content
        self._messages: dict[str, Mapping[str, str | None]] = {}

    def written(self, span: Span) -> Iterator[Written]:
        """Values that a span wrote, channel by channel."""
        return self._each(span, self._shown)

    def kept(self, span: Span) -> Iterator[Written]:
        """The same as they were recorded: digests stand for messages in them."""
        return self._each(span, _recorded)

    def _each(self, span: Span, value_of: Callable[[str, Mapping[str, Any]], Any]) -> Iterator[Written]:
        for channel, value in _written_by_others(span).items():
            yield Written(channel, "", _with_texts(value), None)
        digests = _texts(span, names.MAS_STATE_DIGESTS)
        carried: Mapping[str, Any] | None = None
        for number, channel in enumerate(_texts(span, names.MAS_STATE_CHANGED)):
            digest = digests[number] if number < len(digests) else ""
            body, missing = self._read(digest)
            value = None if body is None else value_of(digest, body)
            if missing is not None:
                if carried is None:
                    carried = next((event.attributes for event in span.events if event.name == STATE_EVENT), {})
                if channel in carried:
                    value, missing = parsed(carried[channel]), None
            yield Written(channel, digest, value, missing)

    def _read(self, digest: str) -> tuple[Mapping[str, Any] | None, str | None]:
        """The body that holds the value, and None; or None and why it is not there."""
        if len(digest) != _DIGEST:
            return None, _unread(digest)
        message = self._content.messages.get(digest)
        if message is None or message.body is None:
            return None, NOT_KEPT if self._content.kept else NO_CONTENT
        if "parts" not in message.body and message.body.get("size"):
            return None, f"{NOT_KEPT}: {message.body['size']:,} bytes"
        return message.body, None

    def _shown(self, digest: str, body: Mapping[str, Any]) -> Any:
        return self._message(digest) if "parts" in body else self._with_messages(body.get("value"))

    def _with_messages(self, value: Any) -> Any:
        known = self._content.messages
        if isinstance(value, list) and value and all(isinstance(one, str) and one in known for one in value):
            return [self._message(one) for one in value]
        return value

    def _message(self, digest: str) -> Mapping[str, str | None]:
        if digest not in self._messages:
            message = self._content.messages[digest]
            text = None if message.body is None else written(message.body)
            self._messages[digest] = {"role": message.role, "text": text}
        return self._messages[digest]


def _recorded(digest: str, body: Mapping[str, Any]) -> Any:
    return untagged(body.get("value", dict(body)))


def written_channels(span: Span) -> tuple[str, ...]:
    """Channels that a span wrote."""
    return _texts(span, names.MAS_STATE_CHANGED) or tuple(_written_by_others(span))


def _written_by_others(span: Span) -> Mapping[str, Any]:
    """Values that a task of LangGraph wrote, by channel, as another instrumentation noted them."""
    if span.task_id is None or span.scope.name in (OWN_SCOPE, "") or span.get(names.MAS_STATE_CHANGED):
        return {}
    return state_writes(span.as_written())


def _with_texts(value: Any) -> Any:
    """A list of messages as their role and text; any other value as it is."""
    if not isinstance(value, list) or not all(isinstance(one, Mapping) and _ROLED & one.keys() for one in value):
        return value
    messages = [message for one in value for message in messages_in(one, "output")]
    return [{"role": one["role"], "text": written(one)} for one in messages] if len(messages) == len(value) else value


def value_digests(span: Span) -> list[str]:
    """Digests of the values that a span wrote; values that were not read have none."""
    return [digest for digest in _texts(span, names.MAS_STATE_DIGESTS) if len(digest) == _DIGEST]


def _texts(span: Span, name: str) -> tuple[str, ...]:
    found = span.get(name)
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()


def _unread(reason: str) -> str:
    name, _, size = reason.partition(":")
    if name == "size":
        return f"{LARGE}: {int(size):,} characters, bytes or items" if _NUMBER.fullmatch(size) else LARGE
    return OPAQUE if name == "opaque" else LARGE if name == "large" else NOT_KEPT


def value_text(value: Any) -> str:
    """A value on a line; messages as role and text."""
    if isinstance(value, Mapping) and value.keys() == {"role", "text"}:
        text = value["text"]
        return f"{value['role']}: {NOT_KEPT if text is None else text}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and value and all(map(is_message, value)):
        return "; ".join(map(value_text, value))
    return text_of(value)


def is_message(value: Any) -> bool:
    """Whether a value is a message: its role and text."""
    return isinstance(value, Mapping) and value.keys() == {"role", "text"}


__all__ = [
    "NOT_KEPT",
    "NO_CONTENT",
    "StateValues",
    "Written",
    "is_message",
    "value_digests",
    "value_text",
    "written_channels",
]
