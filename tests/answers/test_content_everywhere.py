"""Every message and every other content of every run is the same from the store, an archive, Jaeger, and an import."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.cli import cli
from tests.answers.conftest import RUNS, Recorded


def content(target: str, run: Recorded) -> dict[str, Any]:
    """By span: digest, role and body of what it read and wrote, and its other content; and the values of states."""
    found: dict[str, Any] = {}
    with otel_mas.open(target) as source:
        for trace in source.conversation(run.thread, run.service).traces:
            for span in trace.spans:
                messages = trace.messages(span)
                state = list(span.get("mas.state.digests") or ())
                found[span.span_id] = (
                    [(one.digest, one.role, one.body) for one in messages.input],
                    [(one.digest, one.role, one.body) for one in messages.output],
                    dict(trace.contents(span)),
                    {key: one.body for key, one in trace._port.messages(state, trace.trace_id).items()},
                )
    return found


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("place", ["archive", "jaeger", "imported"])
def test_content_is_the_same(run: str, place: str, recorded: dict[str, Recorded], tmp_path: Any) -> None:
    where = recorded[run]
    target = where.places.get(place)
    if target is None:
        target = str(tmp_path / "imported.db")
        done = CliRunner().invoke(cli, ["import", where.places["archive"], "--store", target])
        assert done.exit_code == 0, done.output
    original = content(where.places["store"], where)

    there = content(target, where)

    assert there == original
    assert any(part for parts in original.values() for part in parts)
