"""Values of a state as they are stored, by digest, and the reasons why some are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from otel_mas.analyse.content import RunContent
from otel_mas.model.message_text import text_of, written

_DIGEST = 32  # hexadecimal digits
NOT_KEPT = "not kept"
NO_CONTENT = "the source keeps no content"
OPAQUE = "an object without readable fields"
LARGE = "too large to read while the app ran"


class StateValues:
    """Reads values. In place of the digests of messages it gives the messages, as their role and text."""

    def __init__(self, content: RunContent) -> None:
        self._content = content

    def read(self, digest: str) -> tuple[Any, str | None]:
        """The value, and None; or None and why it is not there."""
        if len(digest) != _DIGEST:
            return None, _unread(digest)
        message = self._content.messages.get(digest)
        if message is None or message.body is None:
            return None, NOT_KEPT if self._content.kept else NO_CONTENT
        body = message.body
        if "parts" in body:
            return self._message(digest), None
        if body.get("size"):
            return None, f"{NOT_KEPT}: {body['size']:,} bytes"
        return self._with_messages(body.get("value")), None

    def _with_messages(self, value: Any) -> Any:
        known = self._content.messages
        if isinstance(value, list) and value and all(isinstance(one, str) and one in known for one in value):
            return [self._message(one) for one in value]
        return value

    def _message(self, digest: str) -> Mapping[str, str | None]:
        message = self._content.messages[digest]
        return {"role": message.role, "text": None if message.body is None else written(message.body)}


def _unread(reason: str) -> str:
    name, _, size = reason.partition(":")
    if name == "size":
        return f"{LARGE}: {int(size):,} characters, bytes or items" if size.isdigit() else LARGE
    return OPAQUE if name == "opaque" else LARGE if name == "large" else NOT_KEPT


def value_text(value: Any) -> str:
    """A value on a line; messages as role and text."""
    if isinstance(value, Mapping) and value.keys() == {"role", "text"}:
        text = value["text"]
        return f"{value['role']}: {NOT_KEPT if text is None else text}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and value and all(map(_is_message, value)):
        return "; ".join(map(value_text, value))
    return text_of(value)


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == {"role", "text"}


__all__ = ["StateValues", "value_text"]
