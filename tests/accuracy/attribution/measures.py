"""How near rankings of steps come to the labels: first, among the first three, and by reciprocal rank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import otel_mas
from otel_mas.analyse.root_cause import Complaint
from tests.accuracy.attribution.transcripts import Case, number_of, records

Ranking = Sequence[int]


@dataclass(frozen=True)
class Score:
    """Shares of the cases, 0 to 1."""

    top_1: float
    top_3: float
    mrr: float


def our_ranking(case: Case, folder: Path) -> list[int]:
    """Steps as the program ranks them: from a file of records, opened as anybody would, and marked as wrong."""
    path = folder / f"{case.name.replace('/', '-')}.jsonl"
    path.write_bytes(b"".join(_line(record) for record in records(case)))
    with otel_mas.open(str(path)) as source:
        trace = source.latest()
        return [number_of(trace.span(cause.span)) for cause in trace.root_cause(complaint=Complaint())]


def _line(record: otel_mas.TraceRecord) -> bytes:
    text: Any = record.to_json()
    return (text if isinstance(text, bytes) else text.encode()) + b"\n"


def of_steps(cases: Sequence[Case], rankings: Sequence[Ranking]) -> Score:
    """The step that is labelled as the cause."""
    return _score([_place(ranking, case.step) for case, ranking in zip(cases, rankings, strict=True)])


def of_failures(cases: Sequence[Case], rankings: Sequence[Ranking]) -> Score:
    """Any step that is labelled as a failure."""
    places = ([_place(ranking, step) for step in case.failures] for case, ranking in zip(cases, rankings, strict=True))
    return _score([min((place for place in found if place is not None), default=None) for found in places])


def of_agents(cases: Sequence[Case], rankings: Sequence[Ranking]) -> Score:
    """The agent that is labelled: agents in the order of their best steps."""
    ordered = (
        list(dict.fromkeys(case.steps[step].agent for step in ranking))
        for case, ranking in zip(cases, rankings, strict=True)
    )
    return _score([_place(agents, case.agent) for case, agents in zip(cases, ordered, strict=True)])


def mean(scores: Sequence[Score]) -> Score:
    """Mean over several seeds."""
    number = len(scores)
    return Score(
        sum(score.top_1 for score in scores) / number,
        sum(score.top_3 for score in scores) / number,
        sum(score.mrr for score in scores) / number,
    )


def first_turn(case: Case) -> list[int]:
    return list(range(len(case.steps)))


def second_turn(case: Case) -> list[int]:
    """The second, then the others in their order."""
    return sorted(range(len(case.steps)), key=lambda step: (step != min(1, len(case.steps) - 1), step))


def last_turn(case: Case) -> list[int]:
    return list(reversed(range(len(case.steps))))


def before_first_error(case: Case) -> list[int]:
    """The turn before the first failed call, then the others in their order."""
    failed = next((number for number, step in enumerate(case.steps) if step.failed), 1)
    return sorted(range(len(case.steps)), key=lambda step: (step != failed - 1, step))


TRIVIAL: dict[str, Callable[[Case], list[int]]] = {
    "always the first turn": first_turn,
    "always the second turn": second_turn,
    "always the last turn": last_turn,
    "turn before the first failed call": before_first_error,
}


def by_changes(cases: Sequence[Case]) -> dict[str, list[list[int]]]:
    """Rankings by the first and by the last call that changes the shop's database."""
    verbs = ("calls modify_", "calls cancel_", "calls return_", "calls exchange_")
    found = [[number for number, step in enumerate(case.steps) if step.text.startswith(verbs)] for case in cases]
    return {
        "first call that changes the database": found,
        "last call that changes the database": [list(reversed(steps)) for steps in found],
    }


def at_random(case_sizes: Sequence[int]) -> Score:
    """Expected score of a random order of so many candidates in each case, one of which is right."""
    return Score(
        _mean([1 / size for size in case_sizes]),
        _mean([min(3, size) / size for size in case_sizes]),
        _mean([sum(1 / place for place in range(1, size + 1)) / size for size in case_sizes]),
    )


def _place(ranking: Sequence[Any], wanted: Any) -> int | None:
    return ranking.index(wanted) if wanted in ranking else None


def _score(places: Sequence[int | None]) -> Score:
    return Score(
        _mean([place == 0 for place in places]),
        _mean([place is not None and place < 3 for place in places]),
        _mean([0.0 if place is None else 1 / (place + 1) for place in places]),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
