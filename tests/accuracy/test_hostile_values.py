"""Values that are cyclic, wide, deep, lazy or lying, through every hook: none of their code runs to record them."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt

import otel_mas

_SECONDS = 3.0  # of this thread's CPU time, more than without recording: a copy without bounds takes far longer
CALLED: Counter[str] = Counter()
"""The app's code that ran, by name."""


# -- values --------------------------------------------------------------------------------------------------------


def counting(kind: type, *names: str) -> type:
    """A subclass of a built-in type whose methods count their calls."""

    def counted(name: str) -> Any:
        original = getattr(kind, name)

        def method(self: Any, *args: Any) -> Any:
            CALLED[f"{kind.__name__}.{name}"] += 1
            return original(self, *args)

        return method

    return type(f"Lazy{kind.__name__}", (kind,), {name: counted(name) for name in names})


_SHARED = ("__eq__", "__ne__", "__hash__", "__repr__", "__str__", "__getattribute__")
_SIZED = ("__len__", "__iter__", "__contains__", "__getitem__")
LazyDict = counting(dict, "items", "keys", "values", "get", "copy", *_SIZED, *_SHARED[:2], *_SHARED[3:])
LazyList = counting(list, "copy", "index", *_SIZED, *_SHARED[:2], *_SHARED[3:])
LazyTuple = counting(tuple, *_SIZED, *_SHARED)
LazyText = counting(str, "encode", "strip", "startswith", *_SIZED, *_SHARED)
LazyFloat = counting(float, "__float__", "__int__", "__bool__", "is_integer", *_SHARED)


@dataclasses.dataclass(eq=False)
class Row:
    """A record of which one column is loaded as it is read."""

    id: int
    body: str = ""

    def __getattr__(self, name: str) -> Any:
        CALLED[f"Row.{name}"] += 1
        raise AttributeError(name)


def _loaded(self: Row) -> str:
    CALLED["Row.body"] += 1
    return "text"


Row.body = property(_loaded, lambda self, value: None)  # type: ignore[assignment]


class Liar:
    """Says that it is a text, a dict, a list, a message: whatever it is asked for."""

    __slots__ = ()

    @property
    def __class__(self) -> Any:
        CALLED["Liar.__class__"] += 1
        return str

    @__class__.setter
    def __class__(self, value: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        CALLED[f"Liar.{name}"] += 1
        raise AttributeError(name)

    def __eq__(self, other: object) -> bool:
        CALLED["Liar.__eq__"] += 1
        return True

    def __hash__(self) -> int:
        CALLED["Liar.__hash__"] += 1
        return 1

    def __bool__(self) -> bool:
        CALLED["Liar.__bool__"] += 1
        return True

    def __len__(self) -> int:
        CALLED["Liar.__len__"] += 1
        return 1

    def __iter__(self) -> Iterator[Any]:
        CALLED["Liar.__iter__"] += 1
        return iter(())

    def __str__(self) -> str:
        CALLED["Liar.__str__"] += 1
        return "a text"

    __repr__ = __str__


def cyclic() -> Any:
    people: list[dict[str, Any]] = [{"name": str(number)} for number in range(40)]
    for one in people:
        one["friends"] = people
    return people


def deep() -> Any:
    value: Any = []
    for _ in range(300):
        value = [value]
    return value


VALUES: dict[str, Callable[[], Any]] = {
    "cyclic": cyclic,
    "wide": lambda: [{"row": number} for number in range(100_000)],
    "wide dict": lambda: dict.fromkeys(range(100000), "x"),
    "deep": deep,
    "lazy dict": lambda: LazyDict(a=1, score=LazyFloat(1)),
    "lazy list": lambda: LazyList([1, LazyText("x")]),
    "lazy tuple": lambda: LazyTuple((1, 2)),
    "lazy text": lambda: LazyText("x"),
    "lazy float": lambda: LazyFloat(0.5),
    "property": lambda: Row(1),
    "liar": Liar,
}


# -- hooks ---------------------------------------------------------------------------------------------------------


class Held(TypedDict, total=False):
    a: Any
    b: Any


class Kept:
    """Hands on what a checkpointer would write, so that no code of the value runs for that."""

    def dumps_typed(self, obj: Any) -> tuple[str, Any]:
        return "kept", obj

    def loads_typed(self, data: tuple[str, Any]) -> Any:
        return data[1]


def graph(node: Callable[[Any], Any], *, saved: bool = False) -> Any:
    built = StateGraph(Held)
    built.add_node("work", node)
    built.add_edge(START, "work")
    return built.compile(checkpointer=InMemorySaver(serde=Kept()) if saved else None)  # type: ignore[arg-type]


_THREAD: Any = {"configurable": {"thread_id": "1"}}
_FORM = {"schema": {"title": "grade", "properties": {"score": {}, "reason": {}}}}


class Says(BaseChatModel):
    answer: Any = None

    @property
    def _llm_type(self) -> str:
        return "says"

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.answer or AIMessage("ok"))])


class Finds(BaseRetriever):
    found: Any = None

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [Document(page_content="x", metadata={"value": self.found})]


@tool
def take(value: Any) -> str:
    """Take a value."""
    return "taken"


@tool
async def take_later(value: Any) -> str:
    """Take a value."""
    return "taken"


HOLD: list[Any] = []


@tool
def give() -> Any:
    """Give a value."""
    return HOLD[0]


@tool
async def give_later() -> Any:
    """Give a value."""
    return HOLD[0]


def calling(value: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "f", "args": {"score": value, "reason": "r"}, "id": "1"}])


def tool_result(value: Any) -> Any:
    HOLD[:] = [value]
    return give.invoke({})


def tool_result_later(value: Any) -> Any:
    HOLD[:] = [value]
    return asyncio.run(give_later.ainvoke({}))


def tool_command(value: Any) -> Any:
    HOLD[:] = [Command(update={"a": value, "messages": [ToolMessage("x", tool_call_id="1")]})]
    return give.invoke({}).update["a"]


def written_twice(value: Any) -> Any:
    app = graph(lambda state: {"b": state["a"]})
    return app.invoke({"a": value})["b"]


def sent(value: Any) -> Any:
    built = StateGraph(Held)
    built.add_node("work", lambda given: {"a": given["payload"]})
    built.add_conditional_edges(START, lambda state: [Send("work", {"payload": value})])
    return built.compile().invoke({"b": 1})["a"]


def asked_and_answered(value: Any) -> Any:
    app = graph(lambda state: {"a": interrupt(value)}, saved=True)
    app.invoke({"b": 1}, _THREAD)
    return app.invoke(Command(resume=[value]), _THREAD)["a"][0]  # a dict would be answers by id


def updated(value: Any) -> Any:
    app = graph(lambda state: {"b": 1}, saved=True)
    app.invoke({"b": 1}, _THREAD)
    app.update_state(_THREAD, {"a": value}, as_node="work")
    return app.get_state(_THREAD).values["a"]


def configured(value: Any) -> Any:
    return graph(lambda state: {"a": 1}).invoke({}, {"metadata": {"v": value}, "configurable": {"v": value}})["a"]


def history(value: Any) -> Any:
    message = calling(value)
    for _ in range(2):
        Says().invoke([HumanMessage("q"), message, ToolMessage("x", tool_call_id="1")])
    return message.tool_calls[0]["args"]["score"]


def blocks(value: Any) -> Any:
    message = HumanMessage([{"type": "custom", "value": value}])
    Says().invoke([message])
    return message.content[0]["value"]  # type: ignore[index]


def structured(value: Any) -> Any:
    return Says(answer=calling(value)).invoke("q", ls_structured_output_format=_FORM).tool_calls[0]["args"]["score"]


def parsed(value: Any) -> Any:
    answer = AIMessage("", additional_kwargs={"parsed": value})
    return Says(answer=answer).invoke("q", ls_structured_output_format=_FORM).additional_kwargs["parsed"]


def marked(value: Any) -> Any:
    @otel_mas.agent
    def pass_on(given: Any) -> Any:
        otel_mas.state(given=given)
        otel_mas.event("seen", given=given)
        return given

    return pass_on(value)


def marked_check(value: Any) -> Any:
    return otel_mas.guardrail(lambda given: given)(value)


def marked_grade(value: Any) -> Any:
    return otel_mas.grade(lambda given: value)(1)


HOOKS: dict[str, Callable[[Any], Any]] = {
    "tool arguments": lambda value: take.invoke({"value": value}),
    "tool arguments, async": lambda value: asyncio.run(take_later.ainvoke({"value": value})),
    "tool result": tool_result,
    "tool result, async": tool_result_later,
    "tool command": tool_command,
    "state": lambda value: graph(lambda state: {"a": value}).invoke({})["a"],
    "state, async": lambda value: asyncio.run(graph(lambda state: {"a": value}).ainvoke({"b": 1}))["a"],
    "state, read": written_twice,
    "Command(update)": lambda value: graph(lambda state: Command(update={"a": value})).invoke({"b": 1})["a"],
    "Send": sent,
    "interrupt and resume": asked_and_answered,
    "update_state": updated,
    "tool calls in the history": history,
    "content blocks": blocks,
    "structured answer": structured,
    "parsed answer": parsed,
    "documents": lambda value: Finds(found=value).invoke("q")[0].metadata["value"],
    "config": configured,
    "mark": marked,
    "guardrail": marked_check,
    "grade": marked_grade,
}


def measured(hook: Callable[[Any], Any], value: Any) -> tuple[Any, Counter[str], float]:
    CALLED.clear()
    began = time.thread_time()
    result = hook(value)
    return result, CALLED.copy(), time.thread_time() - began


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS.keys())
def test_no_code_of_a_value_runs_to_record_it(
    hook: Callable[[Any], Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bare = {}
    hook(1)  # what is made at the first call is not counted
    for name, make in VALUES.items():
        value = make()
        result, called, seconds = measured(hook, value)
        bare[name] = result is value, called, seconds
    store = tmp_path / "runs.db"
    otel_mas.instrument(store=str(store))
    problems = []
    try:
        for name, make in VALUES.items():
            value = make()
            result, called, seconds = measured(hook, value)
            own, before, least = bare[name]
            if (result is value) is not own:
                problems.append(f"{name}: another result")
            if called != before:
                problems.append(f"{name}: {dict(called - before)} ran")
            if seconds > least + _SECONDS:
                problems.append(f"{name}: {seconds:.1f} s instead of {least:.1f} s")
    finally:
        otel_mas.shutdown(30)
    assert not problems
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    with otel_mas.open(store) as source:
        assert len(source.traces(limit=1000)) >= len(VALUES)
