"""Precision and recall of detectors on generated runs, each of which is known to have its condition or not."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import otel_mas
from otel_mas.api import Source
from tests.accuracy.generated import coordination, models, timed, tools, values
from tests.accuracy.generated.family import Family

SEEDS = range(20)
FAMILIES: Sequence[Family] = (
    *coordination.FAMILIES,
    *values.FAMILIES,
    *tools.FAMILIES,
    *models.FAMILIES,
    *timed.FAMILIES,
)


@dataclass(frozen=True)
class GeneratedRun:
    """A run with the codes of its findings."""

    family: Family
    thread: str
    holds: bool
    codes: frozenset[str]

    @property
    def strange(self) -> frozenset[str]:
        """Codes that are wrong here."""
        return self.codes - self.family.also - ({self.family.code} if self.holds else set())


@dataclass(frozen=True)
class Quality:
    """How a detector did.

    Args:
        positive: runs that have its condition.
        negative: runs that nearly have it.
        found: of the positive ones, in which it found something.
        wrong: runs without its condition, of any family, in which it did.
    """

    code: str
    positive: int
    negative: int
    found: int
    wrong: int

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.wrong) if self.found + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.positive


def record(folder: Path, *, seeds: Iterable[int] = SEEDS, families: Sequence[Family] = FAMILIES) -> None:
    """Record them into `runs.db` and `records.jsonl`, with their threads in `threads.json`."""
    with patch.dict(os.environ, OTEL_MAS_INPUT_TIMEOUT=coordination.INPUT_TIMEOUT):
        otel_mas.instrument(store=str(folder / "runs.db"), content="redacted")
    threads: list[tuple[int, str, bool]] = []
    try:
        for seed in seeds:
            for number, family in enumerate(families):
                threads += ((number, family.record(seed, folder, holds=holds), holds) for holds in (True, False))
            otel_mas.flush(30)
    finally:
        otel_mas.shutdown(60)
    (folder / "threads.json").write_text(json.dumps(threads))


def examine(folder: Path, *, families: Sequence[Family] = FAMILIES) -> Sequence[GeneratedRun]:
    """Findings about every run that was recorded there."""
    records = folder / "records.jsonl"
    given = {record.conversation_id for record in otel_mas.read_records(records)} if records.exists() else set()
    with ExitStack() as opened:
        stored = opened.enter_context(otel_mas.open(folder / "runs.db"))
        other = opened.enter_context(otel_mas.open(records)) if given else stored
        return [
            _examined(other if thread in given else stored, families[number], thread, holds)
            for number, thread, holds in json.loads((folder / "threads.json").read_text())
        ]


def _examined(source: Source, family: Family, thread: str, holds: bool) -> GeneratedRun:
    found = source.conversation(thread).findings(thresholds=family.thresholds)
    return GeneratedRun(family, thread, holds, frozenset(one.code for one in found))


def quality(runs: Sequence[GeneratedRun]) -> Sequence[Quality]:
    """Quality of each detector that a family is for, by code."""
    by_code: Mapping[str, list[GeneratedRun]] = defaultdict(list)
    for run in runs:
        by_code[run.family.code].append(run)
    return [
        Quality(
            code,
            positive=sum(run.holds for run in own),
            negative=sum(not run.holds for run in own),
            found=sum(run.holds and code in run.codes for run in own),
            wrong=sum(code in run.strange for run in runs),
        )
        for code, own in sorted(by_code.items())
    ]


def failures(runs: Sequence[GeneratedRun]) -> Iterator[str]:
    """What was missed, and what was found wrongly."""
    for run in runs:
        if run.holds and run.family.code not in run.codes:
            yield f"{run.thread}: missed"
        yield from (f"{run.thread}: {code} is wrong" for code in sorted(run.strange))


__all__ = ["FAMILIES", "SEEDS", "GeneratedRun", "Quality", "examine", "failures", "quality", "record"]
