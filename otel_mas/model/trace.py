"""Traces, and the content that is recorded beside spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from otel_mas.model.span import Span

T = TypeVar("T")


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Trace:
    """All spans of one trace id, in start order (ties: parents first, then span id).

    From a source that has them as columns, `spans` is a `SpanTable`.
    """

    trace_id: str
    spans: Sequence[Span]
    incomplete: str | None = None
    """The parts known to be missing (dropped spans, a source's limit), in words; None where nothing is."""


class PartialList(list[T]):
    """An answer of which a part may be missing; `incomplete` tells which, in words."""

    def __init__(self, items: Iterable[T] = (), incomplete: str | None = None) -> None:
        super().__init__(items)
        self.incomplete = incomplete


class MessageRef(NamedTuple):
    """A span consumed (`input`) or produced (`output`) the message with this digest, at this position."""

    trace_id: str
    span_id: str
    direction: str
    position: int
    digest: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message stored once, redacted. `body` is `{"role": ..., "parts": [...]}` as in `gen_ai.input.messages`.

    `body` is None where its content was not kept (content mode `none`) or was withheld.
    """

    digest: str
    role: str
    body: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Content:
    """Redacted content that belongs to one span: tool arguments and results, exception text, interrupt questions."""

    trace_id: str
    span_id: str
    name: str
    value: Any
