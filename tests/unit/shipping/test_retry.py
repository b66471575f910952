"""What was refused for good is sent again, each span alone, and counted once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from otel_mas.errors import DestinationError
from otel_mas.otlp.framing import LogRow
from otel_mas.semconv import attributes as names
from otel_mas.shipping import Accepted, Backoff, Outcome, Refused, Unavailable
from otel_mas.shipping.retry import Retried, Retry
from otel_mas.store.set_aside import SetAside
from tests.unit.shipping.test_shipper import refusing, steps


def retry(harbour: Any, there: Any, waits: list[float] | None = None, **more: Any) -> Retry:
    log = SetAside(harbour.bench.path, clock=harbour.bench.clock)
    harbour.logs.append(log)
    sleep: Callable[[float], object] = (waits if waits is not None else []).append
    return Retry(log, there, backoff=Backoff(jitter=lambda: 1.0), sleep=sleep, **more)


@pytest.fixture
def refused(harbour: Any, fake: Any) -> tuple[Any, list[bytes]]:
    """A destination that has taken one span and refused three."""
    there = fake()
    shipper = harbour.shipper(there)
    poison, _ = harbour.write(3), harbour.write(1)
    there.answer = refusing(set(poison))
    steps(shipper)
    shipper.close()
    there.taken.clear()
    assert (harbour.status().shipped, harbour.status().rejected, harbour.status().set_aside) == (1, 3, 3)
    return there, poison


def test_what_is_taken_now_counts_as_shipped(harbour: Any, refused: Any) -> None:
    there, poison = refused
    there.answer = refusing({poison[1]})

    assert retry(harbour, there).run() == Retried(accepted=2, refused=1)
    assert there.taken == [poison[0], poison[2]]
    after = harbour.status()
    assert (after.shipped, after.rejected, [one.reason for one in after.rejections]) == (3, 1, ["400 bad span"])
    assert retry(harbour, there).run() == Retried(refused=1)


def test_a_span_that_a_server_fails_on_holds_up_no_other(harbour: Any, refused: Any) -> None:
    there, poison = refused

    def fails(rows: Sequence[LogRow]) -> Outcome:
        return Unavailable("503 key too long") if any(row.body == poison[0] for row in rows) else Accepted()

    there.answer = fails
    assert retry(harbour, there).run() == Retried(accepted=2, refused=1)
    assert [one.reason for one in harbour.status().rejections] == ["503 key too long"]


def test_a_destination_that_is_down_leaves_all_set_aside(harbour: Any, refused: Any) -> None:
    there, _ = refused
    there.answer = lambda rows: Unavailable("down")
    before, waits = harbour.status(), []

    with pytest.raises(DestinationError, match="fake:there accepts nothing now: down"):
        retry(harbour, there, waits).run()
    assert waits == [1, 2, 4, 8, 16]
    assert harbour.status() == before
    there.answer = lambda rows: Refused("401 who are you?")
    with pytest.raises(DestinationError, match="401 who are you"):
        retry(harbour, there).run()
    assert harbour.status() == before


def test_a_destination_that_asks_for_time_gets_it(harbour: Any, refused: Any) -> None:
    there, poison = refused
    answers = iter([Unavailable("429", 5.0, overloaded=True)])
    there.answer = lambda rows: next(answers, Accepted())
    waits: list[float] = []

    assert retry(harbour, there, waits).run() == Retried(accepted=3)
    assert (waits, there.taken) == ([6.0], poison)


def test_a_partial_success_of_a_span_refuses_it(harbour: Any, refused: Any) -> None:
    there, _ = refused
    there.answer = lambda rows: Accepted(len(rows), "too old")

    assert retry(harbour, there).run() == Retried(refused=3)
    assert {one.reason for one in harbour.status().rejections} == {"too old"}


def test_two_at_once_count_a_span_once(harbour: Any, refused: Any) -> None:
    there, _ = refused
    other = retry(harbour, there)
    first = True

    def while_the_other_runs(rows: Sequence[LogRow]) -> Outcome:
        nonlocal first
        if first:
            first = False
            other.run()
        return Accepted()

    there.answer = while_the_other_runs
    retry(harbour, there).run()
    assert (harbour.status().shipped, harbour.status().rejected) == (4, 0)


def test_spans_that_the_store_has_no_more_are_told_apart(harbour: Any, refused: Any) -> None:
    there, poison = refused
    with harbour.log().transaction() as connection:
        connection.execute("DELETE FROM spans WHERE body = ?", (poison[0],))
    there.answer = lambda rows: Accepted()

    assert retry(harbour, there).run() == Retried(accepted=2, gone=1)


def test_one_trace_is_chosen_by_the_beginning_of_its_id(harbour: Any, refused: Any) -> None:
    there, _ = refused
    there.answer = lambda rows: Accepted()
    trace = harbour.status().rejections[0].trace_id

    assert retry(harbour, there).run("0123456789") == Retried()
    assert retry(harbour, there).run(trace[:8].upper()).accepted == 3


def test_content_is_withheld_from_it_as_well(harbour: Any, fake: Any) -> None:
    there = fake()
    shipper = harbour.shipper(there)
    there.answer = lambda rows: Refused("400", True) if rows else Accepted()
    harbour.write(attributes={names.GEN_AI_INPUT_MESSAGES: "a secret prompt"})
    steps(shipper)
    there.answer = lambda rows: Accepted()

    assert retry(harbour, there).run() == Retried(accepted=1)
    assert len(there.taken) == 1
    assert b"a secret prompt" not in there.taken[0]
