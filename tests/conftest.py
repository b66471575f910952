"""The environment of every test: strict recording, a home of its own, a clean environment, and the shared data."""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

import otel_mas
from tests import research_team

# How long an example takes depends on what else the machine does. `make check` asks for the profile `quick`.
for profile, examples in (("whole", 150), ("quick", 25)):
    hypothesis.settings.register_profile(
        profile, deadline=None, max_examples=examples, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
hypothesis.settings.load_profile("whole")

pytest_plugins = ("tests.backends.jaeger", "tests.backends.kafka", "tests.backends.otelcol", "tests.example_team")

REPOSITORY = Path(__file__).resolve().parent.parent
SURROUNDINGS = ("OTEL_", "LANGSMITH_", "LANGCHAIN_", "OPENAI_")
"""Variables that would change what a test sees."""
OF_MAKE = frozenset({"GNUMAKEFLAGS", "MAKEFILES", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"})
"""Variables of a make that runs the tests, which would change what a make that a test starts does and prints."""
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
    """Deal what takes minutes to all workers as their first tests, so that none is left alone with it at the end.

    `--dist worksteal` gives each worker as long a row of the list as the others.
    """
    longest = [item for item in items if item.nodeid.startswith(LONGEST)]
    others = [item for item in items if not item.nodeid.startswith(LONGEST)]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    dealt: list[pytest.Item] = []
    for worker in range(workers):
        row = longest[worker::workers]
        short = max(0, (len(items) - len(dealt)) // (workers - worker) - len(row))
        dealt += (*row, *others[:short])
        del others[:short]
    items[:] = dealt


@pytest.fixture(scope="session")
def clean_environment() -> Callable[[Path], dict[str, str]]:
    """`clean_environment(home)`: what every test has, for a process that a fixture of the session starts."""

    def variables(home: Path) -> dict[str, str]:
        kept = {name: value for name, value in _FOUND.items() if not _disturbs(name)}
        return kept | _settings(home)

    return variables


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in filter(_disturbs, list(os.environ)):
        monkeypatch.delenv(name)
    # mktemp would look through all the folders of the tests before.
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(_HOMES))
    home.mkdir(parents=True)
    for name, value in _settings(home).items():
        monkeypatch.setenv(name, value)


_HOMES = itertools.count()


def _disturbs(name: str) -> bool:
    return name in OF_MAKE or (name.startswith(SURROUNDINGS) and name not in OUR_OWN)


def _settings(home: Path) -> dict[str, str]:
    """Under OTEL_MAS_STRICT an error inside a hook fails the test; the default store is one that goes away."""
    local = {"NO_PROXY": LOCAL, "no_proxy": LOCAL}
    return {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "OTEL_MAS_STRICT": "1", **local}


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Path]:
    """The path of the store that everything in the test is recorded into."""
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=str(path))
    yield path
    otel_mas.shutdown(30)


@pytest.fixture(scope="session")
def team() -> ModuleType:
    """Module tests/research_team.py, a run written down by hand."""
    return research_team


@pytest.fixture
def store(team: ModuleType, tmp_path: Path) -> Path:
    """A store that holds the team's two traces."""
    path: Path = team.write(tmp_path / "team.db")
    return path


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """`once(name, fill)`: a folder that one worker of the test run fills, and the others wait for."""

    def folder(name: str, fill: Callable[[Path], None]) -> Path:
        base = tmp_path_factory.getbasetemp()
        base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
        found, filled = base / name, base / f"{name}.filled"
        with (base / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not filled.exists():
                shutil.rmtree(found, ignore_errors=True)
                found.mkdir()
                fill(found)
                filled.touch()
        return found

    return folder


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
