"""The example notebooks run from top to bottom, on a run recorded here."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat
import pytest

from tests.example_team import ROOT, ExampleTeam

FOLDER = ROOT / "examples" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(scope="module")
def executed(example_team: ExampleTeam) -> nbformat.NotebookNode:
    """Why was this slow, with its outputs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_MAS_STORE", str(example_team.store))
        return execute(FOLDER / "why_was_this_slow.ipynb")


def execute(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    return client.execute()


def outputs(notebook: nbformat.NotebookNode, source: str) -> str:
    """The output of the cell with this source, in its richest form."""
    cell = next(cell for cell in notebook.cells if source in cell.source)
    data = [output.get("data", {}) | {"text": output.get("text", "")} for output in cell.outputs]
    return "".join(one.get("text/html") or one.get("text/plain") or one["text"] for one in data)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")


def test_it_opens_with_the_runs_and_the_picture(executed: nbformat.NotebookNode) -> None:
    assert "interrupted" in outputs(executed, "source.traces()")
    picture = outputs(executed, "run = source.conversation(thread)")
    assert "<svg" in picture
    assert "tasks of supervisor, researcher, relevance, writer, approval, publish over" in picture


def test_it_says_what_the_time_is_made_of(executed: nbformat.NotebookNode) -> None:
    assert "why the next one waited" in outputs(executed, "path = run.graph().critical_path()")
    made_of = outputs(executed, "made_of")
    assert "LLM_CALL" in made_of
    assert "waiting for input" in made_of
    assert "s of waiting for a person" in outputs(executed, "worked = ")


def test_it_finds_every_join_and_what_it_offers(executed: nbformat.NotebookNode) -> None:
    branches = outputs(executed, "ahead_s")
    assert [name for name in ("write_section#1", "write_section#4", "tools#1", "tools#2") if name not in branches] == []
    offers = outputs(executed, "def offer")
    assert "edit" in offers
    assert "model#2" in offers


def test_it_compares_runs_and_shows_the_cost(executed: nbformat.NotebookNode) -> None:
    assert "writer#1" in outputs(executed, "every = source.to_pandas")
    assert "simulated" in outputs(executed, "run.graph().cost()")


def test_without_a_setting_it_reads_the_store_of_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    first = next(cell.source for cell in nbformat.read(NOTEBOOKS[0], 4).cells if cell.cell_type == "code")
    assert 'Path("..", "..", ".demo", "runs.db")' in first
    monkeypatch.chdir(FOLDER)
    from examples import demo

    assert Path("..", "..").resolve() == demo.ROOT
