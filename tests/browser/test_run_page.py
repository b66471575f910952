"""The link of `otel-mas run --serve`, followed in a real browser before the app has done anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.browser.devtools import Browser, Page
from tests.browser.shown import shows, until

_APP = """
import sys, otel_mas

@otel_mas.agent
def writer():
    sys.stdin.readline()

@otel_mas.workflow
def newsroom():
    writer()

sys.stdin.readline()
newsroom()
"""


def test_a_run_appears_where_its_link_leads_and_is_done_when_the_app_has_ended(
    browser: Browser, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", "from otel_mas.cli import main; main()", "run", "--serve", "--no-open"]
    command += ["--listen", "127.0.0.1:0", "--store", str(tmp_path / "runs.db"), "--", sys.executable, "-c", _APP]
    variables = {name: value for name, value in os.environ.items() if name != "CI"}
    pipe = subprocess.PIPE
    app = subprocess.Popen(command, stdin=pipe, stderr=pipe, text=True, env=variables)
    assert app.stdin is not None
    assert app.stderr is not None
    page = None
    try:
        link = next(line for line in app.stderr if "live at" in line).split()[-1]
        page = Page(browser, link)
        shows(page, ".empty", "No run matches.")
        app.stdin.write("\n")
        app.stdin.flush()
        until(page, "document.querySelector('tbody .status')?.innerText.includes('running')")
        page.run("document.querySelector('tbody a[href^=\"/traces/\"]').click()")
        until(page, "document.querySelector('.canvas-holder canvas')?.width > 300")
        shows(page, "h1", "newsroom")  # the id, until the run is read
        app.stdin.write("\n")
        app.stdin.flush()
        assert any("the page stays" in line for line in app.stderr)
        until(page, "document.querySelector('main').innerText.includes('done')")
        app.send_signal(signal.SIGINT)
        assert app.wait(60) == 0
    finally:
        app.kill()
        app.communicate()
        if page is not None:
            page.close()
