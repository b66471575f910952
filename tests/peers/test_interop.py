"""Beside each peer, in both orders: our spans as without it, its spans as without us, and every parent right."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import otel_mas
from otel_mas.analyse.cost import CostTable
from tests.peers.conftest import WAYS, Recorded, Runs
from tests.peers.peers import PEERS

INSIDE = {("own plan", "task plan"), ("own look-up", "execute_tool look_up"), ("own report", "task report")}
"""The app's own spans, each with what it runs in."""


def shape(recorded: Recorded) -> Counter[tuple[str, str | None]]:
    """Our spans with the nearest span of ours above each."""
    found: Counter[tuple[str, str | None]] = Counter()
    for span in recorded.ours:
        found[span["name"], recorded.our_nearest(span)] += 1
    return found


def names(spans: list[dict[str, Any]]) -> Counter[tuple[str, str, str]]:
    return Counter((span["scope"], span["name"], span["status"]) for span in spans)


def causes(recorded: Recorded) -> Counter[tuple[str, str, str]]:
    """The control edges by the tasks' labels, from the store."""
    with otel_mas.open(recorded.store) as source:
        graph = source.trace(recorded.trace_id).graph()
    labels = graph.labels()
    assert not graph.problems
    return Counter((labels[edge.cause], labels[edge.effect], str(edge.kind)) for edge in graph.control_edges())


def roots(recorded: Recorded) -> Counter[str]:
    return Counter(span["name"] for span in recorded.spans if span["parent_id"] is None)


def cost(recorded: Recorded) -> CostTable:
    with otel_mas.open(recorded.store) as source:
        return source.trace(recorded.trace_id).graph().cost()


@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("peer", PEERS)
def test_case_10_with_another_instrumentor_nothing_is_doubled_or_lost_and_every_parent_is_right(
    peer: str, way: str, order: str, peer_runs: Runs
) -> None:
    """openinference#2101, openllmetry#2271: two instrumentors at once."""
    ours, theirs = peer_runs(peer, on=False)[way], peer_runs(peer, ours=None)[way]
    both = peer_runs(peer, ours=order)[way]

    assert shape(both) == shape(ours)
    assert causes(both) == causes(ours)
    assert theirs.theirs
    assert names(both.theirs) == names(theirs.theirs)

    # One trace, whole: what is a root alone is one still, and no parent is missing.
    assert all(span["parent_id"] is None or span["parent_id"] in both.by_id for span in both.spans)
    assert roots(both) == roots(theirs)
    assert {span["trace_id"] for span in both.ours} == {both.trace_id}

    for name, expected in INSIDE:
        (span,) = [span for span in both.spans if span["name"] == name]
        assert both.our_nearest(span) == expected
    for span in both.theirs:
        # Spans of the HTTP client that a peer makes are in our model call, and in our task where we have no call.
        if "langchain" not in span["scope"]:
            assert both.our_nearest(span) in ("chat gpt-4o-mini", "task right")


@pytest.mark.parametrize("peer", PEERS)
def test_a_model_call_is_paid_once(peer: str, peer_runs: Runs) -> None:
    alone, both = cost(peer_runs(peer, on=False)["invoke"]), cost(peer_runs(peer)["invoke"])
    # The call past LangChain is the peer's alone; it counts in any dialect.
    assert both.total.calls - alone.total.calls == 1
    assert both.total.usd == alone.total.usd
    (ours,) = [row for row in alone.by_agent if row.name == "guide"]
    assert ours in both.by_agent


LEFT_TO = [
    ("openinference", "openinference.instrumentation.langchain", 6),
    ("openinference", "openinference.instrumentation.openai", 7),
    ("openllmetry", "opentelemetry.instrumentation.langchain", 6),
    ("otel-genai", "opentelemetry.instrumentation.genai.langchain", 6),
    ("openai-v2", "opentelemetry.util.genai.handler", 7),
]
"""A peer, one of its scopes, and how many of the app's seven calls that sees: LangChain's are six."""


@pytest.mark.parametrize(("peer", "scope", "calls"), LEFT_TO)
def test_model_spans_can_be_left_to_another_instrumentation(peer: str, scope: str, calls: int, peer_runs: Runs) -> None:
    alone = peer_runs(peer, on=False)["invoke"]
    left = peer_runs(peer, OTEL_MAS_MODEL_SPANS=scope)["invoke"]

    assert shape(left) == Counter({key: n for key, n in shape(alone).items() if not key[0].startswith("chat ")})
    assert causes(left) == causes(alone)
    assert names(left.theirs) == names(peer_runs(peer, ours=None)["invoke"].theirs)
    with otel_mas.open(left.store) as source:
        spans = source.trace(left.trace_id).spans
        summary = next(found for found in source.traces(limit=10) if found.trace_id == left.trace_id)
    kinds = Counter(span.scope.name for span in spans if span.record_kind == "LLM_CALL")
    assert kinds == {scope: calls}

    found, ours = cost(left), cost(alone)
    (guide,) = [row for row in found.by_agent if row.name == "guide"]
    assert guide in ours.by_agent
    assert guide.usd
    assert summary.cost_usd == pytest.approx(found.total.usd)
    if calls == ours.total.calls:
        assert summary.cost_usd == pytest.approx(ours.total.usd)
