"""The handles on one trace, and on a conversation of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from otel_mas import model
from otel_mas.api.run import Run
from otel_mas.errors import UnsupportedQuery, arguments
from otel_mas.model import InjectedFault, Message, ObjectSpanTable, Span, SpanTable, injected_faults, without_faults
from otel_mas.semconv import RecordKind, TaskOutcome
from otel_mas.semconv import attributes as names
from otel_mas.sources import Source as Port

if TYPE_CHECKING:
    from otel_mas.analyse.questions import Question
    from otel_mas.api.graph import Graph
    from otel_mas.causal import CausalGraph


@dataclass(frozen=True, slots=True)
class SpanMessages:
    """The messages that a span read and wrote, in order. A message without content has `body` None."""

    input: tuple[Message, ...]
    output: tuple[Message, ...]


class Trace(Run):
    """One trace: everything recorded under one trace id."""

    def __init__(self, data: model.Trace, port: Port) -> None:
        self._data = data
        self._port = port

    def __repr__(self) -> str:
        root = next((span for span in self._data.spans if span.parent_span_id is None), None)
        name = f" {root.name!r}" if root is not None else ""
        return f"<Trace {self.trace_id}{name}, {_count(len(self._data.spans), 'span')}>"

    @property
    def trace_id(self) -> str:
        return self._data.trace_id

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """In start order."""
        return tuple(self._data.spans)

    @property
    def incomplete(self) -> str | None:
        """Known losses in words; None without any."""
        return self._data.incomplete

    @property
    def conversation_id(self) -> str | None:
        """The thread it belongs to, where it belongs to one."""
        return next((span.conversation_id for span in self._data.spans if span.conversation_id), None)

    @property
    def service(self) -> str:
        """The service of the span that started it."""
        return next((span.service for span in self._data.spans if span.parent_span_id is None), "")

    def injected_faults(self) -> tuple[tuple[Span, InjectedFault], ...]:
        """The faults that were injected on purpose (docs/faults.md), each with its span, in order of time."""
        found = [(span, fault) for span in self._data.spans for fault in injected_faults(span)]
        return tuple(sorted(found, key=lambda one: one[1].time_ns))

    def without_faults(self) -> Trace:
        """The same trace with nothing in its spans that tells of injected faults: for those who evaluate an answer."""
        return Trace(without_faults(self._data), self._port)

    def graph(self) -> Graph:
        """Its causal graph; causes in other traces are external nodes."""
        return self._graph

    def _title(self) -> str:
        return f"trace {self.trace_id}"

    def _named(self, name: str) -> list[Span]:
        spans = self._data.spans
        if isinstance(spans, SpanTable) and arguments.name("name", name) in spans.numbers:  # without a graph
            return [spans[spans.numbers[name]]]
        return super()._named(name)

    def messages(self, span: Span | str) -> SpanMessages:
        """The messages that a span (or the span of this id) read and wrote.

        Raises:
            UnsupportedQuery: The source keeps no messages.
        """
        span_id = self._content_of(span)
        refs = self._refs_by_span.get(span_id, [])
        found = self._port.messages(list(dict.fromkeys(ref.digest for ref in refs)), self.trace_id)

        def side(direction: str) -> tuple[Message, ...]:
            there = sorted((ref for ref in refs if ref.direction == direction), key=lambda ref: ref.position)
            return tuple(found.get(ref.digest) or Message(ref.digest, "", None) for ref in there)

        return SpanMessages(side("input"), side("output"))

    def contents(self, span: Span | str) -> Mapping[str, Any]:
        """Other content of a span (tool arguments and results, exception text, questions), by name."""
        return self._stored_contents(self._content_of(span))

    def _stored_contents(self, span_id: str) -> Mapping[str, Any]:
        """Content beside a span or on it, by name; none from a source that has none."""
        if not self._port.capabilities.content:
            return {}
        from otel_mas.analyse.content import by_name

        return by_name(self._port.contents(self.trace_id, span_id))

    def _content_of(self, span: Span | str) -> str:
        if not self._port.capabilities.content:
            raise UnsupportedQuery(f"{self._port.location} has no messages and no other content")
        return self.span(span.span_id if isinstance(span, Span) else arguments.name("span", span)).span_id

    def questions(self) -> tuple[Question, ...]:
        """Questions asked or answered in it; the other half is looked up in its conversation."""
        if not _may_ask(self._data.spans):
            return ()
        here = self.trace_id
        return tuple(
            one
            for one in super().questions()
            if any(span.trace_id == here for span in (*one.paused, one.answer) if span is not None)
        )

    def _whole(self) -> CausalGraph:
        thread = self.conversation_id
        if thread is None or not self._port.capabilities.conversations:
            return self.graph().causal
        from otel_mas.causal import build

        return build(self._port.conversation(thread, self.service or None) or (self._data,), whole=True)

    def _parts(self) -> tuple[Trace, ...]:
        return (self,)

    @cached_property
    def _refs(self) -> Sequence[model.MessageRef]:
        return self._port.message_refs(self.trace_id)

    @cached_property
    def _refs_by_span(self) -> Mapping[str, Sequence[model.MessageRef]]:
        found: dict[str, list[model.MessageRef]] = {}
        for ref in self._refs:
            found.setdefault(ref.span_id, []).append(ref)
        return found

    @cached_property
    def _graph(self) -> Graph:
        from otel_mas.api.graph import Graph

        return Graph((self._data,))


class Conversation(Run):
    """Several traces of one thread, oldest first, explained as one."""

    def __init__(self, thread: str, traces: Sequence[Trace], incomplete: str | None = None) -> None:
        self.thread = thread
        self.traces = tuple(traces)
        self.incomplete = incomplete

    def __repr__(self) -> str:
        return f"<Conversation {self.thread!r} of {self.service!r}, {_count(len(self.traces), 'trace')}>"

    @property
    def service(self) -> str:
        return self.traces[0].service

    @property
    def spans(self) -> tuple[Span, ...]:
        """Spans of all its traces, in start order."""
        return self.graph().spans

    def without_faults(self) -> Conversation:
        """The same conversation, as `Trace.without_faults`."""
        return Conversation(self.thread, [trace.without_faults() for trace in self.traces], self.incomplete)

    def graph(self) -> Graph:
        """Causal graph across its traces."""
        return self._graph

    def _title(self) -> str:
        return f"conversation {self.thread!r}"

    def _whole(self) -> CausalGraph:
        return self.graph().causal

    def _parts(self) -> tuple[Trace, ...]:
        return self.traces

    @cached_property
    def _graph(self) -> Graph:
        from otel_mas.api.graph import Graph

        return Graph(tuple(trace._data for trace in self.traces), whole=True, incomplete=self.incomplete)


def share_services(traces: Sequence[model.Trace]) -> bool:
    """Whether each two of the traces have a service in common, or traces between them have."""
    groups: list[set[str]] = []
    for trace in traces:
        services = {span.service for span in trace.spans}
        sharing = [group for group in groups if not group.isdisjoint(services)]
        groups = [group for group in groups if group.isdisjoint(services)]
        groups.append(services.union(*sharing))
    return len(groups) < 2


def _may_ask(spans: Sequence[Span]) -> bool:
    table = spans if isinstance(spans, SpanTable) else ObjectSpanTable(spans)
    return any(outcome == TaskOutcome.INTERRUPTED for _, outcome in table.having(names.MAS_TASK_OUTCOME)) or any(
        kind == RecordKind.HUMAN_INPUT for _, kind in table.having(names.MAS_RECORD_KIND)
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
