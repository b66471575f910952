"""Functions of a framework are replaced, and put back only where they are still ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from otel_mas.instrumentation.patches import Hook, HookTable


class Thing:
    def work(self, number: int) -> int:
        return number


@pytest.fixture
def framework() -> Iterator[ModuleType]:
    module = ModuleType("framework_of_a_test")
    module.Thing = type("Thing", (), {"work": Thing.work})  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


def adding(amount: int) -> Callable[[Any], Any]:
    def replacement(original: Any) -> Any:
        def work(self: Any, number: int) -> Any:
            return original(self, number) + amount

        return work

    return replacement


@pytest.fixture
def table(framework: ModuleType) -> HookTable:
    return HookTable("it", [Hook(framework.__name__, "Thing", "work", ("self", "number"), adding(1))], "nothing")


def test_a_replacement_that_is_still_ours_is_taken_off(framework: ModuleType, table: HookTable) -> None:
    table.patch()
    assert framework.Thing().work(1) == 2
    table.unpatch()
    assert framework.Thing.work is Thing.work


def test_a_function_that_another_tool_has_wrapped_since_is_left_alone(framework: ModuleType, table: HookTable) -> None:
    table.patch()
    theirs = framework.Thing.work = adding(10)(framework.Thing.work)
    table.unpatch()
    assert framework.Thing.work is theirs


def test_a_replacement_inside_another_tools_wrapper_is_not_put_there_twice(
    framework: ModuleType, table: HookTable
) -> None:
    table.patch()
    framework.Thing.work = adding(10)(framework.Thing.work)
    table.unpatch()
    table.patch()
    assert framework.Thing().work(0) == 11


def test_once_the_other_tools_wrapper_is_gone_ours_is_taken_off(framework: ModuleType, table: HookTable) -> None:
    table.patch()
    ours = framework.Thing.work
    framework.Thing.work = adding(10)(ours)
    table.unpatch()
    framework.Thing.work = ours
    table.unpatch()
    assert framework.Thing.work is Thing.work


def test_ours_is_put_back_after_the_other_tool_has_restored_the_original(
    framework: ModuleType, table: HookTable
) -> None:
    table.patch()
    framework.Thing.work = adding(10)(framework.Thing.work)
    table.unpatch()
    framework.Thing.work = Thing.work
    table.patch()
    assert framework.Thing().work(0) == 1


APP = """
import functools, operator, sys
from typing import Annotated, TypedDict

import otel_mas
from langchain_core.language_models import FakeListChatModel
from langchain_core.tools import tool
from langgraph.graph import START, StateGraph

class State(TypedDict):
    log: Annotated[list[str], operator.add]

@tool
def look_up(word: str) -> str:
    "It looks up."
    return word

model = FakeListChatModel(responses=["hello"])
builder = StateGraph(State)
builder.add_node("speak", lambda state: {"log": [model.invoke("hi").content, look_up.invoke("w")]})
builder.add_edge(START, "speak")
graph = builder.compile()
calls = []

def wrap(table):
    for owner, name in list(table._replaced):
        inner = getattr(owner, name)
        if not getattr(inner, "theirs", False):
            @functools.wraps(inner)
            def theirs(*args, inner=inner, **kwargs):
                calls.append(1)
                return inner(*args, **kwargs)
            theirs.theirs = True
            setattr(owner, name, theirs)

from otel_mas.instrumentation.install import hook_table

otel_mas.instrument(store=sys.argv[1])
wrap(hook_table("langchain"))
wrap(hook_table("langgraph"))
for store in (None, sys.argv[2]):
    otel_mas.shutdown()
    calls.clear()
    if store is not None:
        otel_mas.instrument(store=store)
    assert graph.invoke({"log": []}) == {"log": ["hello", "w"]}
    assert calls
otel_mas.shutdown()
with otel_mas.open(sys.argv[2]) as source:
    print([span.name for trace in source.traces() for span in source.trace(trace.trace_id).spans])
"""


@pytest.mark.slow
def test_inside_another_tools_wrapper_ours_is_silent_while_off_and_records_once_when_on_again(tmp_path: Path) -> None:
    """Every hook into LangGraph and LangChain is wrapped by somebody else."""
    app = [sys.executable, "-c", APP, str(tmp_path / "off.db"), str(tmp_path / "on.db")]
    ran = subprocess.run(app, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert not (tmp_path / "off.db").exists()
    assert ran.stdout == "['invoke_workflow LangGraph', 'task speak', 'chat', 'execute_tool look_up']\n"
