"""The page that is installed is what its sources give; these hold to their types, rules, and the API's forms."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from tests.browser.page_sources import BUILT, UI, NoNode, PageSources, api_document
from tests.unavailable import unavailable

MOST_SCRIPT = 250_000
"""Bytes of JavaScript, gzipped."""
SOURCES = [path for path in sorted((UI / "src").rglob("*.ts*")) if path.name != "schema.ts"]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, surroundings: dict[str, str]) -> PageSources:
    try:
        return PageSources(tmp_path_factory.mktemp("page"), surroundings)
    except NoNode as missing:
        unavailable(missing, surroundings)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_built_files_are_what_the_sources_give(sources: PageSources) -> None:
    sources.run("vite", "build")
    built, committed = files(sources.built), files(BUILT)
    assert sorted(built) == sorted(committed), "make page"
    assert built == committed, "make page"


def test_types_and_rules_hold(sources: PageSources) -> None:
    sources.run("tsc")
    sources.run("oxlint", "--deny-warnings", "src", "tests")


def test_functions_and_components_do_what_they_should(sources: PageSources) -> None:
    sources.run("vitest", "run")


def test_types_of_the_api_are_those_of_its_openapi_document(sources: PageSources, tmp_path: Path) -> None:
    document, made = tmp_path / "openapi.json", tmp_path / "schema.ts"
    document.write_text(api_document())
    sources.run("openapi-typescript", str(document), "--alphabetize", "-o", str(made))
    assert made.read_text() == (UI / "src" / "api" / "schema.ts").read_text(), "make page-types"


def test_the_script_is_small() -> None:
    scripts = [gzip.compress(path.read_bytes(), mtime=0) for path in BUILT.rglob("*.js")]
    assert 0 < sum(map(len, scripts)) <= MOST_SCRIPT


def test_nothing_that_is_installed_names_another_place() -> None:
    for name, content in files(BUILT).items():
        if name.endswith((".html", ".css")):
            assert b"//" not in re.sub(rb"http://www\.w3\.org/\S*", b"", content), name


def test_no_source_makes_markup_of_text() -> None:
    markup = re.compile(r"dangerouslySetInnerHTML|\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(")
    assert [path.name for path in SOURCES if markup.search(path.read_text())] == []


def test_the_lockfile_names_no_host() -> None:
    packages = json.loads((UI / "package-lock.json").read_text())["packages"]
    assert len(packages) > 50
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_modules_of_the_page_are_short() -> None:
    lengths = {str(path.relative_to(UI)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}
