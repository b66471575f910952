"""Agents that call others by MCP and A2A: `python -m tests.layers.protocol_caller MCP_URL A2A_URL`. Each in one run."""

import asyncio
import os
import sys
from typing import Any

from a2a.client import create_client
from a2a.helpers import get_stream_response_text, new_text_message
from a2a.types import Role, SendMessageRequest
from mcp import Client, StdioServerParameters

import otel_mas
from tests.layers.agents import agent

SERVER = [sys.executable, "-m", "tests.layers.tool_server"]


def server_process() -> StdioServerParameters:
    """The tool server as a child process; its recording comes from the environment of `otel-mas run`."""
    return StdioServerParameters(
        command=sys.executable, args=SERVER[1:], env={**os.environ, "OTEL_SERVICE_NAME": "tools_stdio"}
    )


async def by_mcp(server: Any) -> str:
    async with Client(server) as client:
        answered = await client.call_tool("ask", {"text": "mcp"})
    return str(answered.content[0].text)


async def by_a2a(url: str) -> str:
    async with await create_client(url) as client:
        request = SendMessageRequest(message=new_text_message("a2a", role=Role.ROLE_USER))
        return "".join([get_stream_response_text(one) async for one in client.send_message(request)])


async def main(mcp_url: str, a2a_url: str) -> None:
    calls = {"mcp_http": (by_mcp, mcp_url), "mcp_stdio": (by_mcp, server_process()), "a2a": (by_a2a, a2a_url)}
    for name, (call, server) in calls.items():

        async def node(state: dict[str, Any], call: Any = call, server: Any = server) -> dict[str, Any]:
            return {"text": await call(server)}

        with otel_mas.correlation(conversation=f"c-{name}", user="ann"):
            found = await agent(name, node).ainvoke({"text": ""})
        assert found["text"].endswith(", answered"), found


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
