"""Spans by what people call them, and everything about one span."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.log.content import SpanContents
from otel_mas.causal import CHILD, CausalGraph, Edge
from otel_mas.model import Message, Span, StatusCode
from otel_mas.semconv import attributes as names

_SHORTEST_ID = 4
_ID = 16
_MOST_ALIKE = 5
_LEAST_ALIKE = 0.75
"""Ratio of difflib, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A cause or an effect of a span. `span` is None where it lies in another trace."""

    edge: Edge
    span: Span | None
    label: str
    """Task and span; of a span in another trace its id."""


@dataclass(frozen=True, slots=True)
class SpanDetails:
    """Everything about one span."""

    span: Span
    label: str | None
    """Label of the task that it is or lies in, as `CausalGraph.labels` has it."""
    agent: str | None
    above: tuple[Span, ...]
    """The spans around it, from the root inwards."""
    children: tuple[Span, ...]
    causes: tuple[Relation, ...]
    """All but the span around it."""
    effects: tuple[Relation, ...]
    """All but the spans inside it."""
    read: tuple[Message, ...]
    """Messages that it read, in order. One whose content was not kept has no body."""
    wrote: tuple[Message, ...]
    state: str | None
    """Channels of a state that it wrote, a line for each with its value, as far as that is kept."""
    contents: Mapping[str, Any]
    """Other content, by name: tool arguments and results, questions, reasons."""
    error_message: str | None
    error_stack: str | None

    @property
    def groups(self) -> Mapping[str, Mapping[str, Any]]:
        """Its attributes by the first words of their names: `gen_ai.usage`, `mas.task`."""
        found: dict[str, dict[str, Any]] = defaultdict(dict)
        for name in sorted(self.span.attributes):
            found[_group(name)][name] = self.span.attributes[name]
        return found


def find_spans(graph: CausalGraph, name: str) -> list[Span]:
    """The spans of an id, of the unique beginning of one, or of a task's label; none where there are none.

    A task that paused has a span for each time that it ran. The numbers of a label, and the tasks around at its
    beginning, may be left out where only one task has the name.
    """
    wanted = name.strip()
    spans = graph.spans
    by_id = wanted.lower()
    if _SHORTEST_ID <= len(by_id) <= _ID:
        found = [span for span in spans if span.span_id.startswith(by_id)]
        if len(found) == 1:
            return found
    labels = graph.labels()
    exact = [span for span in spans if labels.get(span.span_id) == wanted]
    if exact:
        return exact
    for meant in (_is_unnumbered, _ends_with):
        named = {label for label in labels.values() if meant(label, wanted)}
        if named:
            return [span for span in spans if labels.get(span.span_id) in named] if len(named) == 1 else []
    return []


def alike(graph: CausalGraph, name: str) -> list[str]:
    """Labels of tasks, and ids of spans, that resemble a name: the closest first."""
    labels = list(dict.fromkeys(graph.labels().values()))
    bare = _unnumbered(name.strip())
    same_task = [label for label in labels if _is_unnumbered(label, bare)]
    same_task += [label for label in labels if _ends_with(label, bare)]
    ids = [span.span_id for span in graph.spans if span.span_id.startswith(name.strip().lower() or "-")]
    close = get_close_matches(name.strip(), labels, _MOST_ALIKE, _LEAST_ALIKE)
    return list(dict.fromkeys([*same_task, *ids, *close]))[:_MOST_ALIKE]


def span_details(graph: CausalGraph, span: Span, content: RunContent) -> SpanDetails:
    """Everything about a span of a graph."""
    known = _Known(graph)
    above = known.above(span)
    agents = (one.agent for one in (span, *reversed(above)) if one.agent)
    return SpanDetails(
        span=span,
        label=known.task_label(span),
        agent=next(agents, None),
        above=tuple(above),
        children=graph.children_of(span.span_id),
        causes=tuple(known.relation(edge, edge.cause) for edge in graph.causes_of(span.span_id) if edge.kind != CHILD),
        effects=tuple(
            known.relation(edge, edge.effect) for edge in graph.effects_of(span.span_id) if edge.kind != CHILD
        ),
        read=content.messages_of(span, "input"),
        wrote=content.messages_of(span, "output"),
        state=SpanContents(content).state(span).text,
        contents={name: value for name, value in content.of(span).items() if name not in _OF_ERRORS},
        error_message=content.error_message(span),
        error_stack=_stack(span, content),
    )


_OF_ERRORS = (names.EXCEPTION_MESSAGE, names.EXCEPTION_STACKTRACE, names.MAS_ERROR_SOURCE)


class _Known:
    """Spans of a graph by id, with the labels of its tasks."""

    def __init__(self, graph: CausalGraph) -> None:
        self._spans = {span.span_id: span for span in graph.spans}
        self._labels = graph.labels()

    def above(self, span: Span) -> list[Span]:
        """The spans around one, the outermost first; a cycle of parents ends it."""
        found: dict[str, Span] = {}
        above = self._spans.get(span.parent_span_id or "")
        while above is not None and above.span_id not in found and above is not span:
            found[above.span_id] = above
            above = self._spans.get(above.parent_span_id or "")
        return list(reversed(found.values()))

    def task_label(self, span: Span) -> str | None:
        """Label of the task that a span is or lies in."""
        around = (span, *reversed(self.above(span)))
        return next((self._labels[one.span_id] for one in around if one.span_id in self._labels), None)

    def relation(self, edge: Edge, span_id: str) -> Relation:
        """The other end of an edge."""
        span = self._spans.get(span_id)
        if span is None:
            return Relation(edge, None, f"span {span_id} of another trace")
        task = self.task_label(span)
        own = None if span_id in self._labels else span.name
        return Relation(edge, span, " › ".join(part for part in (task, own) if part is not None))


def _stack(span: Span, content: RunContent) -> str | None:
    """The stack of the error that a span ended with: beside it, else on its event."""
    if span.status != StatusCode.ERROR:
        return None
    events = [event.attributes for event in span.events if event.name == "exception"]
    found = (content.of(span), *reversed(events))
    stack = next(filter(None, (one.get(names.EXCEPTION_STACKTRACE) for one in found)), None)
    return None if stack is None else str(stack)


def _group(name: str) -> str:
    parts = name.split(".")
    return ".".join(parts[:2]) if len(parts) > 2 else parts[0]


def _unnumbered(label: str) -> str:
    return "/".join(part.rpartition("#")[0] or part for part in label.split("/"))


def _is_unnumbered(label: str, wanted: str) -> bool:
    return _unnumbered(label) == wanted


def _ends_with(label: str, wanted: str) -> bool:
    """Whether it is a name for the inner tasks of a label: `model#2` and `model` for `researcher#1/model#2`."""
    return bool(wanted) and (f"/{label}".endswith(f"/{wanted}") or f"/{_unnumbered(label)}".endswith(f"/{wanted}"))


__all__ = ["Relation", "SpanDetails", "alike", "find_spans", "span_details"]
