"""Files that commands write are private from the beginning, and whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from otel_mas.cli.files import written


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_file_is_private_while_it_is_written_and_afterwards(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with written(str(tmp_path / "page.html")) as file:
            (partial,) = tmp_path.iterdir()
            assert mode(partial) == 0o600
            file.write(b"x")
    finally:
        os.umask(before)
    assert mode(tmp_path / "page.html") == 0o600


def test_a_file_that_was_open_to_others_becomes_private_with_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    path.chmod(0o644)
    with written(str(path)) as file:
        file.write(b"new")
    assert (path.read_text(), mode(path)) == ("new", 0o600)
    assert "644" in capsys.readouterr().err


def test_a_link_stays_one_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.html").write_text("old")
    link = tmp_path / "link.html"
    link.symlink_to("real.html")
    with written(str(link)) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "real.html").read_text() == "new"


def test_after_an_error_the_old_file_is_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")

    def half() -> None:
        with written(str(path)) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert [one.read_text() for one in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("given", ["x" * 5000, "a\0b", "{}/pipe", "{}", "/dev/null", "{}/nowhere/page.html"])
def test_a_path_that_cannot_be_a_file_is_refused(given: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(click.UsageError), written(given.replace("{}", str(tmp_path))):
        pass
