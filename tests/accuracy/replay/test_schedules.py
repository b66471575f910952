"""Whatever runs first, each call of a replay gets its own answer: 200 shuffled schedules, and not one wrong answer."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from tests.accuracy.replay import witness
from tests.accuracy.replay.apps import APPS, same_requests

FEW, MANY = 2, 14


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    otel_mas.instrument(store=tmp_path / "runs.db")
    yield tmp_path / "runs.db"
    otel_mas.shutdown()


def run(app: Callable[[], Any], seed: int) -> Any:
    random.seed(seed)
    return asyncio.run(app()) if inspect.iscoroutinefunction(app) else app()


def record(app: Callable[[], Any], store: Path) -> tuple[Any, Any]:
    """The output, and the traces."""
    output = run(app, 0)
    otel_mas.flush()
    source = otel_mas.open(store)
    return output, [source.trace(one.trace_id) for one in reversed(source.traces(limit=100))]


def shuffled(app: Callable[[], Any], store: Path, schedules: int) -> None:
    recorded, traces = record(app, store)
    calls = len(witness.really_called)
    for seed in range(1, schedules + 1):
        with otel_mas.replay(traces) as session:
            assert run(app, seed) == recorded, seed
        assert session.live == session.missed == 0
        assert session.answered == len(session.recording.calls)
    assert len(witness.really_called) == calls


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.__name__)
def test_each_call_gets_its_own_answer(app: Callable[[], Any], store: Path) -> None:
    shuffled(app, store, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("app", APPS, ids=lambda app: app.__name__)
def test_each_call_gets_its_own_answer_in_many_schedules(app: Callable[[], Any], store: Path) -> None:
    shuffled(app, store, MANY)


def test_a_wrong_answer_would_show(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Matched by requests and order alone, as if all tasks were one, branches get each other's answers."""
    from otel_mas.replay.matching import Matcher
    from otel_mas.replay.request import Form

    recorded, traces = record(same_requests, store)

    def by_order(self: Matcher, here: Any, kind: Any, request: Any) -> Any:
        for call in self.recording.calls:
            found = self._request(call)
            free = call.kind is kind and id(call) not in self._used and found is not None
            if free and found.digest(Form.NORMALISED) == request.digest(Form.NORMALISED):
                self._used.add(id(call))
                return call
        return None

    monkeypatch.setattr(Matcher, "take", by_order)
    outputs = []
    for seed in range(1, 6):
        with otel_mas.replay(traces):
            outputs.append(run(same_requests, seed))
    assert any(output != recorded for output in outputs)
