"""Totals: sums, buckets, and bounds of labels."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.metrics.exposition import prometheus_text
from otel_mas.metrics.rules import Measure
from otel_mas.metrics.totals import Totals
from otel_mas.semconv import metrics


def calls(*tools: str) -> list[Measure]:
    return [Measure(metrics.MAS_TOOL_CALLS, ("ann", tool, "ok"), 1) for tool in tools]


def test_later_values_of_a_label_become_other_and_are_counted() -> None:
    totals = Totals(2)
    totals.add(calls("a", "b", "c", "d", "a"))

    assert {labels: one.value for labels, one in totals.of(metrics.MAS_TOOL_CALLS)} == {
        ("ann", "a", "ok"): 2,
        ("ann", "b", "ok"): 1,
        ("ann", "other", "ok"): 2,
    }
    assert [(labels, one.value) for labels, one in totals.of(metrics.MAS_METRICS_OVERFLOW)] == [
        (("mas.tool.calls",), 2)
    ]


def test_sets_of_labels_are_bounded_too() -> None:
    totals = Totals(100)
    totals.add(Measure(metrics.MAS_HANDOFFS, (f"a{i}", f"b{j}"), 1) for i in range(60) for j in range(60))

    found = dict(totals.of(metrics.MAS_HANDOFFS))
    assert len(found) == 2_001
    assert found["other", "other"].value == 1_600


def test_a_label_that_is_no_text_is_shown_as_text() -> None:
    totals = Totals(10)
    totals.add([Measure(metrics.MAS_RUN_GAVE_UP, (["a"],), 1)])  # type: ignore[arg-type] # as an app may set it

    assert "mas_run_gave_up_total{gen_ai_agent_name=\"['a']\"} 1.0" in prometheus_text(totals)


def test_labels_are_cleaned() -> None:
    totals = Totals(10, lambda text: text.replace("secret", "***"))
    totals.add(calls("secret-tool"))

    assert [labels for labels, _ in totals.of(metrics.MAS_TOOL_CALLS)] == [("ann", "***-tool", "ok")]


def test_a_label_that_utf_8_cannot_hold_does_not_end_every_scrape() -> None:
    """Models name tools that do not exist, in JSON that has halves of surrogate pairs."""
    totals = Totals(10)
    totals.add(calls("find\ud800", "süß"))

    text = prometheus_text(totals).encode()
    assert b'gen_ai_tool_name="find?"' in text
    assert 'gen_ai_tool_name="süß"'.encode() in text
    assert [labels[1] for labels, _ in totals.of(metrics.MAS_TOOL_CALLS)] == ["find?", "süß"]


def test_a_gauge_is_replaced() -> None:
    totals = Totals(10)
    totals.replace(metrics.MAS_INTERRUPT_OVERDUE, [(("ask",), 2), (("sign",), 1)])
    totals.replace(metrics.MAS_INTERRUPT_OVERDUE, [(("ask",), 1)])

    assert [(labels, one.value) for labels, one in totals.of(metrics.MAS_INTERRUPT_OVERDUE)] == [(("ask",), 1)]


@given(st.lists(st.floats(0, 10_000, allow_nan=False)))
def test_buckets_count_every_value_once_up_to_its_bound(found: list[float]) -> None:
    totals = Totals(10)
    totals.add(Measure(metrics.MAS_EDGE_WAIT, ("trigger", "a", "b"), value) for value in found)

    bounds = [*metrics.MAS_EDGE_WAIT.buckets, float("inf")]
    for _, one in totals.of(metrics.MAS_EDGE_WAIT):
        assert [sum(one.counts[: place + 1]) for place in range(len(bounds))] == [
            sum(value <= bound for value in found) for bound in bounds
        ]
