"""The HTTP API answers the same about a run from the store, an archive of it, and a Jaeger that it was sent to."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

import otel_mas
from otel_mas.server.api import create_app
from tests.answers.answers import comparable
from tests.answers.conftest import PLACES, RUNS, Recorded


def _answered(path: str, run: Recorded, place: str) -> object:
    with otel_mas.open(run.places[place]) as source, TestClient(create_app(source)) as client:
        base = f"/api/v1/conversations/{run.thread}"
        response = client.get(f"{base}/{path}", params={"service": run.service})
        assert response.status_code == 200, response.text
        document = response.json()
        document.pop("cursor", None)  # of the live stream, which only the store has
        return comparable(document)


@pytest.mark.parametrize("place", PLACES[1:])
@pytest.mark.parametrize("path", ["picture", "graph", "critical-path", "cost"])
def test_the_api_answers_the_same_from_every_place(path: str, place: str, recorded: dict[str, Recorded]) -> None:
    for run in RUNS:
        assert _answered(path, recorded[run], place) == _answered(path, recorded[run], "store"), run


@pytest.mark.parametrize("place", PLACES)
def test_the_api_lists_what_is_in_every_place_and_tells_what_it_can(place: str, recorded: dict[str, Recorded]) -> None:
    run = recorded["example team"]
    with otel_mas.open(run.places[place]) as source, TestClient(create_app(source)) as client:
        info = client.get("/api/v1/info").json()
        traces = client.get("/api/v1/traces", params={"service": run.service}).json()["traces"]

        assert info["live"] == info["feedback"] == (place == "store")
        assert {one["conversation_id"] for one in traces} == {run.thread}
        one = client.get(f"/api/v1/traces/{traces[0]['trace_id']}").json()
        assert {**one, "overdue": None} == {**traces[0], "overdue": None}
