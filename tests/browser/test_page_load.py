"""The page while a thousand spans a second come in, for ten seconds; for as many as OTEL_MAS_LOAD_SECONDS says."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.browser.devtools import Browser, Page
from tests.browser.otlp_run import SECOND, request, span
from tests.browser.shown import parameter, press, until
from tests.serving.server import Server

SECONDS = int(os.environ.get("OTEL_MAS_LOAD_SECONDS", "10"))
RATE, AT_ONCE = 1_000, 100
TRACE = "d" * 32
MOST_BYTES_A_SPAN = 2_000
"""Of the page's heap, beyond what it held before; 280 were seen."""
_SHOWN = "document.querySelector('.canvas-holder canvas').getAttribute('aria-label')"


def send(server: Server, first: int, count: int, start: int) -> None:
    """Spans of several agents, all in one trace, below the first one."""
    spans = []
    for number in range(first, first + count):
        begin = start + number * SECOND // RATE
        agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": f"agent{number % 8}"}
        parent = f"{1:016x}" if number > 1 else ""
        end = begin + SECOND // 100
        spans.append(span(TRACE, f"{number:016x}", f"invoke_agent agent{number % 8}", begin, end, parent, **agent))
    status, _, answer = server.request("POST", "/v1/traces", request(spans), {"Content-Type": "application/json"})
    assert status == 200, answer


def heap(page: Page) -> int:
    """Bytes of the page's JavaScript heap without what is garbage."""
    page.call("HeapProfiler.collectGarbage")
    return int(page.call("Runtime.getHeapUsage")["usedSize"])


def test_a_thousand_spans_a_second_are_all_shown_while_the_page_answers_keys(browser: Browser, tmp_path: Path) -> None:
    start, total = time.time_ns(), RATE * SECONDS
    with Server(tmp_path / "load.db") as server:
        send(server, 1, 1, start)
        page = Page(browser, f"http://{server.page}/traces/{TRACE}", wide=1280)
        try:
            until(page, "document.querySelector('.connection.live')")
            before, began = heap(page), time.monotonic()
            for sent in range(0, total, AT_ONCE):
                send(server, sent + 2, AT_ONCE, start)
                if sent == total // 2:
                    press(page, "ArrowRight")
                    until(page, "document.querySelector('.drawer h2')")
                    assert parameter(page, "span") is not None
                    press(page, "Escape")
                    until(page, "!document.querySelector('.drawer')")
                time.sleep(max(0.0, began + sent / RATE - time.monotonic()))
            until(page, f"{_SHOWN}.includes(': {total + 1} spans')")
            assert page.complaints() == []
            assert heap(page) - before < total * MOST_BYTES_A_SPAN
        finally:
            page.close()
