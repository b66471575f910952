"""Apps whose nodes, models and tools take the times that they are given, to run them again with other times.

Each app is built from a table of seconds by node, tool or model; `variant` changes its shape, for what a run would have
been with two tasks side by side, or without one. `SCENARIOS` are what-ifs about them, `MODELS` about apps of models.
"""

from __future__ import annotations

import asyncio
import operator
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict
from unittest.mock import patch

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import StructuredTool
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, RetryPolicy, Send

from otel_mas.causal.schedule import (
    Change,
    Faster,
    Lasting,
    Parallel,
    Without,
    WithoutRetries,
    WithoutWaiting,
)
from tests.accuracy.features import make_agent
from tests.accuracy.scripted import calls
from tests.accuracy.topologies import TOPOLOGIES, build
from tests.accuracy.topologies.model import ScriptedModel

Seconds = Mapping[str, float]
MS = 1_000_000


class State(TypedDict, total=False):
    done: Annotated[list[str], operator.add]
    item: str


def node(name: str, seconds: Seconds) -> Callable[[Any], Any]:
    def work(state: Any) -> Any:
        time.sleep(seconds[name])
        return {"done": [name]}

    return work


def async_node(name: str, seconds: Seconds) -> Callable[[Any], Any]:
    async def work(state: Any) -> Any:
        await asyncio.sleep(seconds[name])
        return {"done": [name]}

    return work


def chain(nodes: Sequence[str], seconds: Seconds, make: Callable[[str, Seconds], Any] = node) -> Any:
    builder = StateGraph(State)
    for one in nodes:
        builder.add_node(one, make(one, seconds))
    for one, following in zip((START, *nodes), (*nodes, END), strict=True):
        builder.add_edge(one, following)
    return builder.compile(name="chain")


def pipeline(seconds: Seconds, variant: str = "") -> Any:
    """Four nodes, one after the other; or `check` beside `write`; or without `check`."""
    if variant == "side by side":
        builder = StateGraph(State)
        for one in ("plan", "write", "check", "send"):
            builder.add_node(one, node(one, seconds))
        for one, following in ((START, "plan"), ("plan", "write"), ("plan", "check"), ("send", END)):
            builder.add_edge(one, following)
        builder.add_edge(["write", "check"], "send")
        return builder.compile(name="chain")
    return chain([one for one in ("plan", "write", "check", "send") if one != variant], seconds)


def diamond(seconds: Seconds, variant: str = "") -> Any:
    """A branch of two and one of one node: LangGraph's steps make `after_quick` wait for `slow`."""
    builder = StateGraph(State)
    for one in ("plan", "quick", "slow", "after_quick", "join"):
        builder.add_node(one, async_node(one, seconds))
    for one, following in (("plan", "quick"), ("plan", "slow"), ("quick", "after_quick"), ("join", END)):
        builder.add_edge(one, following)
    builder.add_edge(START, "plan")
    builder.add_edge(["after_quick", "slow"], "join")
    return builder.compile(name="diamond")


def map_reduce(seconds: Seconds, variant: str = "") -> Any:
    """Five tasks by `Send`, each as long as its item says, then a node that takes them all."""
    builder = StateGraph(State)

    def work(state: Any) -> Any:
        time.sleep(seconds[state["item"]])
        return {"done": [state["item"]]}

    builder.add_node("split", node("split", seconds))
    builder.add_node("work", work)
    builder.add_node("reduce", node("reduce", seconds))
    builder.add_edge(START, "split")
    items = ("one", "two", "three", "four", "five")
    builder.add_conditional_edges("split", lambda state: [Send("work", {"item": one}) for one in items], ["work"])
    builder.add_edge("work", "reduce")
    return builder.compile(name="map_reduce")


def loop(seconds: Seconds, variant: str = "") -> Any:
    """Three rounds of `draft` and `review`."""
    builder = StateGraph(State)
    builder.add_node("draft", node("draft", seconds))
    builder.add_node("review", node("review", seconds))
    builder.add_edge(START, "draft")
    builder.add_edge("draft", "review")
    builder.add_conditional_edges("review", lambda state: "draft" if len(state["done"]) < 6 else END, ["draft", END])
    return builder.compile(name="loop")


def supervisor(seconds: Seconds, variant: str = "") -> Any:
    """A supervisor that sends to two workers by `Command(goto=...)`, and ends."""

    def supervise(state: Any) -> Any:
        time.sleep(seconds["supervisor"])
        turn = sum(one != "supervisor" for one in state.get("done", ()))
        return Command(goto=("researcher", "writer", END)[turn], update={"done": ["supervisor"]})

    def worker(name: str) -> Callable[[Any], Any]:
        def work(state: Any) -> Any:
            time.sleep(seconds[name])
            return Command(goto="supervisor", update={"done": [name]})

        return work

    builder = StateGraph(State)
    builder.add_node("supervisor", supervise, destinations=("researcher", "writer", END))
    builder.add_node("researcher", worker("researcher"), destinations=("supervisor",))
    builder.add_node("writer", worker("writer"), destinations=("supervisor",))
    builder.add_edge(START, "supervisor")
    return builder.compile(name="supervisor")


def hierarchy(seconds: Seconds, variant: str = "") -> Any:
    """Two teams side by side, each a graph of its own, and an editor after both."""
    builder = StateGraph(State)
    builder.add_node("news", chain(["search", "read"], seconds))
    builder.add_node("sports", chain(["listen", "note"], seconds))
    builder.add_node("editor", node("editor", seconds))
    for team in ("news", "sports"):
        builder.add_edge(START, team)
    builder.add_edge(["news", "sports"], "editor")
    return builder.compile(name="hierarchy")


class Timed(BaseChatModel):
    """Calls two tools at once, then answers; each answer takes the time of `model`."""

    seconds: Any
    model: str = "gpt-4o"

    @property
    def _llm_type(self) -> str:
        return "timed"

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {"ls_provider": "openai", "ls_model_name": self.model, "ls_model_type": "chat"}

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        time.sleep(self.seconds["model"])
        asked = sum(bool(getattr(one, "tool_calls", None)) for one in messages)
        answer = AIMessage("It rains.") if asked else calls("look_up", "measure", city="Oslo")
        return ChatResult(generations=[ChatGeneration(message=answer)])


def tools(seconds: Seconds, variant: str = "") -> Any:
    """A prebuilt agent that calls two tools in parallel."""

    def tool(name: str) -> StructuredTool:
        def call(city: str) -> str:
            time.sleep(seconds[name])
            return f"{name} {city}"

        return StructuredTool.from_function(call, name=name, description=f"{name} a city")

    return make_agent(Timed(seconds=seconds), [tool("look_up"), tool("measure")], name="guide")


def functional(seconds: Seconds, variant: str = "") -> Any:
    """Two tasks of the functional API at once, or one after the other, and one after them."""

    def work(name: str) -> Any:
        def run(given: str) -> str:
            time.sleep(seconds[name])
            return name

        return task(run, name=name)

    first, second, last = work("first"), work("second"), work("last")

    @entrypoint()
    def flow(given: Any) -> str:
        if variant == "in series":
            results = [first("x").result(), second("x").result()]
        else:
            results = [one.result() for one in (first("x"), second("x"))]
        return str(last(",".join(results)).result())

    return flow


def retries(seconds: Seconds, variant: str = "") -> Any:
    """A node that fails once, is tried again after a pause, and works; or works at once."""
    failures = [] if variant == "no failure" else ["once"]

    def flaky(state: Any) -> Any:
        time.sleep(seconds["flaky"])
        if failures:
            raise ConnectionError(failures.pop())
        return {"done": ["flaky"]}

    builder = StateGraph(State)
    builder.add_node("plan", node("plan", seconds))
    policy = RetryPolicy(initial_interval=seconds["pause"], jitter=False)
    builder.add_node("flaky", flaky, retry_policy=policy)
    builder.add_edge(START, "plan")
    builder.add_edge("plan", "flaky")
    return builder.compile(name="retries")


def threads(seconds: Seconds, variant: str = "") -> Any:
    """A node that calls tools on threads of its own, beside another node."""

    made = [
        StructuredTool.from_function(
            lambda city, name=name: time.sleep(seconds[name]) or name, name=name, description=name
        )
        for name in ("north", "south")
    ]

    def gather(state: Any) -> Any:
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda one: one.invoke({"city": "Oslo"}), made))
        time.sleep(seconds["gather"])
        return {"done": found}

    builder = StateGraph(State)
    builder.add_node("gather", gather)
    builder.add_node("other", node("other", seconds))
    builder.add_node("end", node("end", seconds))
    for one in ("gather", "other"):
        builder.add_edge(START, one)
        builder.add_edge(one, "end")
    return builder.compile(name="threads")


@dataclass(frozen=True)
class Scenario:
    """A what-if about an app, and how the app is really changed to find out."""

    build: Callable[..., Any]
    changes: tuple[Change, ...]
    words: str
    seconds: Seconds
    """By name of a node, a tool or `model`: as recorded."""
    changed: Seconds = field(default_factory=dict)
    """Those that are others in the second run."""
    before: str = ""
    after: str = ""
    """Variants of the app."""
    config: Mapping[str, Any] = field(default_factory=dict)
    runs_async: bool = False

    @property
    def name(self) -> str:
        return f"{self.build.__name__}, {'async' if self.runs_async else 'sync'}: {self.words}"

    def run(self, seconds: Seconds, variant: str) -> int:
        """Run the app once. Returns how long it took, in ns."""
        app = self.build(seconds, variant)
        given: Any = {"messages": [HumanMessage("The weather in Oslo?")]} if self.build is tools else {"done": []}
        config = {"recursion_limit": 50, **self.config}
        began = time.perf_counter_ns()
        if self.runs_async:
            asyncio.run(app.ainvoke(given, config))
        else:
            app.invoke(given, config)
        return time.perf_counter_ns() - began

    def as_recorded(self) -> int:
        return self.run(self.seconds, self.before)

    def as_changed(self) -> int:
        return self.run({**self.seconds, **self.changed}, self.after)


_PIPELINE = {"plan": 0.1, "write": 0.3, "check": 0.25, "send": 0.1}
_DIAMOND = {"plan": 0.1, "quick": 0.1, "slow": 0.4, "after_quick": 0.3, "join": 0.1}
_ITEMS = {"split": 0.1, "one": 0.1, "two": 0.2, "three": 0.4, "four": 0.2, "five": 0.3, "reduce": 0.1}
_LOOP = {"draft": 0.1, "review": 0.15}
_SUPERVISOR = {"supervisor": 0.1, "researcher": 0.3, "writer": 0.2}
_HIERARCHY = {"search": 0.2, "read": 0.25, "listen": 0.1, "note": 0.2, "editor": 0.2}
_TOOLS = {"model": 0.2, "look_up": 0.3, "measure": 0.15}
_TASKS = {"first": 0.3, "second": 0.2, "last": 0.2}
_RETRIES = {"plan": 0.2, "flaky": 0.2, "pause": 0.3}
_THREADS = {"north": 0.3, "south": 0.2, "gather": 0.1, "other": 0.2, "end": 0.2}

SCENARIOS = (
    Scenario(pipeline, (Faster("write", 2),), "write=2", _PIPELINE, {"write": 0.15}),
    Scenario(pipeline, (Faster("write", 0.5),), "write=0.5", _PIPELINE, {"write": 0.6}),
    Scenario(pipeline, (Lasting("check", 100 * MS),), "check takes 100ms", _PIPELINE, {"check": 0.1}, runs_async=True),
    Scenario(pipeline, (Parallel(("write", "check")),), "write, check parallel", _PIPELINE, after="side by side"),
    Scenario(pipeline, (Without("check"),), "without check", _PIPELINE, after="check"),
    Scenario(diamond, (Faster("slow", 2),), "slow=2", _DIAMOND, {"slow": 0.2}, runs_async=True),
    Scenario(diamond, (Faster("slow", 8),), "slow=8", _DIAMOND, {"slow": 0.05}, runs_async=True),
    Scenario(diamond, (Faster("after_quick", 3),), "after_quick=3", _DIAMOND, {"after_quick": 0.1}, runs_async=True),
    Scenario(map_reduce, (Faster("work#3", 4),), "work#3=4", _ITEMS, {"three": 0.1}),
    Scenario(
        map_reduce,
        (Faster("work", 2),),
        "work=2",
        _ITEMS,
        {name: _ITEMS[name] / 2 for name in ("one", "two", "three", "four", "five")},
        runs_async=False,
    ),
    Scenario(
        map_reduce,
        (Lasting("work#1", 10 * MS), Faster("work#3", 2)),
        "two at once, work#1 takes 10ms, work#3=2",
        _ITEMS,
        {"one": 0.01, "three": 0.2},
        config={"max_concurrency": 2},
    ),
    Scenario(loop, (Faster("review", 3),), "review=3", _LOOP, {"review": 0.05}),
    Scenario(
        loop, (Faster("draft", 2), Faster("review", 0.5)), "draft=2, review=0.5", _LOOP, {"draft": 0.05, "review": 0.3}
    ),
    Scenario(supervisor, (Faster("researcher", 3),), "researcher=3", _SUPERVISOR, {"researcher": 0.1}),
    Scenario(
        supervisor, (Faster("supervisor", 4),), "supervisor=4", _SUPERVISOR, {"supervisor": 0.025}, runs_async=True
    ),
    Scenario(hierarchy, (Faster("news", 3),), "news=3", _HIERARCHY, {"search": 0.2 / 3, "read": 0.25 / 3}),
    Scenario(hierarchy, (Faster("read", 5),), "read=5", _HIERARCHY, {"read": 0.05}, runs_async=True),
    Scenario(tools, (Faster("tool:look_up", 3),), "tool:look_up=3", _TOOLS, {"look_up": 0.1}),
    Scenario(tools, (Faster("model:gpt-4o", 2),), "model:gpt-4o=2", _TOOLS, {"model": 0.1}, runs_async=True),
    Scenario(functional, (Faster("first", 3),), "first=3", _TASKS, {"first": 0.1}),
    Scenario(
        functional,
        (Parallel(("first", "second")),),
        "first, second parallel",
        _TASKS,
        before="in series",
    ),
    Scenario(retries, (WithoutRetries(),), "no retries", _RETRIES, after="no failure"),
    Scenario(retries, (WithoutWaiting(),), "no waiting", _RETRIES, {"pause": 0.0}),
    Scenario(threads, (Faster("tool:north", 3),), "tool:north=3", _THREADS, {"north": 0.1}),
)


@dataclass(frozen=True)
class FasterModels:
    """An app of `tests.accuracy.topologies` whose models take a while, and then only a part of it."""

    topology: str
    runs_async: bool
    changes: tuple[Change, ...] = (Faster("model:scripted-small", 2), Faster("model:scripted-large", 4))

    @property
    def name(self) -> str:
        return (
            f"{self.topology} of models, {'async' if self.runs_async else 'sync'}: scripted-small=2, scripted-large=4"
        )

    def run(self, seconds: Seconds) -> int:
        """Run the app once. Returns how long it took, in ns."""
        app, answer = build(self.topology), ScriptedModel._answer

        def answer_later(model: ScriptedModel, messages: Any) -> Any:
            time.sleep(seconds[model.model])
            return answer(model, messages)

        with patch.object(ScriptedModel, "_answer", answer_later):
            began = time.perf_counter_ns()
            asyncio.run(app.arun()) if self.runs_async else app.run()
            return time.perf_counter_ns() - began

    def as_recorded(self) -> int:
        return self.run({"scripted-small": 0.4, "scripted-large": 0.8})

    def as_changed(self) -> int:
        return self.run({"scripted-small": 0.2, "scripted-large": 0.2})


MODELS = tuple(
    FasterModels(topology, runs_async=bool(number % 2))
    for number, topology in enumerate(one for one in TOPOLOGIES if one != "team")  # which pauses, and has other models
)
