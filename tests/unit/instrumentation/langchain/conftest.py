"""A recorder that keeps its records in memory, and a small server that speaks OpenAI's chat completions."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, SpanKind, StatusCode

from otel_mas.config import Settings
from otel_mas.instrumentation import langchain as instrumentation
from otel_mas.instrumentation.langchain.hook_table import HOOK_TABLE
from otel_mas.instrumentation.langchain.models import HANDLER
from otel_mas.pricing import PRICES
from otel_mas.record import canonical_form, guard, without_media


@pytest.fixture(scope="session", autouse=True)
def price_table() -> None:
    """Loaded before the first test: a cost that is found later does not reach the stand-in below."""
    assert PRICES.wait(60)


class Recorded:
    """Stands in for the process's recorder: spans by the real SDK, everything else in dictionaries."""

    def __init__(self) -> None:
        self.active = True
        self.settings = Settings(strict=True, content="full")
        self.contents: dict[tuple[int, str], Any] = {}
        self.snapshots: dict[str, dict[str, Any]] = {}
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = provider.get_tracer("test")

    def start_span(self, name: str, attributes: Mapping[str, Any], **kwargs: Any) -> Span:
        return self.tracer.start_span(name, attributes=attributes, kind=kwargs.get("kind", SpanKind.INTERNAL))

    def set_attributes(self, span: Span, attributes: Mapping[str, Any]) -> None:
        span.set_attributes(attributes)

    def record_exception(self, span: Span, exc: BaseException) -> None:
        span.set_attribute("error.type", type(exc).__name__)
        span.set_status(StatusCode.ERROR)

    def content(self, span: Span, name: str, value: Any, tool: str = "") -> None:
        self.contents[span.get_span_context().span_id, name] = value

    json_content = content

    def messages(
        self, span: Span, direction: str, messages: Sequence[Any], adapter: Any, *, again: bool = True
    ) -> tuple[str, ...]:
        digests = []
        for message in messages:
            role, parts = adapter.read(message)
            digest = hashlib.blake2b(canonical_form(role, parts), digest_size=16).hexdigest()
            self.snapshots[digest] = {"role": role, "parts": list(map(without_media, parts))}
            digests.append(digest)
        span.set_attribute(f"mas.{direction}.messages", digests)
        return tuple(digests)

    @property
    def spans(self) -> list[ReadableSpan]:
        """Ended spans, in start order."""
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def named(self, name: str) -> ReadableSpan:
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def messages_of(self, span: ReadableSpan, direction: str) -> list[dict[str, Any]]:
        """The messages that went into or came out of a span."""
        return [self.snapshots[digest] for digest in (span.attributes or {})[f"mas.{direction}.messages"]]

    def content_of(self, span: ReadableSpan, name: str) -> Any:
        return self.contents[span.context.span_id, name]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """Recording is on and LangChain is patched; no call may be left open."""
    for module in instrumentation.MODULES:
        if module not in instrumentation.OPTIONAL or importlib.util.find_spec(module.rpartition(".")[0]) is not None:
            importlib.import_module(module)
    fake = Recorded()
    # The package exports a function of the module's name.
    monkeypatch.setattr(sys.modules["otel_mas.record.recorder"], "_RECORDER", fake)
    monkeypatch.setattr(guard, "_strict", True)
    HOOK_TABLE.patch()
    yield fake
    HOOK_TABLE.unpatch()
    left, HANDLER._open = HANDLER._open, {}
    assert not left


USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 400},
    "completion_tokens_details": {"reasoning_tokens": 20},
}
_BASE = {"id": "chatcmpl-1", "created": 0, "model": "gpt-4o-mini-2024-07-18"}
_CALLS = [
    {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}},
    {"index": 1, "id": "call_2", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}},
]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        last = request["messages"][-1]
        if last["content"] == "fail":
            return self._send(400, {"error": {"message": "no such thing", "type": "invalid_request_error"}})
        if last["content"] == "wait":
            time.sleep(0.5)
        calls = _CALLS if request.get("tools") and last["role"] == "user" else None
        if request.get("stream"):
            return self._stream(calls, slowly=last["content"] == "endless")
        message = {"role": "assistant", "content": None if calls else "hello world", "tool_calls": calls}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
        return self._send(200, {**_BASE, "object": "chat.completion", "choices": [choice], "usage": USAGE})

    def _send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, calls: Any, slowly: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += [{"tool_calls": [call]} for call in calls] if calls else [{"content": c} for c in ("hello", " world")]
        deltas += [{"content": " and"}] * (1000 if slowly else 0)
        try:
            for delta in deltas:
                self._event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
                time.sleep(0.01 if slowly else 0)
            reason = "tool_calls" if calls else "stop"
            self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
            self._event({"choices": [], "usage": USAGE})
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:  # the client went away
            pass
        self.close_connection = True

    def _event(self, body: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps({**_BASE, 'object': 'chat.completion.chunk', **body})}\n\n".encode())
        self.wfile.flush()


@pytest.fixture(scope="session")
def openai_url() -> Iterator[str]:
    """Says "hello world"; calls `weather` twice if it is offered tools; can be set to fail, to wait or never to end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def chat(openai_url: str) -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model="gpt-4o-mini", base_url=openai_url, api_key="none", temperature=0.5, seed=7, max_retries=0)
