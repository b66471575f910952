"""Families of runs of real apps, in each of which a condition holds or nearly holds, by a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any


@dataclass(frozen=True)
class Setting:
    """What a run is made of.

    Args:
        random: all that varies comes from it.
        thread: the thread to run in.
        holds: whether the condition holds; else it nearly does.
        folder: for files of the run.
    """

    random: Random
    thread: str
    holds: bool
    folder: Path

    @property
    def config(self) -> Any:
        """Config of a graph's run."""
        return {"configurable": {"thread_id": self.thread}}

    @property
    def records(self) -> Path:
        """The file of trace records, for runs that are given as such."""
        return self.folder / "records.jsonl"


Run = Callable[[Setting], None]


@dataclass(frozen=True)
class Family:
    """Runs for one kind of finding.

    Args:
        code: the kind.
        holds: the condition, in words for the docs.
        nearly: what it nearly is in the other runs, in words for the docs.
        runs: apps, each of which may be run either way; seeds go round.
        thresholds: that are not the default.
        also: other kinds that may be found, rightly, since they are other views of the same condition.
    """

    code: str
    holds: str
    nearly: str
    runs: Sequence[Run]
    thresholds: Mapping[str, float] = field(default_factory=dict)
    also: frozenset[str] = frozenset()

    def record(self, seed: int, folder: Path, *, holds: bool) -> str:
        """Run the app of a seed; its thread."""
        run = self.runs[seed % len(self.runs)]
        thread = f"{self.code}-{run.__name__.strip('_')}-{'holds' if holds else 'nearly'}-{seed}"
        run(Setting(Random(thread), thread, holds, folder))
        return thread


__all__ = ["Family", "Run", "Setting"]
