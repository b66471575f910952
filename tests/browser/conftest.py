"""A browser for all tests, and pages in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import NoChromium, ensure
from tests.browser.devtools import Browser, Page
from tests.unavailable import unavailable


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory, surroundings: dict[str, str]) -> Iterator[Browser]:
    try:
        program = ensure(surroundings)
    except NoChromium as missing:
        unavailable(missing, surroundings)
    running = Browser(program, tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """`opened(document, scheme="dark")`: the document as a file, in the browser."""
    pages: list[Page] = []

    def show(document: str, scheme: str = "light", wide: int = 1200) -> Page:
        path = tmp_path / f"page{len(pages)}.html"
        path.write_text(document)
        pages.append(Page(browser, path.as_uri(), scheme, wide))
        return pages[-1]

    yield show
    for page in pages:
        page.close()
