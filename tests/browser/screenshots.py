"""The screenshots of README.md: `python -m tests.browser.screenshots` makes them anew, from recorded runs.

A person looks at each before it is committed.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from otel_mas.cli import cli
from tests.browser.chromium import ensure
from tests.browser.devtools import Browser, Page
from tests.browser.shown import until
from tests.serving.server import Server

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "docs" / "images"
ARCHIVES = ("two_versions", "example_team", "faulty", "newsdesk")
WIDE, HIGH = 1280, 720
FORMAT, QUALITY = "webp", 90
MOST_BYTES = 150_000


@dataclass(frozen=True, slots=True)
class View:
    """A view: its address, in which {run} is a run of the example team, and when it is complete."""

    name: str
    path: str
    ready: str
    scheme: str = "light"
    high: int = HIGH


_CANVAS = "document.querySelector('.canvas-holder canvas')?.width > 300"
_PICTURE = "/traces/{run}?span={span}"
_DRAWN = f"{_CANVAS} && document.querySelector('.drawer .messages')"
VIEWS = (
    View("runs", "/", "document.querySelectorAll('tbody tr').length > 3", high=480),
    View("run", _PICTURE, _DRAWN),
    View("run-dark", _PICTURE, _DRAWN, "dark"),
    View("log", "/traces/{run}?view=log", "document.querySelectorAll('.entry').length > 3", high=600),
    View("agents", "/agents", "document.querySelectorAll('.graph-node').length > 3", high=580),
)


def fill(store: Path) -> None:
    """Import recorded runs."""
    for archive in ARCHIVES:
        command = ["import", str(REPOSITORY / "tests" / "answers" / f"{archive}.jsonl.gz"), "--store", str(store)]
        done = CliRunner().invoke(cli, command)
        if done.exit_code:
            raise RuntimeError(done.output)


def take(browser: Browser, server: Server) -> Iterator[tuple[str, bytes]]:
    """Each view's name, and its picture as WebP."""
    _, _, body = server.request("GET", "/api/v1/traces", at=server.page)
    runs = [one for one in json.loads(body)["traces"] if one["service"] == "research-team"]
    run = max(runs, key=lambda one: one["span_count"])["trace_id"]
    _, _, body = server.request("GET", f"/api/v1/traces/{run}/picture", at=server.page)
    document = json.loads(body)
    labels = [document["strings"][at] for at in document["spans"]["label_s"]]
    span = document["spans"]["id"][labels.index("researcher#1/model#2" if "researcher#1/model#2" in labels else "edit")]
    for view in VIEWS:
        page = Page(browser, f"http://{server.page}{view.path.format(run=run, span=span)}", view.scheme, WIDE)
        page.call("Emulation.setDeviceMetricsOverride", width=WIDE, height=view.high, deviceScaleFactor=1, mobile=False)
        until(page, view.ready)
        browser.settle(1.0)  # fonts, and what is drawn after the first frame
        yield view.name, base64.b64decode(page.call("Page.captureScreenshot", format=FORMAT, quality=QUALITY)["data"])
        page.close()


def main(folder: Path) -> None:
    """Write them all into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        fill(Path(place) / "runs.db")
        browser = Browser(ensure(), Path(place) / "profile")
        try:
            with Server(Path(place) / "runs.db") as server:
                for name, image in take(browser, server):
                    (folder / f"{name}.webp").write_bytes(image)
                    print(f"{name}.webp {len(image):,} bytes")
        finally:
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
