"""Faults that `otel-mas run --fault` and OTEL_MAS_FAULTS inject into apps that know nothing of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import otel_mas
from tests.example_team import ROOT

COMMAND = str(Path(sys.executable).with_name("otel-mas"))
APP = [sys.executable, "-m", "tests.accuracy.topologies", "pipeline", "--seed", "3"]
RIGHT = "Population: 72,182."
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path, clean_environment: Callable[[Path], dict[str, str]]) -> Run:
    def run(*options: str, app: list[str] = APP, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = clean_environment(tmp_path) | {"OTEL_MAS_STORE": str(tmp_path / "runs.db")} | variables
        command = [*([COMMAND, "run", *options, "--"] if options else []), *app]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)

    return run


def test_a_run_says_how_often_each_fault_occurred(run: Run, tmp_path: Path) -> None:
    chance = "model_slow:delay=1ms,probability=0"
    faults = ("tool_empty:tool=census", "tool_error:tool=oracle", chance)
    done = run(*(part for fault in faults for part in ("--fault", fault)), "--fault-seed", "5")

    assert done.returncode == 0, done.stderr
    assert "Population: unknown." in done.stdout
    assert "injected tool_empty:tool=census: 1×" in done.stderr
    assert "fault tool_error:tool=oracle never occurred: nothing that ran was in its scope" in done.stderr
    assert "nothing that ran was in its scope, or chance spared it" in " ".join(done.stderr.split())
    with otel_mas.open(tmp_path / "runs.db") as source:
        ((span, fault),) = source.latest().injected_faults()
    assert (span.name, fault.text, fault.seed) == ("execute_tool census", "tool_empty:tool=census", 5)


def test_an_app_that_a_fault_ends_has_its_own_status(run: Run) -> None:
    done = run("--fault", "model_rate_limited:agent=writer")

    assert done.returncode == 1
    assert "429 Too Many Requests" in done.stderr
    assert "injected model_rate_limited:agent=writer: 1×" in done.stderr


def test_without_faults_nothing_is_injected(run: Run) -> None:
    done = run("--quiet")

    assert RIGHT in done.stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--fault", "explode"), "there is no kind of fault 'explode'"),
        (("--fault", "tool_error:model=x"), "takes no model"),
        (("--fault", "tool_error", "--fault-seed", "x"), "--fault-seed"),
    ],
)
def test_a_wrong_fault_is_refused_before_the_app_starts(run: Run, options: tuple[str, ...], reason: str) -> None:
    done = run(*options)

    assert done.returncode == 2
    assert reason in done.stderr
    assert done.stdout == ""


def test_the_environment_can_forbid_it(run: Run) -> None:
    refused = run("--fault", "tool_error", OTEL_MAS_FAULTS="off")
    other = run("--quiet", OTEL_MAS_FAULTS="off")

    assert refused.returncode == 2
    assert "OTEL_MAS_FAULTS=off forbids the injection of faults" in refused.stderr
    assert RIGHT in other.stdout


def test_the_environment_can_ask_for_it(run: Run) -> None:
    done = run("--store", "runs.db", OTEL_MAS_FAULTS="tool_empty:tool=census;model_slow:delay=1ms,model=other")

    assert "Population: unknown." in done.stdout
    assert "injected tool_empty:tool=census: 1×" in done.stderr
    assert "never occurred" in done.stderr


IN_CODE = [
    sys.executable,
    "-c",
    "import otel_mas; otel_mas.instrument()\n"
    "from tests.accuracy.topologies import build\n"
    "print(build('pipeline', 3).run())",
]


def test_an_app_that_records_itself_gets_the_faults_of_its_environment(run: Run) -> None:
    done = run(app=IN_CODE, OTEL_MAS_FAULTS="tool_empty:tool=census;tool_error:tool=oracle")
    forbidden = run(app=IN_CODE, OTEL_MAS_FAULTS="off")
    wrong = run(app=IN_CODE, OTEL_MAS_FAULTS="explode")
    disabled = run(app=IN_CODE, OTEL_MAS_FAULTS="tool_empty:tool=census", OTEL_MAS_ENABLED="false")

    assert "Population: unknown." in done.stdout
    assert "otel-mas: fault tool_error:tool=oracle never occurred" in done.stderr
    assert "census never occurred" not in done.stderr
    assert RIGHT in forbidden.stdout
    assert "there is no kind of fault 'explode'" in wrong.stderr
    assert RIGHT in disabled.stdout


def test_an_app_without_faults_never_loads_them(run: Run) -> None:
    app = [sys.executable, "-c", "import otel_mas; otel_mas.instrument()\n" + LOADED]
    done = run(app=app)

    assert done.stdout == "False\n", done.stderr


LOADED = """
import sys
from langgraph.func import entrypoint
entrypoint()(lambda question: question).invoke("q")
print("otel_mas.faults" in sys.modules)
"""


def test_switched_off_recording_injects_nothing_and_says_so(run: Run) -> None:
    done = run("--fault", "tool_empty:tool=census", OTEL_MAS_ENABLED="false")

    assert RIGHT in done.stdout
    assert "not recorded, and no faults are injected" in done.stderr
