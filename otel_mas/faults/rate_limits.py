"""The exception by which the client of a model's provider reports that there were too many requests (HTTP 429)."""

from __future__ import annotations

import sys
from typing import Any, Final

_TEXT: Final = "Rate limit reached for requests. Please try again later."
# Modules of LangChain's model classes → the module of the client, whose RateLimitError is made from a response.
_CLIENTS: Final = {
    "langchain_openai": "openai",
    "langchain_azure_ai": "openai",
    "langchain_deepseek": "openai",
    "langchain_xai": "openai",
    "langchain_anthropic": "anthropic",
    "langchain_groq": "groq",
    "langchain_together": "openai",
    "langchain_fireworks": "fireworks.client.error",
}


class TooManyRequests(ConnectionError):
    """A provider refused a call: too many requests. For models of which no client's own exception is known."""

    status_code = 429


def rate_limit_error(model: Any) -> Exception:
    """The exception of the provider's own client where it is loaded; else httpx's for status 429, else ours."""
    for base in type(model).__mro__:
        client = sys.modules.get(_CLIENTS.get(base.__module__.partition(".")[0], ""))
        if client is not None and (made := _of_client(client)) is not None:
            return made
        if base.__module__.startswith("langchain_google"):
            made = _of_google()
            if made is not None:
                return made
    response = _response()
    if response is None:
        return TooManyRequests(f"Error code: 429 - {_TEXT}")
    import httpx

    return httpx.HTTPStatusError("Client error '429 Too Many Requests'", request=response.request, response=response)


def _response() -> Any:
    try:
        import httpx
    except ImportError:
        return None
    return httpx.Response(
        429,
        headers={"retry-after": "20"},
        json={"error": {"message": _TEXT, "type": "requests", "code": "rate_limit_exceeded"}},
        request=httpx.Request("POST", "https://localhost/v1/chat/completions"),
    )


def _of_client(client: Any) -> Exception | None:
    kind, response = getattr(client, "RateLimitError", None), _response()
    if kind is None or response is None:
        return None
    body = response.json()["error"]
    error: Exception = kind(f"Error code: 429 - {{'error': {body}}}", response=response, body=body)
    return error


def _of_google() -> Exception | None:
    exceptions: Any = sys.modules.get("google.api_core.exceptions")
    return None if exceptions is None else exceptions.ResourceExhausted(_TEXT)


__all__ = ["TooManyRequests", "rate_limit_error"]
