"""Make rows of content: without media, cut to a size, redacted. On the writer's thread, after the spans.

Redaction takes a second and more for a megabyte that is full of secrets. So its input is bounded, and it pauses every
few milliseconds for the caller to commit spans or to end it. Withheld content is stored as `{"$withheld": reason}`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from otel_mas.model.stream_chunks import CHUNK_NUMBERS
from otel_mas.privacy.plain_values import cut_texts
from otel_mas.privacy.redact import Pause
from otel_mas.privacy.stored import Privacy
from otel_mas.record.content.media import without_media
from otel_mas.record.content.snapshot import plain, to_json
from otel_mas.record.guard import caught
from otel_mas.record.pipeline.queue import AnyContent, Content, Key, Message, StateValue
from otel_mas.semconv import attributes as names
from otel_mas.store.rows import Batch, ContentRow, MessageRow

MAX_BYTES: Final = 1 << 20
"""Characters of one content that are redacted and kept; longer texts in it are cut, and say so."""
_MAX_STATE_BYTES = 1 << 16  # of a state's value, as JSON: a larger one is known by its digest
_STATE = "state"  # the role under which the values of a state lie among the messages
_MESSAGES = "messages"
_WITHHELD = "$withheld"


class ContentEncoder:
    """Makes rows of contents.

    Args:
        privacy: the content mode.
        export_log: gets each log record as it is stored, with the ids of its span.
    """

    def __init__(self, privacy: Privacy, export_log: Callable[[Key, Any], None] | None = None) -> None:
        self._privacy = privacy
        self._export_log = export_log
        self.withheld = 0

    def add(self, item: AnyContent, batch: Batch, pause: Pause | None = None) -> None:
        """Add a content to a batch, or withhold it where it cannot be redacted.

        Args:
            item: the content.
            batch: gets its row.
            pause: called every few milliseconds; raises TimeoutError, with the reason, to end it.
        """
        reason = ""
        self._privacy.pause_by(pause)
        try:
            if isinstance(item, Content):
                batch.contents.append(self._row(item, item.name, self._content(item)))
            elif isinstance(item, Message):
                parts = "parts" in item.snapshot
                body = self._redacted("message", item.snapshot) if parts else None
                batch.messages.append(MessageRow(bytes.fromhex(item.digest), self._role(item), body))
            else:
                batch.messages.append(MessageRow(bytes.fromhex(item.digest), _STATE, self._state_value(item)))
        except TimeoutError as error:
            reason = str(error)
        except Exception as error:
            caught("writer: content", error)
            reason = "it could not be redacted"
        finally:
            self._privacy.pause_by(None)
        if reason:
            self.withhold(item, batch, reason)

    def withhold(self, item: AnyContent, batch: Batch, reason: str) -> None:
        """Add the reason to a batch in place of a content. Another process may still store a message."""
        self.withheld += 1
        if not isinstance(item, Content):
            role = self._role(item) if isinstance(item, Message) else _STATE
            batch.messages.append(MessageRow(bytes.fromhex(item.digest), role, None))
        name = _MESSAGES if isinstance(item, Message) else item.name
        batch.contents.append(self._row(item, name, to_json({_WITHHELD: reason})))

    def _content(self, item: Content) -> bytes:
        found, numbers = plain(item.value), {}
        if item.name == names.MAS_RESPONSE_CHUNKS and isinstance(found, dict):
            numbers = {key: found.pop(key) for key in CHUNK_NUMBERS if _are_numbers(found.get(key))}
        value = self._stored(item.name, without_media(found), item.tool)
        if numbers:
            return to_json({**numbers, **value})
        if self._export_log is not None and item.name == names.MAS_LOG_RECORDS and isinstance(value, dict):
            self._export_log(item.key, value)
        return to_json(value)

    def _redacted(self, name: str, value: Any) -> bytes:
        return to_json(self._stored(name, value))

    def _stored(self, name: str, value: Any, tool: str = "") -> Any:
        if self._privacy.content != "full":
            value = cut_texts(value, MAX_BYTES)
        return self._privacy.value(name, value, tool=tool)

    def _state_value(self, item: StateValue) -> bytes:
        value = without_media(item.value)
        size = len(to_json({"value": value}))
        if size <= _MAX_STATE_BYTES:
            body = to_json({"value": self._privacy.value(item.name, value, path=f"{_STATE}.{item.name}")})
            size = len(body)
        return body if size <= _MAX_STATE_BYTES else to_json({"value": None, "size": size})

    def _row(self, item: AnyContent, name: str, value: bytes) -> ContentRow:
        trace_id, span_id = item.key
        return ContentRow(trace_id.to_bytes(16, "big"), span_id.to_bytes(8, "big"), self._name(name), value)

    def _role(self, item: Message) -> str:
        return self._name(str(item.snapshot.get("role", "")))

    def _name(self, name: str) -> str:
        try:
            return self._privacy.text(name)
        except Exception:
            return "(withheld)"


def _are_numbers(value: Any) -> bool:
    return type(value) is list and all(type(one) is int for one in value)


__all__ = ["MAX_BYTES", "ContentEncoder"]
