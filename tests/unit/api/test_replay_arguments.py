"""Arguments of a replay that mean nothing are refused, in both of its forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.errors import OtelMasError

BAD: dict[str, tuple[Any, ...]] = {
    "trace": (None, 3, 1.5, b"x", "", " ", [], {"a": 1}, ["x"], object(), True, "nobody", "a\0b", "\ud800"),
    "live": (3, b"x", "", [None], {1: 2}, object(), True),
    "on_miss": (None, 3, "x", [], {}),
    "timing": (None, 3, "x"),
    "volatile": (3, "(", [None], object(), b"x"),
    "source": (3, "", b"x", object(), "nobody"),
}


@pytest.mark.parametrize("argument", BAD)
@pytest.mark.parametrize("form", ["replay", "TraceReplayEngine"])
def test_an_argument_that_means_nothing_is_refused(
    argument: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "runs.db"))
    for value in BAD[argument]:
        with pytest.raises((OtelMasError, TypeError)):
            getattr(otel_mas, form)(**{"trace": "latest", argument: value})
