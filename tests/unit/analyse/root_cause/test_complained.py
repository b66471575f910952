"""Evidence that a complaint itself gives."""

from __future__ import annotations

from otel_mas.analyse.root_cause import Complaint, ComplaintLabel, root_cause
from otel_mas.semconv import attributes as names
from tests.unit.analyse.root_cause.test_root_cause import Run


def talk() -> Run:
    """The planner is the first to speak, the counter says 412, which the writer repeats."""
    return (
        Run()
        .says("planner", "Let us ask who counted the trams, and where they stand.")
        .says("counter", "I counted 412 trams in the depot, and 37 outside of it.")
        .says("editor", "The depot holds 412 trams.")
        .says("writer", "In short: it is 412.")
    )


def test_the_marked_span_comes_first() -> None:
    graph, content = talk().read()
    editor = next(span for span in graph.spans if span.get(names.MAS_RECORD_SPAN_ID) == "step-2")

    best = root_cause(graph, content, complaint=Complaint(span=editor.span_id))[0]

    assert (best.span, best.agent, best.reasons[0]) == (editor.span_id, "editor", "was marked as wrong")
    assert best.score > 0.5


def test_the_first_writer_of_a_value_that_the_complaint_repeats_from_the_answer_comes_first() -> None:
    best = talk().causes(Complaint(reason="there are no 412 trams"))[0]

    assert best.agent == "counter"
    assert best.reasons[0] == "first wrote 412, which the answer states and the complaint names"
    assert best.score > 0.5


def test_who_did_not_pass_on_a_value_that_the_complaint_misses_comes_first() -> None:
    best = talk().causes(Complaint(ComplaintLabel.MISSING, "the 37 outside are not in it"))[0]

    assert best.agent == "editor"
    assert best.reasons[0] == "does not pass on 37, which the complaint names; last seen in counter"


def test_a_complaint_without_a_value_or_with_one_that_nobody_wrote_is_no_evidence() -> None:
    plain = talk().causes(Complaint())

    assert talk().causes(Complaint(reason="it is wrong")) == plain
    assert talk().causes(Complaint(reason="it should be 998")) == plain
    assert talk().causes(Complaint(span="gone")) is not None


def test_an_act_that_only_came_early_has_no_reason() -> None:
    found = {cause.agent: cause.reasons for cause in talk().causes(Complaint())}

    assert found["planner"] == ()
    assert found["counter"] != ()


def test_who_did_not_pass_on_an_item_that_the_complaint_misses_comes_first() -> None:
    run = Run().says("planner", "We list them.").says("finder", "north stop\nharbour stop").says("editor", "north stop")

    best = run.says("writer", "It is the north stop.").causes(Complaint(ComplaintLabel.MISSING, "harbour stop"))[0]

    assert best.agent == "editor"
    assert best.reasons[0] == "does not pass on harbour stop, which the complaint names; last seen in finder"
    found = run.causes(Complaint(ComplaintLabel.MISSING, "north stop"))
    assert not [one for cause in found for one in cause.reasons if "pass on" in one], "the answer has it"


def test_who_read_a_value_and_states_another_comes_before_who_only_came_next() -> None:
    run = Run().says("counter", "I counted 1240 trams.").says("boss", "Let us write.")
    run = run.reads("writer", "I counted 1240 trams.", "There are 1420 trams.")

    best = run.causes(Complaint(reason="there are 1240"))[0]

    assert best.agent == "writer"
    assert best.reasons[0] == "read 1240, which the complaint names, and does not state it"
