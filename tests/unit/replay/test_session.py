"""A replay as an object: entered again it begins anew, and it keeps nothing open."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.language_models import GenericFakeChatModel

import otel_mas
from otel_mas.errors import ConfigError

CALLED: list[str] = []


@otel_mas.tool
def price(city: str) -> int:
    CALLED.append(city)
    return 100


@otel_mas.tool
def total(price: int) -> int:
    return price + 1


@otel_mas.workflow
def trip() -> int:
    return total(price("Oslo"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    """The store of one recorded trip, in which nothing is written any more."""
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=str(path))
    trip()
    CALLED.clear()
    otel_mas.shutdown()
    otel_mas.instrument(store=str(tmp_path / "replays.db"))
    yield path
    otel_mas.shutdown()


def test_an_engine_replays_from_the_beginning_each_time(store: Path) -> None:
    engine = otel_mas.TraceReplayEngine("latest", source=store)
    first = engine.session
    for _ in range(3):
        assert engine.run(trip) == 101
        assert (engine.session.answered, engine.session.missed) == (2, 0)
    assert CALLED == []
    assert first.answered == 2


def test_a_change_holds_each_time_that_a_replay_is_entered(store: Path) -> None:
    engine = otel_mas.TraceReplayEngine("latest", source=store, live="descendants")
    engine.session.change("tool:price#1", output=7)
    assert [engine.run(trip), engine.run(trip)] == [8, 8]
    assert engine.session.changed == 1


def test_a_miss_of_an_earlier_run_is_none_of_the_next(store: Path) -> None:
    engine = otel_mas.TraceReplayEngine("latest", source=store)
    with pytest.raises(otel_mas.errors.ReplayMiss):
        engine.run(price, "Bergen")
    assert engine.run(trip) == 101


def test_a_replay_that_is_going_on_cannot_be_entered_again(store: Path) -> None:
    replaying = otel_mas.replay("latest", source=store)
    with replaying, pytest.raises(ConfigError, match="going on already"), replaying:
        pass
    with replaying:
        assert trip() == 101


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed by Linux")
def test_a_replay_that_is_never_entered_has_nothing_open(store: Path) -> None:
    replaying = otel_mas.replay("latest", source=store)
    opened = [str(one.readlink()) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
    assert not [one for one in opened if one.startswith(str(store))]
    with replaying:
        assert trip() == 101


def test_nearest_is_never_what_another_tool_answered(store: Path) -> None:
    @otel_mas.tool
    def weather(city: str) -> str:
        return "rain"

    @otel_mas.workflow
    def other_trip() -> object:
        return price("Bergen"), weather("Oslo")

    replaying = otel_mas.replay("latest", source=store, on_miss="nearest")
    with pytest.raises(otel_mas.errors.ReplayMiss, match="weather"), replaying:
        other_trip()
    assert replaying.session.answered == 1


def test_what_was_asked_is_forgotten_with_the_session(store: Path) -> None:
    model = GenericFakeChatModel(messages=iter(["said"]))
    with otel_mas.replay("latest", source=store, on_miss="live") as session:
        model.invoke("a prompt")
        assert len(session.forms) == 1
    forgotten = weakref.ref(session)
    del session
    gc.collect()
    assert forgotten() is None
