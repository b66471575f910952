"""The record of every case is its truth: each span, each cause, each ending and each decision, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.semconv import attributes as names
from tests.accuracy.cases import CASES, Case
from tests.accuracy.cases.case import LANGGRAPH, MODES, Way, astreamed, combinations, matrix, streamed
from tests.accuracy.cases.truth import differences

BY_NAME = {case.name: case for case in CASES}
# One of each kind of structure, for what concerns all of them.
KINDS = (
    "nested_three_deep",
    "several_senders",
    "retried_until_it_succeeds",
    "tasks_called_by_a_node",
    "join_in_a_loop",
)
SAVED = ("retried_then_paused", "with_a_checkpointer_of_its_own", "with_a_memory_of_its_own")
STREAMING = (streamed, astreamed)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    whole = metafunc.config.getoption("--whole")
    if metafunc.function is test_what_is_recorded_is_what_is_true:
        metafunc.parametrize(("case", "way"), matrix(CASES, whole=whole))
    elif metafunc.function is test_the_mode_of_a_stream_changes_nothing:
        rows = combinations(KINDS, STREAMING, MODES, (True, False), whole=whole)
        metafunc.parametrize(("name", "streaming", "mode", "subgraphs"), rows)
    elif metafunc.function is test_when_checkpoints_are_saved_changes_nothing:
        rows = combinations(SAVED, STREAMING, ("exit", "async", "sync"), whole=whole)
        metafunc.parametrize(("name", "streaming", "durability"), rows)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One store for all cases: each has a thread of its own."""
    path = tmp_path_factory.mktemp("cases") / "runs.db"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_MAS_STRICT", "1")
        otel_mas.instrument(store=str(path))
    yield path
    otel_mas.shutdown(30)


def recorded(case: Case, way: Way, store: Path) -> Any:
    """The graph of what was recorded of a case."""
    thread = case.execute(way)
    assert otel_mas.flush(30)
    with otel_mas.open(store) as source:
        return source.conversation(thread).graph()


def test_what_is_recorded_is_what_is_true(case: Case, way: Way, store: Path) -> None:
    graph = recorded(case, way, store)
    assert "\n".join(differences(case.truth, graph)) == ""
    assert graph.problems == ()
    assert {edge.provenance for edge in graph.edges} <= {"recorded"}


def test_the_mode_of_a_stream_changes_nothing(
    name: str, streaming: Any, mode: str, subgraphs: bool, store: Path
) -> None:
    case = BY_NAME[name]
    graph = recorded(case, streaming(mode, subgraphs=subgraphs), store)
    assert "\n".join(differences(case.truth, graph)) == ""


def test_when_checkpoints_are_saved_changes_nothing(name: str, streaming: Any, durability: str, store: Path) -> None:
    case = BY_NAME[name]
    graph = recorded(case, streaming(durability=durability), store)
    assert "\n".join(differences(case.truth, graph)) == ""


@pytest.mark.parametrize("way", [streamed(), astreamed()], ids=["stream", "astream"])
def test_attempts_are_numbered_where_a_policy_applies_and_nowhere_else(way: Way, store: Path) -> None:
    graph = recorded(BY_NAME["retried_until_it_succeeds"], way, store)
    tasks = [span for span in graph.spans if span.task_id is not None]
    assert [(span.get(names.MAS_TASK_NAME), span.get(names.MAS_TASK_ATTEMPT)) for span in tasks] == [
        ("plan", None),
        *[("flaky", attempt) for attempt in (1, 2, 3)],
        ("publish", None),
    ]


def test_an_attempt_ends_when_it_fails_not_when_the_next_one_begins(store: Path) -> None:
    graph = recorded(BY_NAME["retried_after_a_while"], streamed(), store)
    first, second = [span for span in graph.spans if span.task_id is not None]
    assert second.start_ns - first.end_ns >= 100_000_000  # the policy's interval


@pytest.mark.skipif(LANGGRAPH < (1, 2), reason="nodes have timeouts from LangGraph 1.2 on")
def test_an_attempt_that_timed_out_says_so_and_ends_when_it_was_stopped(store: Path) -> None:
    graph = recorded(BY_NAME["timed_out_then_retried"], astreamed(), store)
    first = next(span for span in graph.spans if span.task_id is not None)
    assert first.get(names.ERROR_TYPE) == "langgraph.errors.NodeTimeoutError"
    second = next(span for span in graph.spans if span.get(names.MAS_TASK_ATTEMPT) == 2)
    assert second.start_ns - first.end_ns >= 40_000_000  # the policy's interval is 50 ms
