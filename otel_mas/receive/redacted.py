"""Records as they may be kept: without secrets, or without content, as the settings say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from otel_mas.config import Settings
from otel_mas.privacy.redact import Redactor
from otel_mas.privacy.stored import STRIPPED, Privacy
from otel_mas.trace_records.payload import cut_to
from otel_mas.trace_records.record import TraceRecord
from otel_mas.trace_records.values import untagged


class RecordPrivacy:
    """Applies the settings for content to records; a payload whose redaction fails is left out."""

    def __init__(self, settings: Settings, max_payload_bytes: int) -> None:
        patterns = list(map(re.compile, settings.redact_patterns))
        self._privacy = Privacy(settings.content or "redacted", Redactor(patterns, settings.redact_keys))
        self._max = max_payload_bytes

    def kept(self, record: TraceRecord) -> TraceRecord:
        """The record as it may be kept, its payload made to fit."""
        payload, cut = cut_to(self._payload(record.payload), self._max)
        return record.model_copy(
            update={
                "payload": payload,
                "payload_truncated": record.payload_truncated or cut,
                "name": self._privacy.text(record.name),
                "status_message": self._privacy.description(record.status_message),
                "attributes": self._attributes(record.attributes),
                "resource": self._attributes(record.resource),
                "events": tuple(
                    event.model_copy(update={"attributes": self._attributes(event.attributes)})
                    for event in record.events
                ),
            }
        )

    def _payload(self, payload: Any) -> Any:
        if payload is None or self._privacy.content == "none":
            return None
        try:
            return untagged(self._privacy.value("payload", payload))
        except Exception:  # redaction runs patterns of the user's
            return "withheld: its redaction failed"

    def _attributes(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        if not attributes:
            return {}
        found: dict[str, Any] = {}
        for name, value in attributes.items():
            try:
                kept = self._privacy.attribute(name, value)
            except Exception:
                continue
            if kept is not STRIPPED:
                found[self._privacy.name(name)] = kept
        return found


__all__ = ["RecordPrivacy"]
