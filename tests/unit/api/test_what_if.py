"""What-if on the handles: arguments as people write them, prices of the real table, tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import otel_mas
from otel_mas.api import Conversation
from otel_mas.errors import UnsupportedQuery

EXAMPLE = Path(__file__).parents[2] / "answers" / "example_team.jsonl.gz"


@pytest.fixture(scope="module")
def run() -> Iterator[Conversation]:
    with otel_mas.open(EXAMPLE) as source:
        yield source.conversation("tram")


def test_a_conversation_answers_as_its_graph_does(run: Conversation) -> None:
    answer = run.what_if(faster={"researcher": 2}, waiting=False)
    assert answer.saves_ns > 20 * 10**9
    assert answer.total_ns == run.graph().what_if(faster={"researcher": 2}, waiting=False).total_ns
    assert answer.critical_path().total_ns == answer.total_ns
    assert "researcher 2 times as fast, without waiting" in repr(answer)


def test_nothing_changes_without_a_change(run: Conversation) -> None:
    answer, path = run.what_if(), run.graph().critical_path()
    assert (answer.total_ns, answer.saves_ns, answer.saves_usd) == (path.total_ns, 0, 0.0)
    assert answer.critical_path().sections == path.sections
    assert all(answer.slack_ns[span.span_id] == 0 for span in path.spans)
    assert answer.slack_ns == run.graph().slack_ns()
    assert (answer.drag_ns, answer.exclusive_drag_ns) == (run.graph().drag_ns(), run.graph().drag_ns(exclusive=True))
    assert run.graph().ideal().total_ns <= answer.total_ns


def test_drag_is_what_the_run_saves_without_the_time_of_a_span(run: Conversation) -> None:
    drag = run.graph().drag_ns()
    for span in run.spans:
        assert run.what_if(lasting={span.span_id: 0}).saves_ns == drag[span.span_id]


def test_another_model_has_the_price_of_the_table(run: Conversation) -> None:
    """Prices of the pinned table, in USD a million tokens: 0.15 in, 0.075 from the cache, 0.60 out."""
    row = next(one for one in run.graph().cost().by_model if one.name == "gpt-4o-2024-08-06")
    answer = run.what_if(models={"gpt-4o": "gpt-4o-mini"})
    new = (row.input_tokens - row.cache_read_tokens) * 0.15 + row.cache_read_tokens * 0.075 + row.output_tokens * 0.6
    assert answer.saves_usd == pytest.approx((row.usd or 0) - new / 1e6)
    assert answer.unpriced == ()
    assert answer.saves_ns == 0


def test_another_provider_s_model_has_a_price_too(run: Conversation) -> None:
    answer = run.what_if(models={"gpt-4o": "claude-sonnet-4-5"})
    assert answer.unpriced == ()
    assert answer.saves_usd


def test_groups_of_names_run_side_by_side(run: Conversation) -> None:
    one = run.what_if(parallel=["researcher", "writer"])
    assert [str(change) for change in one.changes] == ["researcher and writer in parallel"]
    assert any(edge.held and edge.kind == "message" for edge in one.assumptions)
    several = run.what_if(parallel=[["researcher", "writer"], ["outline", "edit"]])
    assert len(several.changes) == 2


def test_the_table_has_each_span_then_and_now(run: Conversation) -> None:
    pandas = pytest.importorskip("pandas")
    found = run.what_if(without="relevance").to_pandas()
    assert isinstance(found, pandas.DataFrame)
    assert len(found) == len(run.spans)
    gone = found[found["removed"]]
    assert set(gone["label"]) >= {"relevance"}
    assert (gone["duration_s"] == 0).all()
    assert (gone["recorded_duration_s"] > 0).any()


def test_it_shows_itself(run: Conversation) -> None:
    page = run.what_if(lasting={"writer": "1s"})._repr_html_()
    assert "writer takes 1.00 s" in page


def test_an_unknown_name_is_an_error_that_knows_better(run: Conversation) -> None:
    with pytest.raises(UnsupportedQuery, match="did you mean researcher"):
        run.what_if(faster={"reseacher": 2})
    with pytest.raises(TypeError, match="unexpected keyword"):
        run.what_if(quicker={"writer": 2})  # type: ignore[call-arg]
