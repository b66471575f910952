"""A chat model that answers what a function makes of the messages it gets: the same for the same messages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

Script = Callable[[Sequence[BaseMessage]], "AIMessage | str"]

UNKNOWN = "unknown"
_LINE = re.compile(r"^- ([A-Z][\w ]*): (.+)$", re.MULTILINE)


class ScriptedModel(BaseChatModel):
    """Answers by its script, with tokens counted as words; streams in pieces of a few words."""

    script: Any
    model: str = "scripted-small"

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {"ls_provider": "scripted", "ls_model_name": self.model, "ls_model_type": "chat"}

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._answer(messages))])

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        answer = self._answer(messages)
        for piece in re.findall(r"(?:\S+\s*){1,4}", str(answer.content)):
            yield ChatGenerationChunk(message=AIMessageChunk(piece))
        calls: Any = [
            {"name": one["name"], "args": json.dumps(one["args"]), "id": one["id"], "index": place}
            for place, one in enumerate(answer.tool_calls)
        ]
        last = AIMessageChunk("", tool_call_chunks=calls, usage_metadata=answer.usage_metadata)
        last.response_metadata = answer.response_metadata
        yield ChatGenerationChunk(message=last)

    def _answer(self, messages: Sequence[BaseMessage]) -> AIMessage:
        said = self.script(messages)
        answer = said if isinstance(said, AIMessage) else AIMessage(said)
        read = sum(len(str(message.content).split()) for message in messages)
        wrote = len(str(answer.content).split()) + 8 * len(answer.tool_calls)
        usage = {"input_tokens": read, "output_tokens": wrote, "total_tokens": read + wrote}
        metadata = {"finish_reason": "tool_calls" if answer.tool_calls else "stop", "model_name": self.model}
        return answer.model_copy(update={"usage_metadata": usage, "response_metadata": metadata})


def ask(model: Any, role: str, text: str) -> str:
    """A model's answer to a prompt of two messages."""
    return str(model.invoke([SystemMessage(role), HumanMessage(text)]).content)


async def aask(model: Any, role: str, text: str) -> str:
    return str((await model.ainvoke([SystemMessage(role), HumanMessage(text)])).content)


def calls(tool: str, **arguments: Any) -> AIMessage:
    """An answer that calls a tool."""
    return AIMessage("", tool_calls=[{"name": tool, "args": arguments, "id": f"call_{tool}", "type": "tool_call"}])


def listed(**facts: Any) -> str:
    """Facts as lines that `restates` reads; those that are not known say so."""
    return "\n".join(f"- {name.replace('_', ' ').capitalize()}: {shown(value)}" for name, value in facts.items())


def shown(value: Any) -> str:
    return UNKNOWN if value in (None, "") else f"{value:,}" if isinstance(value, int) else str(value)


def report(**facts: Any) -> str:
    """The report that a model writes of these facts, whose script is `restates("Report")`."""
    return str(restates("Report")([HumanMessage(listed(**facts))]))


def restates(heading: str) -> Script:
    """A script: a heading, then each fact that was listed last under its name, in the order in which they came."""

    def script(messages: Sequence[BaseMessage]) -> str:
        found = dict(_LINE.findall("\n".join(str(message.content) for message in messages)))
        return " ".join([f"{heading}.", *(f"{name}: {value}." for name, value in found.items())])

    return script


def tool_then_text(tool: str, text: Callable[[str], str], **arguments: Any) -> Script:
    """A script of an agent: call a tool, up to three times, then say what a function makes of the tool's result."""

    def script(messages: Sequence[BaseMessage]) -> AIMessage | str:
        results = [message for message in messages if isinstance(message, ToolMessage)]
        if results and (results[-1].status != "error" or len(results) == 3):
            return text(str(results[-1].content))
        return calls(tool, **arguments)

    return script


def number_in(text: str, after: str = "") -> int | None:
    """The first number of a text, after some words; thousands may have commas."""
    found = re.search(rf"{after}[^\d\n]*?(\d[\d,]*)", text)
    return int(found[1].replace(",", "")) if found else None


def date_in(text: str) -> str | None:
    found = re.search(r"\d{4}-\d{2}-\d{2}", text)
    return found[0] if found else None
