"""Facts of a run that detectors look at, each worked out once, when the first of them asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import orjson

from otel_mas.analyse.content import NO_CONTENT, RunContent
from otel_mas.analyse.failures import ErrorOutcome, error_outcomes
from otel_mas.analyse.final_output import final_output
from otel_mas.analyse.model_calls import model_calls
from otel_mas.analyse.places import Place, places
from otel_mas.analyse.state import StateTimeline, state_timeline
from otel_mas.analyse.state.values import StateValues, Written, is_message
from otel_mas.analyse.topology import GraphScopes
from otel_mas.causal import CausalGraph
from otel_mas.causal.schedule import Change, Lasting, reschedule
from otel_mas.config.thresholds import Thresholds
from otel_mas.errors import UnsupportedQuery
from otel_mas.model import Message, Span
from otel_mas.model.message_text import text_of, withheld, written
from otel_mas.semconv import RecordKind, record_kind
from otel_mas.semconv import attributes as names

_T = TypeVar("_T")
Windows = Callable[[str | None, str], int | None]
"""The context window of a model, in tokens, by provider and name; None where it is not known."""
_MOST_SPANS, _MOST_WHAT_IFS = 20, 20


class RunFacts:
    """A run as detectors see it: graph, content, thresholds, and what follows from them.

    Args:
        graph: of one or several traces.
        content: messages and other content of these.
        thresholds: from where on something counts as wrong.
        now_ns: the time at which it is looked at, nanoseconds since 1970; by default the last instant in the graph.
        windows: context windows of models; by default none is known.
        input_timeout_s: within how many seconds people are to answer, for questions that do not say it themselves.
    """

    def __init__(
        self,
        graph: CausalGraph,
        content: RunContent = NO_CONTENT,
        thresholds: Thresholds | None = None,
        now_ns: int | None = None,
        windows: Windows | None = None,
        input_timeout_s: float | None = None,
    ) -> None:
        self.graph = graph
        self.content = content
        self.thresholds = thresholds or Thresholds()
        self.now_ns = max(graph.ends, default=0) if now_ns is None else now_ns
        self._made: dict[Callable[[RunFacts], Any], Any] = {}
        self.windows: Windows = windows or (lambda provider, model: None)
        self.input_timeout_s = input_timeout_s
        self._asked_what_if = 0

    # -- spans ---------------------------------------------------------------------------------------------------------

    @property
    def spans(self) -> Sequence[Span]:
        """In start order."""
        return self.graph.spans

    @cached_property
    def by_kind(self) -> Mapping[str, Sequence[Span]]:
        """Spans by record kind, in start order; of other instrumentation by what their operation says."""
        found: dict[str, list[Span]] = {}
        for span in self.spans:
            kind = kind_of(span)
            if kind is not None:
                found.setdefault(kind, []).append(span)
        return found

    @property
    def tasks(self) -> Sequence[Span]:
        """Nodes and agents at work, in start order."""
        return self.by_kind.get(RecordKind.AGENT_TASK, ())

    @property
    def tool_calls(self) -> Sequence[Span]:
        """In start order."""
        return self.by_kind.get(RecordKind.TOOL_CALL, ())

    @cached_property
    def model_calls(self) -> Sequence[Span]:
        """In start order, each once, however many instrumentors recorded it."""
        return [call.span for call in model_calls(self.spans)]

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """Agent, task and conversation of each span, by span id."""
        return places(self.graph)

    def agent(self, span: Span) -> str | None:
        """The agent that a span is or works for."""
        return self.places[span.span_id].agent

    def task(self, span: Span) -> Span | None:
        """The task that a span is or lies in."""
        return self.places[span.span_id].task

    def who(self, span: Span) -> str:
        """The agent, else the node, else the run that a span belongs to: the subject of most findings."""
        place = self.places[span.span_id]
        task = place.task
        return place.agent or (task.task_name if task is not None else None) or place.root.name

    def label(self, span: Span) -> str:
        """Words for a span in a sentence: a task's label, without the tasks around it, else its name and its task's."""
        task = self.task(span)
        where = "" if task is None else (self.places[task.span_id].label or task.name).rpartition("/")[2]
        if task is span:
            return where
        return f"{span.name} in {where}" if where else span.name

    @cached_property
    def error_outcomes(self) -> Mapping[tuple[str, str], ErrorOutcome]:
        """Outcomes of the errors, by trace and span id of where they happened; those that ended a run first."""
        return error_outcomes(self.spans)

    def parent(self, span: Span) -> Span | None:
        """The span around a span."""
        return self.scopes.parent(span)

    @cached_property
    def scopes(self) -> GraphScopes:
        """The graphs at work, each with its tasks and its topology."""
        return GraphScopes(self.graph)

    @cached_property
    def errors(self) -> Sequence[Span]:
        """The spans in which errors happened, those that ended a run first."""
        return [self.graph.span(span_id) for _, span_id in self.error_outcomes]

    def ended_a_run(self, spans: Iterable[Span]) -> bool:
        """Whether an error that happened in one of these ended a run."""
        outcomes = (self.error_outcomes.get((span.trace_id, span.span_id)) for span in spans)
        return ErrorOutcome.ENDED_THE_RUN in outcomes

    # -- messages and other content ------------------------------------------------------------------------------------

    @cached_property
    def _refs(self) -> Mapping[tuple[str, str, str], Sequence[str]]:
        found: dict[tuple[str, str, str], list[str]] = {}
        for ref in sorted(self.content.refs, key=lambda ref: ref.position):
            found.setdefault((ref.trace_id, ref.span_id, ref.direction), []).append(ref.digest)
        return found

    def read(self, span: Span) -> Sequence[str]:
        """Digests of the messages that a span read, in order."""
        return self._refs.get((span.trace_id, span.span_id, "input"), ())

    def wrote(self, span: Span) -> Sequence[str]:
        """Digests of the messages that a span wrote, in order."""
        return self._refs.get((span.trace_id, span.span_id, "output"), ())

    @cached_property
    def writers(self) -> Mapping[str, Sequence[Span]]:
        """The spans that wrote each message, by digest, in start order."""
        return self._by_digest("output")

    @cached_property
    def readers(self) -> Mapping[str, Sequence[Span]]:
        """The spans that read each message, by digest, in start order."""
        return self._by_digest("input")

    def _by_digest(self, direction: str) -> Mapping[str, Sequence[Span]]:
        found: dict[str, list[Span]] = {}
        for span in self.spans:
            for digest in self._refs.get((span.trace_id, span.span_id, direction), ()):
                spans = found.setdefault(digest, [])
                if not spans or spans[-1] is not span:
                    spans.append(span)
        return found

    def message(self, digest: str) -> Message | None:
        """A message with its content; None where that was not kept."""
        message = self.content.messages.get(digest)
        return None if message is None or message.body is None else message

    def text(self, digest: str) -> str | None:
        """The text of a message; None where it was not kept."""
        if digest not in self._texts:
            message = self.message(digest)
            body = None if message is None else message.body
            self._texts[digest] = None if body is None else written(body)
        return self._texts[digest]

    def text_or_digest(self, digest: str) -> str:
        """The text of a message, which leaves out the ids of tool calls, others each time; else its digest."""
        return self.text(digest) or digest

    @cached_property
    def _texts(self) -> dict[str, str | None]:
        return {}

    @cached_property
    def final_output(self) -> str | None:
        """The text that the run's caller got; None where it was not kept, or there was none."""
        return final_output(self.graph, self.content) if self.content.kept else None

    def saves_ns(self, *changes: Change) -> int | None:
        """By how many ns the run would have been shorter under these changes; None where they cannot be made."""
        try:
            return reschedule(self.graph, changes).saves_ns
        except UnsupportedQuery:
            return None

    def saves_ns_without(self, spans: Sequence[Span]) -> int:
        """By how many ns the run would have been shorter if these spans had taken no time.

        For many spans, and after many such questions about one run, the sum of what they took: a what-if costs
        milliseconds.
        """
        self._asked_what_if += 1
        took = sum(span.duration_ns for span in spans)
        if len(spans) > _MOST_SPANS or self._asked_what_if > _MOST_WHAT_IFS:
            return took
        saves = self.saves_ns(*(Lasting(span.span_id, 0) for span in spans))
        return took if saves is None else max(0, saves)

    def once(self, make: Callable[[RunFacts], _T]) -> _T:
        """The result of a function of the run, worked out once, however many detectors ask."""
        if make not in self._made:
            self._made[make] = make(self)
        made: _T = self._made[make]
        return made

    @cached_property
    def state(self) -> StateTimeline:
        """The changes of the state of the run's graphs."""
        return state_timeline(self.graph, self.content)

    def state_values(self, span: Span) -> Sequence[Written]:
        """The values that a span wrote to a state, as far as they were kept."""
        if span.span_id not in self._states:
            self._states[span.span_id] = tuple(self._state_values.written(span))
        return self._states[span.span_id]

    @cached_property
    def _states(self) -> dict[str, Sequence[Written]]:
        return {}

    @cached_property
    def _state_values(self) -> StateValues:
        return StateValues(self.content)

    def outputs(self, span: Span) -> Sequence[str]:
        """Texts that a span wrote: its messages, and the texts in its values of a state and in what it returned."""
        messages = [text for digest in self.wrote(span) if (text := self.text(digest))]
        states = [text for one in self.state_values(span) for text in texts_in(one.value)]
        return list(dict.fromkeys((*messages, *states, *texts_in(self.value(span, names.MAS_TASK_RESULT)))))

    def value(self, span: Span, name: str) -> Any:
        """Content beside a span, or on it, by attribute name; None where it was not kept or was withheld."""
        value = self.content.get(span, name)
        return None if value is None or withheld(value) is not None else value

    def arguments(self, span: Span) -> str | None:
        """The arguments of a tool call in a canonical form; None where they were not kept."""
        return canonical(self.value(span, names.GEN_AI_TOOL_CALL_ARGUMENTS))

    def result(self, span: Span) -> str | None:
        """The result of a tool call as text; None where it was not kept."""
        value = self.value(span, names.GEN_AI_TOOL_CALL_RESULT)
        return None if value is None else text_of(value)


def kind_of(span: Span) -> str | None:
    """The record kind of a span; of other instrumentation by what its operation says."""
    kind = span.record_kind
    if kind is None:
        operation = span.columns.get(names.GEN_AI_OPERATION_NAME)
        kind = record_kind(operation) if isinstance(operation, str) else None
    return kind


def tool_name(call: Span) -> str:
    """The name of the tool that was called; of a retriever that of its data source."""
    return str(call.get(names.GEN_AI_TOOL_NAME) or call.get(names.GEN_AI_DATA_SOURCE_ID) or call.name)


def model_name(call: Span) -> str:
    """The name of the model that was called, as it was asked for."""
    asked = call.columns.get(names.GEN_AI_REQUEST_MODEL) or call.columns.get(names.GEN_AI_RESPONSE_MODEL)
    return str(asked or call.name)


def canonical(value: Any) -> str | None:
    """A value as JSON with sorted keys, whether it was kept as a value or as JSON text; None for None."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return str(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str).decode()


def texts_in(value: Any) -> Iterator[str]:
    """The texts in a value: itself, items of lists, fields of mappings; of messages what they say."""
    if isinstance(value, str):
        yield value
    elif is_message(value):
        yield value["text"] or ""
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from texts_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_in(one)


def ids(spans: Iterable[Span]) -> tuple[str, ...]:
    """Span ids, as findings have them."""
    return tuple(span.span_id for span in spans)


__all__ = ["RunFacts", "Windows", "canonical", "ids", "kind_of", "model_name", "texts_in", "tool_name"]
