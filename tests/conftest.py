"""What every test runs with: strict recording, a home of its own, nothing of the surroundings, and the shared data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ("tests.backends.jaeger",)

REPOSITORY = Path(__file__).resolve().parent.parent
SURROUNDINGS = ("OTEL_", "LANGSMITH_", "LANGCHAIN_", "OPENAI_")
"""Variables that would change what a test sees."""
OUR_OWN = frozenset({"OTEL_MAS_DATA", "OTEL_MAS_REQUIRE_DATA"})
LONGEST = ("tests/versions/", "tests/accuracy/test_long_running.py")
LOCAL = "localhost,127.0.0.1,::1"


@pytest.fixture(scope="session")
def surroundings() -> dict[str, str]:
    """The environment as the test run found it, for what needs the user's own home: installers and their caches."""
    return dict(_FOUND)


_FOUND = dict(os.environ)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--whole", action="store_true", help="every case in every way, every suite with every LangGraph (make matrix)"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than processors: many tests wait for a process or a server."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes minutes first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under OTEL_MAS_STRICT an error inside a hook fails the test; the default store is one that goes away."""
    for name in os.environ:
        if name.startswith(SURROUNDINGS) and name not in OUR_OWN:
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("OTEL_MAS_STRICT", "1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, LOCAL)


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """`shared_data("critical-path/jaeger-ui")` is the path of that file or folder of the shared data.

    It is looked for in OTEL_MAS_DATA, then beside the repository. Without it the test is skipped, saying so, or fails
    where OTEL_MAS_REQUIRE_DATA=1 says that it must be there.
    """

    def find(path: str) -> Path:
        given = _FOUND.get("OTEL_MAS_DATA")
        root = Path(given) if given else REPOSITORY.parent / "shared" / "data"
        found = root / path
        if found.exists():
            return found
        missing = f"no shared data at {found}; set OTEL_MAS_DATA to the folder that holds it"
        if _FOUND.get("OTEL_MAS_REQUIRE_DATA") == "1":
            pytest.fail(missing)
        pytest.skip(missing)

    return find
