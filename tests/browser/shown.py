"""What a test does with a page of `otel-mas serve`: wait, press keys, look for what must not be there."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.browser.devtools import Page

PATIENCE_S = 60.0
# An element is there or not: the protocol cannot send it.
_VALUE = "(() => { try { const found = (%s); return found instanceof Node ? true : found } catch { return null } })()"


def until(page: Page, condition: str) -> Any:
    """Wait until an expression is true in the page, and return its value."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found = page.run(_VALUE % condition)
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(
                f"{condition} never was true; the page says:\n{page.run('document.body.innerText')[:2000]}"
            )
        time.sleep(0.05)


def press(page: Page, *keys: str) -> None:
    """Press keys, one after the other, where the focus is."""
    for key in keys:
        text = {"text": key} if len(key) == 1 else {}
        page.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        page.call("Input.dispatchKeyEvent", type="keyUp", key=key)


def shows(page: Page, selector: str, words: str) -> None:
    """Wait until the first element that matches has these words in its text."""
    until(page, f"document.querySelector({json.dumps(selector)}).innerText.includes({json.dumps(words)})")


def parameter(page: Page, name: str) -> str | None:
    """A parameter of the page's address."""
    found: str | None = page.run(f"new URLSearchParams(location.search).get({json.dumps(name)})")
    return found


def violations(page: Page, modules: Path) -> list[str]:
    """Rules of axe that the page breaks, each with the first element."""
    page.run((modules / "axe-core" / "axe.min.js").read_text() + ";0")
    # Colours between two moments of a transition, and of what is disabled, say nothing.
    script = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(one => " \
        "one.id + ': ' + one.help + ' ' + one.nodes[0].html.slice(0, 200)))"  # fmt: skip
    found: list[str] = page.run(script)
    return found
