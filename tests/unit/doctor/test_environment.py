"""The app's Python is asked what it has, in a process of its own."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import langgraph.pregel
import pytest

from otel_mas import __version__
from otel_mas.doctor.environment import Interpreter, check_environment
from otel_mas.doctor.findings import Finding

pytestmark = pytest.mark.slow

Checked = tuple[Interpreter | None, list[Finding]]

REPOSITORY = Path(__file__).resolve().parents[3]
PATH = {"PATH": os.environ["PATH"]}


def codes(found: Checked) -> list[str]:
    return [finding.code for finding in found[1]]


def look(*command: str | Path, path: Sequence[Path] = (), timeout_s: float = 60.0, **environ: str) -> Checked:
    environ = {**PATH, "PYTHONPATH": os.pathsep.join(map(str, path)), **environ}
    return check_environment([str(word) for word in command], environ, timeout_s)


def test_the_hooks_fit_what_is_installed_here() -> None:
    found = look(sys.executable, "app.py")
    assert codes(found) == ["hooks-fit"]
    assert found[0] is not None
    assert found[0].form["prefix"] == sys.prefix
    assert found[0].form["packages"]["otel-mas"] == __version__
    assert "pytest" not in found[0].form["packages"]
    assert found[0].form["hooks"] is not None
    assert found[0].form["hooks"]["checked"] > 20
    assert found[0].form["hooks"]["misfits"] == []


def test_without_a_command_it_is_our_own_python_and_another_one_in_the_shell_is_noticed(
    tmp_path: Path, tools: ModuleType
) -> None:
    tools.script(tmp_path / "python", "#!/bin/sh\n")
    found = check_environment([], {"PATH": str(tmp_path)}, 60.0)
    assert found[0] is not None
    assert found[0].form["python"] == sys.executable
    assert codes(found) == ["hooks-fit", "other-python"]
    assert str(tmp_path / "python") in found[1][1].message


def test_a_virtual_environment_that_is_active_and_not_ours_is_noticed(tmp_path: Path) -> None:
    found = check_environment([], {"PATH": "", "VIRTUAL_ENV": str(tmp_path)}, 60.0)
    assert codes(found) == ["hooks-fit", "other-python"]
    assert str(tmp_path) in found[1][1].message


def test_a_python_without_otel_mas_is_a_problem(bare_python: Path) -> None:
    found = look(bare_python)
    assert codes(found) == ["otel-mas-missing"]
    assert str(bare_python) in found[1][0].message


def test_a_python_without_a_framework_is_noted(bare_python: Path) -> None:
    assert codes(look(bare_python, path=[REPOSITORY])) == ["framework-missing"]


def overlay(folder: Path, module: str, text: str) -> None:
    """LangGraph as it is installed, but for a module of `langgraph.pregel`, in which `REAL` is the text of its own."""
    real = Path(langgraph.pregel.__file__).parent
    package = folder / "langgraph" / "pregel"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        f"__path__.append({str(real)!r})\nexec(open({str(real / '__init__.py')!r}).read())\n"
    )
    source = (real / f"{module}.py").read_text()
    (package / f"{module}.py").write_text(f"{source}\n{text}\n")


def test_hooks_that_do_not_fit_are_a_problem_for_each_place(tmp_path: Path) -> None:
    overlay(tmp_path, "_loop", "def apply_writes(changes): ...\ndel PregelLoop.after_tick")
    found = look(sys.executable, path=[tmp_path])
    assert codes(found) == ["hooks-misfit", "hooks-misfit"]
    output = " ".join(finding.message for finding in found[1])
    assert "langgraph.pregel._loop.apply_writes takes ('changes',), expected ('checkpoint'," in output
    assert "langgraph.pregel._loop.PregelLoop.after_tick is not there" in output
    assert found[0] is not None
    assert found[0].form["hooks"] is not None
    assert len(found[0].form["hooks"]["misfits"]) == 2


def test_a_framework_that_cannot_be_imported_is_a_problem(tmp_path: Path) -> None:
    overlay(tmp_path, "_runner", "raise RuntimeError('half installed')")
    found = look(sys.executable, path=[tmp_path])
    assert set(codes(found)) == {"framework-fails"}
    assert "langgraph.pregel._runner cannot be imported" in " ".join(finding.message for finding in found[1])
    assert "RuntimeError: half installed" in found[1][0].message


def test_versions_that_do_not_go_together_are_a_problem(bare_python: Path, tmp_path: Path, tools: ModuleType) -> None:
    tools.distribution(tmp_path, "opentelemetry-sdk", "1.45.2")
    tools.distribution(
        tmp_path,
        "opentelemetry-distro",
        "0.99b0",
        "opentelemetry-sdk==1.50",
        "opentelemetry.api ~= 1.0",
        "opentelemetry-exporter-otlp==9; extra == 'otlp'",
        "tomli>=1; python_version < '3'",
        "not a requirement",
    )
    found = look(bare_python, path=[tmp_path])
    output = [finding.message for finding in found[1] if finding.code == "packages-conflict"]
    assert output == [
        "opentelemetry-distro 0.99b0 needs opentelemetry-sdk==1.50, and opentelemetry-sdk 1.45.2 is installed",
        "opentelemetry-distro 0.99b0 needs opentelemetry.api ~= 1.0, and opentelemetry-api is not installed",
    ]


def test_another_version_of_otel_mas_is_noted(bare_python: Path, tmp_path: Path, tools: ModuleType) -> None:
    tools.distribution(tmp_path, "otel-mas", "99.0")
    found = look(bare_python, path=[tmp_path])
    assert codes(found) == ["otel-mas-missing", "otel-mas-differs"]
    assert f"has otel-mas 99.0, and this command is {__version__}" in found[1][1].message


def test_an_old_python_is_a_problem(tmp_path: Path, tools: ModuleType) -> None:
    answer = (
        '{"python": "/old/python", "version": "3.9.18", "prefix": "/old", "versions": {}, "requires": {}, '
        '"points": {}, "hooks": null, "failed": null}'
    )
    python = tools.script(tmp_path / "python3.9", f"#!/bin/sh\necho noise\nprintf '%s' 'otel-mas-probe:{answer}'\n")
    found = look(python)
    assert codes(found) == ["python-too-old"]
    assert found[1][0].message == "/old/python is Python 3.9.18"


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("#!/bin/sh\necho libpython is gone >&2\nexit 127\n", "ends with status 127 (libpython is gone)"),
        ("#!/bin/sh\nexec sleep 600\n", "did not answer within 0.5 s"),
        ("#!/nowhere/at/all\n", "does not start (No such file or directory)"),
    ],
)
def test_a_python_that_does_not_answer_is_a_problem(tmp_path: Path, tools: ModuleType, text: str, output: str) -> None:
    python = tools.script(tmp_path / "python3", text)
    began = time.monotonic()
    found = look(python, timeout_s=0.5)
    assert codes(found) == ["python-fails"]
    assert found[1][0].message == f"{python} {output}"
    assert time.monotonic() - began < 60  # only a hang takes longer


def test_otel_mas_that_cannot_be_loaded_is_a_problem(bare_python: Path, tmp_path: Path) -> None:
    for name in ("otel_mas", "langgraph"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    found = look(bare_python, path=[tmp_path])
    assert codes(found) == ["python-fails"]
    assert "cannot load otel-mas (ModuleNotFoundError" in found[1][0].message


def test_commands_without_a_known_python(tmp_path: Path, tools: ModuleType) -> None:
    assert codes(look("there-is-no-such-command")) == ["command-not-found"]
    program = tools.script(tmp_path / "serve", "#!/bin/sh\nexec python app.py\n")
    assert codes(look(program)) == ["command-not-python"]


def test_a_console_script_leads_to_its_python_and_isolation_is_a_problem(
    tmp_path: Path, bare_python: Path, tools: ModuleType
) -> None:
    program = tools.script(tmp_path / "serve", f"#!{bare_python} -E\n")
    found = look(program)
    assert codes(found) == ["python-isolated", "otel-mas-missing"]
    assert found[1][0].message.startswith("python -E ignores the environment")


def test_asking_runs_nothing_of_the_app_and_records_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules in the working folder are not imported; the app is not started; no store is made."""
    for name in ("json", "logging", "app", "langgraph"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')\n")
    monkeypatch.chdir(tmp_path)
    before = sorted(os.listdir(tmp_path))
    found = look(sys.executable, "app.py", OTEL_MAS_STORE=str(tmp_path / "runs.db"), OTEL_MAS_RUN_ID="r")
    assert codes(found) == ["hooks-fit"]
    assert sorted(os.listdir(tmp_path)) == before
