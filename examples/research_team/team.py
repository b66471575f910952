"""The team: a supervisor, its specialists, and the human who has the last word."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel, Field

from examples.research_team.models import Models
from examples.research_team.relevance import Grader
from examples.research_team.researcher import build_researcher
from examples.research_team.writer import build_writer

SUPERVISE = (
    "You supervise a small team. The researcher collects facts, then the writer makes a report of them, then a human"
    " is asked for approval. Say who is next. Nobody is asked twice for the same thing."
)
HEADLINE = "Give the report a headline of at most ten words. Answer with the headline only."


class Next(BaseModel):
    """Who works next."""

    who: Literal["researcher", "writer", "approval"]
    reason: str = Field(description="One short sentence.")


class TeamState(TypedDict, total=False):
    question: str
    messages: Annotated[list[AnyMessage], add_messages]
    next: str
    relevant: str
    reason: str
    report: str
    headline: str


def build_team(models: Models, checkpointer: BaseCheckpointSaver[Any]) -> CompiledStateGraph[Any, Any, Any, Any]:
    chooser = models.large().with_structured_output(Next, method="function_calling")
    grader = Grader(models)
    headliner = models.small()

    def supervisor(state: TeamState) -> TeamState:
        choice = chooser.invoke([SystemMessage(SUPERVISE), *state["messages"]])
        assert isinstance(choice, Next)
        return {"next": choice.who, "reason": choice.reason}

    def who_is_next(state: TeamState) -> str:
        return state["next"]

    def relevance(state: TeamState) -> TeamState:
        graded = grader.grade(state["question"], state["messages"][-1].text)
        return {"relevant": graded.binary_score, "reason": graded.reason}

    def is_relevant(state: TeamState) -> str:
        return state["relevant"]

    def approval(state: TeamState) -> Command[Literal["publish", "writer"]]:
        decision = interrupt({"ask": "Publish this report?", "report": state["report"]})
        if decision == "approve":
            return Command(goto="publish")
        return Command(goto="writer", update={"messages": [HumanMessage(decision, name="reader")]})

    def publish(state: TeamState) -> TeamState:
        asked = f"Question: {state['question']}\n\n{state['report']}"
        headline = headliner.invoke([SystemMessage(HEADLINE), HumanMessage(asked)]).text
        return {"headline": headline}

    graph = StateGraph(TeamState)
    graph.add_node("supervisor", supervisor)
    graph.add_node("researcher", build_researcher(models))
    graph.add_node("relevance", relevance)
    graph.add_node("writer", build_writer(models))
    graph.add_node("approval", approval)
    graph.add_node("publish", publish)
    graph.add_edge(START, "supervisor")
    graph.add_conditional_edges("supervisor", who_is_next, ["researcher", "writer", "approval"])
    graph.add_edge("researcher", "relevance")
    graph.add_conditional_edges("relevance", is_relevant, {"yes": "supervisor", "no": END})
    graph.add_edge("writer", "supervisor")
    graph.add_edge("publish", END)
    return graph.compile(checkpointer=checkpointer, name="research_team")
