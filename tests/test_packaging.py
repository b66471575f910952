"""Both kinds of installation work: the wheel with the dependencies it declares, and the editable one."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.wheels import REPOSITORY, Environment, build_wheel

USE = """
from importlib.metadata import entry_points
import otel_mas, otel_mas_exporters, otel_mas.store
[point.load() for group in ("opentelemetry_instrumentor", "otel_mas_source") for point in entry_points(group=group)
 if point.value.startswith("otel_mas")]
print(otel_mas.__file__)
"""
TEST_OF_AN_AGENT = """
from pathlib import Path

import otel_mas
import pytest

@otel_mas.tool
def search(subject):
    with Path("called").open("a") as file:
        file.write(subject)
    return "14 stops"

@otel_mas.agent
def researcher(subject):
    return search(subject)

@pytest.mark.otel_mas(replay="fixtures/run.jsonl")
def test_agent(assert_topology, assert_no_findings):
    assert researcher("trams") == "14 stops"
    assert_topology("researcher => search{1}")
    assert_no_findings()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_both_packages_their_types_and_every_file_of_theirs(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    listed = subprocess.run(
        ["git", "ls-files", "otel_mas", "exporters/otel_mas_exporters"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    files = {name.removeprefix("exporters/") for name in listed if (REPOSITORY / name).exists()}
    sources = {name for name in files if name.startswith("otel_mas/server/ui/")}

    assert {"otel_mas/py.typed", "otel_mas_exporters/py.typed", "otel_mas/server/static/index.html"} <= packed
    assert files - packed == sources
    assert sources, "the sources of the page have moved"


def test_the_wheel_and_then_the_editable_installation_work(
    wheel: Path, tmp_path: Path, surroundings: dict[str, str]
) -> None:
    environment = Environment(tmp_path / "venv", surroundings)

    environment.install(str(wheel), "-c", str(REPOSITORY / "constraints.txt"))
    assert "Usage" in environment.run(environment.bin / "otel-mas", "--help")
    assert str(tmp_path) in environment.python("-c", USE)

    environment.uninstall("otel-mas")
    environment.install("hatchling", "editables", "-c", str(REPOSITORY / "constraints.txt"))
    environment.install("--no-build-isolation", "--no-deps", "-e", str(REPOSITORY))
    assert "Usage" in environment.run(environment.bin / "otel-mas", "--help")
    assert str(REPOSITORY) in environment.python("-c", USE)


@pytest.mark.slow
def test_the_wheel_brings_a_plugin_of_pytest_that_records_and_replays(
    wheel: Path, tmp_path: Path, surroundings: dict[str, str]
) -> None:
    environment = Environment(tmp_path / "venv", surroundings)
    environment.install(str(wheel), "pytest", "-c", str(REPOSITORY / "constraints.txt"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "test_agent.py").write_text(TEST_OF_AN_AGENT)

    environment.run_active("pytest", "--strict-markers", "--otel-mas-record", cwd=project)
    assert (project / "called").read_text() == "trams"
    output = environment.run_active("pytest", "--strict-markers", cwd=project)

    assert "plugins: otel-mas-" in output
    assert "1 passed" in output
    assert (project / "called").read_text() == "trams"
    assert (project / "fixtures" / "run.jsonl").exists()
