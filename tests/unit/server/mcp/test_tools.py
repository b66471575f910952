"""Tools for models, called by the official client over both transports."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

import otel_mas
from otel_mas.errors import MissingExtra
from otel_mas.server.mcp.server import mcp_server
from otel_mas.server.mcp.tools import MOST_CHARACTERS, Tools
from tests.unit.server.api.live import serving

NAMES = {
    "search",
    "trace",
    "graph",
    "critical_path",
    "findings",
    "log",
    "span",
    "cost",
    "diff",
    "agents",
    "topology",
    "variants",
    "hot_spots",
}


@asynccontextmanager
async def _stdio(runs: Path) -> AsyncIterator[Client]:
    command = str(Path(sys.executable).with_name("otel-mas"))
    async with Client(StdioServerParameters(command=command, args=["mcp", "--store", str(runs)])) as client:
        yield client


@asynccontextmanager
async def _http(runs: Path) -> AsyncIterator[Client]:
    with serving(runs) as address:
        async with Client(f"{address}/mcp") as client:
            yield client


async def _answer(client: Client, tool: str, **arguments: object) -> str:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    return "".join(part.text for part in result.content)  # type: ignore[union-attr]


@pytest.mark.parametrize("connect", [_stdio, _http])
async def test_a_model_finds_a_run_and_asks_about_it(connect: object, runs: Path) -> None:
    async with connect(runs) as client:  # type: ignore[operator]
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == NAMES
        assert all(tool.description and tool.annotations.read_only_hint for tool in tools.values())
        listed = await _answer(client, "search", status="error")
        run = re.search(r"\b[0-9a-f]{8,}\b", listed)
        assert run is not None, listed
        for tool in ("trace", "graph", "critical_path", "findings", "log", "cost"):
            assert await _answer(client, tool, run=run.group())
        refused = await client.call_tool("graph", {"run": "ffffffff"})
        assert refused.is_error
        assert "no trace ffffffff" in refused.content[0].text
        unknown = await client.call_tool("log", {"run": run.group(), "kind": "gossip"})
        assert unknown.is_error
        assert "no entry is of kind 'gossip'" in unknown.content[0].text


@pytest.fixture
def tools(runs: Path) -> Iterator[Tools]:
    with otel_mas.open(runs) as source:
        yield Tools(source)


def test_an_answer_fits_a_prompt_and_says_how_to_get_the_rest(tools: Tools) -> None:
    listed = tools.search(limit=100)
    longest = max(re.findall(r"\b[0-9a-f]{8,}\b", listed), key=lambda run: len(tools.log(run, full=True)))
    whole: list[str] = []
    line = 1
    while True:
        part = tools.log(longest, full=True, from_line=line)
        _, _, body = part.partition("\n\n")
        assert len(body) <= MOST_CHARACTERS + 200
        more = re.search(r"\n\[lines \d+ to \d+ of \d+: from_line=(\d+) goes on; agent, tool.*\]$", body)
        whole += body[: more.start() if more else None].split("\n")
        if more is None:
            break
        line = int(more.group(1))

    assert line > 1, "the longest log is short"
    assert len(whole) == len(set(range(len(whole))))
    assert tools.log(longest, full=True, from_line=len(whole) + 1).endswith(f"[the answer has {len(whole)} lines only]")


def test_two_runs_are_compared(tools: Tools) -> None:
    run = tools._source.latest().trace_id

    assert tools.diff(run).startswith("no difference in ")
    assert "differs from " in tools.diff(next(one.trace_id for one in tools._source.traces(limit=9)[1:]), run)


def test_a_text_is_found_where_it_stands(tools: Tools) -> None:
    assert "Nothing holds this text" in tools.search(text="no such text anywhere 8127")
    assert re.search(r"\b[0-9a-f]{8,}", tools.search(text="the"))


def test_a_server_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    with otel_mas.open(runs) as source, pytest.raises(MissingExtra, match=r"otel-mas\[mcp\]"):
        mcp_server(source)


def test_descriptions_are_short(tools: Tools) -> None:
    assert sum(len(tool.__doc__ or "") for tool in tools.all()) < 2_000
    assert json.dumps(sorted(tool.__name__ for tool in tools.all())) == json.dumps(sorted(NAMES))


def test_the_log_of_the_process_stays_as_it_was(runs: Path) -> None:
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level

    with otel_mas.open(runs) as source:
        mcp_server(source)

    assert (logging.getLogger().handlers, logging.getLogger().level) == (handlers, level)
