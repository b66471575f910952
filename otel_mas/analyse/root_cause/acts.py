"""Acts of a run: what each task and call read and wrote, in the order in which they ended."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.failures import failures
from otel_mas.analyse.log.content import SpanContents
from otel_mas.analyse.places import Place, places
from otel_mas.analyse.state.values import StateValues, Written, is_message, value_text
from otel_mas.causal import CHILD, CausalGraph
from otel_mas.model import Span
from otel_mas.model.message_text import written
from otel_mas.semconv import LinkKind, RecordKind
from otel_mas.semconv import attributes as names
from otel_mas.trace_records.formats import parsed

_RESULTS = (names.GEN_AI_TOOL_CALL_RESULT, names.GEN_AI_RETRIEVAL_DOCUMENTS, names.MAS_TASK_RESULT)
_ARGUMENTS = (names.GEN_AI_TOOL_CALL_ARGUMENTS, names.GEN_AI_RETRIEVAL_QUERY_TEXT)
_CALLS = (RecordKind.TOOL_CALL, RecordKind.RETRIEVAL)
_KINDS = frozenset((*_CALLS, RecordKind.AGENT_TASK, RecordKind.LLM_CALL, RecordKind.HUMAN_INPUT))
_ASKS = re.compile(r"^calls ([\w.-]+)\(|^```\w+$", re.MULTILINE)
"""A call in the text of a message (`otel_mas.model.message_text`), or code for somebody to run."""
_WORD = re.compile(r"\w+")
_OUTSIDE = ("system", "user")
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
    wrote: str = ""
    """Its messages, its result and its changes of the state; without the text of acts inside of it."""
    caller: int | None = None
    """Act that asked for a call of a tool or retriever."""
    reads: bool = False
    """Whether it is a task that reads messages itself."""
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
        self._state = StateValues(content)
        self._texts: dict[str, str] = {}
        """Texts of messages by digest: long histories are read again and again."""
        self._outputs: dict[int, list[str]] = {}
        self._states_of: dict[str, Sequence[Written]] = {}
        self._numbers = {span.span_id: number for number, span in enumerate(graph.spans)}
        self._all = self._ordered()
        self._by_id = {act.span.span_id: act for act in self._all}
        self._add_texts()
        self._add_callers()
        self._add_instructions()
        for act in self._all:
            act.reads = act.span.record_kind == RecordKind.AGENT_TASK and bool(self.contents.digests(act.span, "input"))

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
        return act or next(self.around(span), None)

    def around(self, span: Span) -> Iterator[Act]:
        """The acts around a span, the nearest first."""
        number, parents = self._numbers[span.span_id], self.graph.parents
        while (number := parents[number]) >= 0:
            act = self._by_id.get(self.graph.spans[number].span_id)
            if act is not None:
                yield act

    def causes(self, act: Act) -> list[Act]:
        """The acts that caused an act, but for those around it."""
        edges = self.graph.causes_of(act.span.span_id)
        found = [self._by_id[edge.cause] for edge in edges if edge.kind != CHILD and edge.cause in self._by_id]
        around = {one.number for one in self.around(act.span)} if found else set()
        return [cause for cause in found if cause.number not in around]

    def outputs(self, act: Act) -> list[str]:
        """Texts that went out of an act: its messages, its result, and its values of the state."""
        found = self._outputs.get(act.number)
        if found is None:
            texts = (*self._written(act.span), self._text(act.span, _RESULTS), *self._states(act.span))
            found = self._outputs[act.number] = list(dict.fromkeys(text for text in texts if text.strip()))
        return found

    def times(self, act: Act) -> Counter[str]:
        """Texts of messages and values of the state that an act wrote, with how often each."""
        return Counter(self._written(act.span)) | Counter(self._states(act.span))

    def fields(self, act: Act) -> list[tuple[str, str]]:
        """Channels of the state that an act wrote, or parts of what it returned, as text; not those with messages."""
        found = self._parts(act, names.MAS_TASK_RESULT)
        for one in self._state_of(act.span):
            items = one.value if isinstance(one.value, list) else [one.value]
            if one.missing is None and not any(map(is_message, items)):
                found.append((one.channel, value_text(one.value)))
        return found

    def given(self, act: Act) -> list[tuple[str, str]]:
        """Parts of what a `Send` or a call gave a task, as text."""
        return self._parts(act, names.MAS_TASK_INPUT)

    def _parts(self, act: Act, name: str) -> list[tuple[str, str]]:
        value = parsed(self.content.get(act.span, name))
        return [(part, value_text(one)) for part, one in value.items()] if isinstance(value, dict) else []

    def read_by(self, act: Act) -> list[str]:
        """Texts of the messages that an act read, but for instructions."""
        return list(self._messages(act.span, "input", without="system"))

    def task_around(self, act: Act) -> Act | None:
        """The nearest task around an act."""
        return next((one for one in self.around(act.span) if one.span.record_kind == RecordKind.AGENT_TASK), None)

    def before_within(self, act: Act) -> list[Act]:
        """The acts inside the same task that had ended when an act began."""
        task = self.task_around(act)
        return [] if task is None else [one for one in self.inside(task) if one.span.last_ns <= act.span.start_ns]

    def called_before(self, act: Act) -> Act | None:
        """The last task that the caller of this one had called, and that had ended when it began."""
        caller = self.caller_of(act)
        if caller is None:
            return None
        effects = (self._by_id.get(edge.effect) for edge in self.graph.effects_of(caller.span.span_id))
        called = [one for one in effects if one is not None and self.caller_of(one) is caller]
        before = [one for one in called if one.span.last_ns <= act.span.start_ns]
        return max(before, key=lambda one: one.span.last_ns, default=None)

    def caller_of(self, act: Act) -> Act | None:
        """The task or entrypoint of the functional API that called this one."""
        edges = self.graph.causes_of(act.span.span_id)
        return next((self._by_id.get(edge.cause) for edge in edges if edge.kind == LinkKind.CALL), None)

    def is_only(self, task: Act) -> bool:
        """Whether a task ran once: others of its name, side by side or in a loop, have values of their own."""
        return self._runs[task.span.task_name or task.span.name] == 1

    @cached_property
    def _runs(self) -> Counter[str]:
        tasks = (act.span for act in self._all if act.span.record_kind == RecordKind.AGENT_TASK)
        return Counter(task.task_name or task.name for task in tasks)

    def speaks_inside(self, act: Act) -> bool:
        """Whether a model is called directly inside an act."""
        return any(one.span.record_kind == RecordKind.LLM_CALL for one in self.inside(act))

    def inside(self, act: Act) -> list[Act]:
        """The acts directly inside an act, in start order."""
        children = self.graph.children_of(act.span.span_id)
        return [self._by_id[child.span_id] for child in children if child.span_id in self._by_id]

    @cached_property
    def task(self) -> tuple[str, ...]:
        """Texts that the run was given: messages and values of the state that its roots read."""
        return tuple(text for root in self.graph.roots for text in (*self._read(root), *self._states(root)))

    @cached_property
    def prompts(self) -> Sequence[tuple[int, str]]:
        """Instructions and messages of people that no act wrote, with the time at which each was first read."""
        known = {piece for act in self._all for piece in (act.wrote, *act.wrote.splitlines())}
        found: dict[str, int] = {}
        for act in self._all:
            for digest in self.contents.digests(act.span, "input"):
                found[digest] = min(found.get(digest, act.span.start_ns), act.span.start_ns)
        texts = ((at_ns, self.content.messages.get(digest)) for digest, at_ns in found.items())
        outside = [
            (at_ns, written(message.body))
            for at_ns, message in texts
            if message is not None and message.body is not None and message.role in _OUTSIDE
        ]
        return [(at_ns, text) for at_ns, text in outside if text not in known]

    def _ordered(self) -> list[Act]:
        where, failed = places(self.graph), {span.span_id for span in failures(self.graph.spans)}
        found = [
            (end, -number, span)
            for number, (span, end) in enumerate(zip(self.graph.spans, self.graph.ends, strict=True))
            if span.record_kind in _KINDS or span.span_id in failed
        ]
        return [
            Act(number, span, _who(where[span.span_id]), self._text(span, _ARGUMENTS))
            for number, (*_, span) in enumerate(sorted(found, key=lambda item: item[:2]))
        ]

    def _add_texts(self) -> None:
        """Give each act the texts that it wrote, but for those whose words are all of acts inside of it."""
        inside: dict[int, set[str]] = {}
        for act in self._all:
            inner = inside.pop(act.number, set())
            texts = self.outputs(act)
            act.wrote = "\n".join(text for text in texts if not inner or _words(text) - inner)
            around = next(self.around(act.span), None)
            if around is not None:
                inside.setdefault(around.number, set()).update(inner, _words(act.wrote), _words(act.arguments))

    def _add_callers(self) -> None:
        """The last act before a call that asks for this tool; else the one that caused it, or is around it."""
        asked: dict[str, list[Act]] = {}
        for act in self._all:
            if not act.is_call:
                for tool in {match[1] for match in _ASKS.finditer(act.wrote) if match[1]}:
                    asked.setdefault(tool, []).append(act)
        for asking in asked.values():
            asking.sort(key=lambda act: act.span.last_ns)
        for call in self._all:
            if call.is_call:
                tool = call.span.columns.get(names.GEN_AI_TOOL_NAME)
                asking = asked.get(str(tool), [])
                before = bisect_right(asking, call.span.start_ns, key=lambda act: act.span.last_ns)
                nearest = asking[max(0, before - 1) : before] or self.causes(call) or list(self.around(call.span))
                call.caller = nearest[0].number if nearest else None

    def _add_instructions(self) -> None:
        """The first act may only hand on the task."""
        first = min(self._all, key=lambda act: act.span.start_ns, default=None)
        if first is not None and not first.is_call:
            wrote = " ".join(first.wrote.split())
            first.instructs = any(len(text) >= _TASK and " ".join(text.split()) in wrote for text in self.task)

    def _read(self, span: Span) -> Iterator[str]:
        return self._messages(span, "input")

    def _written(self, span: Span) -> Iterator[str]:
        return self._messages(span, "output")

    def _messages(self, span: Span, direction: str, without: str = "") -> Iterator[str]:
        for digest in self.contents.digests(span, direction):
            message = self.content.messages.get(digest)
            if message is not None and message.body is not None and message.role != without:
                text = self._texts.get(digest)
                if text is None:
                    text = self._texts[digest] = written(message.body)
                yield text

    def _state_of(self, span: Span) -> Sequence[Written]:
        found = self._states_of.get(span.span_id)
        if found is None:
            found = self._states_of[span.span_id] = tuple(self._state.written(span))
        return found

    def _states(self, span: Span) -> Iterator[str]:
        """The values that a span wrote to a state, each as text; of lists each item, of messages the texts."""
        for one in self._state_of(span):
            for value in one.value if isinstance(one.value, list) else [one.value]:
                text = value["text"] if is_message(value) else value_text(value)
                if text:
                    yield text

    def _text(self, span: Span, wanted: Sequence[str]) -> str:
        return "\n".join(filter(None, (self.contents.value(span, name).text for name in wanted)))


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _who(place: Place) -> str | None:
    """The agent at work, else the node; None outside of any."""
    return place.agent or (None if place.task is None else place.task.task_name)


__all__ = ["Act", "Acts"]
