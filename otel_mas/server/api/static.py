"""The page: its built files, index.html for each of its routes, and headers that keep it to this origin."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otel_mas.server.api.responses import body_response

_BUILT = Path(__file__).resolve().parent.parent / "static"
_PAGES = ("/", "/traces/{rest:path}", "/conversations/{rest:path}", "/compare", "/agents")
_HASHED = re.compile(r"-[A-Za-z0-9_-]{8,}\.\w+$")
"""A name that Vite gave, with a hash of the content: what it names never changes."""
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_MISSING = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>otel-mas</title>
<p>The page is not part of this installation. The API is at <a href="/api/v1/info">/api/v1</a>.</p></html>"""


def page_routes(static: Path | None = None) -> list[BaseRoute]:
    """Routes of the page and of its files; `static` is their folder."""
    folder = (_BUILT if static is None else static).resolve()

    def page(request: Request) -> Response:
        index = folder / "index.html"
        body = index.read_bytes() if index.is_file() else _MISSING
        return body_response(body, request.headers, "text/html; charset=utf-8")

    def file(request: Request) -> Response:
        path = _inside(folder, request.path_params["path"])
        if path is None:
            raise HTTPException(404, "not found")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if kind.startswith("text/"):
            kind += "; charset=utf-8"
        return body_response(
            path.read_bytes(), request.headers, kind, extra=_FOREVER if _HASHED.search(path.name) else {}
        )

    return [*(Route(path, page) for path in _PAGES), Route("/{path:path}", file)]


def _inside(folder: Path, name: str) -> Path | None:
    """The file of this name, if it lies in the folder."""
    try:
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder) and path.is_file() else None
    except (OSError, ValueError):  # too long a name, a NUL
        return None


class SecurityHeaders:
    """Middleware: headers that keep what is served to this origin, on every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in _HEADERS.items()
                        if name.encode() not in given
                    ),
                ]
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


__all__ = ["SecurityHeaders", "page_routes"]
