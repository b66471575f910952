"""From keyword arguments to the query that a source is asked."""

from __future__ import annotations

import time
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from otel_mas.api.filters import FILTERS, query_of
from otel_mas.errors import UnsupportedQuery
from otel_mas.model import Query

S = 10**9


def test_every_field_of_a_query_has_a_filter_or_is_for_sources_alone() -> None:
    asked = {field.name for field, _ in FILTERS.values()}

    assert {field.name for field in fields(Query)} - asked == {"limit", "ended_since_ns"}


def test_values_become_those_of_a_query() -> None:
    query = query_of(
        {
            "status": "ok",
            "since": datetime(2026, 11, 1, tzinfo=UTC),
            "max_duration": "2s",
            "conversation": "t",
            "user": "ada",
            "attribute": {"n": 2, "yes": True, "x": "y"},
            "tool": None,
        },
        7,
    )

    assert query == Query(
        status="ok",
        since_ns=1_793_491_200 * S,
        max_duration_ns=2 * S,
        conversation_id="t",
        attributes=(("user.id", "ada"), ("n", "2"), ("yes", "true"), ("x", "y")),
        limit=7,
    )


def test_an_age_is_a_time_until_which_it_started_and_the_earlier_one_counts() -> None:
    now_ns = time.time_ns()

    aged = query_of({"older_than": "10m"}, 1).until_ns
    assert aged is not None
    assert abs(now_ns - 600 * S - aged) < 10 * S
    both = query_of({"older_than": "10m", "until": "2h"}, 1).until_ns
    assert both is not None
    assert abs(now_ns - 7200 * S - both) < 10 * S


@pytest.mark.parametrize(
    ("filters", "text"),
    [
        ({"status": "bad"}, "no trace has the status 'bad'"),
        ({"older_than": "2026-11-01"}, "is not a duration"),
        ({"until": "soon"}, "neither a duration nor a time"),
        ({"attribute": {"a": ["b"]}}, "attribute a is compared with a text"),
        ({"attribute": {"a": None}}, "attribute a is compared with a text"),
    ],
)
def test_a_value_that_means_nothing_is_refused(filters: dict[str, Any], text: str) -> None:
    with pytest.raises(UnsupportedQuery, match=text):
        query_of(filters, 1)


def test_a_filter_that_there_is_not_is_named_with_those_that_there_are() -> None:
    with pytest.raises(TypeError, match="no filter is called agnet: there are status, since"):
        query_of({"agnet": "x"}, 1)
