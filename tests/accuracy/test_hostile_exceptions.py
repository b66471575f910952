"""Exceptions whose own code misbehaves: the app gets them as it would unrecorded, and that it failed is recorded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

import otel_mas
from tests.accuracy.explained import Recorded


class State(TypedDict, total=False):
    a: int


class LooksUp(Exception):
    """A common slip: each name is looked up in a dict."""

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["payload"][name]


class Refuses(Exception):
    def __setattr__(self, name: str, value: Any) -> None:
        raise RuntimeError(name)


class Pretends(Exception):
    """Says that it is something else."""

    __class__ = GeneratorExit  # type: ignore[assignment]


class Nameless(Exception):
    __module__ = None  # type: ignore[assignment]


def raising(error: BaseException) -> type[Exception]:
    """An exception whose message cannot be had."""

    class Unprintable(Exception):
        def __str__(self) -> str:
            raise error

        __repr__ = __str__

    return Unprintable


KINDS = {
    "looks up": LooksUp,
    "refuses attributes": Refuses,
    "pretends": Pretends,
    "nameless": Nameless,
    "str: RuntimeError": raising(RuntimeError("no")),
    "str: SystemExit": raising(SystemExit(3)),
    "str: KeyboardInterrupt": raising(KeyboardInterrupt()),
    "str: GeneratorExit": raising(GeneratorExit()),
    "str: BaseException": raising(BaseException()),
}
HOSTILE = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


@pytest.fixture
def look(recorded: Path) -> Callable[[], Recorded]:
    return lambda: Recorded(recorded)


def run(node: Any, **compiled: Any) -> Any:
    built = StateGraph(State)
    built.add_node("work", node)
    built.add_edge(START, "work")
    return built.compile(name="hostile", **compiled)


def failing(kind: type[Exception]) -> Callable[[State], State]:
    def work(state: State) -> State:
        raise kind("why")

    return work


def outcome(kind: type[Exception]) -> type[BaseException] | None:
    """The error that the caller of a graph gets whose node raises it: of some, LangGraph makes another."""
    try:
        run(failing(kind)).invoke({})
    except BaseException as error:
        return type(error)
    return None


@HOSTILE
def test_a_node_that_raises_it_has_failed(
    kind: type[Exception], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bare = outcome(kind)
    otel_mas.instrument(store=str(tmp_path / "runs.db"))
    try:
        assert outcome(kind) is bare
        found = Recorded(tmp_path / "runs.db")
    finally:
        otel_mas.shutdown(30)
    (task,) = (span for span in found.trace.spans if span.name == "task work")
    assert task.status.name == "ERROR"
    assert bare is not None
    assert str(task.get("error.type")).endswith(bare.__qualname__)
    assert found.summary.status == "error"
    assert [record.getMessage() for record in caplog.records if record.name == "otel_mas"] == []


@HOSTILE
def test_a_tool_that_raises_it_has_failed_though_the_node_goes_on(
    kind: type[Exception], look: Callable[[], Recorded], caplog: pytest.LogCaptureFixture
) -> None:
    def work(state: State) -> State:
        with otel_mas.tool("fetch"):
            pass
        try:
            with otel_mas.tool("fetch"):
                raise kind("why")
        except kind:
            return {"a": 1}

    assert run(work).invoke({}) == {"a": 1}
    found = look()
    assert [span.status.name for span in found.kind("TOOL_CALL")] == ["UNSET", "ERROR"]
    assert found.summary.status == "ok"
    assert [record.getMessage() for record in caplog.records if record.name == "otel_mas"] == []


def test_a_langchain_tool_whose_error_cannot_be_looked_into(look: Callable[[], Recorded]) -> None:
    @tool
    def fetch(url: str) -> str:
        """Fetch."""
        raise LooksUp(7)

    def work(state: State) -> State:
        try:
            fetch.invoke({"url": "x"})
        except LooksUp:
            return {"a": 1}
        return {}

    assert run(work).invoke({}) == {"a": 1}
    (call,) = look().kind("TOOL_CALL")
    assert call.status.name == "ERROR"


# -- names that cannot be encoded --------------------------------------------------------------------------------------

HALF = "half \ud83d"  # of an emoji


def test_half_an_emoji_in_a_nodes_name_does_not_cost_the_span_of_the_run(look: Callable[[], Recorded]) -> None:
    """mlflow#24123. LangGraph itself fails with the name, recorded or not."""
    built = StateGraph(State)
    built.add_node("first", lambda state: {"a": 1})
    built.add_node(HALF, lambda state: {"a": 2})
    built.add_edge(START, "first")
    built.add_edge("first", HALF)
    with pytest.raises(UnicodeEncodeError):
        built.compile(name="half", checkpointer=InMemorySaver()).invoke({"a": 0}, {"configurable": {"thread_id": "1"}})
    found = look()
    assert found.summary.status == "error"
    assert found.summary.name == "invoke_workflow half"


def test_a_span_keeps_all_of_its_attributes_but_what_cannot_be_encoded(look: Callable[[], Recorded]) -> None:
    @otel_mas.agent(name=HALF)
    def act() -> None:
        from opentelemetry import trace

        span = trace.get_current_span()
        span.set_attribute("mas.task.triggers", [HALF, "b"])
        span.set_attribute("mas.routing.choice", (HALF,))
        span.set_attribute(HALF, "kept")
        span.set_attribute("text", HALF)
        span.add_event(HALF, {HALF: HALF})

    act()
    (span,) = look().trace.spans
    assert span.name == "invoke_agent half ?"
    assert span.get("mas.task.triggers") == ("half ?", "b")
    assert span.get("half ?") == "kept"
    assert span.get("text") == "half ?"
    assert span.events[0].name == "half ?"
