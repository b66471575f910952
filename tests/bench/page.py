"""The page in a real browser: how long large runs take to open, and how smoothly they pan."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.answers import _isolated
from tests.browser.chromium import NoChromium, ensure
from tests.browser.devtools import Browser, Page
from tests.browser.shown import until
from tests.serving.server import Server

OPENED = ((10_000, 1.0), (100_000, 4.0))
"""Number of spans, and the budget in seconds."""
_FRAMES_BUDGET = 50
_FRAMES = 120
_DRAWN = "performance.getEntriesByName('picture').length"
_TIMES = """(() => {
  const asked = performance.getEntriesByType('resource').find((one) => one.name.includes('/picture'));
  return { answered: asked.responseEnd, drawn: performance.getEntriesByName('picture')[0].startTime };
})()"""
_PAN = """(async () => {
  const canvas = document.querySelector('.canvas-holder canvas');
  const box = canvas.getBoundingClientRect();
  canvas.setPointerCapture = () => {};
  const send = (type, x) => canvas.dispatchEvent(
    new PointerEvent(type, { pointerId: 1, clientX: box.left + x, clientY: box.top + 200, bubbles: true, buttons: 1 }));
  for (let i = 0; i < 3; i++) document.dispatchEvent(new KeyboardEvent('keydown', { key: '+', bubbles: true }));
  await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
  send('pointerdown', 800);
  const began = performance.now();
  for (let i = 0; i < 120; i++) {
    send('pointermove', 800 - (i % 60) * 8);
    await new Promise(requestAnimationFrame);
  }
  const seconds = (performance.now() - began) / 1000;
  send('pointerup', 800);
  return 120 / seconds;
})()"""


def report() -> None:
    """Print the tables."""
    try:
        program = ensure()
    except NoChromium as missing:
        print(f"\n### The page: skipped, {missing}")
        return
    with tempfile.TemporaryDirectory() as folder, _browser(program, Path(folder)) as browser:
        print("\n### The page, opened in Chromium\n")
        print("| spans | visit | answered | drawn | budget | frames a second, panning | budget | CPU a frame |")
        print("|" + "---|" * 8)
        for spans, budget_s in OPENED:
            path = Path(folder) / f"{spans}.db"
            _isolated("record", str(path), spans)
            with Server(path) as server:
                for visit in ("first", "second"):
                    times, frames, cpu_ms = opened(browser, server)
                    print(
                        f"| {spans:,} | {visit} | {times['answered'] / 1e3:.2f} s | {times['drawn'] / 1e3:.2f} s | "
                        f"{budget_s:g} s | {frames:.0f} | {_FRAMES_BUDGET} | {cpu_ms:.1f} ms |",
                        flush=True,
                    )


@contextmanager
def _browser(program: str, folder: Path) -> Iterator[Browser]:
    browser = Browser(program, folder / "profile")
    try:
        yield browser
    finally:
        browser.close()


def opened(browser: Browser, server: Server) -> tuple[dict[str, float], float, float]:
    """Milliseconds until the picture was answered and drawn; while it is dragged the frames a second, and the
    milliseconds of CPU of the page's thread for each."""
    page = Page(browser, f"http://{server.page}/traces/{_newest(server)}", wide=1280)
    try:
        until(page, _DRAWN)
        page.call("Performance.enable", timeDomain="threadTicks")
        times: dict[str, float] = page.run(_TIMES)
        before = _cpu_s(page)
        frames: float = page.run(_PAN)
        return times, frames, 1e3 * (_cpu_s(page) - before) / _FRAMES
    finally:
        page.close()


def _cpu_s(page: Page) -> float:
    metrics = page.call("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")


def _newest(server: Server) -> str:
    _, _, body = server.request("GET", "/api/v1/traces?limit=1", at=server.page)
    found: str = json.loads(body)["traces"][0]["trace_id"]
    return found


if __name__ == "__main__":
    report()
