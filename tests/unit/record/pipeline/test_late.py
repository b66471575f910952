"""Attributes that the writer's thread says."""

from __future__ import annotations

from opentelemetry.sdk.trace import TracerProvider

from otel_mas.record.pipeline.late import Late, settle


def test_what_is_late_is_replaced_on_the_ended_span() -> None:
    span = TracerProvider().get_tracer("t").start_span("chat", attributes={"a": 1})
    span.set_attribute("missing", Late.of("not yet", lambda: {"usd": 0.5}))
    span.end()
    settle(span, "missing")
    assert dict(span.attributes or {}) == {"a": 1, "usd": 0.5}  # type: ignore[attr-defined]


def test_what_stays_missing_says_why() -> None:
    span = TracerProvider().get_tracer("t").start_span("chat")
    span.set_attribute("missing", Late.of("not yet", lambda: {"missing": "no price"}))
    span.end()
    settle(span, "missing")
    assert dict(span.attributes or {}) == {"missing": "no price"}  # type: ignore[attr-defined]
