"""Results of tools and retrievers that are worth nothing, and who went on with them all the same."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otel_mas.analyse.findings.facts import RunFacts, tool_name
from otel_mas.causal.failed import failed
from otel_mas.model import Span
from otel_mas.semconv import RecordKind, TaskOutcome
from otel_mas.semconv import attributes as names

_WENT_ON = (None, TaskOutcome.OK, TaskOutcome.HANDOFF)
_HANDLED = "tool_error"
_CALLS = (RecordKind.TOOL_CALL, RecordKind.RETRIEVAL)


@dataclass(frozen=True, slots=True)
class UselessResult:
    """A result that is worth nothing, and that was used."""

    call: Span
    what: str
    """In words, what is wrong with the result."""
    reader: Span
    """The model call that read it first; of a tool that code called, the task that went on with it; of a retriever the
    first model call in its task, or in one that follows from this."""
    recorded: bool
    """Whether the reading was recorded; otherwise it follows from the task's good end."""


def useless_results(facts: RunFacts, fault: Callable[[Span], str | None]) -> Iterator[UselessResult]:
    """Calls whose result has a fault and was used: nobody asked anew or elsewhere with success.

    A result that a model read was made good by any later call of the same agent that brought something: it looked
    elsewhere. One that code got was made good, in the same task, by the same tool or with the same arguments; that of
    a retriever by any later call in the run.

    Args:
        facts: of the run.
        fault: says in words what is wrong with the result of a call that ended well; None where nothing is.
    """
    calls = (*facts.tool_calls, *_retrievals(facts))
    useless = [(call, what) for call in calls if succeeded(call) and (what := fault(call)) is not None]
    if not useless:
        return
    good = _Good(facts, frozenset(call.span_id for call, _ in useless))
    for call, what in useless:
        reader = reader_of(facts, call)
        if call.record_kind == RecordKind.RETRIEVAL:
            reader = _next_model_call(facts, call)
            if reader is not None and not failed(reader) and not good.of_run(call):
                yield UselessResult(call, what, reader, recorded=False)
        elif reader is not None:
            if not failed(reader) and not good.of_agent(call, reader.start_ns):
                yield UselessResult(call, what, reader, recorded=True)
        elif not facts.wrote(call):
            task = facts.task(call)
            if task is not None and _went_on(task) and not good.in_task(call):
                yield UselessResult(call, what, task, recorded=False)


def result_of(facts: RunFacts, call: Span) -> Any:
    """The result of a tool, or the documents of a retriever; None where they were not kept or were withheld."""
    retrieved = call.record_kind == RecordKind.RETRIEVAL
    return facts.value(call, names.GEN_AI_RETRIEVAL_DOCUMENTS if retrieved else names.GEN_AI_TOOL_CALL_RESULT)


def document_texts(documents: Any) -> list[str]:
    """The texts of a retriever's documents, of those that were recorded with one."""
    found = documents if isinstance(documents, list | tuple) else []
    texts = [one.get("content") if isinstance(one, Mapping) else one for one in found]
    return [text for text in texts if isinstance(text, str)]


def _retrievals(facts: RunFacts) -> Sequence[Span]:
    """Calls of retrievers, but for those inside a tool or another retriever, whose result counts."""
    found = facts.by_kind.get(RecordKind.RETRIEVAL, ())
    return [call for call in found if (around := facts.parent(call)) is None or around.record_kind not in _CALLS]


def _next_model_call(facts: RunFacts, call: Span) -> Span | None:
    task = facts.task(call)
    after = [] if task is None else [edge.effect for edge in facts.graph.effects_of(task.span_id)]
    tasks = {None if task is None else task.span_id, *after}
    for reader in facts.model_calls:
        around = facts.task(reader)
        same = reader.trace_id == call.trace_id and (None if around is None else around.span_id) in tasks
        if same and reader.start_ns >= call.last_ns:
            return reader
    return None


def reader_of(facts: RunFacts, call: Span) -> Span | None:
    """The model call that read the result of a tool call first; None where none did."""
    for digest in facts.wrote(call):
        readers = facts.readers.get(digest, ())
        for reader in readers[bisect_left(readers, call.last_ns, key=lambda span: span.start_ns) :]:
            if reader.record_kind == RecordKind.LLM_CALL:
                return reader
    return None


def succeeded(call: Span) -> bool:
    """Whether a tool call ended, and neither failed nor answered with an error."""
    return call.end_ns is not None and not failed(call) and call.columns.get(names.ERROR_TYPE) != _HANDLED


def _went_on(task: Span) -> bool:
    return task.end_ns is not None and not failed(task) and task.columns.get(names.MAS_TASK_OUTCOME) in _WENT_ON


def is_command(facts: RunFacts, call: Span) -> bool:
    """Whether the tool returned LangGraph's `Command`, which hands over or changes the state."""
    value = facts.value(call, names.GEN_AI_TOOL_CALL_RESULT)
    return isinstance(value, Mapping) and not {"goto", "update", "graph", "resume"}.isdisjoint(value)


class _Good:
    """Starts of the last calls that brought something: by agent, and in each task by tool and by arguments."""

    def __init__(self, facts: RunFacts, useless: frozenset[str]) -> None:
        self._facts = facts
        self._agents: dict[str, int] = {}
        self._tasks: dict[tuple[str | None, str | None], int] = {}
        self._runs: dict[str, int] = {}
        for call in (*facts.tool_calls, *_retrievals(facts)):
            if call.span_id not in useless and succeeded(call):
                self._runs[call.trace_id] = max(call.start_ns, self._runs.get(call.trace_id, 0))
                self._agents[facts.who(call)] = call.start_ns
                for key in self._keys(call):
                    self._tasks[key] = call.start_ns

    def _keys(self, call: Span) -> Iterator[tuple[str | None, str | None]]:
        task = self._facts.task(call)
        where = None if task is None else task.span_id
        yield where, tool_name(call)
        arguments = self._facts.arguments(call)
        if arguments is not None:
            yield where, arguments

    def of_agent(self, call: Span, since_ns: int) -> bool:
        return self._agents.get(self._facts.who(call), -1) >= since_ns

    def of_run(self, call: Span) -> bool:
        return self._runs.get(call.trace_id, -1) >= call.last_ns

    def in_task(self, call: Span) -> bool:
        return any(self._tasks.get(key, -1) >= call.last_ns for key in self._keys(call))


__all__ = ["UselessResult", "document_texts", "is_command", "reader_of", "result_of", "succeeded", "useless_results"]
