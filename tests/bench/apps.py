"""The measured apps: LangGraph graphs around a model that answers at once."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Send

USAGE = {"input_tokens": 900, "output_tokens": 7, "total_tokens": 907}


class Scripted(BaseChatModel):
    """Answers at once, with the usage that a hosted model reports; streams `chunks` pieces."""

    model_name: str = "gpt-4o-mini"
    chunks: int = 1

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {"ls_provider": "openai", "ls_model_name": self.model_name, "ls_model_type": "chat"}

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        message = AIMessage(
            content="noted",
            usage_metadata=USAGE,
            response_metadata={"model_name": self.model_name, "finish_reason": "stop"},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


class Streaming(Scripted):
    """The same, piece by piece."""

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        for _ in range(self.chunks - 1):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content="word "))
            if run_manager is not None:
                run_manager.on_llm_new_token("word ", chunk=chunk)
            yield chunk
        yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=USAGE))


class State(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    blob: str
    turns: Annotated[int, operator.add]


def loop(nodes: int) -> Any:
    """A loop of one node, which calls the model once in each of `nodes` steps."""
    model = Scripted()

    def think(state: State) -> dict[str, Any]:
        model.invoke(state["messages"])
        return {"turns": 1}

    async def athink(state: State) -> dict[str, Any]:
        await model.ainvoke(state["messages"])
        return {"turns": 1}

    graph = StateGraph(State)
    graph.add_node("think", RunnableLambda(think, athink))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", lambda s: END if s["turns"] >= nodes else "think", ["think", END])
    return graph.compile(name="loop")


def fan_out(width: int) -> Any:
    """`width` Sends to a node that calls the model once, joined again by one node."""
    model = Scripted()

    def work(state: State) -> dict[str, Any]:
        model.invoke(state["messages"])
        return {"turns": 1}

    graph = StateGraph(State)
    graph.add_node("split", lambda state: {})
    graph.add_node("work", work)
    graph.add_node("join", lambda state: {})
    graph.add_edge(START, "split")
    graph.add_conditional_edges("split", lambda state: [Send("work", dict(state)) for _ in range(width)], ["work"])
    graph.add_edge("work", "join")
    graph.add_edge("join", END)
    return graph.compile(name="fan_out")


def streaming(chunks: int) -> Any:
    """One node that streams a model's answer of so many chunks."""
    model = Streaming(chunks=chunks)

    def speak(state: State) -> dict[str, Any]:
        for _ in model.stream(state["messages"]):
            pass
        return {"turns": 1}

    graph = StateGraph(State)
    graph.add_node("speak", speak)
    graph.add_edge(START, "speak")
    graph.add_edge("speak", END)
    return graph.compile(name="streaming")


def model_calls(state: dict[str, Any], config: dict[str, Any], count: int) -> None:
    """The model alone, without a graph."""
    model = Scripted()
    messages = state["messages"]
    for _ in range(count):
        model.invoke(messages, config)


def initial(messages: int, size: int, blob: int) -> dict[str, Any]:
    """A state with a chat history, and with `blob` characters that no model reads."""
    kinds = (HumanMessage, AIMessage)
    text = "lorem ipsum dolor sit amet " * (size // 27 + 1)
    history = [kinds[i % 2](content=f"{i} {text}"[:size], id=f"m{i}") for i in range(messages)]
    return {"messages": history, "blob": "x" * blob, "turns": 0}
