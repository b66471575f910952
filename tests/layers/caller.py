"""Agents that ask other services: `python -m tests.layers.caller CLIENT URL ...`, in pairs. Each asks in one run."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import otel_mas
from tests.layers.agents import agent


def by_httpx(url: str) -> str:
    import httpx

    return str(httpx.get(url, params={"text": "httpx"}, timeout=60).json()["text"])


def by_requests(url: str) -> str:
    import requests

    return str(requests.get(url, params={"text": "requests"}, timeout=60).json()["text"])


async def by_aiohttp(url: str) -> str:
    import aiohttp

    async with aiohttp.ClientSession() as session, session.get(url, params={"text": "aiohttp"}) as answer:
        return str((await answer.json())["text"])


async def by_websocket(url: str) -> str:
    """Only the opening request carries the context."""
    from websockets.asyncio.client import connect

    async with connect(url) as socket:
        await socket.send(json.dumps({"text": "websocket"}))
        return str(json.loads(await socket.recv())["text"])


def by_websocket_thread(url: str) -> str:
    from websockets.sync.client import connect

    with connect(url) as socket:
        socket.send(json.dumps({"text": "websocket_thread"}))
        return str(json.loads(socket.recv())["text"])


CLIENTS = {
    "httpx": by_httpx,
    "requests": by_requests,
    "aiohttp": by_aiohttp,
    "websocket": by_websocket,
    "websocket_thread": by_websocket_thread,
}


async def messages(url: str) -> None:
    """One connection outside of any run; each run's message carries its own context."""
    from websockets.asyncio.client import connect

    async with connect(url) as socket:

        async def node(state: dict[str, Any]) -> dict[str, Any]:
            await socket.send(json.dumps({"text": state["text"], **otel_mas.inject(host="127.0.0.1")}))
            return {"text": json.loads(await socket.recv())["text"]}

        for turn in (1, 2):
            with otel_mas.correlation(conversation="c-messages", user="ann", turn=turn):
                await agent("messages", node).ainvoke({"text": f"turn {turn}"})


async def main(calls: list[str]) -> None:
    for client, url in zip(calls[::2], calls[1::2], strict=True):
        if client == "messages":
            await messages(url)
            continue
        call: Any = CLIENTS[client]

        def node(state: dict[str, Any], call: Any = call, url: str = url) -> dict[str, Any]:
            return {"text": call(url)}

        async def anode(state: dict[str, Any], call: Any = call, url: str = url) -> dict[str, Any]:
            return {"text": await call(url)}

        with otel_mas.correlation(conversation=f"c-{client}", user="ann"):
            found = await agent(client, anode if asyncio.iscoroutinefunction(call) else node).ainvoke({"text": ""})
        assert found["text"] == f"{client}, answered", found


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
