"""Recording in code: on, written, off; as often and from as many threads as somebody likes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import otel_mas
from otel_mas.errors import ConfigError
from otel_mas.record import recorder


@pytest.fixture(autouse=True)
def _off() -> Iterator[None]:
    yield
    otel_mas.shutdown(30)


def span(name: str) -> None:
    recorder().start_span(name, {}).end()


def stored(store: Path) -> list[str]:
    with otel_mas.open(store) as source:
        return [span.name for trace in source.traces(limit=1000) for span in source.trace(trace.trace_id).spans]


def test_what_is_flushed_is_in_the_store(tmp_path: Path) -> None:
    otel_mas.instrument(store=tmp_path / "runs.db")
    span("one")
    assert otel_mas.flush()
    assert stored(tmp_path / "runs.db") == ["one"]


def test_there_is_no_file_and_no_thread_before_the_first_span(tmp_path: Path) -> None:
    before = threading.active_count()
    otel_mas.instrument(store=tmp_path / "runs.db")
    assert threading.active_count() == before
    assert otel_mas.flush()
    assert otel_mas.shutdown()
    assert list(tmp_path.iterdir()) == []


def test_twice_is_once(tmp_path: Path) -> None:
    otel_mas.instrument(store=tmp_path / "runs.db")
    otel_mas.instrument(store=tmp_path / "runs.db")
    span("one")
    assert otel_mas.shutdown()
    assert otel_mas.shutdown()
    assert stored(tmp_path / "runs.db") == ["one"]


def test_nothing_is_recorded_after_a_shutdown_until_it_is_switched_on_again(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    otel_mas.instrument(store=store)
    span("first")
    assert otel_mas.shutdown()
    span("between")
    otel_mas.instrument(store=store)
    span("second")
    assert otel_mas.shutdown()
    assert sorted(stored(store)) == ["first", "second"]


def test_another_store_is_used_from_then_on(tmp_path: Path) -> None:
    otel_mas.instrument(store=tmp_path / "a.db")
    span("a")
    otel_mas.instrument(store=tmp_path / "b.db")
    span("b")
    assert otel_mas.flush()
    assert (stored(tmp_path / "a.db"), stored(tmp_path / "b.db")) == (["a"], ["b"])


def test_code_goes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "environment.db"))
    monkeypatch.setenv("OTEL_MAS_CONTENT", "full")
    otel_mas.instrument()
    assert (recorder().settings.store, recorder().settings.content) == (str(tmp_path / "environment.db"), "full")
    otel_mas.instrument(store=tmp_path / "code.db", content="none", queue_spans=7)
    settings = recorder().settings
    assert (settings.store, settings.content, settings.queue_spans) == (str(tmp_path / "code.db"), "none", 7)


def test_everything_that_is_wrong_is_said_at_once_and_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_MAS_MAX_AGE", "soon")
    with pytest.raises(ConfigError) as raised:
        otel_mas.instrument(content="some", queue_spans=-1, colour="red")  # type: ignore[arg-type]
    for wrong in ("OTEL_MAS_MAX_AGE", "content", "queue_spans", "colour"):
        assert wrong in str(raised.value)
    assert not recorder().active


def test_an_invalid_call_leaves_a_recording_as_it_is(tmp_path: Path) -> None:
    otel_mas.instrument(store=tmp_path / "runs.db")
    with pytest.raises(ConfigError):
        otel_mas.instrument(content="some")  # type: ignore[arg-type]
    span("one")
    assert otel_mas.shutdown()
    assert stored(tmp_path / "runs.db") == ["one"]


def test_many_threads_may_switch_it_on_at_once(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)
    errors: list[Exception] = []

    def work(number: int) -> None:
        try:
            barrier.wait()
            otel_mas.instrument(store=tmp_path / "runs.db")
            span(f"span {number}")
            otel_mas.flush()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert otel_mas.shutdown()
    assert sorted(stored(tmp_path / "runs.db")) == [f"span {number}" for number in range(8)]


@pytest.mark.parametrize("name", ["OTEL_MAS_ENABLED", "OTEL_SDK_DISABLED"])
def test_switched_off_it_does_nothing_and_everything_can_be_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "false" if name == "OTEL_MAS_ENABLED" else "true")
    otel_mas.instrument(store=tmp_path / "runs.db", enabled=True)
    span("nobody's")
    assert otel_mas.flush()
    assert otel_mas.shutdown()
    assert not recorder().active
    assert list(tmp_path.iterdir()) == []
