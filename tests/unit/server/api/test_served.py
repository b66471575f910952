"""Runs that are served are read once, and only by questions that need all of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import otel_mas
from otel_mas.server.api.served import Served, ServedRun

_ASKING = 4


def test_questions_that_come_at_once_share_one_reading(runs: Path) -> None:
    with otel_mas.open(runs) as source, ThreadPoolExecutor(_ASKING) as pool:
        served, together = Served(source), Barrier(_ASKING)

        def ask(trace_id: str) -> ServedRun:
            together.wait()
            return served.trace(trace_id)

        for one in source.traces(limit=10):
            assert len({id(found) for found in pool.map(ask, [one.trace_id] * _ASKING)}) == 1


def test_the_line_about_a_trace_is_that_of_the_list_by_any_beginning_of_its_id(runs: Path) -> None:
    with otel_mas.open(runs) as source:
        served = Served(source)
        for one in source.traces(limit=10):
            assert [served.summary(name) for name in (one.trace_id, one.trace_id.upper(), one.trace_id[:12])] == [
                one
            ] * 3
