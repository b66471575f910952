"""Empty results that were used are found; those that were made good, that failed, or that nobody asked for are not."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.analyse.findings.empty_tool_result_used import empty_tool_result_used
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made


def found(*results: tuple[str, Any], arguments: Any = None, failed: bool = False, read: bool = True) -> list[Finding]:
    """Findings about an agent that called tools one after the other, by name with their results.

    Args:
        arguments: of all the calls.
        failed: the first call failed.
        read: a model call read what each returned, else the agent's code had it.
    """
    spans: list[Span] = [made.agent("writer1", 0, 1000)]
    contents: dict[str, dict[str, Any]] = {}
    reads, wrote = {}, {}
    for i, (tool, result) in enumerate(results):
        span = made.tool(f"{tool}{i}", 20 * i + 1, 20 * i + 6, "writer1", failed=failed and not i)
        spans.append(span)
        contents[span.span_id] = {names.GEN_AI_TOOL_CALL_RESULT: result, names.GEN_AI_TOOL_CALL_ARGUMENTS: arguments}
        if read:
            spans.append(made.call(f"chat{i}", 20 * i + 10, 20 * i + 15, "writer1"))
            wrote[span.span_id] = reads[f"chat{i}"] = [f"m{i}"]
    return list(empty_tool_result_used(facts(*spans, contents=contents, read=reads, wrote=wrote)))


@pytest.mark.parametrize(
    "empty", ["", "  \n", {}, "{}", [{"type": "text", "text": ""}]], ids=["text", "space", "object", "json", "block"]
)
def test_an_empty_result_that_a_model_read_and_answered_with(empty: Any) -> None:
    (one,) = found(("search", empty))

    assert (one.severity, one.confidence, one.rests_on) == (Severity.WARNING, 0.9, ("recorded",))
    assert one.summary == "writer went on although search had returned nothing"
    assert (one.subject, one.spans, one.messages) == ("writer: search", ("search0", "chat0"), ("m0",))


def test_an_empty_list_may_be_the_answer() -> None:
    (one,) = found(("search", []))

    assert (one.severity, one.summary) == (Severity.INFO, "writer went on although search had returned an empty list")


def test_code_that_goes_on_with_it_is_inferred() -> None:
    (one,) = found(("search", ""), read=False)

    assert (one.confidence, one.rests_on, one.spans) == (0.7, ("recorded", "inferred"), ("search0", "writer1"))


@pytest.mark.parametrize("read", [True, False])
def test_a_later_call_that_brings_something_makes_it_good(read: bool) -> None:
    assert found(("search", ""), ("search", "a tram"), read=read) == []


def test_an_agent_that_looks_elsewhere_makes_it_good_and_code_only_with_the_same_arguments() -> None:
    assert found(("search", ""), ("archive", "a tram")) == []
    assert found(("search", ""), ("archive", "a tram"), arguments={"q": "tram"}, read=False) == []
    assert len(found(("search", ""), ("archive", "a tram"), read=False)) == 1


def test_several_empty_results_of_a_tool_are_one_finding() -> None:
    (one,) = found(("search", ""), ("search", ""))

    assert one.summary == "writer went on 2 times although search had returned nothing"


@pytest.mark.parametrize("null", ["null", None])
def test_null_is_a_warning_where_the_tool_returns_something_at_another_time(null: Any) -> None:
    (may_be_right,) = found(("inform", null), arguments={"q": "tram"})
    (warning,) = found(("search", "a tram"), ("search", null), arguments={"q": "tram"})

    assert (may_be_right.severity, warning.severity) == (Severity.INFO, Severity.WARNING)
    assert warning.summary == "writer went on although search had returned null"


def test_tools_that_change_something_or_run_code_need_not_return_anything() -> None:
    assert found(("write_file", "")) == []
    assert found(("shell", ""), arguments={"command": "mkdir a"}) == []
    assert found(("delete", ""), arguments={"id": 5}) == []


@pytest.mark.parametrize("arguments", [{"a": 1, "b": 2.5}, {"numbers": [1, 2]}])
def test_a_tool_that_is_given_numbers_only_calculates_whatever_its_name(arguments: Any) -> None:
    assert len(found(("add", ""), arguments=arguments)) == 1


def test_neither_a_failed_call_nor_a_result_that_was_not_kept_nor_a_short_one_is_empty() -> None:
    assert found(("search", ""), failed=True) == []
    assert found(("search", None)) == []
    assert found(("search", 0), ("search", "no"), ("search", [0]), ("search", False)) == []


def test_a_result_that_nobody_read_was_not_used() -> None:
    call = made.tool("search1", 1, 5, "writer1")
    contents = {"search1": {names.GEN_AI_TOOL_CALL_RESULT: ""}}
    run = facts(made.agent("writer1", 0, 9), call, contents=contents, wrote={"search1": ["m"]})

    assert list(empty_tool_result_used(run)) == []


def test_a_task_that_failed_did_not_go_on() -> None:
    call = made.tool("search1", 1, 5, "writer1")
    contents = {"search1": {names.GEN_AI_TOOL_CALL_RESULT: ""}}

    assert list(empty_tool_result_used(facts(made.agent("writer1", 0, 9, failed=True), call, contents=contents))) == []


# -- retrievers --------------------------------------------------------------------------------------------------------


def retrieved(*documents: Any, later: Span | None = None, asked: bool = True, follows: bool = True) -> list[Finding]:
    """Findings about a node that retrieved these and another one, whose model was asked next."""
    spans = [made.agent("fetch1", 0, 20), made.retrieval("index", 5, 10, "fetch1")]
    spans += [made.agent("writer1", 30, 90, causes=[("trigger", "fetch1")] if follows else [])]
    spans += [made.call("chat1", 40, 50, "writer1")] if asked else []
    contents = {"index": {names.GEN_AI_RETRIEVAL_DOCUMENTS: list(documents)}, "late": {RESULT: "a tram"}}
    return list(empty_tool_result_used(facts(*spans, *filter(None, [later]), contents=contents)))


RESULT = names.GEN_AI_TOOL_CALL_RESULT
BLANK = {"content": " ", "metadata": {"source": "trams.md"}}


def test_a_model_that_is_asked_after_a_retriever_found_nothing() -> None:
    (nothing,), (blank,) = retrieved(), retrieved(BLANK, BLANK)

    assert (nothing.severity, nothing.confidence) == (Severity.INFO, 0.7)
    assert nothing.summary == "writer went on although index had returned no documents"
    assert (blank.severity, blank.spans) == (Severity.WARNING, ("index", "chat1"))
    assert blank.summary == "writer went on although index had returned documents without text"


def test_documents_that_say_something_or_are_known_by_id_alone_are_no_empty_result() -> None:
    assert retrieved(BLANK, {"content": "a tram"}) == []
    assert retrieved({"id": "1", "score": 0.5}) == []


def test_a_retriever_whose_result_no_model_got_or_after_which_another_call_brought_something() -> None:
    assert retrieved(asked=False) == []
    assert retrieved(follows=False) == []
    assert retrieved(later=made.tool("late", 22, 25)) == []


def test_a_retriever_inside_a_tool_is_the_tools_own() -> None:
    tool = made.tool("search1", 1, 12, "fetch1")
    spans = (
        made.agent("fetch1", 0, 90),
        tool,
        made.retrieval("index", 5, 10, "search1"),
        made.call("c", 20, 30, "fetch1"),
    )
    contents = {"index": {names.GEN_AI_RETRIEVAL_DOCUMENTS: []}, "search1": {RESULT: "none of them is open"}}

    assert list(empty_tool_result_used(facts(*spans, contents=contents))) == []
