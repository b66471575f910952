"""The HTTP server: routes, keys, limits, and answers sent at a model's pace."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from examples.model_server.completion import Completion
from examples.model_server.protocol import MODELS, ApiError, Request

CREATED = 1_715_367_049
"""Creation time of the models in `/v1/models`."""


class ModelServer:
    """A server on a local port, running inside its `with` block.

    Args:
        port: 0 picks a free one.
        api_key: The only valid key.
        pace: Latencies are multiplied by this; 0 answers at once.
        tokens_per_minute: A larger request is answered with 429, as by OpenAI.
    """

    def __init__(
        self, *, port: int = 0, api_key: str = "local", pace: float = 1.0, tokens_per_minute: int = 200_000
    ) -> None:
        self._http = _Server(("127.0.0.1", port), _Handler)
        self._http.api_key = api_key
        self._http.pace = pace
        self._http.tokens_per_minute = tokens_per_minute
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), name="model-server", daemon=True)

    @property
    def url(self) -> str:
        """Base URL for a client."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api_key: str
    pace: float
    tokens_per_minute: int

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client may close the connection during a stream: print no traceback.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        try:
            self._authorize()
            if self.path == "/v1/models":
                self._send(200, {"object": "list", "data": [_model(name) for name in MODELS]})
            elif self.path.removeprefix("/v1/models/") in MODELS:
                self._send(200, _model(self.path.removeprefix("/v1/models/")))
            else:
                raise self._no_such_url()
        except ApiError as error:
            self._send(error.status, error.as_json())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self._authorize()
            if self.path != "/v1/chat/completions":
                raise self._no_such_url()
            completion = Completion.of(Request.parse(body))
            self._limit(completion)
        except ApiError as error:
            self._send(error.status, error.as_json())
            return
        if completion.request.stream:
            self._stream(completion)
        else:
            self._wait(completion.first_s + completion.rest_s)
            self._send(200, completion.as_json())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it overrides
        """Leave the terminal to the app."""

    def _authorize(self) -> None:
        scheme, _, key = (self.headers.get("Authorization") or "").partition(" ")
        if scheme != "Bearer" or not key:
            raise ApiError(401, "You didn't provide an API key.")
        if key != self.server.api_key:
            message = f"Incorrect API key provided: {key[:3]}***."
            raise ApiError(401, message, code="invalid_api_key")

    def _limit(self, completion: Completion) -> None:
        requested, limit = completion.usage.prompt, self.server.tokens_per_minute
        if requested > limit:
            message = (
                f"Request too large for {completion.request.model} on tokens per min (TPM):"
                f" Limit {limit}, Requested {requested}."
            )
            raise ApiError(429, message, kind="tokens", code="rate_limit_exceeded")

    def _no_such_url(self) -> ApiError:
        return ApiError(404, f"Invalid URL ({self.command} {self.path})")

    def _send(self, status: int, answer: Mapping[str, Any]) -> None:
        body = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, completion: Completion) -> None:
        self._wait(completion.first_s)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        chunks = list(completion.chunks())
        for chunk in chunks:
            self._event(json.dumps(chunk, ensure_ascii=False))
            self._wait(completion.rest_s / len(chunks))
        self._event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))

    def _wait(self, seconds: float) -> None:
        time.sleep(seconds * self.server.pace)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "system"}
