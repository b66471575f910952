"""What tasks are sent, called with and return, of which no state knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

from langchain_core.messages import HumanMessage
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Send

import otel_mas

INPUT, RESULT = "mas.task.input", "mas.task.result"


class State(TypedDict, total=False):
    seen: str


def content_of(recorded: Path, task_name: str) -> dict[str, Any]:
    """What was recorded beside the span of the task of a name."""
    otel_mas.flush(30)
    with otel_mas.open(str(recorded)) as source:
        trace = source.latest()
        [span] = [span for span in trace.spans if span.task_name == task_name]
        return dict(trace.contents(span))


def run_call(function: Any, *args: Any, **kwargs: Any) -> None:
    called = task(function)

    @entrypoint()
    def flow(given: Any) -> Any:
        return called(*args, **kwargs).result()

    flow.invoke("start")


def run_send(argument: Any) -> None:
    graph = StateGraph(State)
    graph.add_node("sender", lambda state: {})
    graph.add_node("worker", lambda state: {"seen": "all"})
    graph.add_edge(START, "sender")
    graph.add_conditional_edges("sender", lambda state: [Send("worker", argument)], ["worker"])
    graph.compile().invoke({})


def test_arguments_and_result_of_a_call_are_recorded(recorded: Path) -> None:
    def double(number: int, *, unit: str) -> dict[str, Any]:
        return {"value": 2 * number, "unit": unit}

    run_call(double, 4, unit="km")

    assert content_of(recorded, "double") == {INPUT: {"0": 4, "unit": "km"}, RESULT: {"value": 8, "unit": "km"}}


def test_what_was_sent_is_recorded_of_the_task_that_it_made(recorded: Path) -> None:
    run_send({"district": "Harbour", "share": [1, 2]})

    assert content_of(recorded, "worker")[INPUT] == {"district": "Harbour", "share": [1, 2]}


def test_a_task_that_reads_the_state_has_none(recorded: Path) -> None:
    run_send({"district": "Harbour"})

    assert not {INPUT, RESULT} & content_of(recorded, "sender").keys()


def test_messages_objects_and_long_lists_are_left_out(recorded: Path) -> None:
    run_send({"district": "Harbour", "messages": [HumanMessage("hi")], "many": list(range(101)), "other": object()})

    assert content_of(recorded, "worker")[INPUT] == {"district": "Harbour"}


def test_the_result_is_as_it_was_when_the_task_returned(recorded: Path) -> None:
    kept: list[int] = [1]

    @task
    def give() -> list[int]:
        return kept

    @entrypoint()
    def flow(given: Any) -> int:
        give().result().append(2)
        return len(kept)

    flow.invoke("start")

    assert content_of(recorded, "give")[RESULT] == [1]
