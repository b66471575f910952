"""Plugin of pytest: tests of agents whose runs are recorded, replayed, and held against expectations.

It is loaded in every test run of an environment that has otel-mas, so it imports nothing until a test asks for it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from otel_mas.evaluate import EvalReport, EvaluationCase
    from otel_mas.pytest_plugin.recorded_test import RecordedTest
    from otel_mas.replay.session import ReplaySession

_MARKER = "otel_mas"
_FIXTURE = "_otel_mas"
_RUNNING = pytest.StashKey["RecordedTest"]()
_RENEWED = pytest.StashKey[set[Path]]()
_HELP = (
    "otel_mas(replay=None, live=(), on_miss='error', timing=False, freeze=False, volatile=(), stub=None, "
    "from_task=None, to_task=None): record what the test "
    "runs, and answer its models, tools and retrievers from the file `replay`, which is beside the test's own"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("otel-mas", "tests of agents")
    group.addoption(
        "--otel-mas-record",
        action="store_true",
        help="make or renew the recordings of tests marked with otel_mas(replay=...): what they call is really called",
    )
    group.addoption("--judge", action="store_true", help="ask the judges of cases, which costs what their models cost")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _HELP)
    config.stash[_RENEWED] = set()


def pytest_itemcollected(item: pytest.Item) -> None:
    # First of all fixtures: others may construct clients of models, for which a replay has placeholders of keys.
    if isinstance(item, pytest.Function) and item.get_closest_marker(_MARKER) is not None:
        item.fixturenames.insert(0, _FIXTURE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    result = None
    try:
        result = yield
    except BaseException as error:
        running = item.stash.get(_RUNNING, None)
        if running is None or not running.is_over(error):
            raise
    running = item.stash.get(_RUNNING, None)
    if running is not None:
        running.check_answered()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    running = item.stash.get(_RUNNING, None)
    if running is not None and report.when == "call":
        running.passed = report.passed
        if report.failed:
            report.sections += running.sections()
    return report


@pytest.fixture(name=_FIXTURE)
def _recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedTest]:
    """The recording of a test, and its replay where the marker names a file."""
    from otel_mas.pytest_plugin.recorded_test import RecordedTest, Replayed

    function = request.node
    marker = function.get_closest_marker(_MARKER)
    replayed = None
    if marker is not None:
        parameters = function.callspec.params if hasattr(function, "callspec") else {}
        replayed = Replayed.of(marker, function.path, parameters)
    running = RecordedTest(
        tmp_path_factory.mktemp("otel-mas") / "runs.db",
        replayed,
        request.config.stash[_RENEWED],
        renew=request.config.getoption("--otel-mas-record"),
        ask_judge=request.config.getoption("--judge"),
    )
    running.start()
    function.stash[_RUNNING] = running
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def recorded(_otel_mas: RecordedTest) -> RecordedTest:
    """The recording of what this test runs, in a store of its own."""
    return _otel_mas


@pytest.fixture
def replayed(_otel_mas: RecordedTest) -> ReplaySession:
    """The replay that this test runs in."""
    return _otel_mas.session


class AssertTopology(Protocol):
    """Type of the fixture `assert_topology`."""

    def __call__(self, expected: Any, run: Any = None) -> None: ...


@pytest.fixture
def assert_topology(_otel_mas: RecordedTest) -> AssertTopology:
    """`assert_topology("a -> b")` fails unless the run of this test, or the one that is given, has this topology."""
    return _otel_mas.assert_topology


class AssertNoFindings(Protocol):
    """Type of the fixture `assert_no_findings`."""

    def __call__(
        self, *, severity: str | None = None, code: str | None = None, confidence: float = 0.0, run: Any = None
    ) -> None: ...


@pytest.fixture
def assert_no_findings(_otel_mas: RecordedTest) -> AssertNoFindings:
    """`assert_no_findings()` fails where something is wrong with the run of this test: see `evaluate.NoFindings`."""
    return _otel_mas.assert_no_findings


class AssertCase(Protocol):
    """Type of the fixture `assert_case`."""

    def __call__(self, case: EvaluationCase, run: Any = None) -> EvalReport: ...


@pytest.fixture
def assert_case(_otel_mas: RecordedTest) -> AssertCase:
    """`assert_case(EvaluationCase(...))` fails unless the run of this test passes; judges are asked with --judge."""
    return _otel_mas.assert_case
