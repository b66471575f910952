"""Edges other than parentage, as parallel lists, each with how it is known."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

RECORDED = "recorded"
METADATA = "metadata"
INFERRED = "inferred"

NONE = -1
"""No edge: the end of a list of edges."""


class Possible(NamedTuple):
    """A span that may have caused another one, both by number."""

    cause: int
    effect: int
    kind: str
    probability: float


@dataclass(slots=True)
class Links:
    """Edges other than `child`, as parallel lists. A negative cause is external: -1 is `externals[0]`, and so on."""

    spans: int
    cause: array[int] = field(default_factory=lambda: array("q"))
    effect: array[int] = field(default_factory=lambda: array("q"))
    kind: list[str] = field(default_factory=list)
    provenance: list[str] = field(default_factory=list)
    externals: list[str] = field(default_factory=list)
    probabilities: dict[int, float] = field(default_factory=dict)
    """By edge, of those that are inferred and for which it is known how often their like is right."""
    possible: list[Possible] = field(default_factory=list)
    """Causes that are less likely than not. Nothing follows these; they are no edges."""
    first: array[int] = field(init=False)
    """The first edge into each span, or `NONE`."""
    following: array[int] = field(default_factory=lambda: array("q"))
    """For each edge the next one into the same span, or `NONE`."""
    _of: int = NONE
    _last: int = NONE
    _known: set[tuple[int, str]] | None = None
    _external: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.first = array("q", [NONE]) * self.spans

    def add(self, cause: int, effect: int, kind: str, provenance: str, probability: float | None = None) -> None:
        """Add an edge; an edge that exists stays as it is, so add recorded links first."""
        if self._of != effect:  # edges come effect by effect, so to know those of one is enough
            self._of, self._last, self._known = effect, self.first[effect], None
            while self._last != NONE and self.following[self._last] != NONE:
                self._last = self.following[self._last]
        number = len(self.cause)
        if self._last == NONE:
            self.first[effect] = number
        else:
            if self._known is None:
                self._known = {(self.cause[edge], self.kind[edge]) for edge in self.into(effect)}
            if (cause, kind) in self._known:
                return
            self._known.add((cause, kind))
            self.following[self._last] = number
        self._last = number
        self.following.append(NONE)
        self.cause.append(cause)
        self.effect.append(effect)
        self.kind.append(kind)
        self.provenance.append(provenance)
        if probability is not None:
            self.probabilities[number] = probability

    def into(self, effect: int) -> Iterator[int]:
        """The edges that lead to a span, in the order in which they were added."""
        edge = self.first[effect]
        while edge != NONE:
            yield edge
            edge = self.following[edge]

    def outside(self, span_id: str) -> int:
        """The number of an external node."""
        if span_id not in self._external:
            self.externals.append(span_id)
            self._external[span_id] = -len(self.externals)
        return self._external[span_id]

    def has(self, effect: int, kind: str) -> bool:
        return any(self.kind[edge] == kind for edge in self.into(effect))
