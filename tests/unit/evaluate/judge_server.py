"""A local server that speaks the protocols of OpenAI, Anthropic and Gemini, and judges as a function says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any] | str]


@dataclass
class JudgeServer:
    """The address of the server, and the bodies of the requests that it got."""

    url: str
    requests: list[Mapping[str, Any]] = field(default_factory=list)


@contextmanager
def judge_server(answer: Answer) -> Iterator[JudgeServer]:
    """A server on a free port; `answer` makes the answer to each request's body: structured, or a text.

    A text that begins with "I cannot" is a refusal. `url` is that of OpenAI's protocol; without `/v1` of the others.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            found.requests.append(request)
            answered = answer(request)
            body = _bodies(self.path)(request, answered)
            sent = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = JudgeServer(f"http://127.0.0.1:{http.server_address[1]}/v1")
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def prompt_of(request: Mapping[str, Any]) -> str:
    """Text of the last message of a request, in any of the protocols."""
    if "contents" in request:
        return str(request["contents"][-1]["parts"][0]["text"])
    content = request["messages"][-1]["content"]
    return content if isinstance(content, str) else str(content[-1]["text"])


def _bodies(path: str) -> Callable[[Mapping[str, Any], Mapping[str, Any] | str], Mapping[str, Any]]:
    if path.endswith("/messages"):
        return _anthropic
    return _gemini if ":generateContent" in path else _openai


def _text(answered: Mapping[str, Any] | str) -> str:
    return answered if isinstance(answered, str) else json.dumps(answered)


def _openai(request: Mapping[str, Any], answered: Mapping[str, Any] | str) -> Mapping[str, Any]:
    text = _text(answered)
    refused = text.startswith("I cannot")
    message = {"role": "assistant", "content": None if refused else text, "refusal": text if refused else None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_715_367_049,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


def _anthropic(request: Mapping[str, Any], answered: Mapping[str, Any] | str) -> Mapping[str, Any]:
    """Structured answers are calls of the tool that the client defines, or text where it gives a schema."""
    text, tools = _text(answered), request.get("tools", ())
    content, reason = [{"type": "text", "text": text}], "end_turn"
    if text.startswith("I cannot"):
        reason = "refusal"
    elif tools and not isinstance(answered, str):
        content = [{"type": "tool_use", "id": "toolu_1", "name": tools[0]["name"], "input": answered}]
        reason = "tool_use"
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }


def _gemini(request: Mapping[str, Any], answered: Mapping[str, Any] | str) -> Mapping[str, Any]:
    text = _text(answered)
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
    if text.startswith("I cannot"):
        return {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 10}}
    content = {"role": "model", "parts": [{"text": text}]}
    return {
        "candidates": [{"index": 0, "content": content, "finishReason": "STOP"}],
        "usageMetadata": usage,
        "modelVersion": "gemini-2.5-flash",
    }


__all__ = ["JudgeServer", "judge_server", "prompt_of"]
