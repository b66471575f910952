"""The failure that each built-in alert is about, as runs that are really recorded, for the pages in deploy/runbooks."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

import otel_mas
from tests.accuracy.scripted import says


class State(TypedDict, total=False):
    done: Annotated[list[str], operator.add]
    answer: str


@dataclass(frozen=True)
class Failure:
    """What the words in capitals on a page stand for, and a word that its commands have to find."""

    culprit: str
    stands_for: dict[str, str] = field(default_factory=dict)


Recording = Callable[[], Iterator[Failure]]


def run(*nodes: tuple[str, Any], name: str = "newsroom", times: int = 1, **options: Any) -> None:
    """Run nodes in a row. What they raise is theirs."""
    builder = StateGraph(State)
    names = [node for node, _ in nodes]
    for node, function in nodes:
        builder.add_node(node, function)
    for one, following in zip([START, *names], [*names, END], strict=True):
        builder.add_edge(one, following)
    app = builder.compile(name=name, **options)
    for number in range(times):
        with suppress(ConnectionError):
            app.invoke({"done": []}, {"configurable": {"thread_id": str(number)}})


def quiet(state: State) -> State:
    return {"done": ["x"]}


def failing_task() -> Iterator[Failure]:
    def write(state: State) -> State:
        raise ConnectionError("the archive is closed")

    run(("planner", quiet), ("writer", write), times=5)
    yield Failure("the archive is closed", {"AGENT": "writer"})


def hanging_task() -> Iterator[Failure]:
    with otel_mas.workflow("newsroom"), otel_mas.agent("writer"):
        assert otel_mas.flush(30)
        yield Failure("writer", {"AGENT": "writer"})


def giving_up() -> Iterator[Failure]:
    run(("planner", quiet), ("writer", lambda state: {"answer": "I am sorry, but I cannot do that."}), times=2)
    yield Failure("writer")


def slow_run() -> Iterator[Failure]:
    def research(state: State) -> State:
        time.sleep(0.3)
        return {"done": ["x"]}

    run(("planner", quiet), ("researcher", research))
    yield Failure("researcher")


def failing_tool() -> Iterator[Failure]:
    @tool
    def archive(query: str) -> str:
        """Look something up."""
        raise ConnectionError("the archive is closed")

    run(("researcher", lambda state: {"answer": archive.invoke({"query": "tram"})}), times=3)
    yield Failure("archive", {"TOOL": "archive"})


def bad_grades() -> Iterator[Failure]:
    for _ in range(3):
        with otel_mas.workflow("library"), otel_mas.agent("librarian"):
            with otel_mas.retrieval("shelves") as found:
                found.query("When does the tram open?")
                found.documents(["A book about bees."])
            with otel_mas.grade("relevance") as grade:
                grade.score("irrelevant", "It is about bees.")
    yield Failure("relevance")


def denials() -> Iterator[Failure]:
    for _ in range(3):
        with otel_mas.workflow("press"), otel_mas.agent("editor"), otel_mas.guardrail("addresses") as check:
            check.verdict("block", "an address")
    yield Failure("addresses", {"USER": "ann"})


def handoff_loop() -> Iterator[Failure]:
    model = says(*["A draft.", "Do it again."] * 5)

    def turn(state: State) -> State:
        return {"done": [str(model.invoke("You work in a press.").content)]}

    builder = StateGraph(State)
    builder.add_node("writer", turn)
    builder.add_node("critic", turn)
    builder.add_edge(START, "writer")
    builder.add_edge("writer", "critic")
    builder.add_conditional_edges("critic", lambda state: "writer" if len(state["done"]) < 10 else END, ["writer", END])
    builder.compile(name="newsroom").invoke({"done": []})
    yield Failure("critic")


def refusing_model() -> Iterator[Failure]:
    def answers() -> Iterator[AIMessage]:
        raise ConnectionError("429: too many requests")
        yield AIMessage("")

    model = says(model="gpt-4o", provider="openai")
    model.left = answers()

    def write(state: State) -> State:
        return {"answer": str(model.invoke("Write.").content)}

    run(("writer", write))
    yield Failure("429", {"MODEL": "gpt-4o"})


def waiting() -> Iterator[Failure]:
    run(("reviewer", lambda state: {"answer": str(interrupt("May it be printed?"))}), checkpointer=InMemorySaver())
    yield Failure("May it be printed?")


def dear_model() -> Iterator[Failure]:
    answer = AIMessage("It is short.")
    answer.usage_metadata = {"input_tokens": 600_000, "output_tokens": 100_000, "total_tokens": 700_000}
    answer.response_metadata = {"model_name": "gpt-4o"}
    model = says(answer, model="gpt-4o", provider="openai")
    with otel_mas.correlation(user="ann"):
        run(("writer", lambda state: {"answer": str(model.invoke("Write.").content)}))
    yield Failure("gpt-4o", {"USER": "ann"})


def full_queue() -> Iterator[Failure]:
    run(("writer", quiet))
    yield Failure("dropped")


FAILURES: dict[str, Recording] = {
    "AgentErrorRate": failing_task,
    "AgentUnresponsive": hanging_task,
    "ChatFailuresWhileReady": refusing_model,
    "DiskNearlyFull": slow_run,
    "ErrorBudget": failing_task,
    "GuardrailDenials": denials,
    "HandoffLoops": handoff_loop,
    "OverdueAnswers": waiting,
    "RunFailures": failing_task,
    "RunLatencyP99": slow_run,
    "RunsGaveUp": giving_up,
    "SelfRagEscalations": bad_grades,
    "SeriousFindings": giving_up,
    "SlowRuns": slow_run,
    "SpansDropped": full_queue,
    "ToolFailureRatio": failing_tool,
    **dict.fromkeys(
        (f"{of}{what}" for of in ("Run", "Agent", "User", "Daily") for what in ("Cost", "Tokens")), dear_model
    ),
}
record = {name: contextmanager(recording) for name, recording in FAILURES.items()}
