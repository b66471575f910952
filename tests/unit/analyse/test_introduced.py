"""Who introduced a text into a run, and where it was last seen."""

from __future__ import annotations

from otel_mas.analyse.content import NO_CONTENT
from otel_mas.analyse.introduced import Introduction, introduced
from tests.unit.analyse.root_cause.test_complained import talk
from tests.unit.analyse.root_cause.test_root_cause import Run


def asked(run: Run, text: str) -> tuple[Introduction, dict[str | None, str]]:
    """The answer, and the agent of each span."""
    graph, content = run.read()
    return introduced(graph, content, text), {span.span_id: str(span.agent) for span in graph.spans}


def test_the_first_writer_and_all_who_repeat_it_are_named_in_order() -> None:
    found, _ = asked(talk(), "412")

    assert found.first is not None
    assert found.first.agent == "counter"
    assert [use.agent for use in found.uses] == ["counter", "editor", "writer"]
    assert (found.in_answer, found.dropped, found.given, found.known) == (True, None, False, True)


def test_a_value_that_the_answer_lacks_was_last_seen_where_it_was_and_dropped_by_who_came_next() -> None:
    found, agents = asked(talk(), "37")

    assert found.last is not None
    assert (found.last.agent, found.in_answer) == ("counter", False)
    assert agents[found.dropped or ""] == "editor"


def test_a_number_is_found_in_whatever_form_and_not_inside_another_one() -> None:
    run = Run().says("counter", "It is 1,250.00 in all.").says("writer", "So 12503 it is.")

    assert [use.agent for use in asked(run, "1250")[0].uses] == ["counter"]


def test_a_text_is_found_in_any_case_and_however_it_is_spaced() -> None:
    run = Run().says("counter", "The depot\n  in Basel is full.")

    assert [use.agent for use in asked(run, "DEPOT IN basel")[0].uses] == ["counter"]


def test_what_the_run_was_given_came_from_outside() -> None:
    assert asked(talk(), "the depot in Basel")[0].given


def test_a_task_that_only_read_it_is_named_as_a_reader() -> None:
    run = Run().says("counter", "I counted 412.").reads("writer", "It says: I counted 412.", "There are many.")
    found, _ = asked(run, "412")

    assert [(use.agent, use.wrote) for use in found.uses] == [("counter", True), ("writer", False)]
    assert not found.in_answer


def test_what_is_nowhere_has_no_writer_and_without_content_nothing_is_known() -> None:
    found, _ = asked(talk(), "998")
    assert (found.first, found.last, found.given, found.known) == (None, None, False, True)
    graph, _ = talk().read()
    bare = introduced(graph, NO_CONTENT, "37")
    assert bare.uses == ()


def follows(number: int) -> list[dict[str, str]]:
    return [{"span_id": f"step-{number}", "kind": "trigger"}]


def dropped_at(run: Run, text: str) -> str | None:
    found, agents = asked(run, text)
    return None if found.dropped is None else agents[found.dropped]


def test_a_branch_that_leads_nowhere_did_not_drop_it() -> None:
    run = Run().says("counter", "I counted 37.").says("editor", "Many trams.")
    run = run._add("AGENT_TASK", "logger", {"output": "Noted: 37."}, name="logger", parents=follows(0))
    run = run._add("AGENT_TASK", "archive", {"output": "All is kept."}, name="archive", parents=follows(2))

    assert dropped_at(
        run._add("AGENT_TASK", "writer", {"output": "Many."}, name="writer", parents=follows(1)), "37"
    ) == ("editor")


def test_of_several_that_follow_at_once_none_is_named() -> None:
    run = Run().says("counter", "I counted 37.").says("editor", "Many trams.")
    run = run._add("AGENT_TASK", "critic", {"output": "Too many."}, name="critic", parents=follows(0))
    run = run._add("AGENT_TASK", "writer", {"output": "So."}, name="writer", parents=[*follows(1), *follows(2)])

    assert dropped_at(run, "37") is None


def test_a_task_drops_what_its_own_model_said() -> None:
    run = Run().says("planner", "Count them.").reads("counter", "Count.", "I counted 37.", hands_on="Many trams.")

    assert dropped_at(run.says("writer", "There are many."), "37") == "counter"
