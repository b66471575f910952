"""The flow of texts and values between tasks: what each one read and wrote, and which tasks caused it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.analyse.findings.tool_results import is_command
from otel_mas.analyse.labelled import Labelled, labelled_fields, labelled_in, topic
from otel_mas.analyse.root_cause.values import values_in
from otel_mas.analyse.state.values import is_message
from otel_mas.model import Span
from otel_mas.semconv import LinkKind

_MOST_KEPT = 100
"""Tasks of which the text that they read is kept: long histories are read again and again."""
_MOST_TEXT = 50_000
"""Characters of what one task read that are looked at."""


class Written(NamedTuple):
    """A labelled value that a task, or a call in it, wrote."""

    task: Span
    end_ns: int
    one: Labelled
    digest: str | None
    """Digest of the message or the value of the state that has it; None for the result of a tool."""
    field: bool
    """Whether it is a field of the state, and not part of a text."""


class TaskFlow:
    """Texts and values that tasks read and wrote, each worked out when it is asked for. Made by `facts.once(TaskFlow)`.

    A task reads what the models and tools called in it are given; what its own code reads of the state is not recorded.
    """

    def __init__(self, facts: RunFacts) -> None:
        self._facts = facts
        self._labelled: dict[str, Sequence[Labelled]] = {}
        self._by_name: dict[str, dict[str, list[Labelled]]] = {}
        self._reads: dict[str, str] = {}

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
            if len(self._reads) >= _MOST_KEPT:
                self._reads.clear()
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

    def by_name(self, digest: str) -> Mapping[str, Sequence[Labelled]]:
        """The same by the first of their topics under which anything was written; not those without any."""
        found = self._by_name.get(digest)
        if found is None:
            found = self._by_name[digest] = {}
            for one in self.labelled(digest):
                name = next((name for name in one.topics if name in self.written), None)
                if name is not None:
                    found.setdefault(name, []).append(one)
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

    def follows(self, task: Span, other: Span) -> bool:
        """Whether a task follows from another one, directly or not, or is inside of it."""
        return self._facts.graph.ancestry.follows(task.span_id, other.span_id)

    def caused_by(self, task: Span, other: Span) -> bool:
        """Whether a task follows from another one, or from one that this is inside of.

        A called task also follows from those whose results its caller had.
        """
        return self._facts.graph.ancestry.caused_by(task.span_id, other.span_id) or self._returned_before(task, other)

    def _returned_before(self, task: Span, other: Span) -> bool:
        """Whether a task, or one around it, was called by the caller of another one, and returned before that began."""
        callers = {link.span_id for link in task.links if link.kind == LinkKind.CALL}
        at: Span | None = other if callers else None
        while at is not None:
            if at.last_ns <= task.start_ns and any(
                link.kind == LinkKind.CALL and link.span_id in callers for link in at.links
            ):
                return True
            at = self._facts.parent(at)
        return False


def _holds_messages(value: object) -> bool:
    return is_message(value) or (isinstance(value, list) and any(map(is_message, value)))


__all__ = ["TaskFlow", "Written"]
