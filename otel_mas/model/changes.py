"""Spans that a source has got since one looked last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from otel_mas.model.span import Span


class ContentProgress(NamedTuple):
    """Number of contents that a process has recorded; they are stored in this order, later than their spans."""

    recorded: int = 0
    done: int = 0
    """Those, the first ones, that are stored or given up."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Spans that have begun or ended, of any number of traces."""

    opened: tuple[Span, ...]
    """Spans that are newly open. One that ended at once is only among `ended`."""
    ended: tuple[Span, ...]
    """In the order in which they were stored."""
    running: frozenset[str]
    """Traces with an open span of a process that is alive."""
    stopped: frozenset[str]
    """Traces with an open span of a process that is not."""
    contents: Mapping[str, ContentProgress] = field(default_factory=dict)
    """By `mas.instance.id`, of the processes that are alive."""
    cursor: str = ""
    """Position in the log after these: to go on from there, also in another process."""
    more: bool = False
    """Whether further ones can be had at once."""
    lost: bool = False
    """Whether spans after the position that was given had been deleted before they were read."""


__all__ = ["Changes", "ContentProgress"]
