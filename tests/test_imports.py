"""Modules that are loaded, and when: an installed package is imported by every instrumented process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import otel_mas

HEAVY = ("networkx", "pydantic", "grpc", "pandas", "opentelemetry.sdk", "opentelemetry.exporter", "sqlite3")
FRAMEWORKS = ("langgraph", "langchain_core", "langchain", "openai")


def _loaded(program: str) -> list[str]:
    """The modules that are loaded after `program`, in a fresh interpreter."""
    ending = "\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program + ending], capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def _under(modules: list[str], packages: tuple[str, ...]) -> list[str]:
    return [name for name in modules if name.startswith(tuple(p + "." for p in packages)) or name in packages]


def test_importing_otel_mas_loads_nothing_heavy() -> None:
    assert _under(_loaded("import otel_mas"), (*HEAVY, *FRAMEWORKS)) == []


def test_importing_otel_mas_loads_none_of_its_rooms() -> None:
    rooms = [name for name in _loaded("import otel_mas") if name.startswith("otel_mas.")]

    assert rooms == []


def test_plugin_of_pytest_loads_nothing_until_a_test_uses_it() -> None:
    loaded = _loaded("import otel_mas.pytest_plugin")

    assert [name for name in loaded if name.startswith("otel_mas.")] == ["otel_mas.pytest_plugin"]
    assert _under(loaded, (*HEAVY, *FRAMEWORKS, "opentelemetry")) == []


@pytest.mark.parametrize("name", ["semconv", "errors", "config"])
def test_the_lowest_rooms_load_nothing_heavy(name: str) -> None:
    assert _under(_loaded(f"import otel_mas.{name}"), (*HEAVY, "yaml", "opentelemetry")) == []


def test_what_records_loads_no_graph_and_no_framework() -> None:
    program = "import otel_mas.instrumentation, otel_mas.record, otel_mas.store"

    assert _under(_loaded(program), ("networkx", "otel_mas.causal", "otel_mas.analyse", *FRAMEWORKS)) == []


def test_public_names_are_there_when_asked_for() -> None:
    program = "import otel_mas; [getattr(otel_mas, name) for name in otel_mas.__all__]"

    assert "otel_mas.api" in _loaded(program)


def test_a_public_name_is_that_of_a_room_only_where_it_means_the_module() -> None:
    """A submodule, once loaded, takes the place of a function of the same name in its package."""
    rooms = {path.stem for path in Path(otel_mas.__file__).parent.iterdir()}

    # `replay` is a function and a room that can be called as the function.
    assert rooms & set(otel_mas.__all__) == {"errors", "evaluate", "faults", "logs", "replay"}


def test_replay_is_the_function_whichever_of_its_modules_is_loaded_first() -> None:
    for first in ("", "import otel_mas.replay.place; ", "otel_mas.replay; import otel_mas.replay.session; "):
        script = f"import otel_mas; {first}assert callable(otel_mas.replay); otel_mas.replay()"
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert "TypeError: replay.__init__() missing 1 required positional argument: 'trace'" in ended.stderr


def test_no_module_of_the_api_has_a_public_name() -> None:
    """Once loaded it would be `otel_mas.api.state`, and `otel_mas.state` no mark any more."""
    modules = {path.stem for path in (Path(otel_mas.__file__).parent / "api").iterdir()}

    assert modules & (set(otel_mas.__all__) - set(otel_mas._MODULES)) == set()
