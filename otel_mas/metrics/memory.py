"""Memory of the rules, of spans that have ended, within bounds: the oldest is forgotten first."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """A mapping that holds the newest entries."""

    __slots__ = ("_entries", "_most", "get", "pop")

    def __init__(self, most: int) -> None:
        self._entries: dict[K, V] = {}
        self._most = most
        self.get = self._entries.get
        self.pop = self._entries.pop

    def put(self, key: K, value: V) -> V | None:
        """Keep an entry; forget the oldest one where there is no room, and return it."""
        entries = self._entries
        oldest = entries.pop(next(iter(entries))) if len(entries) >= self._most and key not in entries else None
        entries[key] = value
        return oldest


class Seen(NamedTuple):
    """A span that has ended, as a cause of others."""

    actor: str
    end_ns: int
    error: str | None
    is_agent: bool


class Asked(NamedTuple):
    """A question to a person."""

    task: str | None
    end_ns: int
    """The time at which its task paused, ns since the epoch."""


class Expected(NamedTuple):
    """An effect that ended before its cause."""

    kind: str
    actor: str


@dataclass(slots=True)
class Inside(Generic[V]):
    """The calls within a span that has not ended yet."""

    model_calls: int = 0
    tool_calls: int = 0
    tokens: int | None = None
    """None where no call has them."""
    usd: float | None = None
    """None where no call has a price."""
    waiting: list[V] = field(default_factory=list)
    """Measurements of those calls of which the agent is not known yet: the nearest one around them."""

    def add(self, other: Inside[V]) -> None:
        """Add what another one has."""
        self.model_calls += other.model_calls
        self.tool_calls += other.tool_calls
        if other.tokens is not None:
            self.tokens = other.tokens + (self.tokens or 0)
        if other.usd is not None:
            self.usd = other.usd + (self.usd or 0.0)
        self.waiting += other.waiting


__all__ = ["Asked", "Bounded", "Expected", "Inside", "Seen"]
