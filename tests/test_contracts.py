"""The import contracts of pyproject.toml hold, and notice a room that nobody placed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import networkx as nx

REPOSITORY = Path(__file__).resolve().parent.parent


# As `lint-imports` does, of the packages in the folder and not of those that are installed.
LINT = """
import sys
sys.path[:0] = [".", "exporters"]
from importlinter.cli import lint_imports_command
lint_imports_command()
"""


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", LINT, "--no-cache"], cwd=folder, capture_output=True, text=True)


def _copy(folder: Path) -> Path:
    for name in ("otel_mas", "exporters"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


def test_every_import_keeps_to_the_contracts() -> None:
    result = _lint_imports(REPOSITORY)

    assert result.returncode == 0, result.stdout + result.stderr


def test_a_new_room_must_be_placed_before_it_can_be_imported(tmp_path: Path) -> None:
    room = _copy(tmp_path) / "otel_mas" / "attic"
    room.mkdir()
    (room / "__init__.py").write_text('"""A room that no layer names."""\n')

    result = _lint_imports(tmp_path)

    assert result.returncode == 1
    assert "attic" in result.stdout


def test_recording_that_imports_networkx_is_caught(tmp_path: Path) -> None:
    module = _copy(tmp_path) / "otel_mas" / "store" / "shortcut.py"
    module.write_text('"""A graph where the app waits."""\nimport networkx\n')

    result = _lint_imports(tmp_path)

    assert result.returncode == 1
    assert "otel_mas.store.shortcut -> networkx" in result.stdout


def test_no_file_imports_itself_through_others() -> None:
    sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "exporters")]
    imports = grimp.build_graph("otel_mas", "otel_mas_exporters", cache_dir=None)
    graph = nx.DiGraph(
        (module, imported)
        for module in imports.modules
        for imported in imports.find_modules_directly_imported_by(module)
    )

    assert [sorted(circle) for circle in nx.strongly_connected_components(graph) if len(circle) > 1] == []
