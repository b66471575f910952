"""Texts that a task read which nobody in the run wrote as such: prompts that its own code put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.model import Span

_LONGEST = 20_000
"""Characters of a text that are looked at."""


def composed_prompts(facts: RunFacts) -> Iterator[tuple[Span, Sequence[str]]]:
    """Tasks in start order, each with the distinct texts of messages that its models read and no span here wrote."""
    found: dict[str, tuple[Span, dict[str, None]]] = {}
    for call in facts.model_calls:
        task = facts.task(call)
        if task is not None:
            _, digests = found.setdefault(task.span_id, (task, {}))
            digests.update(dict.fromkeys(digest for digest in facts.read(call) if digest not in facts.writers))
    for task, digests in sorted(found.values(), key=lambda item: item[0].start_ns):
        texts = [text[:_LONGEST] for digest in digests if (text := facts.text(digest))]
        if texts:
            yield task, texts


def scalars(value: object, label: str = "") -> Iterator[tuple[str, object]]:
    """The fields in a value by their name, however deep; a value alone under the label that is given."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from scalars(one, str(name))
    elif isinstance(value, list | tuple) and value:
        for one in value:
            yield from scalars(one, label)
    elif label:
        yield label, value


__all__ = ["composed_prompts", "scalars"]
