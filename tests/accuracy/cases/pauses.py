"""`interrupt` and breakpoints: what waits for a person, and how it goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send, interrupt

from tests.accuracy.cases.building import State, graph_of
from tests.accuracy.cases.case import Config, Run, case


def ask(name: str, times: int = 1) -> Callable[[State], State]:
    return lambda state: {"log": [name + "".join(interrupt(f"{name} {i}?") for i in range(times))]}


def resume(*answered: str) -> Run:
    """A run that answers, by id, those of the questions that wait whose text begins with one of these."""
    given = Command(resume={})

    def fill(graph: Any, config: Config) -> None:
        waiting = graph.get_state(config, subgraphs=True).interrupts
        given.resume.clear()
        given.resume.update({one.id: "yes" for one in waiting if one.value.startswith(answered)})
        assert given.resume

    return Run(given, before=fill)


@case(
    """
    START --trigger--> plan
    plan --trigger--> review
    review --resume--> review@2
    review@2 --resume--> review@3
    plan --trigger--> review@2..3
    review@2, review@3 are answered
    review@3 --trigger--> publish
    review: interrupted, interrupted, ok
    START: interrupted, interrupted, ok
    """,
    Run({}),
    Run(Command(resume="yes")),
    Run(Command(resume="yes")),
)
def two_questions_of_one_node() -> Any:
    """One after another: the node runs three times, and is answered once by each of the last two."""
    edges = [(START, "plan"), ("plan", "review"), ("review", "publish")]
    return graph_of("plan publish", edges, review=ask("review", 2)).compile(InMemorySaver())


def parallel() -> Any:
    edges = [(START, "left"), (START, "right"), (START, "quick"), (["left", "right", "quick"], "join")]
    return graph_of("quick join", edges, left=ask("left"), right=ask("right")).compile(InMemorySaver())


@case(
    """
    START --trigger--> left, right, quick
    START --trigger--> left@2, right@2
    left --resume--> left@2
    right --resume--> right@2
    left@2, right@2 are answered
    left@2, right@2, quick --trigger--> join
    left, right: interrupted, ok
    START: interrupted, ok
    """,
    Run({}),
    resume("left", "right"),
)
def two_tasks_answered_at_once() -> Any:
    """By a map of ids. `quick` was done before the pause, does not run again, and still counts for the join."""
    return parallel()


@case(
    """
    START --trigger--> left, right, quick
    START --trigger--> left@2, right@2..3
    left --resume--> left@2
    right --resume--> right@2
    right@2 --resume--> right@3
    left@2 is answered
    right@3 is answered
    left@2, right@3, quick --trigger--> join
    left: interrupted, ok
    right: interrupted, interrupted, ok
    START: interrupted, interrupted, ok
    """,
    Run({}),
    resume("left"),
    resume("right"),
)
def two_tasks_answered_one_by_one() -> Any:
    """LangGraph runs `right` in the second invocation as well, where it asks the same again."""
    return parallel()


@case(
    """
    START --trigger--> plan
    plan --trigger--> outer
    outer --resume--> outer@2
    plan --trigger--> outer@2
    outer --trigger--> outer/middle, outer/middle@2
    outer/middle --resume--> outer/middle@2
    outer/middle --trigger--> outer/middle/draft
    outer/middle/draft --trigger--> outer/middle/check, outer/middle/check@2
    outer/middle/check --resume--> outer/middle/check@2
    outer/middle/check@2 is answered
    outer@2 --trigger--> publish
    outer, outer/middle, outer/middle/check: interrupted, ok
    START: interrupted, ok
    """,
    Run({}),
    Run(Command(resume="yes")),
)
def question_two_subgraphs_deep() -> Any:
    """A question is recorded once: by the innermost task, which alone is answered. `draft` does not run again."""
    inner = graph_of("draft", [(START, "draft"), ("draft", "check")], check=ask("check"))
    middle = graph_of("", [(START, "middle")], middle=inner.compile(name="inner"))
    outer = middle.compile(name="middle")
    return graph_of("plan publish", [(START, "plan"), ("plan", "outer"), ("outer", "publish")], outer=outer).compile(
        InMemorySaver()
    )


@case(
    """
    START --trigger--> plan
    plan --send--> worker#1..2
    plan --send--> worker#1@2
    plan --send--> worker#2@2
    plan decides by scatter: worker from worker
    worker#1 --resume--> worker#1@2
    worker#2 --resume--> worker#2@2
    worker#1@2, worker#2@2 are answered
    worker#1@2, worker#2@2 --trigger--> reduce
    worker#1, worker#2: interrupted, ok
    START: interrupted, ok
    """,
    Run({}),
    resume("worker"),
)
def sent_tasks_ask() -> Any:
    """Each of the tasks made by `Send` asks, and keeps its sender when it is answered."""

    def scatter(state: State) -> Any:
        return [Send("worker", {}), Send("worker", {})]

    graph = graph_of("plan reduce", [(START, "plan"), ("worker", "reduce")], worker=ask("worker"))
    graph.add_conditional_edges("plan", scatter, ["worker"])
    return graph.compile(InMemorySaver())


@case(
    """
    START --trigger--> model
    model --trigger--> tools, tools@2
    tools --resume--> tools@2
    tools@2 is answered
    tools@2 --trigger--> after
    tools: interrupted, ok
    START: interrupted, ok
    """,
    Run({"messages": []}),
    Run(Command(resume="yes")),
)
def tool_that_asks() -> Any:
    """A tool called by ToolNode pauses the whole task."""

    @tool
    def book(city: str) -> str:
        """Book a trip."""
        return str(interrupt(f"Book {city}?"))

    def model(state: MessagesState) -> Any:
        return {"messages": [AIMessage("", tool_calls=[{"name": "book", "args": {"city": "Oslo"}, "id": "1"}])]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", model)
    graph.add_node("tools", ToolNode([book]))
    graph.add_node("after", lambda state: {})
    graph.add_edge(START, "model")
    graph.add_edge("model", "tools")
    graph.add_edge("tools", "after")
    return graph.compile(InMemorySaver())


@case(
    """
    START --trigger--> flow
    START --trigger--> flow@2
    flow --call--> step, approve
    flow@2 --call--> approve@2, last
    flow --resume--> flow@2
    approve --resume--> approve@2
    approve@2 is answered
    flow, approve: interrupted, ok
    START: interrupted, ok
    """,
    Run({}),
    Run(Command(resume="yes")),
    only="sync",
)
def functional_task_that_asks() -> Any:
    """A `@task` asks; the entrypoint pauses with it. What was done before is not called again."""

    @task
    def step() -> str:
        return "step"

    @task
    def approve() -> Any:
        return interrupt("Go on?")

    @task
    def last() -> str:
        return "last"

    @entrypoint(InMemorySaver())
    def flow(given: Any) -> Any:
        return [step().result(), approve().result(), last().result()]

    return flow


# -- breakpoints -----------------------------------------------------------------------------------------------------

CHAIN = [(START, "plan"), ("plan", "write"), ("write", "publish")]


@case(
    """
    START --trigger--> plan
    plan --trigger--> write
    write --trigger--> publish
    START: interrupted, ok
    """,
    Run({}),
    Run(None),
)
def breakpoint_before() -> Any:
    """The run stops before `write`, and the next one goes on there."""
    return graph_of("plan write publish", CHAIN).compile(InMemorySaver(), interrupt_before=["write"])


@case(
    """
    START --trigger--> plan
    plan --trigger--> write
    write --trigger--> publish
    START: interrupted, ok
    """,
    Run({}),
    Run(None),
)
def breakpoint_after() -> Any:
    """The run stops after `plan`."""
    return graph_of("plan write publish", CHAIN).compile(InMemorySaver(), interrupt_after=["plan"])


@case(
    """
    START --trigger--> plan
    plan --trigger--> write
    write --trigger--> publish
    START: interrupted, interrupted, interrupted, ok
    """,
    Run({}),
    Run(None),
    Run(None),
    Run(None),
)
def breakpoint_everywhere() -> Any:
    """`"*"`: before every node."""
    return graph_of("plan write publish", CHAIN).compile(InMemorySaver(), interrupt_before="*")


@case(
    """
    START --trigger--> left, right
    left --trigger--> longer
    longer, right --trigger--> join
    START: interrupted, ok
    """,
    Run({}),
    Run(None),
)
def breakpoint_while_a_join_waits() -> Any:
    """`right` is done before the pause and `longer` after it; the join waits for both."""
    edges = [(START, "left"), (START, "right"), ("left", "longer"), (["longer", "right"], "join")]
    return graph_of("left right longer join", edges).compile(InMemorySaver(), interrupt_before=["longer"])


@case(
    """
    START --trigger--> outer
    START --trigger--> outer@2
    outer --resume--> outer@2
    outer --trigger--> outer/draft
    outer/draft --trigger--> outer/check
    outer@2 --trigger--> publish
    outer: interrupted, ok
    START: interrupted, ok
    """,
    Run({}),
    Run(None),
)
def breakpoint_in_a_subgraph() -> Any:
    """The task around it pauses with it, and goes on."""
    inner = graph_of("draft check", [(START, "draft"), ("draft", "check")])
    outer = inner.compile(interrupt_before=["check"])
    return graph_of("publish", [(START, "outer"), ("outer", "publish")], outer=outer).compile(InMemorySaver())
