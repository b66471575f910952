"""`otel-mas mcp`: tools for models over standard input and output."""

from __future__ import annotations

import click

from otel_mas.cli.options import debug, source_option


@click.command("mcp")
@source_option
@debug
def command(store: str | None) -> None:
    """Serve recorded runs as tools of a model, over the Model Context Protocol on standard input and output.

    \b
    For a client's configuration:
    {"mcpServers": {"otel-mas": {"command": "otel-mas", "args": ["mcp"]}}}

    `otel-mas serve` has the same at http://127.0.0.1:4320/mcp. Nothing of it writes.
    """
    from otel_mas.api import open as open_source
    from otel_mas.server.mcp.server import run_stdio

    with open_source(store) as source:
        run_stdio(source)
