"""What a chat-completions request says, and OpenAI's way of refusing one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

MODELS = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "o4-mini": "o4-mini-2025-04-16",
}
"""The models it knows by the name to ask for, with the name that answers."""

ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


class Refusal(Exception):
    """A request that is answered with an error, in OpenAI's JSON."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.param = param
        self.code = code

    def as_json(self) -> dict[str, Any]:
        return {"error": {"message": str(self), "type": self.kind, "param": self.param, "code": self.code}}


@dataclass(frozen=True, slots=True)
class Request:
    """One call of `POST /v1/chat/completions`, checked."""

    model: str
    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: Any = None
    parallel_tool_calls: bool = True
    response_format: Mapping[str, Any] | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int = 0
    stream: bool = False
    include_usage: bool = False

    @property
    def answering_model(self) -> str:
        return MODELS.get(self.model, self.model)

    @property
    def digest(self) -> str:
        """Of all that an answer depends on: the same question is answered alike, streamed or not."""
        said = [self.model, self.messages, self.tools, self.tool_choice, self.parallel_tool_calls]
        text = json.dumps([*said, self.response_format, self.seed], sort_keys=True)
        return blake2b(text.encode(), digest_size=16).hexdigest()

    @staticmethod
    def parse(body: bytes) -> Request:
        """Raises `Refusal` for what OpenAI refuses, too."""
        try:
            said = json.loads(body)
        except ValueError:
            raise Refusal(400, "We could not parse the JSON body of your request.") from None
        if not isinstance(said, dict):
            raise Refusal(400, "The body of your request must be a JSON object.")
        try:
            return Request._checked(said)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Refusal(400, f"We could not make sense of your request: {error!r}.") from None

    @staticmethod
    def _checked(said: Mapping[str, Any]) -> Request:
        options = said.get("stream_options") or {}
        if options and not said.get("stream"):
            message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise Refusal(400, message, param="stream_options")
        stop = said.get("stop") or ()
        return Request(
            model=_model(said),
            messages=_messages(said),
            tools=_tools(said),
            tool_choice=_tool_choice(said),
            parallel_tool_calls=said.get("parallel_tool_calls") is not False,
            response_format=said.get("response_format"),
            max_tokens=_max_tokens(said),
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            seed=int(said.get("seed") or 0),
            stream=bool(said.get("stream")),
            include_usage=bool(options.get("include_usage")),
        )


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, whose content may be a string or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content if part.get("type") == "text")


def _model(said: Mapping[str, Any]) -> str:
    model = said.get("model")
    if not isinstance(model, str) or not model:
        raise Refusal(400, "you must provide a model parameter")
    if model not in MODELS and model not in MODELS.values():
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise Refusal(404, message, code="model_not_found")
    return model


def _messages(said: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    messages = said.get("messages")
    if not isinstance(messages, list):
        message = "Missing required parameter: 'messages'."
        raise Refusal(400, message, param="messages", code="missing_required_parameter")
    if not messages:
        message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array."
        raise Refusal(400, message, param="messages", code="empty_array")
    open_calls: set[str] = set()
    for at, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ROLES:
            raise Refusal(400, f"Invalid value: {role!r}.", param=f"messages[{at}].role", code="invalid_value")
        if role == "tool":
            _answer(message, open_calls, at)
        elif open_calls:
            raise _unanswered(open_calls, at)
        open_calls |= {call["id"] for call in message.get("tool_calls") or ()}
    if open_calls:
        raise _unanswered(open_calls, len(messages))
    return tuple(messages)


def _answer(message: Mapping[str, Any], open_calls: set[str], at: int) -> None:
    if message.get("tool_call_id") not in open_calls:
        text = "Invalid parameter: a message with role 'tool' must answer a preceding message with 'tool_calls'."
        raise Refusal(400, text, param=f"messages.[{at}].role")
    open_calls.remove(message["tool_call_id"])


def _unanswered(open_calls: set[str], at: int) -> Refusal:
    text = (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
        f" The following tool_call_ids did not have response messages: {', '.join(sorted(open_calls))}"
    )
    return Refusal(400, text, param=f"messages.[{at}].role")


def _tools(said: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    tools = said.get("tools") or ()
    for at, tool in enumerate(tools):
        if tool.get("type") != "function" or not tool.get("function", {}).get("name"):
            raise Refusal(400, "Invalid tool: expected a named function.", param=f"tools[{at}]", code="invalid_value")
    return tuple(tools)


def _tool_choice(said: Mapping[str, Any]) -> Any:
    choice = said.get("tool_choice")
    if choice is not None and not said.get("tools"):
        raise Refusal(400, "'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    if isinstance(choice, dict):
        named = choice["function"]["name"]
        if named not in [tool["function"]["name"] for tool in said["tools"]]:
            raise Refusal(400, f"Tool choice '{named}' not found in 'tools' parameter.", param="tool_choice")
    return choice


def _max_tokens(said: Mapping[str, Any]) -> int | None:
    limit = said.get("max_completion_tokens", said.get("max_tokens"))
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise Refusal(400, f"Invalid 'max_tokens': {limit!r} is not a positive integer.", param="max_tokens")
    return limit
