"""Undo the changes of Jaeger's sanitizers: to an end that is not after its start, and to an empty name.

`sanitizer.NewNegativeDurationSanitizer` lets such a span end 1 ns after its start and keeps the true end in a warning,
an attribute of the span. Storages without arrays give that attribute as JSON text.
Loads protobuf: imported once there are messages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

WARNINGS = "@jaeger@warnings"
EMPTY_NAME = "empty-span-name"
_ADDED_NS = 1
# Go's `time.Time.String()`, in UTC; fractions without the zeros at their end.
_TIME = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,9}))? \+0000 UTC"
_SANITIZED = re.compile(rf"Negative duration detected, .*Original end timestamp: {_TIME}, adjusted to: {_TIME}")


def unsanitized(messages: Iterable[ResourceSpans]) -> Iterator[ResourceSpans]:
    """The messages, their spans changed in index to be as they were sent."""
    for message in messages:
        for scope in message.scope_spans:
            for span in scope.spans:
                if span.end_time_unix_nano - span.start_time_unix_nano == _ADDED_NS:
                    _restore_end(span)
                if span.name == EMPTY_NAME:
                    span.name = ""
        yield message


def _restore_end(span: Span) -> None:
    index = next((index for index, pair in enumerate(span.attributes) if pair.key == WARNINGS), None)
    if index is None:
        return
    value = span.attributes[index].value
    warnings = _warnings(value)
    for warning in warnings:
        found = _SANITIZED.fullmatch(warning)
        if found is None or _unix_ns(*found.group(3, 4)) != span.end_time_unix_nano:
            continue
        span.end_time_unix_nano = _unix_ns(*found.group(1, 2))
        warnings.remove(warning)
        if not warnings:
            del span.attributes[index]
        elif value.HasField("array_value"):
            del value.array_value.values[:]
            value.array_value.values.extend(AnyValue(string_value=one) for one in warnings)
        else:
            value.string_value = json.dumps(warnings)
        return


def _warnings(value: Any) -> list[str]:
    if value.HasField("array_value"):
        return [item.string_value for item in value.array_value.values]
    try:
        found = json.loads(value.string_value)
    except (ValueError, RecursionError):
        return [value.string_value]
    return found if isinstance(found, list) and all(isinstance(item, str) for item in found) else []


def _unix_ns(seconds: str, fraction: str | None) -> int:
    """The time; 0, as of a span that has not ended, where no span can have it."""
    try:
        whole = int(datetime.fromisoformat(seconds).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0
    return max(0, whole * 10**9 + int((fraction or "").ljust(9, "0")))
