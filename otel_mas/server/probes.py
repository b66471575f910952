"""`/healthz`, `/readyz` and `/metrics`, on any port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any, Final

from otel_mas.server.access import App, Receive, Send
from otel_mas.server.own_metrics import OwnMetrics

_TEXT: Final = "text/plain; charset=utf-8"


class Probes:
    """ASGI middleware: answers the three paths, and hands on everything else.

    Args:
        app: gets the other requests.
        failure: says why the server cannot do its work now; None where it can.
        metrics: the figures.
    """

    def __init__(self, app: App, failure: Callable[[], str | None], metrics: OwnMetrics) -> None:
        self._app = app
        self._failure = failure
        self._metrics = metrics

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        path = scope["path"] if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else None
        if path == "/healthz":
            await _answer(send, 200, b"ok\n", _TEXT)
        elif path == "/readyz":
            failure = self._failure()
            await _answer(send, 503 if failure else 200, f"{failure or 'ready'}\n".encode(), _TEXT)
        elif path == "/metrics":
            accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
            # Not on the loop: many runs have many figures.
            body, content_type = await asyncio.to_thread(self._metrics.text, accept.decode("latin-1"))
            await _answer(send, 200, body, content_type)
        else:
            await self._app(scope, receive, send)


async def _answer(send: Send, status: int, body: bytes, content_type: str) -> None:
    headers = ((b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": [*headers]})
    await send({"type": "http.response.body", "body": body})


__all__ = ["Probes"]
