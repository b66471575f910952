"""Runs as requests of OTLP/JSON, for what no recording has: hostile content, and spans made as a test goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

SECOND = 1_000_000_000


def span(
    trace_id: str, span_id: str, name: str, start_ns: int, end_ns: int, parent: str = "", **attributes: Any
) -> dict[str, Any]:
    """A span; names of attributes with _ for the dots."""
    return {
        "traceId": trace_id,
        "spanId": span_id,
        "parentSpanId": parent,
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(end_ns),
        "attributes": [{"key": key, "value": {"stringValue": str(value)}} for key, value in attributes.items()],
    }


def request(spans: Iterable[dict[str, Any]], service: str = "tests") -> bytes:
    """The body of a request to /v1/traces."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}).encode()


def hostile_run(trace_id: str, hostile: str) -> bytes:
    """A run in which names, messages, errors and attributes are the same hostile text."""
    start = time.time_ns() - 10 * SECOND
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": hostile}]}])
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": hostile[:200]}
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": hostile[:200], "gen_ai.input.messages": messages}
    spans = [
        span(trace_id, "1" * 16, hostile, start, start + 3 * SECOND, **agent),
        span(
            trace_id,
            "2" * 16,
            hostile,
            start + SECOND,
            start + 2 * SECOND,
            "1" * 16,
            **call,
            **{hostile[:100]: hostile},
        ),
    ]
    spans[1]["status"] = {"code": 2, "message": hostile}
    spans[1]["events"] = [
        {
            "name": "exception",
            "timeUnixNano": str(start + 2 * SECOND),
            "attributes": [
                {"key": "exception.type", "value": {"stringValue": "ValueError"}},
                {"key": "exception.message", "value": {"stringValue": hostile}},
            ],
        }
    ]
    return request(spans, hostile[:100])
