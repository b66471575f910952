"""Worker that answers from a queue, and asks a service of its own: `python -m tests.layers.worker AMQP URL`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aio_pika
import httpx
from aio_pika.abc import AbstractIncomingMessage

from tests.layers.agents import agent
from tests.layers.web import QUESTIONS


async def main(amqp: str, helper: str) -> None:
    async def node(state: dict[str, Any]) -> dict[str, Any]:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            return dict((await client.get(helper, params={"text": state["text"]})).json())

    graph = agent("researcher", node)
    async with await aio_pika.connect(amqp) as connection:
        channel = await connection.channel()
        questions = await channel.declare_queue(QUESTIONS)

        async def answer(message: AbstractIncomingMessage) -> None:
            async with message.process():
                found = await graph.ainvoke({"text": message.body.decode()})
                reply = aio_pika.Message(found["text"].encode(), correlation_id=message.correlation_id)
                await channel.default_exchange.publish(reply, routing_key=message.reply_to or "")

        await questions.consume(answer)
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
