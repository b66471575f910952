"""What goes along with work for another process, and what that process makes of it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.pool import Pool, ThreadPool
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

import otel_mas
from otel_mas.config import Settings
from otel_mas.instrumentation import switch
from otel_mas.instrumentation.propagation.hook_table import HOOK_TABLE
from otel_mas.instrumentation.propagation.processes import Carried, run_carried
from otel_mas.record import RECORDED_SPAN_KEY, recording_context

SPAN = NonRecordingSpan(SpanContext(0xA, 0xB, is_remote=False, trace_flags=TraceFlags(1)))
ORIGINALS = (ProcessPoolExecutor.submit, BaseProcess.start, Pool.apply_async, Pool._map_async, Pool.imap)  # type: ignore[attr-defined]


@pytest.fixture
def within() -> Iterator[None]:
    """This test runs inside something recorded."""
    token = otel_context.attach(baggage.set_baggage("tenant", "a", recording_context(SPAN)))
    yield
    otel_context.detach(token)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    otel_mas.shutdown(20)


def where() -> tuple[int, bool, object, bool]:
    """The span around this code, whether it is another process's, the baggage, and whether it is marked."""
    found = trace.get_current_span().get_span_context()
    return (
        found.span_id,
        found.is_remote,
        baggage.get_baggage("tenant"),
        RECORDED_SPAN_KEY in otel_context.get_current(),
    )


@pytest.mark.usefixtures("within")
def test_the_span_s_id_and_the_baggage_survive_pickling() -> None:
    carried = pickle.loads(pickle.dumps(Carried.here()))
    assert otel_context.attach(otel_context.Context())
    assert run_carried(carried, where) == (0xB, True, "a", True)
    assert where() == (0, False, None, False)


def test_a_process_that_is_not_recorded_joins_the_one_that_it_works_for(tmp_path: Path) -> None:
    parent = Settings(store=str(tmp_path / "runs.db"), content="none", strict=True, log_level=0)
    run_carried(Carried({}, parent), where)
    assert switch.settings() == parent


def test_a_process_that_is_recorded_elsewhere_stays_there(tmp_path: Path) -> None:
    otel_mas.instrument(store=tmp_path / "own.db")
    run_carried(Carried({}, Settings(store=str(tmp_path / "runs.db"))), where)
    joined = switch.settings()
    assert joined is not None
    assert joined.store == str(tmp_path / "own.db")


def test_a_process_whose_environment_forbids_recording_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    run_carried(Carried({}, Settings(store=str(tmp_path / "runs.db"))), where)
    assert switch.settings() is None


def test_what_cannot_be_carried_is_called_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from otel_mas.record.guard import set_strict

    monkeypatch.setattr(switch, "join", lambda settings: 1 / 0)
    set_strict(False)
    assert run_carried(Carried({}, Settings()), lambda: "the app's result") == "the app's result"


@pytest.mark.usefixtures("within")
def test_a_pool_of_threads_gets_the_context_itself() -> None:
    HOOK_TABLE.patch()
    try:
        with ThreadPool(1) as pool:
            assert pool.apply(where) == (0xB, False, "a", True)
            assert pool.map(lambda _: where(), [1]) == [(0xB, False, "a", True)]
            assert list(pool.imap_unordered(lambda _: where(), [1])) == [(0xB, False, "a", True)]
    finally:
        HOOK_TABLE.unpatch()


def test_switched_off_everything_is_python_s_own() -> None:
    HOOK_TABLE.patch()
    HOOK_TABLE.unpatch()
    assert (
        ProcessPoolExecutor.submit,
        BaseProcess.start,
        Pool.apply_async,
        Pool._map_async,  # type: ignore[attr-defined]
        Pool.imap,
    ) == ORIGINALS
