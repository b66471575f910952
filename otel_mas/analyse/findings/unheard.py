"""Messages to all of which no model read anything, though one read what others wrote beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.analyse.findings.named_values import read_by_name
from otel_mas.analyse.root_cause.passages import is_none, labelled_texts
from otel_mas.analyse.state.values import is_message
from otel_mas.model import Span

_MOST = 500
"""Messages that are looked at."""


class StateMessage(NamedTuple):
    """A message with labelled values that a task wrote to a channel of the state."""

    task: Span
    channel: str
    text: str
    pairs: frozenset[tuple[str, str]]

    @property
    def labels(self) -> set[str]:
        """Their labels."""
        return {label for label, _ in self.pairs}


def unheard(facts: RunFacts) -> Sequence[tuple[StateMessage, Span, str]]:
    """Each such message, the first task that read others of its channel after it, and one of its labels."""
    return facts.once(_unheard)


def _unheard(facts: RunFacts) -> Sequence[tuple[StateMessage, Span, str]]:
    messages = list(_state_messages(facts))[:_MOST]
    read = read_by_name(facts) if len(messages) > 1 else ()
    if not read:
        return ()
    labels = [(task.start_ns, {label for label, _ in pairs}) for task, pairs in read]
    whole = {facts.text(digest) for digest in facts.readers}
    found = []
    for one in messages:
        later = [names for start_ns, names in labels if start_ns >= one.task.last_ns]
        if one.text not in whole and all(map(one.labels.isdisjoint, later)):
            reader = next((task for task, pairs in read if _reads_others(task, pairs, one, messages)), None)
            if reader is not None:
                found.append((one, reader, min(one.labels)))
    return found


def _state_messages(facts: RunFacts) -> Iterator[StateMessage]:
    for task in facts.tasks:
        for one in facts.state_values(task):
            for item in one.value if isinstance(one.value, list) else [one.value]:
                if is_message(item) and item["role"] == "assistant" and (text := item["text"]):
                    pairs = frozenset((label, value) for label, value in labelled_texts(text) if not is_none(value))
                    if pairs:
                        yield StateMessage(task, one.channel, text, pairs)


def _reads_others(
    reader: Span, pairs: Sequence[tuple[str, str]], one: StateMessage, messages: Sequence[StateMessage]
) -> bool:
    """Whether a later task read what another message of the channel has."""
    return one.task.last_ns <= reader.start_ns and any(
        other.channel == one.channel
        and other.task is not one.task
        and other.task.last_ns <= reader.start_ns
        and not other.pairs.isdisjoint(pairs)
        for other in messages
    )


__all__ = ["StateMessage", "unheard"]
