"""Values that tasks wrote under a name, and prompts that the code of a later task put together, to compare both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.analyse.root_cause.passages import labelled_texts
from otel_mas.model import Span
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names

_LONGEST, _SHORT = 20_000, 200
"""Characters of a text, and of a value with a name, that are looked at."""


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A value that a task wrote under a name, for those that begin up to `until_ns`.

    Later its outer task has ended, and what that one wrote counts instead.
    """

    task: Span
    value: str
    until_ns: int

    def is_for(self, reader: Span) -> bool:
        """Whether a task that begins later, and in another step, could have read it."""
        return self.task.last_ns <= reader.start_ns <= self.until_ns and step_of(self.task) != step_of(reader)


def step_of(task: Span) -> tuple[str | None, object]:
    """A step, the same for tasks of which none can read what another one wrote: LangGraph applies writes after a step.

    Called tasks are each of its own: their caller passes on what they return.
    """
    step = task.columns.get(names.MAS_TASK_STEP)
    called = any(link.kind == LinkKind.CALL for link in task.links)
    return task.parent_span_id, task.span_id if step is None or called else step


def composed_prompts(facts: RunFacts) -> Sequence[tuple[Span, Sequence[str]]]:
    """Tasks in start order, each with the distinct texts of messages that its models read and no span here wrote."""
    return facts.once(_composed_prompts)


def named_values(facts: RunFacts) -> Mapping[str, Sequence[NamedValue]]:
    """Values that tasks wrote, by their name, in the order in which the tasks ended."""
    return facts.once(_named_values)


def read_by_name(facts: RunFacts) -> Sequence[tuple[Span, Sequence[tuple[str, str]]]]:
    """Names and values in composed prompts, by the task that read them."""
    return facts.once(_read_by_name)


def _read_by_name(facts: RunFacts) -> Sequence[tuple[Span, Sequence[tuple[str, str]]]]:
    known: dict[str, Sequence[tuple[str, str]]] = {}  # a history is read again in each turn
    read = []
    for task, texts in composed_prompts(facts):
        known.update((text, tuple(labelled_texts(text))) for text in texts if text not in known)
        read.append((task, [pair for text in texts for pair in known[text]]))
    return [(task, pairs) for task, pairs in read if pairs]


def _composed_prompts(facts: RunFacts) -> Sequence[tuple[Span, Sequence[str]]]:
    found: dict[str, tuple[Span, dict[str, None]]] = {}
    for call in facts.model_calls:
        task = facts.task(call)
        if task is not None:
            _, digests = found.setdefault(task.span_id, (task, {}))
            digests.update(dict.fromkeys(digest for digest in facts.read(call) if digest not in facts.writers))
    return [
        (task, [text[:_LONGEST] for digest in digests if (text := facts.text(digest))])
        for task, digests in sorted(found.values(), key=lambda item: item[0].start_ns)
    ]


def _named_values(facts: RunFacts) -> Mapping[str, Sequence[NamedValue]]:
    by_task = {task.span_id: dict(named_by(facts, task)) for task in facts.tasks}
    found: dict[str, list[NamedValue]] = defaultdict(list)
    for task in sorted(facts.tasks, key=lambda task: task.last_ns):
        above = facts.parent(task)
        outer = None if above is None else facts.task(above)
        for label, value in by_task[task.span_id].items():
            kept = outer is None or by_task[outer.span_id].get(label) == value
            found[label].append(NamedValue(task, value, facts.now_ns if kept or outer is None else outer.last_ns))
    return found


def named_by(facts: RunFacts, task: Span) -> Iterator[tuple[str, str]]:
    """Names and values that a task wrote: to the state, as its result, and in texts."""
    values = [(one.channel, one.value) for one in facts.state_values(task) if one.missing is None]
    result = facts.value(task, names.MAS_TASK_RESULT)
    for text in facts.outputs(task):
        if len(text) <= _LONGEST:
            yield from labelled_texts(text)
    for name, value in (pair for channel, one in (*values, ("", result)) for pair in _scalars(one, channel)):
        if not isinstance(value, str) or len(value) <= _SHORT:
            yield from labelled_texts(f"{name}: {'' if value is None else value}")


def _scalars(value: object, label: str = "") -> Iterator[tuple[str, object]]:
    """The fields in a value by their name, however deep; a value alone under the label that is given."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _scalars(one, str(name))
    elif isinstance(value, list | tuple) and value:
        for one in value:
            yield from _scalars(one, label)
    elif label:
        yield label, value


__all__ = ["NamedValue", "composed_prompts", "named_by", "named_values", "read_by_name", "step_of"]
