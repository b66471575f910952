"""Acts of a run: what each task and call read and wrote, in the order in which they ended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.failures import failures
from otel_mas.analyse.log.content import SpanContents
from otel_mas.analyse.places import Place, places
from otel_mas.analyse.root_cause.values import values_in
from otel_mas.causal import CHILD, CausalGraph
from otel_mas.model import Span
from otel_mas.model.message_text import written
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names

_RESULTS = (names.GEN_AI_TOOL_CALL_RESULT, names.GEN_AI_RETRIEVAL_DOCUMENTS)
_ARGUMENTS = (names.GEN_AI_TOOL_CALL_ARGUMENTS, names.GEN_AI_RETRIEVAL_QUERY_TEXT)
_CALLS = (RecordKind.TOOL_CALL, RecordKind.RETRIEVAL)
_KINDS = frozenset((*_CALLS, RecordKind.AGENT_TASK, RecordKind.LLM_CALL, RecordKind.HUMAN_INPUT))
_ASKS = re.compile(r"^calls ([\w.-]+)\(|^```\w+$", re.MULTILINE)
"""A call in the text of a message (`otel_mas.model.message_text`), or code for somebody to run."""
_TASK = 12
"""Characters that a task has at least; a shorter text may be repeated by chance."""


@dataclass(slots=True)
class Act:
    """A task of an agent, a call of a model, tool or retriever, a person's input, or the span of an error."""

    number: int
    """Its place among the acts, which are in the order of their ends; what is inside another comes before it."""
    span: Span
    agent: str | None
    arguments: str
    wrote: str
    """Its messages, its result and its changes of the state; without the text of acts inside of it."""
    caller: int | None = None
    """Of a call of a tool or retriever the act that asked for it."""
    instructs: bool = False
    """Whether it hands on the task that the run was given, word for word."""

    @property
    def is_call(self) -> bool:
        """Whether a tool or a retriever answers here."""
        return self.span.record_kind in _CALLS

    @property
    def is_person(self) -> bool:
        """Whether a person gives what was asked for."""
        return self.span.record_kind == RecordKind.HUMAN_INPUT

    @property
    def speaks(self) -> bool:
        """Whether an agent or a model says something of its own here."""
        return not self.is_call and not self.is_person and not self.instructs and bool(self.wrote.strip())

    @property
    def asks(self) -> bool:
        """Whether it asks for a call."""
        return _ASKS.search(self.wrote) is not None


class Acts(Sequence[Act]):
    """All acts of a run, and what they were given."""

    def __init__(self, graph: CausalGraph, content: RunContent) -> None:
        self.graph = graph
        self.content = content
        self.contents = SpanContents(content)
        self._numbers = {span.span_id: number for number, span in enumerate(graph.spans)}
        self._all = self._ordered()
        self._by_id = {act.span.span_id: act for act in self._all}
        self._remove_inner_text()
        self._add_callers()
        task = " ".join(self.task.split())
        for act in self._all if len(task) >= _TASK else ():
            act.instructs = not act.is_call and task in " ".join(act.wrote.split())

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, number: int) -> Act:  # type: ignore[override] # slices are of no use here
        return self._all[number]

    def of(self, span_id: str) -> Act | None:
        """The act that a span is."""
        return self._by_id.get(span_id)

    def at(self, span: Span) -> Act | None:
        """The act that a span is, or lies in."""
        act = self._by_id.get(span.span_id)
        return act or next(self._enclosing(span), None)

    def causes(self, act: Act) -> list[Act]:
        """The acts that caused an act, but for what encloses it."""
        edges = self.graph.causes_of(act.span.span_id)
        return [self._by_id[edge.cause] for edge in edges if edge.kind != CHILD and edge.cause in self._by_id]

    @cached_property
    def task(self) -> str:
        """Text that the run was given: what its roots read."""
        return "\n".join(filter(None, (self._read(root) for root in self.graph.roots)))

    @cached_property
    def given(self) -> frozenset[str]:
        """Values that came from outside: in what the run was given, in instructions, and in the input of people."""
        known = {act.wrote for act in self._all}
        texts = [self.task, *(act.wrote for act in self._all if act.is_person or act.instructs)]
        for digest in {digest for act in self._all for digest in self.contents.digests(act.span, "input")}:
            message = self.content.messages.get(digest)
            if message is not None and message.body is not None and message.role in ("system", "user"):
                text = written(message.body)
                if text not in known:
                    texts.append(text)
        return values_in("\n".join(texts))

    def _ordered(self) -> list[Act]:
        where, failed = places(self.graph), {span.span_id for span in failures(self.graph.spans)}
        found = [
            (end, -number, span)
            for number, (span, end) in enumerate(zip(self.graph.spans, self.graph.ends, strict=True))
            if span.record_kind in _KINDS or span.span_id in failed
        ]
        return [
            Act(
                number,
                span,
                agent=_who(where[span.span_id]),
                arguments=self._text(span, _ARGUMENTS),
                wrote=self._wrote(span),
            )
            for number, (*_, span) in enumerate(sorted(found, key=lambda item: item[:2]))
        ]

    def _read(self, span: Span) -> str:
        return self.contents.messages(span, self.contents.digests(span, "input"), roles=False).text or ""

    def _wrote(self, span: Span) -> str:
        output = self.contents.messages(span, self.contents.digests(span, "output"), roles=False).text
        return "\n".join(filter(None, (output, self._text(span, _RESULTS), self.contents.state(span).text)))

    def _text(self, span: Span, wanted: Sequence[str]) -> str:
        return "\n".join(filter(None, (self.contents.value(span, name).text for name in wanted)))

    def _remove_inner_text(self) -> None:
        """An act around another one did not write what that one wrote."""
        whole = [act.wrote for act in self._all]
        for act in self._all:
            if whole[act.number]:
                for outer in self._enclosing(act.span):
                    outer.wrote = outer.wrote.replace(whole[act.number], "")

    def _enclosing(self, span: Span) -> Iterator[Act]:
        """The acts around a span, the nearest first."""
        number, parents = self._numbers[span.span_id], self.graph.parents
        while (number := parents[number]) >= 0:
            act = self._by_id.get(self.graph.spans[number].span_id)
            if act is not None:
                yield act

    def _add_callers(self) -> None:
        """The last act before a call that asks for this tool; else the one that caused it, or is around it."""
        asked: dict[str, list[Act]] = {}
        for act in self._all:
            if not act.is_call:
                for tool in {match[1] for match in _ASKS.finditer(act.wrote) if match[1]}:
                    asked.setdefault(tool, []).append(act)
        for call in self._all:
            if call.is_call:
                tool = call.span.columns.get(names.GEN_AI_TOOL_NAME)
                before = [act for act in asked.get(str(tool), ()) if act.span.last_ns <= call.span.start_ns]
                nearest = before[-1:] or self.causes(call) or list(self._enclosing(call.span))
                call.caller = nearest[0].number if nearest else None


def _who(place: Place) -> str | None:
    """The agent at work, else the node; None outside of any."""
    return place.agent or (None if place.task is None else place.task.task_name)


__all__ = ["Act", "Acts"]
