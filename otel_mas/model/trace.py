"""Traces, their summaries, the question that finds them, and the content that travels beside spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from otel_mas.model.span import Span

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Query:
    """Which traces to list. Every field that is set must match; the newest trace comes first."""

    service: str | None = None
    agent: str | None = None
    status: str | None = None
    """One of `otel_mas.model.STATUSES`, as in a summary."""
    conversation_id: str | None = None
    run_id: str | None = None
    min_duration_ns: int | None = None
    since_ns: int | None = None
    """Traces that started at or after this time (ns since the epoch)."""
    limit: int = 20


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One line about a trace. Times in ns; tokens are sums over model spans; `cost_usd` None without a known price.

    `status` is how the trace's root run ended: "ok", "interrupted" (waits for input), "error", "cancelled" or
    "abandoned" (by its caller). An error that the run has dealt with does not make it a failure; `error_count` counts
    it all the same. Where the root is no run it is "error" if any span failed. It is "running" while a span is open in
    a living process, and "stopped" where the process stopped first.
    """

    trace_id: str
    name: str
    service: str
    start_ns: int
    end_ns: int | None
    status: str
    span_count: int
    error_count: int = 0
    agents: tuple[str, ...] = ()
    conversation_id: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    unpriced_calls: int = 0
    """Model calls with token usage but no known price: `cost_usd` leaves them out."""
    simulated: bool = False
    """Costs of stand-ins for models are among `cost_usd`: nobody was charged for those."""
    incomplete: str | None = None
    """What is known to be missing from this trace, in words; None where nothing is."""

    @property
    def duration_ns(self) -> int | None:
        return None if self.end_ns is None else max(0, self.end_ns - self.start_ns)


@dataclass(frozen=True, slots=True)
class Trace:
    """All spans of one trace id, in start order (ties: parents first, then span id).

    From a source that has them as columns, `spans` is a `SpanTable`.
    """

    trace_id: str
    spans: Sequence[Span]
    incomplete: str | None = None
    """What the source knows to be missing (spans dropped by a full queue, a source's limit); None where nothing is."""


class PartialList(list[T]):
    """An answer of which something may be missing; `incomplete` says what, in words."""

    def __init__(self, items: Iterable[T] = (), incomplete: str | None = None) -> None:
        super().__init__(items)
        self.incomplete = incomplete


@dataclass(frozen=True, slots=True)
class MessageRef:
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


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What one `otel-mas run` recorded: its traces, and what its processes lost on the way."""

    run_id: str
    traces: tuple[TraceSummary, ...] = ()
    dropped_spans: int = 0
    withheld_contents: int = 0
    processes: int = 0
    problems: tuple[str, ...] = field(default_factory=tuple)
