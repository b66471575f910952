"""Runs of all topologies, each with one injected fault by its seed, and clean ones, recorded into a store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import otel_mas
from otel_mas.faults import FaultKind, inject
from tests.accuracy.topologies import TOPOLOGIES, App, build

SEEDS = 50
CLEAN = 200
LATE = frozenset({"message_delayed", "tool_hang", "model_slow", "lock_held", "resource_starved"})
"""Kinds that make a run late, and change no answer."""
ON_THE_WAY = frozenset(kind for kind in FaultKind if kind.startswith("message_") or kind == FaultKind.FIELD_FORGOTTEN)
"""Kinds that change what arrives at a reader; the same run is recorded without the fault as well."""
_THREAD = "thread_id"


@dataclass(frozen=True)
class InjectedRun:
    """A run as it is known: what was injected, where it departs from what it should have been, how it ended."""

    topology: str
    seed: int
    thread: str
    fault: str | None
    true_cause: str | None
    fired: int
    outcome: str
    """ok, wrong (its answer is not the expected one) or error (it raised)."""
    answer: str

    @property
    def kind(self) -> str | None:
        """The kind of the fault."""
        return None if self.fault is None else self.fault.partition(":")[0]


def record(folder: Path, *, seeds: range = range(SEEDS), clean: int = CLEAN) -> None:
    """Record them into `runs.db`, with `runs.json` beside it: a fault by each seed, and so many clean runs."""
    otel_mas.instrument(store=str(folder / "runs.db"), content="redacted")
    try:
        runs = [*_injected(seeds), *_clean(clean)]
    finally:
        otel_mas.shutdown(60)
    (folder / "runs.json").write_text(json.dumps([asdict(run) for run in runs], indent=1))


def read(folder: Path) -> list[InjectedRun]:
    """The runs that were recorded."""
    return [InjectedRun(**one) for one in json.loads((folder / "runs.json").read_text())]


def _injected(seeds: range) -> Iterator[InjectedRun]:
    for topology in TOPOLOGIES:
        for seed in seeds:
            app = build(topology, seed)
            faults = sorted(app.faults(), key=lambda one: Random(f"{topology} {one}").random())
            fault = faults[seed % len(faults)]
            with inject(fault, seed=seed) as injection:
                outcome, answer = _run(app, f"{topology}-{seed}")
            yield InjectedRun(
                topology,
                seed,
                f"{topology}-{seed}",
                str(fault),
                app.true_cause(fault),
                injection.fired[fault],
                outcome,
                answer,
            )
            if fault.kind in ON_THE_WAY:
                _run(build(topology, seed), plain(f"{topology}-{seed}"))
            otel_mas.flush(30)


def plain(thread: str) -> str:
    """The thread of the same run without the fault."""
    return f"{thread}-plain"


def _clean(runs: int) -> Iterator[InjectedRun]:
    for number in range(runs):
        topology, seed = TOPOLOGIES[number % len(TOPOLOGIES)], SEEDS + number
        thread = f"clean-{topology}-{seed}"
        outcome, answer = _run(build(topology, seed, clean=True), thread)
        yield InjectedRun(topology, seed, thread, None, None, 0, outcome, answer)


def _run(app: App, thread: str) -> tuple[str, str]:
    app.config.setdefault("configurable", {})[_THREAD] = thread
    try:
        answer = app.run()
    except Exception as error:
        return "error", repr(error)
    return "ok" if answer == app.expected else "wrong", answer


__all__ = ["CLEAN", "LATE", "ON_THE_WAY", "SEEDS", "InjectedRun", "plain", "read", "record"]
