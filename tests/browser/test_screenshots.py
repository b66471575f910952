"""The screenshots of README.md are those that the script makes, small, and all shown."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from tests.browser.devtools import Browser
from tests.browser.screenshots import FOLDER, MOST_BYTES, REPOSITORY, VIEWS, WIDE, View, fill, take
from tests.serving.server import Server

pytestmark = pytest.mark.slow


def size(webp: bytes) -> tuple[int, int]:
    """Width and height of a lossy WebP without transparency."""
    at = webp.index(b"\x9d\x01\x2a") + 3
    wide, high = struct.unpack_from("<HH", webp, at)
    return wide & 0x3FFF, high & 0x3FFF


def test_the_readme_shows_each_with_words_for_those_who_do_not_see_it() -> None:
    shown = re.findall(r"!\[([^\]]{20,})\]\(docs/images/([^)]+)\.webp\)", (REPOSITORY / "README.md").read_text())
    assert sorted(name for _, name in shown) == sorted(view.name for view in VIEWS)
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(view.name for view in VIEWS)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_each_is_small(view: View) -> None:
    image = (FOLDER / f"{view.name}.webp").read_bytes()
    assert len(image) <= MOST_BYTES
    assert size(image) == (WIDE, view.high)


def test_the_script_still_makes_them(browser: Browser, tmp_path: Path) -> None:
    """Each view becomes complete, as the script waits for."""
    fill(tmp_path / "runs.db")
    with Server(tmp_path / "runs.db") as server:
        assert {name: size(image) for name, image in take(browser, server)} == {
            view.name: (WIDE, view.high) for view in VIEWS
        }
