"""A local server that speaks OpenAI's chat completions, and judges as a function says."""

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

    A text that begins with "I cannot" is a refusal.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            found.requests.append(request)
            answered = answer(request)
            text = answered if isinstance(answered, str) else json.dumps(answered)
            message = {"role": "assistant", "content": text, "refusal": None}
            if text.startswith("I cannot"):
                message = {"role": "assistant", "content": None, "refusal": text}
            body = {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1_715_367_049,
                "model": request["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
            }
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
