"""Values of a state that do work when they are looked at: nothing of theirs is called to record them."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

import otel_mas

asked: list[str] = []


class Remote:
    """As of a library for remote objects: each attribute is a request."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        asked.append(name)
        return lambda *args: 1


class Query:
    """As of a library for databases."""

    def __len__(self) -> int:
        asked.append("count")
        return 3

    def __iter__(self) -> Iterator[int]:
        asked.append("select")
        return iter((1, 2, 3))


class Shelf(MutableMapping[str, str]):
    """As of a file that is read key by key."""

    def __getitem__(self, key: str) -> str:
        asked.append(key)
        return key

    def __iter__(self) -> Iterator[str]:
        asked.append("keys")
        return iter(("a", "b"))

    def __len__(self) -> int:
        asked.append("count")
        return 2

    def __setitem__(self, key: str, value: str) -> None: ...

    def __delitem__(self, key: str) -> None: ...


class Held(TypedDict, total=False):
    given: Any
    kept: Any


@pytest.mark.parametrize("value", [Remote(), Query(), Shelf()])
def test_no_code_of_a_value_in_the_state_runs(value: Any, recorded: Path) -> None:
    asked.clear()
    graph = StateGraph(Held)
    graph.add_node("keep", lambda state: {"kept": state["given"]})
    graph.add_edge(START, "keep")
    graph.compile().invoke({"given": value})
    otel_mas.flush()
    with otel_mas.open(recorded) as source:
        assert [span.name for span in source.latest().spans] == ["invoke_workflow LangGraph", "task keep"]
    assert asked == []
