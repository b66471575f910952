"""Spans come back as they were sent, but for declared losses."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_mas.model import Span, Trace
from otel_mas.sources import Source, installed_sources
from tests.conformance.losses import LOSSES
from tests.conformance.messages import span_id, trace_id
from tests.conformance.oddities import ODDITIES, TRACE, Oddity, number_of
from tests.conformance.places import PLACES, Place

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def odd(source: Source) -> dict[str, Span]:
    trace: Trace = source.trace(trace_id(TRACE))
    return {span.span_id: span for span in trace.spans}


@pytest.mark.parametrize(("number", "oddity"), list(enumerate(ODDITIES)), ids=[oddity.is_ for oddity in ODDITIES])
def test_what_was_sent_comes_back_unless_its_loss_is_declared(
    place: Place, odd: dict[str, Span], number: int, oddity: Oddity
) -> None:
    seen = oddity.seen(odd[span_id(number_of(number))])

    if oddity.is_ in LOSSES[place.losing]:
        assert seen != oddity.expected, f"{place.losing} keeps {oddity.is_} now: take it off the table of losses"
    else:
        assert seen == oddity.expected


def test_no_span_is_lost_or_added(odd: dict[str, Span]) -> None:
    assert set(odd) == {span_id(number_of(number)) for number in range(-1, len(ODDITIES))}


def test_the_table_speaks_of_what_there_is() -> None:
    assert set(LOSSES) == {place.losing for place in PLACES.values()}
    assert set().union(*LOSSES.values()) <= {oddity.is_ for oddity in ODDITIES}


@pytest.mark.parametrize(
    "of", ["store", "trace records", "Jaeger's JSON", "jaeger memory", "jaeger badger", "clickhouse"]
)
def test_every_loss_is_documented(of: str) -> None:
    page = (REPOSITORY / "docs" / "sources.md").read_text()

    assert [loss for loss in LOSSES[of] if f"- {loss}" not in page and f"loses {loss}" not in page] == []


def test_every_scheme_is_documented() -> None:
    page = (REPOSITORY / "docs" / "sources.md").read_text()

    assert [scheme for scheme in installed_sources() if f"`{scheme}://" not in page] == []
