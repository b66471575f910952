"""Chat-completions requests, parsed and checked, and the errors that OpenAI answers."""

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
"""Name in the request → name in the response."""

ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


class ApiError(Exception):
    """An error response, in OpenAI's JSON."""

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
    """A valid request of `POST /v1/chat/completions`."""

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
    def response_model(self) -> str:
        return MODELS.get(self.model, self.model)

    @property
    def digest(self) -> str:
        """Digest of all that the answer depends on; streaming does not count."""
        inputs = [self.model, self.messages, self.tools, self.tool_choice, self.parallel_tool_calls]
        text = json.dumps([*inputs, self.response_format, self.seed], sort_keys=True)
        return blake2b(text.encode(), digest_size=16).hexdigest()

    @staticmethod
    def parse(text: bytes) -> Request:
        """Parse a request. Raises `ApiError` where OpenAI answers an error."""
        try:
            body = json.loads(text)
        except ValueError:
            raise ApiError(400, "We could not parse the JSON body of your request.") from None
        if not isinstance(body, dict):
            raise ApiError(400, "The body of your request must be a JSON object.")
        try:
            return Request._checked(body)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ApiError(400, f"We could not make sense of your request: {error!r}.") from None

    @staticmethod
    def _checked(body: Mapping[str, Any]) -> Request:
        options = body.get("stream_options") or {}
        if options and not body.get("stream"):
            message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise ApiError(400, message, param="stream_options")
        stop = body.get("stop") or ()
        return Request(
            model=_model(body),
            messages=_messages(body),
            tools=_tools(body),
            tool_choice=_tool_choice(body),
            parallel_tool_calls=body.get("parallel_tool_calls") is not False,
            response_format=body.get("response_format"),
            max_tokens=_max_tokens(body),
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            seed=int(body.get("seed") or 0),
            stream=bool(body.get("stream")),
            include_usage=bool(options.get("include_usage")),
        )


def text_of(message: Mapping[str, Any]) -> str:
    """Text of a message; its content is a string or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content if part.get("type") == "text")


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise ApiError(400, "you must provide a model parameter")
    if model not in MODELS and model not in MODELS.values():
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise ApiError(404, message, code="model_not_found")
    return model


def _messages(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    messages = body.get("messages")
    if not isinstance(messages, list):
        message = "Missing required parameter: 'messages'."
        raise ApiError(400, message, param="messages", code="missing_required_parameter")
    if not messages:
        message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array."
        raise ApiError(400, message, param="messages", code="empty_array")
    open_calls: set[str] = set()
    for at, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ROLES:
            raise ApiError(400, f"Invalid value: {role!r}.", param=f"messages[{at}].role", code="invalid_value")
        if role == "tool":
            _check_tool_message(message, open_calls, at)
        elif open_calls:
            raise _unanswered(open_calls, at)
        open_calls |= {call["id"] for call in message.get("tool_calls") or ()}
    if open_calls:
        raise _unanswered(open_calls, len(messages))
    return tuple(messages)


def _check_tool_message(message: Mapping[str, Any], open_calls: set[str], at: int) -> None:
    if message.get("tool_call_id") not in open_calls:
        text = "Invalid parameter: a message with role 'tool' must answer a preceding message with 'tool_calls'."
        raise ApiError(400, text, param=f"messages.[{at}].role")
    open_calls.remove(message["tool_call_id"])


def _unanswered(open_calls: set[str], at: int) -> ApiError:
    text = (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
        f" The following tool_call_ids did not have response messages: {', '.join(sorted(open_calls))}"
    )
    return ApiError(400, text, param=f"messages.[{at}].role")


def _tools(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    tools = body.get("tools") or ()
    for at, tool in enumerate(tools):
        if tool.get("type") != "function" or not tool.get("function", {}).get("name"):
            raise ApiError(400, "Invalid tool: expected a named function.", param=f"tools[{at}]", code="invalid_value")
    return tuple(tools)


def _tool_choice(body: Mapping[str, Any]) -> Any:
    choice = body.get("tool_choice")
    if choice is not None and not body.get("tools"):
        raise ApiError(400, "'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    if isinstance(choice, dict):
        name = choice["function"]["name"]
        if name not in [tool["function"]["name"] for tool in body["tools"]]:
            raise ApiError(400, f"Tool choice '{name}' not found in 'tools' parameter.", param="tool_choice")
    return choice


def _max_tokens(body: Mapping[str, Any]) -> int | None:
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise ApiError(400, f"Invalid 'max_tokens': {limit!r} is not a positive integer.", param="max_tokens")
    return limit
