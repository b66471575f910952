"""The flow of texts and values between tasks: what each one read and wrote, and which tasks caused it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.analyse.findings.tool_results import is_command
from otel_mas.analyse.labelled import Labelled, labelled_fields, labelled_in, topic
from otel_mas.analyse.root_cause.values import values_in
from otel_mas.analyse.state.values import is_message
from otel_mas.model import Span

_MOST_CAUSES = 2_000
"""Tasks that are looked at in search of all causes of one, the nearest ones."""
_MOST_KEPT = 100
"""Spans of which those around them are kept: in deep runs these are many."""
_MOST_TEXT = 50_000
"""Characters of what one task read that are looked at."""


class Written(NamedTuple):
    """A labelled value that a task, or a call in it, wrote."""

    task: Span
    end_ns: int
    one: Labelled
    digest: str | None
    """Of the message or the value of the state that has it; None for the result of a tool."""
    field: bool
    """Whether it is a field of the state, and not part of a text."""


class TaskFlow:
    """Texts and values that tasks read and wrote, each worked out when it is asked for. Made by `facts.once(TaskFlow)`.

    A task reads what the models and tools called in it are given; what its own code reads of the state is not recorded.
    """

    def __init__(self, facts: RunFacts) -> None:
        self._facts = facts
        self._labelled: dict[str, Sequence[Labelled]] = {}
        self._reads: dict[str, str] = {}
        self._causes: dict[str, frozenset[str]] = {}
        self._outer: dict[str, frozenset[str]] = {}

    def name(self, task: Span) -> str:
        """The name of a task without numbers; of one in an agent with the agent's before it."""
        own = task.task_name or task.agent or task.workflow or task.name
        agent = self._facts.agent(task)
        return own if agent is None or agent in (own, task.agent) else f"{agent}/{own}"

    # -- calls ---------------------------------------------------------------------------------------------------------

    @cached_property
    def model_calls(self) -> Mapping[str, Sequence[Span]]:
        """By id of a task the calls of models in it, not those in tasks inside of it."""
        return self._by_task(self._facts.model_calls)

    @cached_property
    def tool_calls(self) -> Mapping[str, Sequence[Span]]:
        """The same of calls of tools."""
        return self._by_task(self._facts.tool_calls)

    def _by_task(self, spans: Sequence[Span]) -> Mapping[str, Sequence[Span]]:
        found: dict[str, list[Span]] = {}
        for span in spans:
            task = self._facts.task(span)
            if task is not None:
                found.setdefault(task.span_id, []).append(span)
        return found

    # -- reading -------------------------------------------------------------------------------------------------------

    def prompts(self, task: Span) -> Iterator[str]:
        """Digests of the messages that the models called in a task read, each once."""
        calls = self.model_calls.get(task.span_id, ())
        yield from dict.fromkeys(digest for call in calls for digest in self._facts.read(call))

    def read(self, task: Span) -> Iterator[tuple[str, Labelled]]:
        """Labelled values in these messages, with their digests."""
        for digest in self.prompts(task):
            yield from ((digest, one) for one in self.labelled(digest))

    def read_text(self, task: Span) -> str:
        """All that is seen of what a task read: messages, and arguments and results of tools."""
        found = self._reads.get(task.span_id)
        if found is None:
            facts = self._facts
            texts = [facts.text(digest) for digest in self.prompts(task)]
            for call in self.tool_calls.get(task.span_id, ()):
                texts += [facts.arguments(call), facts.result(call)]
            found = self._reads[task.span_id] = "\n".join(filter(None, texts))[-_MOST_TEXT:]
        return found

    def has_read(self, task: Span, one: Labelled) -> bool:
        """Whether a value is anywhere in what a task read, under whichever name."""
        text = self.read_text(task)
        return one.text in text or bool(values_in(one.text) & values_in(text))

    def labelled(self, digest: str) -> Sequence[Labelled]:
        """The labelled values in a message."""
        found = self._labelled.get(digest)
        if found is None:
            found = self._labelled[digest] = labelled_in(self._facts.text(digest) or "")
        return found

    @cached_property
    def first_seen(self) -> Mapping[str, tuple[int, Span]]:
        """By digest when each message was first written, or else first read, and the span that did."""
        found: dict[str, tuple[int, Span]] = {}
        for digest, spans in self._facts.writers.items():
            found[digest] = spans[0].last_ns, spans[0]
        for digest, spans in self._facts.readers.items():
            found.setdefault(digest, (spans[0].start_ns, spans[0]))
        return found

    # -- writing -------------------------------------------------------------------------------------------------------

    @cached_property
    def written(self) -> Mapping[str, Sequence[Written]]:
        """All labelled values that were written, by label, in the order in which the tasks ended."""
        found: dict[str, list[Written]] = {}
        for one in sorted(self._written(), key=lambda one: one.end_ns):
            found.setdefault(one.one.label, []).append(one)
        return found

    @cached_property
    def written_by(self) -> Mapping[str, Sequence[Written]]:
        """The same by id of the task."""
        found: dict[str, list[Written]] = {}
        for of_label in self.written.values():
            for one in of_label:
                found.setdefault(one.task.span_id, []).append(one)
        return found

    def _written(self) -> Iterator[Written]:
        facts = self._facts
        for change in facts.state.changes:
            if change.missing is None and not _holds_messages(change.value):
                name = topic(change.channel)
                for one in labelled_fields(change.channel, change.value):
                    yield Written(change.span, change.time_ns, one, change.digest, field=one.label == name)
        for task in facts.tasks:
            for call in self.model_calls.get(task.span_id, ()):
                for digest in facts.wrote(call):
                    for one in self.labelled(digest):
                        yield Written(task, call.last_ns, one, digest, field=False)
            for call in self.tool_calls.get(task.span_id, ()):
                if is_command(facts, call):
                    continue  # which repeats the conversation that it hands over
                for one in labelled_in(facts.result(call) or ""):
                    yield Written(task, call.last_ns, one, None, field=False)

    # -- causes --------------------------------------------------------------------------------------------------------

    def causes(self, task: Span) -> frozenset[str]:
        """Ids of the tasks that a task follows from, directly or not, of those around it, and of runs around these."""
        found = self._causes.get(task.span_id)
        if found is None:
            found = self._causes[task.span_id] = frozenset(self._find_causes(task))
        return found

    def _find_causes(self, task: Span) -> set[str]:
        seen, waiting = {task.span_id}, deque([task.span_id])
        while waiting and len(seen) < _MOST_CAUSES:
            for edge in self._facts.graph.causes_of(waiting.popleft()):
                if edge.cause not in seen:
                    seen.add(edge.cause)
                    waiting.append(edge.cause)
        return seen - {task.span_id}

    def caused_by(self, task: Span, other: Span) -> bool:
        """Whether a task follows from another one, or from one that this is inside of."""
        causes = self.causes(task)
        if not causes:
            return False
        inner, outer = self._around(other), self._around(task)
        return (other.span_id in causes and other.span_id not in outer) or not (causes & inner) <= outer

    def _around(self, span: Span) -> frozenset[str]:
        """Ids of the spans around a span."""
        found = self._outer.get(span.span_id)
        if found is None:
            if len(self._outer) >= _MOST_KEPT:
                self._outer.clear()
            around: set[str] = set()
            above = self._facts.parent(span)
            while above is not None and above.span_id not in around:
                around.add(above.span_id)
                above = self._facts.parent(above)
            found = self._outer[span.span_id] = frozenset(around)
        return found


def _holds_messages(value: object) -> bool:
    return is_message(value) or (isinstance(value, list) and any(map(is_message, value)))


__all__ = ["TaskFlow", "Written"]
