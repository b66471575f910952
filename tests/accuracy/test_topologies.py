"""The apps that answers are measured on: each answers as expected, and each fault hits what it is said to hit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.faults import Fault, FaultKind, inject
from otel_mas.model import Span
from tests.accuracy.topologies import TOPOLOGIES, build

HARMLESS = {"message_delayed", "message_duplicated", "model_slow", "lock_held"}
"""Kinds that need not change an answer."""


@pytest.mark.parametrize("clean", [False, True], ids=["plain", "clean"])
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_an_app_answers_as_expected(topology: str, clean: bool) -> None:
    for seed in (1, 2):
        app = build(topology, seed, clean=clean)

        assert app.run() == app.expected


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_an_app_answers_the_same_in_an_event_loop(topology: str) -> None:
    app = build(topology, 3)

    assert asyncio.run(app.arun()) == app.expected


def test_seeds_give_different_figures() -> None:
    assert len({build("pipeline", seed).expected for seed in range(20)}) == 20


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_each_fault_hits_its_true_cause(topology: str, recorded: Path) -> None:
    for number, fault in enumerate(build(topology).faults()):
        app = build(topology, number)
        with inject(fault, seed=number) as injected:
            outcome = _outcome(app, in_loop=number % 2 == 1 and topology != "team")  # its client keeps to one loop

        assert injected.fired[fault], fault
        if fault.kind not in HARMLESS:
            assert outcome != app.expected, fault
        otel_mas.flush(30)
        with otel_mas.open(recorded) as source:
            hit = list(_hit(source))
        assert hit, fault
        assert all(app.true_cause(fault) in names for names in hit), fault


def _outcome(app: Any, *, in_loop: bool) -> str:
    try:
        return str(asyncio.run(app.arun()) if in_loop else app.run())
    except Exception as error:
        return repr(error)


def _hit(source: Any) -> Iterator[set[str]]:
    """The names around each span that a fault was recorded on, of the newest traces that have any."""
    for summary in source.traces(limit=2):
        trace = source.trace(summary.trace_id)
        by_id: dict[str | None, Span] = {span.span_id: span for span in trace.spans}
        found = [span for span, _ in trace.injected_faults()]
        if found:
            yield from ({name for name in _names(span, by_id) if name} for span in found)
            return


def _names(span: Span | None, by_id: dict[str | None, Span]) -> Iterator[str | None]:
    while span is not None:
        yield span.task_name
        yield span.agent
        span = by_id.get(span.parent_span_id)


def test_contention_makes_tasks_wait_for_each_other(recorded: Path) -> None:
    app = build("map_reduce")
    starved, slow = app.contention()
    with inject(starved, slow) as injected:
        assert app.run() == app.expected

    assert injected.fired[slow] == 4
    assert 0 < injected.fired[starved] < 4  # whoever comes first has the slot
    otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        assert all(app.true_cause(starved) in names for names in _hit(source))


def test_a_fault_with_an_open_scope_has_no_true_cause() -> None:
    with pytest.raises(ValueError, match="may hit several"):
        build("pipeline").true_cause(Fault(FaultKind.MODEL_SLOW))
