"""Ids as other programs have them, and the ids of OpenTelemetry that stand for them."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final

_TRACE_ID: Final = re.compile(r"[0-9a-fA-F]{32}")
_SPAN_ID: Final = re.compile(r"[0-9a-fA-F]{16}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@lru_cache(maxsize=1024)
def otel_trace_id(given: str) -> str:
    """32 hex digits: those given, a UUID's, or a hash of any other text."""
    if _UUID.fullmatch(given):
        given = given.replace("-", "")
    if _TRACE_ID.fullmatch(given) and given.strip("0"):
        return given.lower()
    return _hashed(given, 16)


def otel_span_id(trace_id: str, given: str) -> str:
    """16 hex digits: those given, or a hash of any other text, which names a span of this trace only.

    Args:
        trace_id: of OpenTelemetry's form.
        given: as it stands in a record.
    """
    if _SPAN_ID.fullmatch(given) and given.strip("0"):
        return given.lower()
    return _hashed(f"{trace_id}/{given}", 8)


def _hashed(text: str, size: int) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()
