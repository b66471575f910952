"""Cost of runs by how they ended: what one that succeeded, or whose answer was accepted, costs with all the others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from otel_mas.model import TraceSummary

ALL, ACCEPTED, REJECTED = "all", "accepted", "rejected"


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """A run, and whether its answer was accepted: by feedback, or an evaluation of it; None where nobody judged."""

    summary: TraceSummary
    accepted: bool | None = None


@dataclass(frozen=True, slots=True)
class OutcomeCost:
    """Cost of the runs of one outcome, in US dollars; None where no call has a price.

    Args:
        outcome: a status, `accepted`, `rejected`, or `all`.
        runs: number of them.
        usd: of these runs.
        usd_each: of one of them, the mean.
        usd_per_outcome: of all runs, for each of these: what it costs to get one of them.
        unpriced_calls: model calls among them that no price is known for, and that no sum has.
    """

    outcome: str
    runs: int
    usd: float | None
    usd_each: float | None
    usd_per_outcome: float | None
    unpriced_calls: int


def outcome_costs(runs: Sequence[JudgedRun]) -> list[OutcomeCost]:
    """All runs, then those of each status, the most frequent first, then those that somebody judged."""
    if not runs:
        return []
    everything = _usd(runs)
    statuses: dict[str, list[JudgedRun]] = {}
    for run in runs:
        statuses.setdefault(run.summary.status, []).append(run)
    groups: list[tuple[str, Sequence[JudgedRun]]] = [(ALL, runs)]
    groups += sorted(statuses.items(), key=lambda group: (-len(group[1]), group[0]))
    for name, verdict in ((ACCEPTED, True), (REJECTED, False)):
        if some := [run for run in runs if run.accepted is verdict]:
            groups.append((name, some))
    return [_cost(name, some, everything) for name, some in groups]


def _cost(name: str, runs: Sequence[JudgedRun], everything: float | None) -> OutcomeCost:
    usd, number = _usd(runs), len(runs)
    return OutcomeCost(
        name,
        number,
        usd,
        None if usd is None else usd / number,
        None if everything is None else everything / number,
        sum(run.summary.unpriced_calls for run in runs),
    )


def _usd(runs: Iterable[JudgedRun]) -> float | None:
    prices = [run.summary.cost_usd for run in runs if run.summary.cost_usd is not None]
    return math.fsum(prices) if prices else None


__all__ = ["ACCEPTED", "ALL", "REJECTED", "JudgedRun", "OutcomeCost", "outcome_costs"]
