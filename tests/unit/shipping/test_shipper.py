"""Every span arrives, once where nothing crashes; none blocks the others; nobody acknowledges for somebody else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from otel_mas.otlp.framing import LogRow
from otel_mas.semconv import attributes as names
from otel_mas.shipping import Accepted, Busy, Idle, Outcome, Refused, Shipped, Shipper, Step, Unavailable, Waiting


def steps(shipper: Shipper, most: int = 50) -> list[Step]:
    """Until there is nothing left, or nothing gets through."""
    found: list[Step] = []
    for _ in range(most):
        found.append(shipper.step())
        if not isinstance(found[-1], Shipped):
            return found
    raise AssertionError(f"still shipping: {found}")


def refusing(poison: set[bytes], *, about_the_data: bool = True) -> Callable[[Sequence[LogRow]], Outcome]:
    def answer(rows: Sequence[LogRow]) -> Outcome:
        if any(row.body in poison for row in rows):
            return Refused("400 bad span", about_the_data)
        return Accepted()

    return answer


def test_all_is_shipped_in_order_in_batches(harbour: Any, fake: Any) -> None:
    there = fake()
    shipper = harbour.shipper(there, batch_spans=2)
    bodies = harbour.write(5)

    assert steps(shipper) == [Shipped(2), Shipped(2), Shipped(1), Idle()]
    assert there.taken == bodies
    assert harbour.status().shipped == 5


def test_an_unavailable_destination_gets_everything_later(harbour: Any, fake: Any) -> None:
    there = fake(lambda rows: Unavailable("down"))
    shipper = harbour.shipper(there)
    bodies = harbour.write(3)
    assert shipper.step() == Waiting(1.0, "down")
    assert shipper.step() == Waiting(2.0, "down")
    assert harbour.status().error == "down"

    there.answer = lambda rows: Accepted()
    assert steps(shipper) == [Shipped(3), Idle()]
    assert there.taken == bodies
    there.answer = lambda rows: Unavailable("down")
    harbour.write(1)
    assert shipper.step() == Waiting(1.0, "down")  # the waits begin anew


def test_a_server_is_left_alone_for_as_long_as_it_asks(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(fake(lambda rows: Unavailable("429", 17.0)))
    harbour.write(1)

    assert shipper.step() == Waiting(18.0, "429")


@pytest.mark.parametrize("place", range(7))
def test_a_span_that_is_refused_is_found_skipped_and_counted(
    harbour: Any, fake: Any, place: int, caplog: pytest.LogCaptureFixture
) -> None:
    shipper = harbour.shipper(there := fake())
    bodies = harbour.write(7)
    there.answer = refusing({bodies[place]})

    assert steps(shipper) == [Shipped(6), Idle()]
    assert there.taken == [body for body in bodies if body != bodies[place]]
    assert (harbour.status().rejected, harbour.status().shipped) == (1, 6)
    assert "skips a span that it refuses: 400 bad span" in caplog.text


def test_spans_that_are_all_refused_do_not_block_the_log(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(there := fake(), batch_spans=4)
    poison = harbour.write(4)
    good = harbour.write(2)
    there.answer = refusing(set(poison))

    assert steps(shipper) == [Shipped(0), Shipped(2), Idle()]
    assert there.taken == good
    assert harbour.status().rejected == 4


def test_who_refuses_everything_loses_nothing(harbour: Any, fake: Any) -> None:
    there = fake(lambda rows: Refused("401 who are you?"))
    shipper = harbour.shipper(there)
    bodies = harbour.write(3)

    assert steps(shipper) == [Waiting(1.0, "401 who are you?")]
    assert there.asked == [3, 0]
    there.answer = lambda rows: Accepted()
    assert steps(shipper) == [Shipped(3), Idle()]
    assert there.taken == bodies


def test_a_server_error_is_believed_of_a_span_once_another_one_passes(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(there := fake())
    bodies = harbour.write(1)
    there.answer = refusing({bodies[0]}, about_the_data=False)
    assert steps(shipper) == [Waiting(1.0, "400 bad span")]
    bodies += harbour.write(1)

    assert steps(shipper) == [Shipped(1), Idle()]
    assert there.taken == bodies[1:]
    assert harbour.status().rejected == 1


def test_a_batch_accepted_before_it_went_down_is_not_sent_again(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(there := fake())
    bodies = harbour.write(8)

    def dying(rows: Sequence[LogRow]) -> Outcome:
        if any(row.body == bodies[6] for row in rows):
            return Refused("bad", True) if len(rows) > 2 else Unavailable("down")
        return Accepted()

    there.answer = dying
    assert isinstance(shipper.step(), Waiting)
    assert there.taken == bodies[:6]
    there.answer = lambda rows: Accepted()
    assert steps(shipper) == [Shipped(2), Idle()]
    assert there.taken == bodies
    assert harbour.status().shipped == 8


def test_partial_success_is_counted_logged_and_not_sent_again(
    harbour: Any, fake: Any, caplog: pytest.LogCaptureFixture
) -> None:
    there = fake(lambda rows: Accepted(2, "too old"))
    shipper = harbour.shipper(there)
    harbour.write(5)

    with caplog.at_level(logging.WARNING, "otel_mas"):
        assert steps(shipper) == [Shipped(3), Idle()]
    assert (harbour.status().shipped, harbour.status().rejected) == (3, 2)
    assert "rejected 2 spans: too old" in caplog.text


def test_content_is_withheld_unless_it_is_asked_for(harbour: Any, fake: Any) -> None:
    withheld, asked_for = fake(), fake(name="fake:content")
    shippers = [harbour.shipper(withheld)]
    log = harbour.log()
    log.add(asked_for.name)
    shippers.append(Shipper(log, asked_for, content=1024))
    (body,) = harbour.write(attributes={names.GEN_AI_INPUT_MESSAGES: "a secret prompt"})
    for shipper in shippers:
        steps(shipper)

    assert b"a secret prompt" in body
    assert asked_for.taken == [body]
    assert len(withheld.taken) == 1
    assert b"a secret prompt" not in withheld.taken[0]


def test_a_body_that_cannot_be_looked_into_stays(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(there := fake())
    harbour.write(1, body=b"\xff\xff")
    (good,) = harbour.write(1)

    assert steps(shipper) == [Shipped(1), Idle()]
    assert there.taken == [good]
    assert harbour.status().rejected == 1


def test_of_two_shippers_one_ships(harbour: Any, fake: Any) -> None:
    first, second = fake(), fake()
    shippers = [harbour.shipper(first), harbour.shipper(second)]
    bodies = harbour.write(4)

    assert shippers[0].step() == Shipped(4)
    assert shippers[1].step() == Busy()
    shippers[0].close()
    more = harbour.write(1)
    assert shippers[1].step() == Shipped(1)
    assert (first.taken, second.taken, first.closed) == (bodies, more, True)


def test_a_crash_before_the_acknowledgement_sends_again_and_loses_nothing(harbour: Any, fake: Any) -> None:
    class Killed(BaseException):
        pass

    def killed(rows: Sequence[LogRow]) -> Outcome:
        raise Killed

    shipper = harbour.shipper(fake(killed))
    bodies = harbour.write(3)
    with pytest.raises(Killed):
        shipper.step()
    there = fake()
    restarted = harbour.shipper(there)
    assert restarted.step() == Busy()  # until the lease of the dead one has run out
    harbour.bench.now_ns += 16 * 10**9

    assert steps(restarted) == [Shipped(3), Idle()]
    assert there.taken == bodies


def test_who_was_asleep_for_longer_than_its_lease_acknowledges_nothing(harbour: Any, fake: Any) -> None:
    second = fake()

    def asleep(rows: Sequence[LogRow]) -> Outcome:
        harbour.bench.now_ns += 3600 * 10**9
        steps(other)
        return Accepted()

    other = harbour.shipper(second)
    shipper = harbour.shipper(fake(asleep))
    bodies = harbour.write(2)

    assert shipper.step() == Busy()
    assert second.taken == bodies
    assert harbour.status().shipped == 2


def test_only_consented_spans_are_sent_and_the_rest_is_counted(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(there := fake())
    harbour.write(2, may_ship=False)
    bodies = harbour.write(1)
    harbour.write(1, sampled=False)

    assert steps(shipper) == [Shipped(1), Idle()]
    assert there.taken == bodies
    assert harbour.status().not_consented == 3
