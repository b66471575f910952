"""A tool over MCP with an agent behind it, by stdin and stdout or HTTP: `python -m tests.layers.tool_server [PORT]`."""

import sys

from mcp.server import MCPServer

from tests.layers.agents import agent

SERVER = MCPServer("tools")
GRAPH = agent("helper")


@SERVER.tool()
async def ask(text: str) -> str:
    """Ask the agent."""
    return str((await GRAPH.ainvoke({"text": text}))["text"])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        SERVER.run("streamable-http", port=int(sys.argv[1]))
    else:
        SERVER.run("stdio")
