"""Tools that do not exist are found by the refusal, or by the definitions; without either nothing is said."""

from __future__ import annotations

from otel_mas.analyse.findings.unknown_tool import unknown_tool
from otel_mas.model import Severity
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.asked import SEARCH, asked, executed
from tests.unit.analyse.findings.run import facts, made

UNKNOWN = {names.ERROR_TYPE: "unknown_tool"}


def test_a_refused_call_is_recorded_and_shown_with_the_model_call_that_asked() -> None:
    refused = executed("find1", 0, failed=True, **UNKNOWN)
    (found,) = unknown_tool(asked(("find", {}), executed=[refused], run_failed=True))

    assert (found.severity, found.confidence, found.subject) == (Severity.ERROR, 1.0, "writer: find")
    assert found.summary == "writer called find, a tool that does not exist"
    assert (found.spans, found.messages) == (("chat1", "find1"), ("m0",))
    assert "(search)" in found.advice


def test_an_agent_that_goes_on_is_warned_of() -> None:
    outcome = {names.MAS_RUN_OUTCOME: "ok"}
    calls = [made.tool(f"find{i}", i, i + 1, "writer1", failed=True, **UNKNOWN) for i in (1, 2)]
    (found,) = unknown_tool(facts(made.agent("writer1", 0, 100, **outcome), *calls))

    assert (found.severity, found.spans) == (Severity.WARNING, ("find1", "find2"))
    assert found.summary == "writer called find, a tool that does not exist, 2 times"


def test_a_call_that_nobody_executed_of_a_tool_that_is_not_defined() -> None:
    (found,) = unknown_tool(asked(("find", {}), ("search", {"q": "a"})))

    assert (found.severity, found.confidence, found.spans) == (Severity.WARNING, 0.9, ("chat1",))


def test_a_call_that_was_executed_exists_whatever_was_defined() -> None:
    assert list(unknown_tool(asked(("find", {}), executed=[executed("find1", 0)]))) == []


def test_a_call_that_failed_for_other_reasons_exists() -> None:
    failed = executed("find1", 0, failed=True, **{names.ERROR_TYPE: "ConnectionError"})
    assert list(unknown_tool(asked(("find", {}), executed=[failed]))) == []


def test_without_definitions_or_with_a_tool_of_the_provider_nothing_is_said() -> None:
    assert list(unknown_tool(asked(("find", {}), definitions=None))) == []
    assert list(unknown_tool(asked(("find", {}), definitions=[SEARCH, {"type": "web_search"}]))) == []


def test_other_forms_of_definitions_are_read() -> None:
    for form in ({"name": "search", "input_schema": {}}, {"type": "function", "name": "search", "parameters": {}}):
        assert list(unknown_tool(asked(("search", {}), definitions=[form]))) == []
        assert len(list(unknown_tool(asked(("find", {}), definitions=[form])))) == 1
