"""Durations that grow with concurrency, or ends as from a queue, are contention; few or irregular calls are not."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from otel_mas.analyse.findings.resource_contention import resource_contention, spearman
from otel_mas.model import Finding, Severity
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made

MS = 1_000_000
LLM = {names.MAS_RECORD_KIND: "LLM_CALL", names.GEN_AI_OPERATION_NAME: "chat", names.GEN_AI_REQUEST_MODEL: "small"}


def called(times: Sequence[tuple[int, int]], *, model: bool = False, tokens: Sequence[int] = ()) -> list[Finding]:
    """Findings about calls with these starts and durations, in ms."""
    spans = [
        made.span(f"call{i}", at * MS, (at + took) * MS, "run", **LLM, **{names.GEN_AI_USAGE_INPUT_TOKENS: number})
        if model
        else made.tool(f"search{i}", at * MS, (at + took) * MS, "run")
        for i, ((at, took), number) in enumerate(zip(times, tokens or [10] * len(times), strict=True))
    ]
    return list(resource_contention(facts(made.span("run", 0, 10**12), *spans)))


ALONE = [(1_000 * i, 10) for i in range(6)]
PAIRS = [(10_000 + 1_000 * (i // 2) + i % 2, 25 + i) for i in range(8)]


def test_calls_that_take_longer_among_others() -> None:
    (found,) = called([*ALONE, *PAIRS])

    assert (found.severity, found.subject) == (Severity.WARNING, "search")
    assert found.summary == "search takes 28 ms among others and 10 ms alone"
    assert found.saves_ns == 22 * MS
    assert "inferred" in found.rests_on


def test_calls_that_take_as_long_alone_are_none() -> None:
    assert called([*ALONE, *((at, 10 + at % 7) for at, _ in PAIRS)]) == []


def test_too_few_calls_tell_nothing() -> None:
    assert called([*ALONE[:3], *PAIRS[:4]]) == []


def test_calls_that_all_ran_alone_are_none() -> None:
    assert called([(1_000 * i, 10 + 5 * i) for i in range(30)]) == []


@pytest.mark.parametrize(("slots", "words"), [(1, "one at a time"), (2, "2 at a time")])
def test_calls_that_end_as_from_a_queue(slots: int, words: str) -> None:
    (found,) = called([(0, 20 * (i // slots + 1) + i % 3) for i in range(8 * slots)])

    assert found.summary.startswith(f"{8 * slots} calls of search that began together were served {words}, each in 2")
    assert found.saves_ns is not None
    assert 130 * MS < found.saves_ns < 150 * MS


def test_calls_at_once_that_end_when_they_like_are_none() -> None:
    random = Random(7)
    assert sum(bool(called([(0, round(random.lognormvariate(4, 0.8))) for _ in range(12)])) for _ in range(200)) == 0
    assert called([(0, 100 + i % 5) for i in range(20)]) == [], "all at the same time"


def test_models_that_take_longer_for_longer_inputs_are_none() -> None:
    queue = [(0, 20 * (i + 1)) for i in range(8)]
    assert len(called(queue, model=True)) == 1
    assert called(queue, model=True, tokens=[100 * (i + 1) for i in range(8)]) == []


def works(ends: Sequence[int], *, calls: bool = False) -> list[Finding]:
    """Findings about tasks of one node that began together, and ended at these times in ms, or a model call in each."""
    spans = [made.task(f"work{i}", 0, end * MS, "run") for i, end in enumerate(ends)]
    spans += [made.call(f"call{i}", MS, (end - 1) * MS, f"work{i}") for i, end in enumerate(ends) if calls]
    return [one for one in resource_contention(facts(made.span("run", 0, 10**12), *spans)) if one.subject == "work"]


def test_tasks_that_wait_for_a_lock_in_their_node() -> None:
    (found,) = works([50 * (i + 1) for i in range(8)])

    assert found.summary == "8 tasks of work that began together were served one at a time, each in 50 ms"
    assert found.confidence == 0.5
    assert found.advice.startswith("look for what tasks of work share: a lock")


def test_tasks_whose_calls_take_that_long_that_are_quick_or_irregular_wait_for_none() -> None:
    regular = [50 * (i + 1) for i in range(8)]
    assert works(regular, calls=True) == []
    assert works([5 * (i + 1) for i in range(8)]) == []
    assert works(regular[:4]) == []
    assert works([end + 12 * (i % 2) for i, end in enumerate(regular)]) == []
    assert works([400 + i for i in range(8)]) == []


def test_the_rank_correlation_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    random = Random(3)
    for _ in range(20):
        one, other = ([float(random.randrange(6)) for _ in range(15)] for _ in range(2))
        assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic)
    assert spearman([1, 1, 1], [1, 2, 3]) == 0
