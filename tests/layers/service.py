"""A service with an agent, over HTTP and WebSocket: `python -m tests.layers.service FRAMEWORK PORT`.

Nothing here knows of tracing, but for what a WebSocket's message carries.
"""

import sys
from collections.abc import Callable
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

import otel_mas
from tests.layers.agents import agent

GRAPH = agent("helper")


async def ask(text: str) -> dict[str, Any]:
    answered: dict[str, Any] = await GRAPH.ainvoke({"text": text})
    return answered


def with_fastapi(port: int) -> None:
    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/ask")
    async def asked(text: str) -> dict[str, Any]:
        return await ask(text)

    @app.websocket("/chat")
    async def chat(socket: WebSocket) -> None:
        await socket.accept()
        try:
            while True:
                message = await socket.receive_json()
                with otel_mas.extract(message):
                    await socket.send_json(await ask(message["text"]))
        except WebSocketDisconnect:
            pass

    uvicorn.run(app, port=port, log_level="warning")


def with_starlette(port: int) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def asked(request: Request) -> JSONResponse:
        return JSONResponse(await ask(request.query_params["text"]))

    uvicorn.run(Starlette(routes=[Route("/ask", asked)]), port=port, log_level="warning")


def with_flask(port: int) -> None:
    from flask import Flask, request

    app = Flask("service")

    @app.get("/ask")
    def asked() -> dict[str, Any]:
        answered: dict[str, Any] = GRAPH.invoke({"text": request.args["text"]})
        return answered

    app.run(port=port)


SERVERS: dict[str, Callable[[int], None]] = {
    "fastapi": with_fastapi,
    "starlette": with_starlette,
    "flask": with_flask,
}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](int(sys.argv[2]))
