"""The recording of one test in a store of its own, the replay that it runs in, and what is asserted of its run."""

from __future__ import annotations

import io
import os
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from otel_mas.api.files import new_file
from otel_mas.api.lifecycle import flush
from otel_mas.api.source import Source
from otel_mas.api.source import open as open_source
from otel_mas.api.trace import Conversation, Trace
from otel_mas.api.trace_replay import replay
from otel_mas.api.whole_runs import whole_runs
from otel_mas.config import Settings
from otel_mas.errors import ConfigError, OtelMasError, TraceNotFound
from otel_mas.errors.similar import did_you_mean
from otel_mas.instrumentation import switch
from otel_mas.record import recorder
from otel_mas.replay.fixture_file import numbered
from otel_mas.replay.policy import Policy
from otel_mas.replay.recording import Recording
from otel_mas.replay.request import Normaliser
from otel_mas.replay.segment import is_segment_end
from otel_mas.replay.session import ReplaySession
from otel_mas.store.log_reader import LogReader
from otel_mas.store.otlp_lines import write_lines

if TYPE_CHECKING:
    import pytest

    from otel_mas.evaluate import EvalReport, EvaluationCase

_WIDTH = 120
_TIMEOUT_S = 30.0
_OPTIONS = ("live", "on_miss", "timing", "freeze", "volatile", "stub")
_SEGMENT = ("from_task", "to_task")


@dataclass(frozen=True)
class Replayed:
    """Replay that a test's marker asks for.

    Args:
        path: of the recording.
        options: of `otel_mas.replay`.
        segment: labels of the tasks that the segment to run again begins and ends with; None where all is replayed.
    """

    path: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    segment: tuple[str, str | None] | None = None

    @classmethod
    def of(cls, marker: pytest.Mark, test: Path, parameters: Mapping[str, Any]) -> Self | None:
        """The replay that a marker asks for; None where it names no file.

        Args:
            marker: `otel_mas(replay=..., ...)`.
            test: path of the test's file, beside which recordings are.
            parameters: of a parametrised test, for `{name}` in the path.

        Raises:
            ConfigError: The marker has another argument, or a path that is none.
        """
        given = dict(marker.kwargs)
        unknown = sorted(given.keys() - {"replay", *_OPTIONS, *_SEGMENT})
        if marker.args or unknown:
            known = ("replay", *_OPTIONS, *_SEGMENT)
            hint = did_you_mean(unknown[0], known) if unknown else ""
            wrong = f"{unknown[0]!r}{hint}" if unknown else f"{marker.args[0]!r} without a name"
            raise ConfigError(f"the marker otel_mas takes {known[0]}=, {', '.join(known[1:])}; it has {wrong}")
        path = given.pop("replay", None)
        if path is None:
            if given:
                raise ConfigError(f"the marker otel_mas has {next(iter(given))!r} and no replay: name its file")
            return None
        if not isinstance(path, str | os.PathLike) or not os.fspath(path):
            raise ConfigError(f"the marker otel_mas has replay={path!r}; it must be the path of a file")
        try:
            named = os.fspath(path).format_map(parameters)
        except (KeyError, IndexError, ValueError) as error:
            raise ConfigError(f"replay={path!r}: {error} is no parameter of the test") from None
        first, last = (given.pop(name, None) for name in _SEGMENT)
        if first is None and last is not None:
            raise ConfigError(f"the marker otel_mas has to_task={last!r} and no from_task: a segment begins somewhere")
        return cls(test.parent / named, given, None if first is None else (first, last))


class RecordedTest:
    """The recording of what a test runs.

    Args:
        store: path of a new store.
        replayed: the replay that the test runs in; None where all is really called.
        renewed: paths of the recordings that this test run has made anew: others that have the same are replayed.
        renew: whether the recording is made anew instead.
        ask_judge: whether judges of cases may be called.
    """

    def __init__(
        self, store: Path, replayed: Replayed | None, renewed: set[Path], *, renew: bool, ask_judge: bool
    ) -> None:
        self.store = store
        """Path of the store."""
        self.passed = False
        self._replayed = replayed
        self._renewed = renewed
        self._renews = renew and replayed is not None and replayed.path not in renewed
        self._ask_judge = ask_judge
        found = Settings.from_env(store=str(store), content="redacted", run_id=f"test-{uuid.uuid4().hex}")
        self._settings = replace(found, export=())  # runs of tests are nobody's telemetry
        self._before: Settings | None = None
        self._environment: dict[str, str | None] = {}
        self._sources: list[Source] = []
        self._replay: replay | None = None
        self._session: ReplaySession | None = None
        if replayed is not None and not self._renews:
            if not replayed.path.is_file():
                raise ConfigError(f"there is no recording {replayed.path}: make it with pytest --otel-mas-record")
            self._replay = replay(replayed.path, **replayed.options)
            self._session = self._replay.session
            if replayed.segment is not None:
                self._session.segment(*replayed.segment)
        elif replayed is not None:
            self._session = _nothing_replayed(replayed, self._settings)

    def __repr__(self) -> str:
        return f"<RecordedTest in {self.store}>"

    @property
    def session(self) -> ReplaySession:
        """The replay that the test runs in; one without any call while its recording is made.

        Raises:
            ConfigError: The test is not replayed.
        """
        if self._session is None:
            raise ConfigError(
                "this test is not replayed: mark it with @pytest.mark.otel_mas(replay='fixtures/run.jsonl')"
            )
        return self._session

    @property
    def source(self) -> Source:
        """The store, with everything that has been recorded until now; it is closed at the end of the test.

        Raises:
            StoreError: Nothing was recorded.
        """
        flush(_TIMEOUT_S)
        opened = open_source(self.store)
        self._sources.append(opened)
        return opened

    @property
    def runs(self) -> list[Trace | Conversation]:
        """The runs of the test until now, oldest first; one that paused has the traces that went on with it."""
        flush(_TIMEOUT_S)
        return list(whole_runs(self.source)) if self.store.exists() else []

    @property
    def trace(self) -> Trace | Conversation:
        """The only run of the test until now.

        Raises:
            TraceNotFound: There is none, or there are several.
        """
        runs = self.runs
        if len(runs) != 1:
            many = f"this test has recorded {len(runs)} runs: take one of `recorded.runs`"
            raise TraceNotFound(
                many if runs else "this test has recorded nothing: no graph, model or marked function ran"
            )
        return runs[0]

    def start(self) -> None:
        """Record, and replay.

        Raises:
            ConfigError: Recording is switched off.
        """
        self._before = switch.settings()
        if self._before is not None:
            switch.switch_off(_TIMEOUT_S)
        # For what the test starts, and for an app that switches recording off and on: all of it goes here.
        given = {"OTEL_MAS_STORE": str(self.store), "OTEL_MAS_RUN_ID": self._settings.run_id or ""}
        self._environment = {name: os.environ.get(name) for name in given}
        os.environ.update(given)
        try:
            self._begin()
        except BaseException:
            self._restore()
            raise

    def stop(self) -> None:
        """End the replay and the recording, and write it down where the test passed and it is to be renewed."""
        try:
            self._end()
        finally:
            for source in self._sources:
                source.close()
            self._restore()
        if self._renews and self._replayed is not None and self.passed:
            _write(self.store, self._replayed.path, self._settings.content_attribute_bytes)
            self._renewed.add(self._replayed.path)

    def is_over(self, error: BaseException) -> bool:
        """Whether an exception is the end of the segment that the test runs."""
        return self._session is not None and is_segment_end(error)

    def check_answered(self) -> None:
        """Raise what made the run another one than was recorded, also where the app has caught it."""
        if self._session is not None and not self._renews:
            self._session.raise_unfinished()

    def assert_topology(self, expected: Any, run: Any = None) -> None:
        """Raise AssertionError unless a run has this topology.

        Args:
            expected: text in the language of docs/topology.md, or a networkx graph.
            run: by default the only run of this test.

        Raises:
            BadExpectation: It cannot be read, or means nothing.
        """
        from otel_mas.evaluate import assert_topology

        __tracebackhide__ = True
        judged: Any = self.trace if run is None else run
        assert_topology(judged, expected)

    def assert_no_findings(
        self, *, severity: str | None = None, code: str | None = None, confidence: float = 0.0, run: Any = None
    ) -> None:
        """Raise AssertionError where a run has findings, or where nothing tells: see `otel_mas.evaluate.NoFindings`.

        Args:
            severity: of this severity or a worse one; "error" by default.
            code: of this kind.
            confidence: only findings that are this sure, 0 to 1.
            run: by default the only run of this test.

        Raises:
            ConfigError: There is no such severity or kind.
        """
        from otel_mas.evaluate import EvaluationCase, NoFindings

        __tracebackhide__ = True
        wanted = NoFindings(severity=severity, code=code, confidence=confidence)
        unlimited: dict[str, Any] = {"max_tokens": None, "max_latency_ms": None}
        self.assert_case(EvaluationCase(name="this run", checks=(wanted,), **unlimited), run)

    def assert_case(self, case: EvaluationCase, run: Any = None) -> EvalReport:
        """Raise AssertionError unless a run passes a case, and warn of names in it that the run does not know.

        Its judge is asked only with --judge.

        Args:
            case: the expectations.
            run: by default the only run of this test.

        Returns:
            The report.
        """
        from otel_mas.evaluate import EvaluationHarness

        __tracebackhide__ = True
        judged = self.trace if run is None else run
        harness = EvaluationHarness(case, ask_judge=self._ask_judge)
        if self._ask_judge:
            with self._paused():
                report = harness.score(judged)
        else:
            report = harness.score(judged)
        if not report.passed:
            raise AssertionError(str(report))
        for text in report.cases[0].warnings:
            warnings.warn(text, stacklevel=2)
        return report

    def sections(self) -> list[tuple[str, str]]:
        """Title and text of what to print below the failure of the test."""
        try:
            return list(self._sections())
        except Exception as error:  # the test's own failure is what matters
            return [("otel-mas", f"the run cannot be shown: {type(error).__name__}: {error}")]

    def _sections(self) -> Iterator[tuple[str, str]]:
        from otel_mas.errors.printable import printable
        from otel_mas.report import terminal

        for miss in self._session.misses if self._session is not None else ():
            yield "otel-mas: a call that the recording has no answer for", str(miss)
        for run in self.runs:
            lines = terminal.graph(run.graph().causal, _WIDTH, run.questions(), run.reasons())
            text = "\n".join(printable(line.plain.rstrip()) for line in lines)
            if text:
                yield f"otel-mas: causal graph of {_title(run)}", text
        if self.store.exists():
            yield "otel-mas", f"all of it: otel-mas show --store {self.store}"
        if self._renews and self._replayed is not None:
            yield "otel-mas", f"{self._replayed.path} stays as it was: the test failed"

    @contextmanager
    def _paused(self) -> Iterator[None]:
        """Neither recorded nor replayed, and with the keys that were there, for a judge's own calls."""
        self._end()
        try:
            yield
        finally:
            self._begin()

    def _begin(self) -> None:
        switch.switch_on(self._settings, asked=True)
        if not recorder().active:
            raise ConfigError(
                "this test is to be recorded, and recording is off: unset OTEL_SDK_DISABLED and OTEL_MAS_ENABLED"
            )
        if self._replay is not None:
            self._replay.__enter__()

    def _end(self) -> None:
        if self._replay is not None and self._session is not None:
            # Misses have failed the test already.
            self._replay.__exit__(OtelMasError, OtelMasError("the test is over"), None)
        switch.switch_off(_TIMEOUT_S)

    def _restore(self) -> None:
        for name, value in self._environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        switch.switch_off(_TIMEOUT_S)  # what the app may have switched on
        if self._before is not None:
            switch.switch_on(self._before, asked=True)


def _nothing_replayed(replayed: Replayed, settings: Settings) -> ReplaySession:
    options = {"live": (), "on_miss": "error", "timing": False, "freeze": False, **replayed.options}
    for name in ("volatile", "stub"):
        options.pop(name, None)
    nothing = Recording.read([], f"{replayed.path.name}, which is being made")
    return ReplaySession(nothing, Policy.of(**options), Normaliser.of(settings))


def _write(store: Path, path: Path, content_bytes: int) -> None:
    """Write a store with its content as a file that a diff shows well, in the place of the one before."""
    if not store.exists():
        raise TraceNotFound(f"this test has recorded nothing, so {path} cannot be made")
    with open_source(store) as source:
        ids: Sequence[str] = [one.trace_id for one in reversed(source.traces(limit=1_000_000))]
    lines = io.BytesIO()
    reader = LogReader(str(store))
    try:
        write_lines(reader, ids, lines, content=content_bytes, per_line=1)
    finally:
        reader.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text("utf-8", errors="replace") if path.is_file() else ""
    with new_file(path) as file:
        file.write(numbered(lines.getvalue().decode(), before).encode())


def _title(run: Trace | Conversation) -> str:
    return f"conversation {run.thread}" if isinstance(run, Conversation) else f"trace {run.trace_id}"


__all__ = ["RecordedTest", "Replayed"]
