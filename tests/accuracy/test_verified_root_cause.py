"""Root causes of apps with injected faults, verified by mending them as in a run that went well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.api.verification import verify_root_cause
from otel_mas.errors import ConfigError
from otel_mas.faults import Fault, FaultKind, inject
from otel_mas.replay.verification import Verdict
from tests.accuracy.topologies import build

_SEED = 3
_IN_CODE = ("message", "field", "agent_gives")
"""Faults of the app's own code: they are in it still when it runs again; those of tools and models are recorded."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=str(path))
    yield path
    otel_mas.shutdown()


def verified(topology: str, fault: Fault, store: Path, **options: Any) -> Any:
    """The verified causes of a run with a fault, and its app."""
    app = build(topology, _SEED)
    assert app.run() == app.expected
    failed = False
    with inject(fault, seed=_SEED):
        try:
            assert build(topology, _SEED).run() != app.expected
        except AssertionError:
            raise
        except Exception:
            failed = True
    otel_mas.flush()

    def again() -> None:
        with inject(fault, seed=_SEED) if fault.kind.startswith(_IN_CODE) else nullcontext():
            build(topology, _SEED).run()

    with otel_mas.open(store) as source:
        good, bad = (source.trace(one.trace_id) for one in reversed(source.traces(limit=2)))
        complaint = None if failed else "wrong"
        return verify_root_cause(bad, again, reference=good, complaint=complaint, **options), app


@pytest.mark.parametrize(
    ("topology", "fault"),
    [
        ("pipeline", Fault(FaultKind.TOOL_ERROR, tool="timetable")),
        ("pipeline", Fault(FaultKind.TOOL_NONSENSE, tool="census")),
        ("pipeline", Fault(FaultKind.MODEL_TRUNCATED, agent="researcher")),
        ("pipeline", Fault(FaultKind.MESSAGE_LOST, edge="researcher->analyst")),
        ("pipeline", Fault(FaultKind.FIELD_FORGOTTEN, agent="writer", field="opening")),
        ("pipeline", Fault(FaultKind.AGENT_GIVES_UP, agent="writer")),
        ("supervisor", Fault(FaultKind.TOOL_EMPTY, tool="census")),
        ("hierarchy", Fault(FaultKind.MESSAGE_CONTRADICTED, edge="engineer->accountant")),
        ("blackboard", Fault(FaultKind.TOOL_NONSENSE, tool="estimate")),
        ("functional", Fault(FaultKind.MESSAGE_LOST, edge="count_people->compare")),
    ],
    ids=str,
)
def test_the_true_cause_is_confirmed_first(topology: str, fault: Fault, store: Path) -> None:
    found, app = verified(topology, fault, store)

    assert found[0].verdict is Verdict.CONFIRMED
    assert app.true_cause(fault) in [part.rpartition("#")[0] for part in found[0].label.split("/")]
    assert "mended the run ends well" in found[0].reason


def test_what_wrote_the_same_as_in_the_reference_is_not_confirmed(store: Path) -> None:
    found, _ = verified("pipeline", Fault(FaultKind.TOOL_NONSENSE, tool="census"), store, candidates=8)

    intake = [one for one in found if one.label == "intake#1/model#1"]
    assert [one.verdict for one in intake] == [Verdict.NOT_CONFIRMED]
    assert intake[0].reason == "it wrote what it wrote in the reference"


def test_candidates_beyond_the_number_are_not_tried(store: Path) -> None:
    found, _ = verified("pipeline", Fault(FaultKind.TOOL_ERROR, tool="census"), store, candidates=1)

    assert [one.verdict for one in found[1:]] == [Verdict.NOT_TRIED] * (len(found) - 1)


def test_a_mend_that_would_have_to_be_paid_is_not_tried_without_a_stub(store: Path) -> None:
    build("pipeline", _SEED).run()
    fault = Fault(FaultKind.TOOL_NONSENSE, tool="timetable")
    with inject(fault, seed=_SEED), suppress(Exception):
        build("pipeline", _SEED).run()
    otel_mas.flush()
    mended = {"researcher#1/tool:timetable#1": "The tram opens on 2044-01-01."}

    def again() -> None:
        build("pipeline", _SEED).run()

    with otel_mas.open(store) as source:
        bad = source.latest()
        stopped = verify_root_cause(bad, again, mended=mended, expect="2044-01-01", complaint="wrong", candidates=9)
        live = verify_root_cause(
            bad, again, mended=mended, expect="2044-01-01", complaint="wrong", candidates=9, live="descendants"
        )
        nothing = pytest.raises(ConfigError, match="give a reference run, or mended outputs")
        with nothing:
            verify_root_cause(bad, again)

    assert Verdict.CONFIRMED not in [one.verdict for one in stopped]
    assert any("would have to be called anew" in one.reason for one in stopped)
    assert live[0].verdict is Verdict.CONFIRMED
    assert live[0].label.startswith("researcher#1")
