"""Arguments that a tool refused are found; a tool's own errors, and what it took, are not."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.analyse.findings.invalid_arguments import invalid_arguments
from otel_mas.model import Finding, Severity, Undecided
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.asked import asked, executed

VALIDATION = "pydantic_core._pydantic_core.ValidationError"
REFUSED = "1 validation error for {}\nq\n  Field required [type=missing, input_value={{}}, input_type=dict]\n  For"


def found(
    error: str, message: str | None = None, given: Any = None, stack: str = "", failed: bool = True, **call: Any
) -> list[Finding | Undecided]:
    """Findings about a call of `search` that ended with an error."""
    span = executed("search1", 0, failed=failed, **{names.ERROR_TYPE: error})
    kept: dict[str, Any] = {names.EXCEPTION_STACKTRACE: stack} if stack else {}
    if message is not None:
        kept[names.EXCEPTION_MESSAGE] = message
    given = {"q": "tram"} if given is None else given
    return list(invalid_arguments(asked(("search", given), executed=[span], contents={"search1": kept}, **call)))


def test_arguments_that_langchain_refused() -> None:
    (one,) = found(VALIDATION, REFUSED.format("search"), {})

    assert isinstance(one, Finding)
    assert (one.severity, one.confidence, one.subject) == (Severity.WARNING, 1.0, "writer: search")
    assert one.summary == "writer called search with arguments that do not fit: q: Field required"
    assert (one.spans, one.messages, one.saves_ns) == (("chat1", "search1"), ("m0",), 5)


def test_a_run_that_failed_of_them_is_an_error() -> None:
    (one,) = found(VALIDATION, REFUSED.format("search"), {}, run_failed=True)

    assert isinstance(one, Finding)
    assert one.severity is Severity.ERROR


def test_a_schema_of_another_name_is_known_by_where_langchain_validated() -> None:
    assert len(found(VALIDATION, REFUSED.format("SearchInput"), stack='File "base.py", in _parse_input')) == 1


def test_a_validation_error_about_the_tools_own_data_is_none() -> None:
    assert found(VALIDATION, REFUSED.format("Reply"), stack='File "shop.py", in fetch') == []


def test_python_refuses_arguments_too() -> None:
    (one,) = found("TypeError", "search() got an unexpected keyword argument 'query'")

    assert isinstance(one, Finding)
    assert one.summary.endswith("do not fit: got an unexpected keyword argument 'query'")
    assert found("TypeError", "fetch() got an unexpected keyword argument 'query'") == []


@pytest.mark.parametrize("failed", [True, False])
def test_arguments_that_contradict_the_schema_of_a_call_that_failed_or_answered_with_an_error(failed: bool) -> None:
    (one,) = found("tool_error", "refused", {"q": 5}, failed=failed)

    assert isinstance(one, Finding)
    assert one.summary == "writer called search with arguments that do not fit: q is no string"


def test_other_errors_of_calls_with_good_arguments_are_none() -> None:
    assert found("ConnectionError", "no route") == []


def test_a_call_that_took_what_the_schema_does_not_have_is_none() -> None:
    assert list(invalid_arguments(asked(("search", {}), executed=[executed("search1", 0)]))) == []


def test_arguments_that_are_no_json_unless_the_answer_was_cut() -> None:
    (one,) = invalid_arguments(asked(("search", '{"q": "tr')))

    assert isinstance(one, Finding)
    assert (one.severity, one.summary) == (
        Severity.WARNING,
        "writer called search with arguments that do not fit: they are no JSON",
    )
    cut = {names.GEN_AI_RESPONSE_FINISH_REASONS: ("length",)}
    assert list(invalid_arguments(asked(("search", '{"q": "tr'), **cut))) == []
    assert list(invalid_arguments(asked(("search", '{"q": "tram"}')))) == []


def test_a_validation_error_whose_message_was_not_kept_is_undecided() -> None:
    (one,) = found(VALIDATION)

    assert isinstance(one, Undecided)
    assert one.reason.startswith("search failed with a validation error, of its arguments or of its own data")
