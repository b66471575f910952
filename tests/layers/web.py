"""Web service that has questions answered by a worker, through RabbitMQ: `python -m tests.layers.web AMQP OTLP PORT`.

It takes questions over HTTP and WebSocket, and passes on the spans of its page. Nothing here knows of tracing, but for
what a WebSocket's message carries.
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aio_pika
import httpx
import uvicorn
from aio_pika.abc import AbstractIncomingMessage
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse
from pydantic import BaseModel

import otel_mas

QUESTIONS = "questions"


class Question(BaseModel):
    text: str


class Worker:
    """Whoever reads the queue of questions, here or elsewhere."""

    def __init__(self, channel: Any, answers: Any) -> None:
        self._channel = channel
        self._answers = answers
        self._waiting: dict[str, asyncio.Future[str]] = {}

    async def ask(self, text: str) -> str:
        identity = uuid.uuid4().hex
        answer = self._waiting[identity] = asyncio.get_running_loop().create_future()
        message = aio_pika.Message(text.encode(), correlation_id=identity, reply_to=self._answers.name)
        await self._channel.default_exchange.publish(message, routing_key=QUESTIONS)
        return await answer

    async def answered(self, message: AbstractIncomingMessage) -> None:
        async with message.process():
            self._waiting.pop(message.correlation_id or "").set_result(message.body.decode())


def app_of(amqp: str, otlp: str) -> FastAPI:
    @asynccontextmanager
    async def connected(app: FastAPI) -> AsyncIterator[None]:
        async with await aio_pika.connect(amqp) as connection:
            channel = await connection.channel()
            await channel.declare_queue(QUESTIONS)
            answers = await channel.declare_queue(exclusive=True)
            app.state.worker = worker = Worker(channel, answers)
            await answers.consume(worker.answered)
            yield

    app = FastAPI(lifespan=connected)

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(Path(__file__).with_name("page.html"))

    @app.post("/ask")
    async def asked(question: Question) -> Question:
        return Question(text=await app.state.worker.ask(question.text))

    @app.websocket("/chat")
    async def chat(socket: WebSocket) -> None:
        await socket.accept()
        try:
            while True:
                message = await socket.receive_json()
                with otel_mas.extract(message):
                    await socket.send_json({"text": await app.state.worker.ask(message["text"])})
        except WebSocketDisconnect:
            pass

    @app.post("/v1/traces")
    async def spans(request: Request) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = {"content-type": request.headers["content-type"]}
            (await client.post(f"{otlp}/v1/traces", content=await request.body(), headers=headers)).raise_for_status()

    return app


if __name__ == "__main__":
    uvicorn.run(app_of(*sys.argv[1:3]), host="127.0.0.1", port=int(sys.argv[3]), log_level="warning")
