"""Generated files are what their sources give, and the documentation names what there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from otel_mas.config import SETTINGS
from otel_mas.config.table import markdown

REPOSITORY = Path(__file__).resolve().parent.parent


def _run(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments], cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout


def test_the_committed_names_and_pages_are_what_the_registry_gives(tmp_path: Path) -> None:
    _run("semconv/generate.py", "--into", str(tmp_path))
    generated = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}

    assert generated == {name: (REPOSITORY / name).read_text() for name in generated}


@pytest.mark.parametrize("folder", ["otel_mas/semconv", "semconv/docs"])
def test_nothing_stands_by_hand_among_the_generated_files(folder: str, tmp_path: Path) -> None:
    _run("semconv/generate.py", "--into", str(tmp_path))
    wanted = {path.name for path in (tmp_path / folder).iterdir()}

    assert {path.name for path in (REPOSITORY / folder).iterdir() if path.is_file()} == wanted


def test_the_page_of_settings_is_the_table_in_the_code() -> None:
    assert markdown() in (REPOSITORY / "docs" / "settings.md").read_text()


def test_the_pages_are_what_the_code_renders() -> None:
    _run("docs/render.py", "--check")


def test_every_setting_is_documented() -> None:
    page = (REPOSITORY / "docs" / "settings.md").read_text()

    assert [setting.env for setting in SETTINGS if f"`{setting.env}`" not in page] == []
