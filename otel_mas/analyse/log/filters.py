"""Selection of entries by agent, tool, model, kind and text."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache

from otel_mas.analyse.log.entry import Entry, EntryKind


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Every field that is set must match.

    `agent` is the name of an agent or of a task, as the one that acts or as the other party; `model` may lack the date
    at the end of a model's name; `text` is found in any case.
    """

    agent: str | None = None
    tool: str | None = None
    model: str | None = None
    kinds: Collection[EntryKind] = ()
    text: str | None = None
    _text: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_text", (self.text or "").casefold())

    def matches(self, entry: Entry) -> bool:
        """Whether an entry is one of those that are asked for."""
        return (
            (not self.kinds or entry.kind in self.kinds)
            and (self.tool is None or entry.tool == self.tool)
            and (self.model is None or (entry.model is not None and _undated(entry.model, self.model)))
            and (self.agent is None or self._is_of_agent(entry))
            and (not self._text or self._text in (entry.text or "").casefold())
        )

    def _is_of_agent(self, entry: Entry) -> bool:
        if entry.agent == self.agent:
            return True
        parties = (entry.task, entry.sender, entry.receiver)
        return any(self.agent in _names(party) for party in parties if party is not None)


def _undated(model: str, asked: str) -> bool:
    return model == asked or (
        model.startswith(asked) and re.fullmatch(r"-\d{4}-?\d\d-?\d\d", model[len(asked) :]) is not None
    )


@lru_cache(maxsize=4096)
def _names(party: str) -> frozenset[str]:
    """Names of the tasks in a label, or in a list of labels: `writer#1/outline#2` has writer and outline."""
    parts = [part for label in party.split(", ") for part in (label, *label.split("/"))]
    return frozenset(name for part in parts for name in (part, part.rpartition("#")[0]) if name)


__all__ = ["EntryFilter"]
