"""Causes of calls that another program recorded: by the ids of tool calls, then by contents, then by their order.

A model that asks for a tool call names it, and the next model call has its result under the same id. Without ids, name
and arguments tell, or the text that was written and read. A call of which nothing is known may have come from the one
before it.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import orjson

from otel_mas.causal.forest import ROOT, Forest
from otel_mas.causal.inferred import probabilities
from otel_mas.causal.inferred.langgraph import Inferred
from otel_mas.causal.links import Links
from otel_mas.causal.messages import Actors, Path, same_actor
from otel_mas.dialects import contents, foreign_messages
from otel_mas.model import Span
from otel_mas.semconv import LinkKind, RecordKind
from otel_mas.semconv import attributes as names

_CALLS = (RecordKind.LLM_CALL, RecordKind.TOOL_CALL, RecordKind.AGENT_TASK, RecordKind.RETRIEVAL)
_SPEAKING = (RecordKind.LLM_CALL, RecordKind.AGENT_TASK)
_TRIGGER, _MESSAGE = LinkKind.TRIGGER.value, LinkKind.MESSAGE.value
_SHORT = 20
"""Characters of a text that may well be said twice by chance."""
_IN_RESULT = re.compile(r'"tool_call_id":"([^"]+)"')
_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
_MAX_LITERAL = 10_000
"""Characters of a Python literal that is read."""

_Asked = tuple[int, str]
"""A model call that asked for a tool call, and the id of that."""
_Value = TypeVar("_Value")
_Key = tuple[int | None, str]
"""The id of a tool call, in the agent around who names it, and, for other agents, anywhere (None)."""
_MOST_WRITERS = 8
"""Writers of one text that are kept: a text that more spans wrote tells nothing."""


def call_causes(forest: Forest, links: Links, foreign: Sequence[int]) -> Iterator[tuple[int, Sequence[Inferred]]]:
    """The causes of each call, by the number of its span."""
    kinds = forest.spans.column(names.MAS_RECORD_KIND)
    calls = [number for number in foreign if kinds[number] in _CALLS]
    if calls:
        yield from _Search(forest, links).all(calls)


class _Search:
    """Calls in the order of time, and what was asked and written until then."""

    def __init__(self, forest: Forest, links: Links) -> None:
        self._forest = forest
        self._links = links
        self._path = Actors(forest).path
        self._step = forest.spans.column(names.MAS_TASK_STEP)
        """Steps of LangGraph's tasks, whose causes are found otherwise."""
        self._kinds = forest.spans.column(names.MAS_RECORD_KIND)
        self._asked: dict[_Key, int] = {}
        """By the id of a tool call the model call that asked for it."""
        self._open: dict[tuple[str, str | None], deque[_Asked]] = defaultdict(deque)
        """By tool and arguments, and again by tool alone, calls that were asked for and may not have begun."""
        self._tools: dict[_Key, tuple[int, float | None]] = {}
        """By the id of a tool call its span, and how likely it is that one."""
        self._results: dict[str, list[int]] = defaultdict(list)
        self._written: dict[str, list[int]] = defaultdict(list)
        self._history: dict[Path, set[str]] = defaultdict(set)
        self._last: dict[int, int] = {}
        """By the span around calls the one that ended last."""

    def all(self, calls: Sequence[int]) -> Iterator[tuple[int, Sequence[Inferred]]]:
        """The causes of each, in the order of time."""
        start, end = self._forest.start, self._forest.end
        # At one instant what ends comes before what starts; what is inside ends before what is around it.
        moments = [moment for i in calls for moment in ((end[i], 0, -i), (start[i], 1, i))]
        for _, begins, number in sorted(moments):
            if begins:
                yield number, self._causes(number)
            else:
                self._leaves(-number)

    def _causes(self, number: int) -> list[Inferred]:
        span = self._forest.spans[number]
        found: list[Inferred] = []
        if span.record_kind == RecordKind.TOOL_CALL:
            found = self._asking(number, span)
        elif span.record_kind in _SPEAKING:
            found = self._read(number, span)
        if not found and self._step[number] is None and self._links.first[number] < 0:
            before = self._last.get(self._forest.parent[number])
            if before is not None:
                found = [Inferred(before, _TRIGGER, probabilities.ORDER)]
        return found

    # -- tools -----------------------------------------------------------------------------------------------------

    def _asking(self, number: int, span: Span) -> list[Inferred]:
        """The model call that asked for a tool call."""
        call, probability = _call_id(span), None
        if call is not None:
            model = self._nearest(self._asked, number, call)
        else:
            likely = self._likely(span)
            if likely is None:
                return []
            (model, call), probability = likely
        of_model = () if model is None else self._keys(model, call)
        for key in {*self._keys(number, call), *of_model}:
            known = self._tools.get(key)
            if known is None or self._forest.end[known[0]] <= self._forest.start[number]:  # else it is inside of that
                self._tools[key] = number, probability
        if model is None:
            return []  # who asked for it has not ended, or did not say so
        if self._task_around(model) != self._task_around(number):
            return []  # the edge between their tasks says so
        return [Inferred(model, _TRIGGER, probability)]

    def _likely(self, span: Span) -> tuple[_Asked, float] | None:
        """The call that a tool without an id most likely answers: the first of its name with its arguments."""
        tool = str(span.columns.get(names.GEN_AI_TOOL_NAME) or span.name)
        given = _plain(_contents(span).get(names.GEN_AI_TOOL_CALL_ARGUMENTS))
        for arguments in dict.fromkeys((given, None)):
            waiting = self._open[tool, arguments]
            probability = probabilities.SAME_TOOL if arguments is None else probabilities.SAME_ARGUMENTS
            while waiting:
                asked = waiting.popleft()
                if self._keys(*asked)[0] not in self._tools:
                    return asked, probability
        return None

    def _keys(self, number: int, call: str) -> tuple[_Key, _Key]:
        """The keys of a tool call that a span names: parallel agents may use the same ids."""
        around = number
        while around != ROOT and (self._kinds[around] != RecordKind.AGENT_TASK or self._step[around] is not None):
            around = self._forest.parent[around]
        return (around, call), (None, call)

    def _nearest(self, known: Mapping[_Key, _Value], number: int, call: str) -> _Value | None:
        """The span known for a tool call in the agent around this one, else the last one known anywhere."""
        return next((known[key] for key in self._keys(number, call) if key in known), None)

    def _task_around(self, number: int) -> int:
        """The task of LangGraph around a call, or `ROOT`."""
        while number != ROOT and self._step[number] is None:
            number = self._forest.parent[number]
        return number

    # -- messages --------------------------------------------------------------------------------------------------

    def _read(self, number: int, span: Span) -> list[Inferred]:
        """The spans whose messages a model or an agent read, that it had not read before."""
        found: dict[int, float | None] = {}
        path = self._path(number)
        history = self._history[path]
        for part, text in _parts(foreign_messages("input", span.as_written())):
            if text in history:
                continue
            if part.get("type") == "tool_call_response":
                found.update(self._answers(number, part))
            else:
                writers = [one for one in self._written.get(text, ()) if not same_actor(path, self._path(one))]
                for writer in writers if len(writers) <= _MOST_WRITERS else ():
                    likely = probabilities.SAME_TEXT if len(text) >= _SHORT else probabilities.SHORT_TEXT
                    found.setdefault(writer, likely / len(writers))
            history.add(text)
        return [Inferred(one, _MESSAGE, likely) for one, likely in found.items() if one != number]

    def _answers(self, number: int, part: dict[str, Any]) -> dict[int, float | None]:
        call = part.get("id")
        if isinstance(call, str) and (answered := self._nearest(self._tools, number, call)) is not None:
            tool, probability = answered
            return {tool: probability}
        results = self._results.get(_plain(part.get("response")) or "", [])
        return {results[-1]: probabilities.SAME_TEXT} if results else {}

    def _leaves(self, number: int) -> None:
        """Keep what a call wrote, at its end."""
        span = self._forest.spans[number]
        self._last[self._forest.parent[number]] = number
        if span.record_kind == RecordKind.TOOL_CALL:
            result = _plain(_contents(span).get(names.GEN_AI_TOOL_CALL_RESULT))
            if result:
                self._results[result].append(number)
            return
        if span.record_kind not in _SPEAKING:
            return
        is_model = span.record_kind == RecordKind.LLM_CALL
        for part, text in _parts(foreign_messages("output", span.as_written())):
            if part.get("type") == "tool_call":
                self._ask(number, part, is_model=is_model)
            if is_model or text not in self._written:
                self._write(number, text)

    def _ask(self, number: int, part: dict[str, Any], *, is_model: bool) -> None:
        call = str(part.get("id") or f"{number}.{len(self._asked)}")
        keys, start = self._keys(number, call), self._forest.start
        known = self._asked.get(keys[0] if is_model else keys[1])
        if known is not None and (not is_model or start[known] >= start[number]):
            return  # an agent repeats what a model asked for, and so does the span around one that others recorded, too
        for key in keys:
            self._asked[key] = number
            self._tools.pop(key, None)  # ids of one run come again in the next, if a framework only counts
        for arguments in {_plain(part.get("arguments")), None}:
            self._open[str(part.get("name")), arguments].append((number, call))

    def _write(self, number: int, text: str) -> None:
        if len(self._written[text]) <= _MOST_WRITERS:
            self._written[text].append(number)
        self._history[self._path(number)].add(text)


def _call_id(span: Span) -> str | None:
    """The id of a tool call; LangChain's are in the message that it returned."""
    call = span.columns.get(names.GEN_AI_TOOL_CALL_ID)
    if isinstance(call, str) and call:
        return call
    result = _contents(span).get(names.GEN_AI_TOOL_CALL_RESULT)
    returned = _IN_RESULT.search(_plain(result) or "") if result else None
    return None if returned is None else returned[1]


def _contents(span: Span) -> dict[str, Any]:
    return {**contents(span.as_written()), **span.attributes}


def _parts(messages: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    """The parts of messages, and each as text."""
    for message in messages:
        for part in message.get("parts") or ():
            if isinstance(part, dict):
                text = part.get("content") if part.get("type", "text") == "text" else _plain(part)
                if text:
                    yield part, text if isinstance(text, str) else _plain(text) or ""


def _plain(value: Any) -> str | None:
    """A value as text that is the same for the same value, whether it came as JSON text or not."""
    if value is None:
        return None
    if isinstance(value, str):
        value = _parsed(value)
        if isinstance(value, str):
            return value
    try:
        return orjson.dumps(value, option=_SORTED, default=str).decode()
    except TypeError:  # nested too deeply, or no Unicode
        return repr(value)


def _parsed(text: str) -> Any:
    """The value that a text is as JSON or, as LangChain hands arguments to its callbacks, as Python."""
    try:
        return orjson.loads(text)
    except ValueError:
        if not text.startswith("{") or len(text) > _MAX_LITERAL:
            return text
    try:
        return literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


__all__ = ["call_causes"]
