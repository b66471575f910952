"""Record anew the runs that docs/diff.md compares: `python -m tests.answers.record_two_runs`, then `make generate`.

Two runs of a travel desk. The second plans for one topic more, its hotels answer otherwise, its trains are slow, and
nobody reviews what it writes.
"""

from __future__ import annotations

import operator
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, TypedDict

from tests.accuracy.topologies.model import ScriptedModel
from tests.example_team import ROOT

ARCHIVE = Path(__file__).with_name("two_runs.jsonl.gz")
VERSIONS = ("1", "2")
TOPICS = {"1": ("trains", "hotels", "weather"), "2": ("trains", "visa", "hotels", "weather")}
FACTS = {
    "trains": "Two trains a day, at 8:10 and 16:40.",
    "hotels": "The Harbour Inn has rooms from 80 EUR.",
    "weather": "Mild, with rain in the evening.",
    "visa": "No visa is needed for a week.",
}
CLOSED = "The Harbour Inn is closed for works."


class State(TypedDict, total=False):
    """State of the app."""

    topic: str
    topics: tuple[str, ...]
    facts: Annotated[list[str], operator.add]
    text: str


def main() -> None:
    """Record both versions, each in a process of its own, and archive them."""
    command = str(Path(sys.executable).with_name("otel-mas"))
    with tempfile.TemporaryDirectory() as folder:
        store = ["--store", str(Path(folder) / "runs.db")]
        for version in VERSIONS:
            environment = os.environ | {
                "OTEL_SERVICE_NAME": "travel-desk",
                "OTEL_RESOURCE_ATTRIBUTES": f"service.version={version}",
                "OTEL_MAS_SIMULATED_COST": "true",
            }
            app = [command, "run", "--quiet", *store, "--", "-m", "tests.answers.record_two_runs", version]
            subprocess.run(app, cwd=ROOT, env=environment, check=True)
        subprocess.run([command, "export", "--all", "--content", *store, "-o", str(ARCHIVE)], check=True)


def graph(version: str) -> Any:
    """The compiled graph of a version of the app."""
    from langchain_core.messages import HumanMessage
    from langchain_core.tools import tool
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Send

    def said(messages: Any) -> str:
        text = str(messages[-1].content)
        return f"Look up {', '.join(TOPICS[version])}." if text.startswith("Plan") else f"Dear guest: {text[7:]}"

    class Priced(ScriptedModel):
        def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
            return {**super()._get_ls_params(), "ls_provider": "openai"}

    model = Priced(script=said, model="gpt-4o")

    @tool
    def look_up(topic: str) -> str:
        """Look a topic up."""
        time.sleep(0.3 if (version, topic) == ("2", "trains") else 0.02)
        return CLOSED if (version, topic) == ("2", "hotels") else FACTS[topic]

    def plan(state: State) -> State:
        model.invoke([HumanMessage("Plan a trip to Elmstead")])
        return {"topics": TOPICS[version]}

    def find(state: State) -> State:
        return {"facts": [look_up.invoke({"topic": state["topic"]})]}

    def write(state: State) -> State:
        return {"text": str(model.invoke([HumanMessage(f"Write: {' '.join(state['facts'])}")]).content)}

    def review(state: State) -> State:
        return {"text": str(model.invoke([HumanMessage(f"Check: {state['text']}")]).content)}

    built = StateGraph(State)
    for node in (plan, find, write):
        built.add_node(node.__name__, node)
    built.add_edge(START, "plan")
    built.add_conditional_edges(
        "plan", lambda state: [Send("find", {"topic": one}) for one in state["topics"]], ["find"]
    )
    built.add_edge("find", "write")
    if version == "1":
        built.add_node("review", review)
        built.add_edge("write", "review")
        built.add_edge("review", END)
    return built.compile(name="travel desk")


if __name__ == "__main__":
    graph(sys.argv[1]).invoke({"facts": []}) if len(sys.argv) > 1 else main()
