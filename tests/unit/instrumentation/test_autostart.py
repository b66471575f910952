"""What `otel-mas run` puts first on PYTHONPATH: it leaves a Python process as it finds it, but recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from otel_mas.cli.run import AUTOSTART

pytestmark = pytest.mark.slow

STATE = """
import json, os, sys
state = {"path": sys.path, "python_path": os.environ.get("PYTHONPATH"), "threads": 0,
         "sitecustomize": getattr(sys.modules.get("sitecustomize"), "__file__", None), "argv": sys.argv}
"""
SHOW = STATE + "print(json.dumps(state))"


def python(code: str, *path: Path | str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **environment}
    if path:
        environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)


def state(*path: Path | str) -> dict[str, object]:
    result = python(SHOW, *path)
    assert result.stderr == ""
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_the_app_sees_the_path_that_it_has_without_us_and_its_children_have_us_on_theirs(tmp_path: Path) -> None:
    bare, recorded = state(tmp_path), state(AUTOSTART, tmp_path)
    assert recorded["path"] == bare["path"]
    assert recorded["python_path"] == f"{AUTOSTART}{os.pathsep}{tmp_path}"


def test_the_environments_own_sitecustomize_runs_after_ours_and_is_the_one_that_is_seen(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.argv_seen_by_site = True\n")
    assert state(AUTOSTART, tmp_path)["sitecustomize"] == str(tmp_path / "sitecustomize.py")
    result = python("import sys; print(sys.argv_seen_by_site)", AUTOSTART, tmp_path)
    assert (result.stdout, result.stderr) == ("True\n", "")


def test_an_error_in_the_environments_own_sitecustomize_is_reported_as_python_does(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise RuntimeError('broken site')\n")
    bare, recorded = python("print(1)", tmp_path), python("print(1)", AUTOSTART, tmp_path)
    assert (recorded.stdout, recorded.stderr) == (bare.stdout, bare.stderr)
    assert "broken site" in recorded.stderr


def test_a_python_without_otel_mas_says_so_in_one_line_and_runs(tmp_path: Path) -> None:
    """As another environment's would; `-S` hides what is installed, and then site is run with our folder alone."""
    code = f"import sys; sys.path.insert(0, {str(AUTOSTART)!r}); import sitecustomize; print('ran')"
    result = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert result.stdout == "ran\n"
    assert result.stderr == f"otel-mas: {sys.executable} is not recorded: otel-mas is not installed for it\n"


def test_a_python_that_cannot_be_replayed_ends_before_it_calls_anything(tmp_path: Path) -> None:
    """The launcher of another environment runs on; an app in that environment would be run for real."""
    (tmp_path / "langchain_core.py").write_text("print('called for real')\n")
    begin = f"import sys; sys.path.insert(0, {str(AUTOSTART)!r}); import sitecustomize; sys.path.insert(0, '.'); "

    def run(code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", "-c", begin + code],
            cwd=tmp_path,
            env={**os.environ, "OTEL_MAS_REPLAY": "latest"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    launcher, app = run("print('launched')"), run("import langchain_core")
    assert (launcher.returncode, launcher.stdout) == (0, "launched\n")
    assert (app.returncode, app.stdout) == (1, "")
    assert "cannot be replayed" in app.stderr


def test_a_replay_that_cannot_begin_ends_the_process_before_it_calls_anything(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_bytes(b"no store at all" * 100)
    result = python(
        "import langchain_core.tools.base; print('called for real')",
        AUTOSTART,
        OTEL_MAS_REPLAY="latest",
        OTEL_MAS_REPLAY_FROM=str(tmp_path / "runs.db"),
        OTEL_MAS_STORE=str(tmp_path / "again.db"),
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "nothing can be replayed" in result.stderr


def test_bad_settings_are_one_line_as_soon_as_there_is_something_to_record(tmp_path: Path) -> None:
    result = python("import opentelemetry.trace; print('ran')", AUTOSTART, OTEL_MAS_CONTENT="everything")
    assert result.stdout == "ran\n"
    (line,) = result.stderr.splitlines()
    assert "not recorded" in line
    assert "OTEL_MAS_CONTENT" in line


ACTIVE = "from otel_mas.record import recorder; print(recorder().active)"


def test_a_process_that_imports_nothing_that_can_be_recorded_loads_nothing_for_it() -> None:
    code = "import sys; print([m for m in ('opentelemetry', 'otel_mas.record', 'sqlite3') if m in sys.modules])"
    assert python(code, AUTOSTART).stdout == "[]\n"


@pytest.mark.parametrize(
    "first",
    [
        "opentelemetry.trace",
        "langgraph.pregel",
        "langchain_core.tools.base",
        "otel_mas.record",
        "otel_mas.record.lifecycle",
        "otel_mas.instrumentation.switch",
        "otel_mas.api.lifecycle",
    ],
)
def test_recording_begins_whatever_that_can_be_recorded_is_imported_first(first: str) -> None:
    result = python(f"import {first}; {ACTIVE}", AUTOSTART)
    assert (result.stdout, result.stderr) == ("True\n", "")


@pytest.mark.parametrize("first", ["langgraph.pregel", "opentelemetry.trace", "otel_mas.api.lifecycle"])
def test_the_framework_is_patched_whatever_is_imported_first(first: str) -> None:
    code = "from langgraph.pregel import _loop; print(hasattr(_loop.PregelLoop.tick, '__wrapped__'))"
    result = python(f"import {first}; {code}", AUTOSTART)
    assert (result.stdout, result.stderr) == ("True\n", "")


def test_code_that_asks_too_gets_a_warning_that_the_run_has_precedence(tmp_path: Path) -> None:
    code = (
        "import otel_mas; otel_mas.instrument(); from otel_mas.record import recorder; print(recorder().settings.store)"
    )
    run = {"OTEL_MAS_STORE": str(tmp_path / "run.db"), "OTEL_MAS_RUN_ID": "r"}
    result = python(code, AUTOSTART, **run)
    assert (result.stdout, result.stderr) == (f"{tmp_path / 'run.db'}\n", "")
    result = python(code.replace("instrument()", "instrument(store='other.db')"), AUTOSTART, **run)
    assert result.stdout == f"{tmp_path / 'run.db'}\n"
    assert "set aside" in result.stderr
