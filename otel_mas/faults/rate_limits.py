"""The exception by which the client of a model's provider reports that there were too many requests (HTTP 429)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

_TEXT: Final = "Rate limit reached for requests. Please try again later."
_ERROR: Final = {"message": _TEXT, "type": "requests", "code": "rate_limit_exceeded"}


class TooManyRequests(ConnectionError):
    """A provider refused a call: too many requests. For models whose client is not known, where httpx is missing."""

    status_code = 429


def rate_limit_error(model: Any) -> Exception:
    """The exception of the provider's own client where that is loaded; else httpx's for status 429, else ours."""
    for client, make in _clients(model):
        module = sys.modules.get(client)
        if module is not None:
            try:
                return make(module)
            except Exception:  # another version of the client, which makes it otherwise
                continue
    response = _response()
    if response is None:
        return TooManyRequests(f"Error code: 429 - {_TEXT}")
    import httpx

    return httpx.HTTPStatusError("Client error '429 Too Many Requests'", request=response.request, response=response)


def _clients(model: Any) -> Iterator[tuple[str, Callable[[Any], Exception]]]:
    """The modules of clients that a model's class may call, each with how its exception is made."""
    for base in type(model).__mro__:
        yield from _CLIENTS.get(base.__module__.partition(".")[0], ())


def _of_status(client: Any) -> Exception:
    error: Exception = client.RateLimitError(
        f"Error code: 429 - {{'error': {_ERROR}}}", response=_response(), body=_ERROR
    )
    return error


def _of_google_genai(errors: Any) -> Exception:
    details = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": _TEXT}
    error: Exception = errors.ClientError(429, {"error": details})
    return error


def _of_google_core(exceptions: Any) -> Exception:
    error: Exception = exceptions.ResourceExhausted(_TEXT)
    return error


def _of_aws(exceptions: Any) -> Exception:
    details = {
        "Error": {"Code": "ThrottlingException", "Message": _TEXT},
        "ResponseMetadata": {"HTTPStatusCode": 429},
    }
    error: Exception = exceptions.ClientError(details, "Converse")
    return error


def _of_ollama(client: Any) -> Exception:
    error: Exception = client.ResponseError(_TEXT, 429)
    return error


# By the package of LangChain's model classes.
_CLIENTS: Final[dict[str, tuple[tuple[str, Callable[[Any], Exception]], ...]]] = {
    "langchain_anthropic": (("anthropic", _of_status),),
    "langchain_aws": (("botocore.exceptions", _of_aws),),
    "langchain_google_genai": (
        ("google.genai.errors", _of_google_genai),
        ("google.api_core.exceptions", _of_google_core),
    ),
    "langchain_google_vertexai": (("google.api_core.exceptions", _of_google_core),),
    "langchain_groq": (("groq", _of_status),),
    "langchain_ollama": (("ollama", _of_ollama),),
    "langchain_openai": (("openai", _of_status),),
}


def _response() -> Any:
    try:
        import httpx
    except ImportError:
        return None
    request = httpx.Request("POST", "https://localhost/v1/chat/completions")
    return httpx.Response(429, headers={"retry-after": "20"}, json={"error": _ERROR}, request=request)


__all__ = ["TooManyRequests", "rate_limit_error"]
