"""Both kinds of installation work: the wheel with the dependencies it declares, and the editable one."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
USE = """
from importlib.metadata import entry_points
import otel_mas, otel_mas_exporters, otel_mas.store
[point.load() for group in ("opentelemetry_instrumentor", "otel_mas_source") for point in entry_points(group=group)
 if point.value.startswith("otel_mas")]
print(otel_mas.__file__)
"""


class Environment:
    """A fresh virtual environment, filled by uv where it is there, else by pip; both with the user's own settings."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.bin = folder / "bin"
        self.variables = {k: v for k, v in variables.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        self._uv = self._works("uv", "--version")
        venv.create(folder, with_pip=not self._uv)

    def _works(self, *command: str) -> bool:
        found = shutil.which(command[0])
        return found is not None and subprocess.run(command, env=self.variables, capture_output=True).returncode == 0

    def run(self, *command: str | Path) -> str:
        result = subprocess.run(command, cwd=self.bin, env=self.variables, capture_output=True, text=True)
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
        return result.stdout

    def python(self, *arguments: str) -> str:
        return self.run(self.bin / "python", *arguments)

    def install(self, *what: str) -> None:
        if self._uv:
            self.run("uv", "pip", "install", "--python", self.bin / "python", *what)
        else:
            self.python("-m", "pip", "install", "--disable-pip-version-check", *what)

    def uninstall(self, what: str) -> None:
        if self._uv:
            self.run("uv", "pip", "uninstall", "--python", self.bin / "python", what)
        else:
            self.python("-m", "pip", "uninstall", "--yes", what)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(REPOSITORY)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return next(folder.glob("*.whl"))


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
