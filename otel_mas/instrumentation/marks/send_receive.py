"""Messages between agents: a `receive` is linked to its `send`, in one process or across two."""

from __future__ import annotations

from typing import Any

from opentelemetry.trace import SpanKind

from otel_mas.instrumentation.marks import causes as carried
from otel_mas.instrumentation.marks.causes import Carrier
from otel_mas.instrumentation.marks.current_task import enclosing_task
from otel_mas.instrumentation.marks.mark_messages import consumed, produced
from otel_mas.record import Cause, caught, current_actor, recorder
from otel_mas.record.sdk.random_bits import getrandbits
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, RecordKind


def send(message: Any = None, *, to: str | None = None) -> dict[str, str]:
    """Record that a message is sent to another agent.

    Args:
        message: a text, a message of LangChain's or OpenAI's, or any value.
        to: the receiver's name.

    Returns:
        A carrier for the receiver's `receive` or `caused_by=`: a few short texts, to send as headers with the message.
        Empty while recording is off.
    """
    carrier: dict[str, str] = {}
    try:
        if recorder().active:
            _send(message, to, carrier)
    except Exception as error:
        caught("mark: send", error)
    return carrier


def _send(message: Any, to: str | None, carrier: dict[str, str]) -> None:
    identity = f"{getrandbits(128):032x}"
    attributes = {names.MAS_RECORD_KIND: RecordKind.SEND.value, names.MAS_MESSAGE_ID: identity}
    span = recorder().start_span(_named("send", to, attributes), attributes, kind=SpanKind.PRODUCER)
    if span.is_recording():
        digests = produced(span, (message,), current_actor())
        carrier[carried.IDENTITY] = identity
        if len(digests) == 1:
            carrier[carried.DIGEST] = digests[0]
    carried.carry(span, enclosing_task(), carrier)
    span.end()


def receive(message: Any = None, carrier: Carrier | None = None, *, sender: str | None = None) -> None:
    """Record that a message was received from another agent.

    Args:
        message: the message; by default, the one that the carrier names.
        carrier: the result of `send`, however it came here.
        sender: the sender's name.
    """
    try:
        if recorder().active:
            _receive(message, carrier or {}, sender)
    except Exception as error:
        caught("mark: receive", error)


def _receive(message: Any, carrier: Carrier, sender: str | None) -> None:
    attributes: dict[str, Any] = {names.MAS_RECORD_KIND: RecordKind.RECEIVE.value}
    if carrier.get(carried.IDENTITY):
        attributes[names.MAS_MESSAGE_ID] = carrier[carried.IDENTITY]
    if message is None and carrier.get(carried.DIGEST):
        attributes[names.MAS_INPUT_MESSAGES] = (carrier[carried.DIGEST],)
    sent = carried.sending(carrier)
    span = recorder().start_span(
        _named("receive", sender, attributes),
        attributes,
        causes=[] if sent is None else [Cause(sent, LinkKind.MESSAGE)],
        parent=carried.sender_context(carrier),
        kind=SpanKind.CONSUMER,
    )
    if message is not None and span.is_recording():
        consumed(span, (message,), current_actor(), role="assistant", linked=sent is not None)
    span.end()


def _named(operation: str, peer: str | None, attributes: dict[str, Any]) -> str:
    if not peer:
        return operation
    attributes[names.MAS_MESSAGE_PEER] = peer
    return f"{operation} {peer}"


__all__ = ["receive", "send"]
