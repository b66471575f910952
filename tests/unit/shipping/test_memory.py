"""Memory does not grow with what is shipped."""

from __future__ import annotations

import tracemalloc
from typing import Any

from otel_mas.shipping import Shipped
from tests.unit.shipping.test_shipper import steps

_BATCH = 50


def peak(harbour: Any, there: Any, batches: int) -> int:
    """The most bytes of Python's that shipping so many batches takes at once."""
    shipper = harbour.shipper(there, batch_spans=_BATCH)
    for number in range(batches):
        harbour.write(_BATCH, attributes={"http.route": f"/{number:03}" * 1_000, "gen_ai.response.id": f"{number:020}"})
    tracemalloc.start()
    try:
        assert sum(step.spans for step in steps(shipper, batches + 1) if isinstance(step, Shipped)) == batches * _BATCH
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        shipper.close()


def test_ten_times_the_spans_take_no_more_memory(harbour: Any, fake: Any) -> None:
    class Forgetful(list[bytes]):
        def __iadd__(self, _: object) -> Forgetful:  # type: ignore[misc, override]
            return self

    peak(harbour, fake(taken=Forgetful()), 2)  # imports, and statements that SQLite keeps
    few, many = (peak(harbour, fake(taken=Forgetful()), batches) for batches in (4, 40))

    assert many < 1.5 * few
