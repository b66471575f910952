"""The context in a message, and in the opening request of a WebSocket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import baggage, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

import otel_mas
from otel_mas.instrumentation.propagation.websockets import handshake

SPAN = NonRecordingSpan(SpanContext(0xA, 0xB, is_remote=False, trace_flags=TraceFlags(1)))
PARENT = f"00-{0xA:032x}-{0xB:016x}-01"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=path)
    yield path
    otel_mas.shutdown(20)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", "user.id=ann"), ("agents.example.org", None), (None, None)],
)
def test_a_message_has_the_span_and_ids_for_listed_hosts_only(host: str | None, expected: str | None) -> None:
    with trace.use_span(SPAN), otel_mas.correlation(user="ann"):
        carrier = otel_mas.inject(host)
    assert carrier["traceparent"] == PARENT
    assert carrier.get("baggage") == expected


def test_what_runs_on_a_message_is_in_the_trace_of_its_sender(store: Path) -> None:
    message = {"text": "hello", "traceparent": PARENT, "baggage": "user.id=ann"}
    with otel_mas.extract(message), otel_mas.workflow("answering"):
        pass
    assert baggage.get_all() == {}
    otel_mas.flush()
    (span,) = otel_mas.open(store).latest().spans
    assert (span.trace_id, span.parent_span_id) == (f"{0xA:032x}", f"{0xB:016x}")
    assert span.attributes["user.id"] == "ann"


@pytest.mark.parametrize(
    "message",
    [{"text": "hello"}, {"traceparent": "nonsense"}, {"traceparent": 5, "baggage": ["user.id=ann"]}, ["traceparent"]],
)
def test_a_message_without_a_context_changes_nothing(store: Path, message: Any) -> None:
    with otel_mas.workflow("around") as around, otel_mas.extract(message):
        assert trace.get_current_span() is around.span
        assert baggage.get_all() == {}


def test_switched_off_nothing_is_sent_and_nothing_taken() -> None:
    with trace.use_span(SPAN):
        assert otel_mas.inject("localhost") == {}
    with otel_mas.extract({"traceparent": PARENT}):
        assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("given", [{"x-app": "1"}, [("x-app", "1")], iter([("x-app", "1")])])
def test_the_headers_of_the_app_are_sent_as_well_as_ours(given: Any) -> None:
    sent = list(opening(given))
    assert sent == [("traceparent", PARENT), ("x-app", "1")]


@pytest.mark.usefixtures("store")
def test_a_context_that_the_app_sends_itself_is_the_one_that_is_sent() -> None:
    assert opening([("Traceparent", "its own")]) == [("Traceparent", "its own")]


def opening(headers: Any) -> Any:
    """The headers with which a WebSocket is opened inside of a span."""

    def original(connection: Any, additional_headers: Any) -> Any:
        return additional_headers

    connection = SimpleNamespace(protocol=SimpleNamespace(uri=SimpleNamespace(host="agents.example.org")))
    with trace.use_span(SPAN), otel_mas.correlation(user="ann"):
        return handshake(original)(connection, headers)
