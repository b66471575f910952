"""`otel-mas serve` as a whole: what comes in is on the live stream, through the same rules of access as all else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from mcp import Client

from tests.serving.server import Server
from tests.unit.server.api.live import listening

TRACE = "5b8efff798038103d269b633813fc60c"
SPANS = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "elsewhere"}}]},
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": TRACE,
                            "spanId": "eee19b7ec3c1b174",
                            "name": "came by OTLP",
                            "kind": 2,
                            "startTimeUnixNano": "1795255265000000000",
                            "endTimeUnixNano": "1795255266000000000",
                        }
                    ]
                }
            ],
        }
    ]
}


def test_what_is_received_comes_on_the_stream_which_ends_with_the_server(serve: Callable[..., Server]) -> None:
    server = serve()
    with listening(f"http://{server.page}", trace=TRACE) as client:
        status, _, _ = server.post(json.dumps(SPANS).encode(), content_type="application/json")
        assert status == 200
        events = client.until(lambda events: any(one.name == "trace" for one in events))
        status_of_end = server.terminate()
        client.drain()

    assert [(one.name, one.data["service"]) for one in events if one.name == "span.end"] == [("span.end", "elsewhere")]
    assert status_of_end == 0
    assert "Traceback" not in server.errors


async def test_tools_of_a_model_are_there_for_those_with_the_token(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef0123456789abcdef")
    server = serve("--token-file", str(token))
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}

    refused, _, _ = server.request("POST", "/mcp", body, headers, at=server.page)
    allowed, _, answer = server.request(
        "POST", "/mcp", body, {**headers, "Authorization": f"Bearer {token.read_text()}"}, at=server.page
    )
    other, _, _ = server.request(
        "POST",
        "/mcp",
        body,
        {**headers, "Authorization": f"Bearer {token.read_text()}", "Origin": "http://evil.example"},
        at=server.page,
    )

    assert (refused, allowed, other) == (401, 200, 403)
    assert "critical_path" in answer.decode()


async def test_the_official_client_asks_about_what_was_received(serve: Callable[..., Server]) -> None:
    server = serve()
    assert server.post(json.dumps(SPANS).encode(), content_type="application/json")[0] == 200
    async with Client(f"http://{server.page}/mcp") as client:
        result = await client.call_tool("trace", {"run": TRACE})

    assert "came by OTLP" in result.content[0].text  # type: ignore[union-attr]
