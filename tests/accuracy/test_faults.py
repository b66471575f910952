"""Faults in real graphs: each kind wherever it can be scoped, in every way in which a graph runs, and nothing left."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, TypedDict

import httpx
import openai
import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, RetryPolicy, Send, interrupt
from pydantic import BaseModel

import otel_mas
from otel_mas.errors import ConfigError
from otel_mas.faults import Fault, FaultKind, inject
from otel_mas.faults.hook_tables import HOOKS
from otel_mas.model import InjectedFault, Span
from tests.accuracy.cases.teams import supervised
from tests.accuracy.features import make_agent, react_agent
from tests.accuracy.scripted import calls, says

QUESTION = {"messages": [HumanMessage("q")]}
SCRIPT = "The finder says that it is fine, all in all, and that the thing can go on."


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    people: int
    verdict: str
    heard: list[str]
    answer: str


@tool
def search(query: str) -> str:
    """Search for something."""
    return f"{query}: 12,500 people say yes"


def finder(state: State) -> State:
    return {"messages": [AIMessage(search.invoke({"query": "tram"}), id="found")], "people": 12500, "verdict": "yes"}


def decider(state: State) -> State:
    said = says(SCRIPT, model="small").invoke(state["messages"])
    heard = [message.content for message in state["messages"]]
    answer = f"{state.get('people')} {state.get('verdict')}: {said.content}"
    return {"heard": heard, "answer": answer, "messages": [said]}


def two_agents() -> Any:
    graph = StateGraph(State)
    graph.add_node("finder", finder)
    graph.add_node("decider", decider)
    graph.add_edge(START, "finder")
    graph.add_edge("finder", "decider")
    graph.add_edge("decider", END)
    return graph.compile(name="two_agents")


def injected_into(store: Path) -> list[tuple[Span, InjectedFault]]:
    """The faults that the newest trace has, with their spans."""
    assert otel_mas.flush(30)
    with otel_mas.open(store) as source:
        return list(source.latest().injected_faults())


# -- each kind, wherever it can be scoped ------------------------------------------------------------------------------

SCOPES = {
    "message_lost": ({"agent": "decider"}, {"edge": "finder->decider"}, {"edge": "*->decider"}, {"field": "messages"}),
    "message_delayed": ({"agent": "decider"}, {"edge": "finder->decider"}, {"edge": "finder->*"}, {"field": "people"}),
    "message_duplicated": ({"agent": "decider"}, {"edge": "finder->decider"}, {"field": "messages"}),
    "message_corrupted": ({"agent": "decider"}, {"edge": "finder->decider"}, {"field": "people"}),
    "message_contradicted": ({"agent": "decider"}, {"edge": "finder->decider"}, {"field": "verdict"}),
    "field_forgotten": ({"field": "people"}, {"field": "people", "agent": "decider"}),
    "tool_error": ({"agent": "finder"}, {"tool": "search"}, {"agent": "finder", "tool": "search"}),
    "tool_hang": ({"agent": "finder"}, {"tool": "search"}),
    "tool_empty": ({"agent": "finder"}, {"tool": "search"}),
    "tool_nonsense": ({"agent": "finder"}, {"tool": "search"}),
    "model_slow": ({"agent": "decider"}, {"model": "small"}, {"agent": "decider", "model": "small"}),
    "model_truncated": ({"agent": "decider"}, {"model": "small"}),
    "model_rate_limited": ({"agent": "decider"}, {"model": "small"}),
    "agent_gives_up": ({"agent": "decider"}, {"agent": "finder"}),
    "resource_starved": (),  # needs several at once: below
    "lock_held": ({"agent": "decider"}, {"tool": "search"}, {"model": "small"}),
}
ELSEWHERE = {"agent": "nobody", "tool": "other", "model": "large", "edge": "decider->finder", "field": "plan"}
SPANS = {"tool": "execute_tool search", "model": "chat small", "message": "task decider", "field": "task decider"}
RAISES = {
    "tool_error": ConnectionError,
    "tool_hang": TimeoutError,
    "model_rate_limited": httpx.HTTPStatusError,
}
WAITS = {"message_delayed", "tool_hang", "model_slow", "lock_held"}
CASES = [(kind, scope) for kind, scopes in SCOPES.items() for scope in scopes]


def test_every_kind_has_its_scopes_here() -> None:
    assert set(SCOPES) == set(FaultKind)


@pytest.mark.parametrize(("kind", "scope"), CASES, ids=lambda value: value if isinstance(value, str) else str(value))
def test_a_fault_happens_where_its_scope_says(kind: str, scope: dict[str, str], recorded: Path) -> None:
    app = two_agents()
    bare = app.invoke(QUESTION)
    fault = Fault(kind, **scope, delay=0.05 if kind in WAITS else None)
    began = time.perf_counter()

    with inject(fault, seed=7) as injected:
        if kind in RAISES:
            with pytest.raises(RAISES[kind]):
                app.invoke(QUESTION)
        else:
            outcome = app.invoke(QUESTION)
            assert kind in WAITS or outcome != bare

    assert dict(injected.fired) == {fault: 1}
    assert injected.never_fired == ()
    assert kind not in WAITS or time.perf_counter() - began >= 0.05
    ((span, found),) = injected_into(recorded)
    assert (found.kind, found.scope, found.seed) == (kind, fault.scope, 7)
    hit = kind.split("_")[0]
    wanted = SPANS.get(hit) or ("execute_tool search" if "tool" in scope else None)
    assert span.name == (wanted or ("chat small" if "model" in scope else f"task {scope['agent']}"))


@pytest.mark.parametrize(("kind", "scope"), CASES, ids=lambda value: value if isinstance(value, str) else str(value))
def test_a_fault_of_another_scope_does_not_happen(kind: str, scope: dict[str, str], recorded: Path) -> None:
    app = two_agents()
    bare = app.invoke(QUESTION)
    for name in scope:
        fault = Fault(kind, **(scope | {name: ELSEWHERE[name]}))
        with inject(fault) as injected:
            assert app.invoke(QUESTION)["answer"] == bare["answer"]

        assert injected.never_fired == (fault,)
        assert injected_into(recorded) == []


def test_what_each_fault_of_a_message_leaves_to_its_reader() -> None:
    app = two_agents()
    found = "tram: 12,500 people say yes"

    def heard(fault: str, seed: int = 7) -> tuple[list[str], str]:
        with inject(fault, seed=seed):
            outcome = app.invoke(QUESTION)
        assert [message.content for message in outcome["messages"]][:2] == ["q", found]  # what others read is unharmed
        return outcome["heard"], outcome["answer"].split(":")[0]

    assert heard("message_lost:edge=finder->decider") == (["q"], "None None")
    assert heard("message_lost:edge=__start__->decider") == ([found], "12500 yes")
    assert heard("message_duplicated:agent=decider") == (["q", found, found], "12500 yes")
    contradicted = [heard("message_contradicted:agent=decider", seed) for seed in range(4)]
    assert {str(one) for one in contradicted} == {
        str((["q", "tram: 125,000 people say no"], "125000 no")),
        str((["q", "tram: 1,250 people say no"], "1250 no")),
    }
    corrupted, fields = heard("message_corrupted:agent=decider")
    assert corrupted[0] == "q"
    assert corrupted[1] != found
    assert len(corrupted[1]) == len(found)
    assert fields != "12500 yes"
    assert heard("field_forgotten:field=people") == (["q", found], "None yes")


def test_what_a_tool_returns() -> None:
    with inject("tool_empty"):
        assert search.invoke({"query": "x"}) == ""
    with inject("tool_nonsense", seed=1):
        assert "people" not in search.invoke({"query": "x"})
    assert search.invoke({"query": "x"}) == "x: 12,500 people say yes"


def test_an_artifact_stays_with_changed_content() -> None:
    @tool(response_format="content_and_artifact")
    def plot(query: str) -> tuple[str, dict[str, int]]:
        """Plot something."""
        return "a picture", {"points": 3}

    with inject("tool_empty"):
        message = plot.invoke({"name": "plot", "args": {"query": "x"}, "id": "1", "type": "tool_call"})

    assert (message.content, message.artifact) == ("", {"points": 3})


# -- models ------------------------------------------------------------------------------------------------------------


def test_a_truncated_answer_says_so_invoked_and_streamed() -> None:
    with inject("model_truncated:keep=0.25"):
        whole = says(SCRIPT).invoke("q")
        chunks = list(says(SCRIPT).stream("q"))
    streamed = "".join(chunk.content for chunk in chunks)

    assert whole.content == SCRIPT[: len(SCRIPT) // 4]
    assert whole.response_metadata["finish_reason"] == "length"
    assert streamed == SCRIPT[: len(SCRIPT) // 4]
    assert "length" in {chunk.response_metadata.get("finish_reason") for chunk in chunks}


def test_a_truncated_tool_call_is_invalid() -> None:
    with inject("model_truncated"):
        answer = says(calls("search", query="something long")).invoke("q")

    assert answer.tool_calls == []
    assert [call["name"] for call in answer.invalid_tool_calls] == ["search"]


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
def test_a_rate_limit_is_the_exception_of_the_provider_s_client(way: str) -> None:
    model = ChatOpenAI(model="gpt-4o-mini", api_key="none", base_url="http://127.0.0.1:9/v1", max_retries=0)

    with inject("model_rate_limited:model=gpt-4o-mini"), pytest.raises(openai.RateLimitError) as refused:
        WAYS_OF_A_MODEL[way](model)

    assert refused.value.status_code == 429
    assert refused.value.code == "rate_limit_exceeded"


async def _collected(stream: Any) -> list[Any]:
    return [chunk async for chunk in stream]


WAYS_OF_A_MODEL: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda model: model.invoke("q"),
    "ainvoke": lambda model: asyncio.run(model.ainvoke("q")),
    "stream": lambda model: list(model.stream("q")),
    "astream": lambda model: asyncio.run(_collected(model.astream("q"))),
}


@pytest.mark.parametrize("way", WAYS_OF_A_MODEL)
def test_models_are_slow_and_cut_in_every_way(way: str, recorded: Path) -> None:
    with otel_mas.workflow("w"), inject("model_slow:delay=50ms", "model_truncated", seed=3) as injected:
        began = time.perf_counter()
        WAYS_OF_A_MODEL[way](says(SCRIPT))
        took = time.perf_counter() - began

    assert took >= 0.05
    assert list(injected.fired.values()) == [1, 1]
    assert [(span.name, fault.kind) for span, fault in injected_into(recorded)] == [
        ("chat scripted", "model_slow"),
        ("chat scripted", "model_truncated"),
    ]


# -- every way in which a graph runs -----------------------------------------------------------------------------------

WAYS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda app: app.invoke(QUESTION),
    "ainvoke": lambda app: asyncio.run(app.ainvoke(QUESTION)),
    "stream": lambda app: list(app.stream(QUESTION, stream_mode=["updates", "messages", "debug"])),
    "astream": lambda app: asyncio.run(_collected(app.astream(QUESTION, stream_mode=["values", "messages"]))),
    "batch": lambda app: app.batch([QUESTION]),
    "thread": lambda app: ThreadPoolExecutor(1).submit(app.invoke, QUESTION).result(),
}
IN_EVERY_WAY = ("message_lost", "message_delayed", "tool_empty", "model_slow", "agent_gives_up", "lock_held")


@pytest.mark.parametrize("kind", IN_EVERY_WAY)
@pytest.mark.parametrize("way", WAYS)
def test_faults_happen_in_every_way_to_run_a_graph(way: str, kind: str, recorded: Path) -> None:
    fault = Fault(kind, **SCOPES[kind][0], delay=0.02 if kind in WAITS else None)

    with inject(fault, seed=1) as injected:
        WAYS[way](two_agents())

    assert injected.fired[fault] == 1
    assert [found.kind for _, found in injected_into(recorded)] == [kind]


def test_tools_in_threads_of_the_app_belong_to_their_agent(recorded: Path) -> None:
    def busy(state: State) -> State:
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda query: search.invoke({"query": query}), ["a", "b"]))
        return {"answer": "|".join(found)}

    app = StateGraph(State).add_node("busy", busy).add_edge(START, "busy").compile()

    with inject("tool_empty:agent=busy") as injected:
        outcome = app.invoke(QUESTION)

    assert outcome["answer"] == "|"
    assert list(injected.fired.values()) == [2]


def test_marked_agents_are_agents(recorded: Path) -> None:
    @otel_mas.agent("clerk")
    def clerk() -> str:
        return str(search.invoke({"query": "x"}))

    with inject("tool_empty:agent=clerk"):
        assert clerk() == ""
        assert search.invoke({"query": "x"}) != ""


class Order(TypedDict):
    item: str


class Basket(TypedDict, total=False):
    items: Annotated[list[str], lambda a, b: a + b]


def fan_out(count: int = 4) -> Any:
    def packer(state: Order) -> Basket:
        return {"items": [state["item"]]}

    graph = StateGraph(Basket)
    graph.add_node("sorter", lambda state: {})
    graph.add_node("packer", packer)
    graph.add_edge(START, "sorter")
    graph.add_conditional_edges(
        "sorter", lambda state: [Send("packer", {"item": f"item {number}"}) for number in range(count)], ["packer"]
    )
    graph.add_edge("packer", END)
    return graph.compile()


def test_sends_get_lost_and_arrive_twice(recorded: Path) -> None:
    with inject("message_lost:edge=sorter->packer,occurrence=2"):
        assert fan_out().invoke({})["items"] == ["item 0", "item 2", "item 3"]
    assert [span.name for span, _ in injected_into(recorded)] == ["task sorter"]
    with inject("message_duplicated:edge=sorter->packer,occurrence=1"):
        assert fan_out().invoke({})["items"] == ["item 0", "item 0", "item 1", "item 2", "item 3"]
    with inject("message_lost:edge=sorter->packer,field=item"), pytest.raises(KeyError, match="item"):
        fan_out(1).invoke({})
    with inject("message_corrupted:edge=sorter->packer"):
        corrupted = fan_out(1).invoke({})["items"]
    assert corrupted != ["item 0"]
    assert [span.name for span, _ in injected_into(recorded)] == ["task packer"]


def test_a_prebuilt_agent_is_hit_by_its_name(recorded: Path) -> None:
    def agent() -> Any:
        return make_agent(says(calls("search", query="x"), "It is found."), [search], name="seeker")

    with inject("tool_empty:agent=seeker") as injected:
        outcome = agent().invoke(QUESTION)
    assert [message.content for message in outcome["messages"]][-2:] == ["", "It is found."]
    assert list(injected.fired.values()) == [1]
    with inject("agent_gives_up:agent=seeker,occurrence=2") as injected:
        outcome = agent().invoke(QUESTION)
    assert outcome["messages"][-1].content != "It is found."
    assert list(injected.fired.values()) == [1]
    with inject("message_lost") as injected:  # its own parts send no messages
        agent().invoke(QUESTION)
    assert list(injected.fired.values()) == [0]


@pytest.mark.parametrize(
    ("fault", "ending"),
    [
        ("message_lost:edge=research->supervisor", "It rains, I hear."),
        ("tool_empty:agent=research", "It rains, I hear."),
        ("model_truncated:agent=supervisor,occurrence=2", "It rains"),
    ],
)
def test_a_team_of_langgraph_supervisor(fault: str, ending: str) -> None:
    research = react_agent(says(calls("search", query="Oslo"), "It rains."), [search], name="research")
    app = supervised(says(calls("transfer_to_research"), "It rains, I hear."), research)

    with inject(fault) as injected:
        outcome = app.invoke(QUESTION)

    assert list(injected.fired.values()) == [1]
    assert outcome["messages"][-1].content.startswith(ending)


def test_messages_from_before_a_pause_have_their_senders(recorded: Path) -> None:
    def approval(state: State) -> State:
        interrupt("go on?")
        return {}

    graph = StateGraph(State).add_node("finder", finder).add_node("approval", approval).add_node("decider", decider)
    graph.add_edge(START, "finder").add_edge("finder", "approval").add_edge("approval", "decider")
    app = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}

    with inject("message_lost:edge=finder->decider") as injected:
        app.invoke(QUESTION, config)
        outcome = app.invoke(Command(resume="yes"), config)

    assert outcome["answer"].startswith("None None")
    assert outcome["heard"] == ["q"]
    assert list(injected.fired.values()) == [1]
    assert len(injected_into(recorded)) == 1
    with otel_mas.open(recorded) as source:
        hidden = source.conversation("1").without_faults()
        assert [len(trace.spans) > 0 and trace.injected_faults() for trace in hidden.traces] == [(), ()]


def test_a_thread_without_checkpoints_begins_anew() -> None:
    graph = StateGraph(State).add_node("finder", lambda state: {} if state.get("people") else finder(state))
    app = graph.add_node("decider", decider).add_edge(START, "finder").add_edge("finder", "decider").compile()
    config: Any = {"configurable": {"thread_id": "1"}}

    with inject("message_lost:edge=finder->decider") as injected:
        app.invoke(QUESTION, config)
        outcome = app.invoke({**QUESTION, "people": 3, "verdict": "no"}, config)

    assert outcome["answer"].startswith("3 no")
    assert list(injected.fired.values()) == [1]


def test_each_attempt_of_a_node_is_an_occurrence() -> None:
    def careful(state: State) -> State:
        return {"answer": search.invoke({"query": "x"})}

    policy = RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False)
    app = StateGraph(State).add_node("careful", careful, retry_policy=policy).add_edge(START, "careful").compile()

    with inject("tool_error:occurrence=1|2") as injected:
        assert app.invoke(QUESTION)["answer"] == "x: 12,500 people say yes"

    assert list(injected.fired.values()) == [2]


def test_state_of_other_types_than_dicts() -> None:
    class Form(BaseModel):
        people: int = 0
        verdict: str = ""

    def writer(state: Form) -> dict[str, Any]:
        return {"people": 40, "verdict": "approved"}

    read: list[Form] = []
    graph = StateGraph(Form).add_node("writer", writer)
    graph.add_node("reader", lambda state: read.append(state) or {})
    graph.add_edge(START, "writer").add_edge("writer", "reader")
    app = graph.compile()

    with inject("message_contradicted:edge=writer->reader", seed=1):
        app.invoke({})
    with inject("field_forgotten:field=verdict,agent=reader"):
        app.invoke({})

    assert (read[0].people in (4, 400), read[0].verdict) == (True, "rejected")
    assert (read[1].people, read[1].verdict) == (40, None)


# -- when --------------------------------------------------------------------------------------------------------------


def test_a_time_window() -> None:
    with inject("tool_empty:before=50ms", "tool_nonsense:after=50ms", seed=2) as injected:
        first = search.invoke({"query": "x"})
        time.sleep(0.06)
        second = search.invoke({"query": "x"})

    assert first == ""
    assert second not in ("", "x: 12,500 people say yes")
    assert list(injected.fired.values()) == [1, 1]


def hit_items(seed: int) -> list[str]:
    def packer(state: Order) -> Basket:
        time.sleep(0.002 * (hash(state["item"]) % 3))  # in another order each time
        return {"items": [search.invoke({"query": state["item"]})]}

    graph = StateGraph(Basket)
    graph.add_node("sorter", lambda state: {})
    graph.add_node("packer", packer)
    graph.add_edge(START, "sorter")
    graph.add_conditional_edges(
        "sorter", lambda state: [Send("packer", {"item": f"item {number}"}) for number in range(12)], ["packer"]
    )
    with inject("tool_nonsense:probability=0.5", seed=seed):
        items: list[str] = graph.compile().invoke({})["items"]
    return items


def test_a_seed_decides_whatever_the_timing_and_whether_it_is_recorded(tmp_path: Path) -> None:
    bare = hit_items(5)
    otel_mas.instrument(store=str(tmp_path / "runs.db"))
    try:
        assert [hit_items(5) for _ in range(3)] == [bare] * 3
    finally:
        otel_mas.shutdown(30)
    assert asyncio.run(asyncio.to_thread(hit_items, 5)) == bare
    assert hit_items(6) != bare
    assert 0 < sum("people" not in item for item in bare) < 12


def test_probability_is_a_share() -> None:
    with inject("tool_empty:probability=0.3", seed=1) as injected:
        for number in range(400):
            search.invoke({"query": str(number)})

    assert 80 < sum(injected.fired.values()) < 160


# -- waiting -----------------------------------------------------------------------------------------------------------


class Gauge:
    """How many were inside at once, at most."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.inside -= 1


@pytest.mark.parametrize(
    ("scope", "limit"), [("tool=slow", 1), ("tool=slow,limit=2", 2), ("agent=worker", 1), ("model=small", 1)]
)
@pytest.mark.parametrize("in_loop", [False, True], ids=["threads", "loop"])
def test_a_starved_resource_lets_only_a_few_in(scope: str, limit: int, in_loop: bool, recorded: Path) -> None:
    gauge = Gauge()

    @tool
    def slow(query: str) -> str:
        """Take a while."""
        with gauge:
            time.sleep(0.01)
        return query

    @tool("slow")
    async def aslow(query: str) -> str:
        """Take a while."""
        with gauge:
            await asyncio.sleep(0.01)
        return query

    def worker(state: Order) -> Basket:
        if "model" in scope:
            with inject("model_slow:delay=10ms"), _while_called(gauge, says("x", model="small")) as model:
                return {"items": [model.invoke("q").content]}
        return {"items": [slow.invoke({"query": state["item"]})]}

    async def aworker(state: Order) -> Basket:
        if "model" in scope:
            with _while_called(gauge, says("x", model="small")) as model:
                return {"items": [(await model.ainvoke("q")).content]}
        return {"items": [await aslow.ainvoke({"query": state["item"]})]}

    graph = StateGraph(Basket)
    graph.add_node("sorter", lambda state: {})
    graph.add_node("worker", aworker if in_loop else worker)
    graph.add_edge(START, "sorter")
    graph.add_conditional_edges(
        "sorter", lambda state: [Send("worker", {"item": str(number)}) for number in range(6)], ["worker"]
    )
    app = graph.compile()

    with inject(f"resource_starved:{scope}") as injected:
        outcome = asyncio.run(app.ainvoke({})) if in_loop else app.invoke({})

    assert len(outcome["items"]) == 6
    assert gauge.most <= limit
    assert 0 < sum(injected.fired.values()) <= 6
    assert {found.changed for _, found in injected_into(recorded)} == {("start",)}


class _while_called:  # noqa: N801
    """A model whose requests are counted while they run."""

    def __init__(self, gauge: Gauge, model: Any) -> None:
        generate = type(model)._generate

        class Counted(type(model)):  # type: ignore[misc]
            def _generate(self, *args: Any, **kwargs: Any) -> Any:
                with gauge:
                    time.sleep(0.005)
                    return generate(self, *args, **kwargs)

        self._model = Counted(left=model.left, model=model.model)

    def __enter__(self) -> Any:
        return self._model

    def __exit__(self, *_: object) -> None:
        pass


def test_a_starved_agent_does_not_wait_for_itself() -> None:
    inner = two_agents()
    graph = StateGraph(State).add_node("team", inner).add_edge(START, "team")

    with inject("resource_starved:agent=team", "resource_starved:agent=decider", "resource_starved:tool=search"):
        assert graph.compile().invoke(QUESTION)["answer"]


def test_a_lock_is_held_once_for_all_who_come() -> None:
    with inject("lock_held:tool=search,delay=100ms") as injected:
        began = time.perf_counter()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda query: search.invoke({"query": query}), "abcd"))
        search.invoke({"query": "later"})
        took = time.perf_counter() - began

    assert took >= 0.1
    assert sum(injected.fired.values()) == 4


# -- on, off, and nothing left -----------------------------------------------------------------------------------------


def _functions() -> dict[str, Any]:
    import importlib

    found = {}
    for table in HOOKS.tables:
        for hook in table.hooks:
            module = importlib.import_module(hook.module)
            found[hook.place] = getattr(getattr(module, hook.owner) if hook.owner else module, hook.name, None)
    return found


@pytest.fixture
def unpatched() -> Iterator[None]:
    before = _functions()
    yield
    assert _functions() == before


@pytest.mark.usefixtures("unpatched")
def test_nothing_stays_patched(tmp_path: Path) -> None:
    before = _functions()
    with inject("tool_error"):
        assert all(now is not before[place] for place, now in _functions().items() if now is not None)
        with inject("model_slow:delay=1ms"):
            pass
        with pytest.raises(ConnectionError):
            search.invoke({"query": "x"})
    assert _functions() == before
    otel_mas.instrument(store=str(tmp_path / "runs.db"))
    during = _functions()
    with pytest.raises(ConnectionError), inject("tool_error"):
        search.invoke({"query": "x"})
    assert _functions() == during
    otel_mas.shutdown(30)


def test_recording_that_begins_and_ends_inside_leaves_injection_alone(tmp_path: Path) -> None:
    with inject("tool_empty") as injected:
        otel_mas.instrument(store=str(tmp_path / "runs.db"))
        two_agents().invoke(QUESTION)
        found = injected_into(tmp_path / "runs.db")
        otel_mas.shutdown(30)
        two_agents().invoke(QUESTION)

    assert list(injected.fired.values()) == [2]
    assert [fault.kind for _, fault in found] == ["tool_empty"]
    assert two_agents().invoke(QUESTION)["messages"][1].content == "tram: 12,500 people say yes"


def test_it_is_refused_where_the_environment_forbids_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_MAS_FAULTS", "off")

    with pytest.raises(ConfigError, match="OTEL_MAS_FAULTS=off forbids"):
        inject("tool_error")


def test_nothing_to_inject_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no fault to inject"):
        inject()
    with pytest.raises(ConfigError, match="no kind of fault 'explode'"):
        inject("explode")
    with pytest.raises(ConfigError, match="seed is 'x'; it must be a whole number"):
        inject("tool_error", seed="x")  # type: ignore[arg-type]


def test_an_error_of_ours_leaves_the_app_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests are strict about our errors; apps are not."""
    from otel_mas.record import guard

    monkeypatch.setattr(guard, "_strict", False)

    class Odd(type(search)):  # type: ignore[misc]
        def __copy__(self) -> Any:
            raise RuntimeError("cannot be copied")

    odd = Odd.from_function(lambda query: f"{query}!", name="odd", description="Odd.")

    with inject("tool_empty") as injected:
        assert odd.invoke({"query": "x"}) == "x!"
    assert list(injected.fired.values()) == [0]


def test_a_trace_can_be_read_as_if_nobody_had_injected_anything(recorded: Path) -> None:
    with inject("tool_nonsense"):
        two_agents().invoke(QUESTION)
    assert otel_mas.flush(30)

    with otel_mas.open(recorded) as source:
        trace = source.latest()
        hidden = trace.without_faults()
        assert len(trace.injected_faults()) == 1
        assert hidden.injected_faults() == ()
        assert [span.name for span in hidden.spans] == [span.name for span in trace.spans]
        assert "fault" not in str([(span.attributes, span.events) for span in hidden.spans])
        assert "fault" not in str(list(hidden.log()))
        assert hidden.graph().critical_path().total_ns == trace.graph().critical_path().total_ns
