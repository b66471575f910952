"""The ASGI app: endpoints under /api/v1, the page beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from otel_mas.api.source import Source
from otel_mas.errors.log import logger
from otel_mas.server.api.about_patterns import PATTERNS
from otel_mas.server.api.about_runs import RUNS
from otel_mas.server.api.about_source import SOURCE
from otel_mas.server.api.endpoints import Endpoint, Parameter
from otel_mas.server.api.errors import document, error_of
from otel_mas.server.api.openapi import openapi
from otel_mas.server.api.requests import posted, read_json
from otel_mas.server.api.responses import json_response
from otel_mas.server.api.served import Served
from otel_mas.server.api.static import SecurityHeaders, page_routes
from otel_mas.server.api.stream import Stream
from otel_mas.server.api.stream_response import open_stream
from otel_mas.server.mcp.server import MountedMcp

PREFIX = "/api/v1"
_AT_ONCE = 4
"""Answers that are worked out at once; the others wait, so that receiving has its share of the processor."""
_TRACE, _CONVERSATION = "/traces/{trace_id}", "/conversations/{thread:path}"
_SERVICE = Parameter("service", str | None, "The service, if several use the same thread.")
_CODES = {401: "unauthorized", 403: "unauthorized", 404: "not_found", 405: "method_not_allowed"}

Handler = Callable[[Request], Awaitable[Response]]
Subject = Callable[[Mapping[str, str], dict[str, Any]], Any]
"""Finds what an endpoint is about, by the path; takes what it needs out of the arguments."""


def create_app(source: Source, *, static: Path | None = None, receiving: bool = False) -> Starlette:
    """The API and the page for a source, which stays the caller's to close.

    Args:
        static: folder of the page; by default the one that comes with the package.
        receiving: whether the same process takes traces over OTLP into the source.
    """
    served = Served(source, receiving=receiving)
    described = list(all_endpoints())
    limiter = CapacityLimiter(_AT_ONCE)
    routes: list[BaseRoute] = [
        Route(path, _handler(endpoint, _subject(served, path), limiter), methods=[endpoint.method.upper()])
        for path, endpoint in described
    ]
    stream, mcp = Stream(served), MountedMcp(source)
    routes.append(Route("/stream", _streaming(served, stream)))
    routes.append(Route("/openapi.json", _described(openapi(described))))
    app = Starlette(
        routes=[Mount(PREFIX, routes=routes), Route("/mcp", mcp), *page_routes(static)],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: _refused},
        lifespan=_ending(stream, mcp),
    )
    app.state.end_streams = stream.stop  # a server waits for its responses before the lifespan ends
    return app


def all_endpoints() -> Iterator[tuple[str, Endpoint]]:
    """Every endpoint with its path below /api/v1; those of runs are there for traces and for conversations."""
    for one in (*SOURCE, *PATTERNS):
        yield one.path, one
    for one in RUNS:
        yield _TRACE + one.path, one
        yield _CONVERSATION + one.path, replace(one, more=(_SERVICE,))


def _subject(served: Served, path: str) -> Subject:
    if path.startswith(f"{_TRACE}/"):
        return lambda names, _: served.trace(names["trace_id"])
    if path.startswith(f"{_CONVERSATION}/"):
        return lambda names, given: served.conversation(names["thread"], given.pop("service", None))
    return lambda _, __: served


def _handler(endpoint: Endpoint, subject: Subject, limiter: CapacityLimiter) -> Handler:
    def answered(request: Request, body: bytes) -> Response:
        """Work out an answer and encode it, on a thread."""
        try:
            given = endpoint.arguments(request.path_params, request.query_params.multi_items())
            if endpoint.body is not None:
                given["body"] = posted(endpoint.body, body)
            about = subject(request.path_params, given)
            with about.lock:
                found = endpoint.answer(about, **given)
        except Exception as error:
            return _problem(request, error)
        return json_response(found, request.headers)

    async def handle(request: Request) -> Response:
        body = b"" if endpoint.body is None else await read_json(request)
        return await to_thread.run_sync(answered, request, body, limiter=limiter)

    return handle


def _streaming(served: Served, stream: Stream) -> Handler:
    async def handle(request: Request) -> Response:
        try:
            return await open_stream(request, served, stream)
        except Exception as error:
            return _problem(request, error)

    return handle


def _ending(stream: Stream, mcp: MountedMcp) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await stream.stop()
        await mcp.stop()

    return lifespan


def _problem(request: Request, error: Exception) -> Response:
    status, problem = error_of(error)
    if status == 500:
        logger.exception("otel-mas: %s %s failed", request.method, request.url.path)
    return json_response(problem, request.headers, status)


def _described(text: dict[str, Any]) -> Handler:
    async def handle(request: Request) -> Response:
        return json_response(text, request.headers)

    return handle


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "failed"
    message = f"{request.method} {request.url.path}: {detail.lower()}; {PREFIX}/openapi.json lists what there is"
    return json_response(document(_CODES.get(status, "bad_request"), message), request.headers, status)


__all__ = ["PREFIX", "all_endpoints", "create_app"]
