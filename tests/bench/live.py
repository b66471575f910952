"""Lag of the page: from the end of a span in a running app to the frame of a real browser that shows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.browser.chromium import NoChromium, ensure
from tests.browser.devtools import Browser, Page
from tests.serving.server import Server

SPANS, RATE, SECONDS = 5_000, 50, 20
_BUDGET_MS = 200
_PATIENCE_S = 60.0
_APP = """
import json, sys, time
import otel_mas

before, rate, seconds, store = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
otel_mas.instrument(store=store)

@otel_mas.tool
def call(number):
    return number

@otel_mas.workflow
def flow():
    for number in range(before):
        call(number)
    otel_mas.flush()
    print("ready", flush=True)
    sys.stdin.readline()
    began, ended = time.monotonic(), []
    for number in range(rate * seconds):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        call(number)
        ended.append(time.time() * 1000)
    print(json.dumps(ended), flush=True)
    sys.stdin.readline()

flow()
"""
_ROWS = "document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount') | 0"
_WATCH = """
window.frames_ = [];
(function frame() {
  const rows = document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount') | 0;
  if (!frames_.length || rows > frames_.at(-1)[0]) frames_.push([rows, Date.now()]);
  requestAnimationFrame(frame);
})()
"""


def report() -> None:
    """Print the table."""
    try:
        program = ensure()
    except NoChromium as missing:
        print(f"\nno lag of the page: {missing}")
        return
    lags = sorted(measure(program))
    p95 = lags[int(0.95 * len(lags))]
    print(f"\n### Lag of the page behind the end of a span: {RATE} spans a second, {SPANS:,} in the trace\n")
    print("| spans | median | p95 | last | budget of p95 |\n|---|---|---|---|---|")
    median = lags[len(lags) // 2]
    print(f"| {len(lags):,} | {median:.0f} ms | {p95:.0f} ms | {lags[-1]:.0f} ms | {_BUDGET_MS} ms |", flush=True)


def measure(program: str) -> list[float]:
    """Lags in ms: of each span, from its end in the app to the first frame after which a row is there for it."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "runs.db") as server:
        app = _started(Path(folder) / "runs.db")
        browser = Browser(program, Path(folder) / "profile")
        try:
            _, _, body = server.request("GET", "/api/v1/traces", at=server.page)
            page = Page(browser, f"http://{server.page}/traces/{json.loads(body)['traces'][0]['trace_id']}?view=tree")
            before = _rows(page, SPANS)
            page.run(_WATCH)
            assert app.stdin is not None
            assert app.stdout is not None
            app.stdin.write("\n")
            app.stdin.flush()
            ended = json.loads(app.stdout.readline())
            _rows(page, before + len(ended))
            browser.settle(0.5)
            return _lags(ended, page.run("frames_"), before)
        finally:
            browser.close()
            app.kill()
            app.communicate()


def _started(store: Path) -> subprocess.Popen[str]:
    """The app, once the store has its first spans."""
    command = [sys.executable, "-c", _APP, str(SPANS), str(RATE), str(SECONDS), str(store)]
    environ = {**os.environ, "OTEL_SDK_DISABLED": "false"}
    app = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)
    assert app.stdout is not None
    if app.stdout.readline() != "ready\n":
        raise RuntimeError("the app did not start")
    return app


def _rows(page: Page, least: int) -> int:
    """The number of rows, once there are so many."""
    end = time.monotonic() + _PATIENCE_S
    while (rows := int(page.run(_ROWS))) < least:
        if time.monotonic() > end:
            raise RuntimeError(f"the page has {rows} rows of {least}")
        time.sleep(0.1)
    return rows


def _lags(ended: list[float], frames: list[tuple[int, float]], before: int) -> list[float]:
    lags, at = [], 0
    for number, when in enumerate(ended, before + 1):
        while frames[at][0] < number:
            at += 1
        lags.append(frames[at][1] - when)
    return lags


if __name__ == "__main__":
    report()
