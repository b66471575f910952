"""Texts that were checked by hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def snapshot() -> Callable[[str, str], None]:
    """`snapshot(name, text)`: the text is that of snapshots/name.txt, which was checked by hand.

    With UPDATE_SNAPSHOTS=1 the files are rewritten: read the difference before you commit it.
    """

    def check(name: str, text: str) -> None:
        path = Path(__file__).parent / "snapshots" / f"{name}.txt"
        if os.environ.get("UPDATE_SNAPSHOTS") == "1":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        assert text == path.read_text()

    return check
