"""`otel-mas report`."""

from __future__ import annotations

import stat
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import cli


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["report", *map(str, arguments)], catch_exceptions=False)


def test_it_writes_one_page_and_names_it(store: Path, tmp_path: Path, team: ModuleType) -> None:
    page = tmp_path / "out.html"
    done = run("--conversation", team.THREAD, "--store", store, "-o", page)
    assert (done.exit_code, done.stdout) == (0, "")
    assert f"wrote {page} (" in done.stderr
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert "Publish this?" in page.read_text()


def test_a_trace_is_named_by_the_beginning_of_its_id_or_is_the_latest(
    store: Path, tmp_path: Path, team: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(team.FIRST[:6], "--store", store).exit_code == 0
    assert team.FIRST in (tmp_path / "report.html").read_text()
    assert run("--store", store).exit_code == 0
    assert team.SECOND in (tmp_path / "report.html").read_text()
    assert [path.name for path in tmp_path.glob("*.html*")] == ["report.html"]


def test_it_can_be_piped(store: Path) -> None:
    done = run("--store", store, "-o", "-")
    assert done.stdout.startswith("<!DOCTYPE html>")
    assert done.stdout.endswith("</html>\n")


def test_an_older_page_stays_until_the_new_one_is_complete(store: Path, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    page.write_text("before")
    done = run("nothere", "--store", store, "-o", page)
    assert done.exit_code == 4
    assert page.read_text() == "before"


def test_a_missing_directory_is_one_line(store: Path, tmp_path: Path) -> None:
    done = run("--store", store, "-o", tmp_path / "missing" / "out.html")
    assert done.exit_code == 2
    assert "There is no directory" in done.stderr


def test_only_its_owner_may_read_it(store: Path, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    page.write_text("old")
    page.chmod(0o644)
    result = run("--store", store, "-o", page)
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "was open to others" in result.output
