"""Records as they may be kept: without secrets and personal data, or without content, as the settings say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from otel_mas.config import Settings
from otel_mas.privacy.stored import STRIPPED, Privacy
from otel_mas.semconv import attributes as names
from otel_mas.trace_records.payload import cut_to
from otel_mas.trace_records.record import TraceRecord
from otel_mas.trace_records.values import untagged

_WITHHELD = "withheld: its redaction failed"


class RecordPrivacy:
    """Applies the settings for content to records; a value whose redaction fails is left out."""

    def __init__(self, settings: Settings, max_payload_bytes: int) -> None:
        self._privacy = Privacy.of(replace(settings, content=settings.content or "redacted"))
        self._max = max_payload_bytes

    def set_key(self, key: bytes) -> None:
        """Make placeholders of personal data with this key: with the same key the same text has the same one."""
        if self._privacy.personal is not None:
            self._privacy.personal.key = key

    def drain_counts(self) -> dict[str, int]:
        """Return the number of values taken out since the last call, by rule or kind."""
        return self._privacy.drain_counts()

    def kept(self, record: TraceRecord) -> TraceRecord:
        """The record as it may be kept, its payload made to fit."""
        payload, cut = cut_to(self._payload(record.payload), self._max)
        return record.model_copy(
            update={
                "payload": payload,
                "payload_truncated": record.payload_truncated or cut,
                "agent_name": self._value(names.GEN_AI_AGENT_NAME, record.agent_name),
                "task": self._value(names.MAS_TASK_NAME, record.task),
                "conversation_id": self._value(names.GEN_AI_CONVERSATION_ID, record.conversation_id),
                "service": self._value(names.SERVICE_NAME, record.service) or "",
                "name": self._privacy.text(record.name),
                "status_message": self._privacy.description(record.status_message),
                "attributes": self._attributes(record.attributes),
                "resource": self._attributes(record.resource),
                "parents": tuple(
                    parent.model_copy(update={"attributes": self._attributes(parent.attributes)})
                    for parent in record.parents
                ),
                "events": tuple(
                    event.model_copy(
                        update={
                            "name": self._privacy.text(event.name),
                            "attributes": self._attributes(event.attributes),
                        }
                    )
                    for event in record.events
                ),
            }
        )

    def _payload(self, payload: Any) -> Any:
        if payload is None or self._privacy.content == "none":
            return None
        try:
            return untagged(self._privacy.value("payload", payload))
        except Exception:  # redaction runs patterns and functions of the user's
            return _WITHHELD

    def _value(self, name: str, value: str | None) -> str | None:
        found = None if value is None else self._attributes({name: value}).get(name)
        return found if isinstance(found, str) else None

    def _attributes(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in attributes.items():
            try:
                kept, stored_name = self._privacy.attribute(name, value), self._privacy.name(name)
            except Exception:
                continue
            if kept is not STRIPPED:
                found[stored_name] = kept
        return found


__all__ = ["RecordPrivacy"]
