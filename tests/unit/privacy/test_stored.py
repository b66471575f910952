"""What each content mode lets into the store."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.privacy.personal.removal import PersonalData
from otel_mas.privacy.stored import STRIPPED, Privacy
from otel_mas.record.content.snapshot import to_json
from otel_mas.semconv import attributes as names

SECRET = "sk-proj-0123456789abcdefghijABCD"


@pytest.mark.parametrize("content", ["redacted", "none"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        (names.MAS_TASK_ID, "8b5c5f5e-5c0e-1b0f-9d7a-2f6f1a0c9e11"),
        (names.MAS_CAUSE_SPANS, (f"{1:032x}-{2:016x}",) * 300),
        (names.GEN_AI_USAGE_INPUT_TOKENS, 7),
        (names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, 7),
        ("gen_ai.token.type", "input"),
        (names.GEN_AI_REQUEST_TEMPERATURE, 0.5),
        ("http.route", "/orders/{id}"),
        ("openinference.span.kind", "LLM"),
        ("who.knows", 7),
        ("who.knows", True),
        ("who.knows", [0.5, 1.5]),
        ("none", None),
    ],
)
def test_attributes_without_secrets_and_content_are_kept(content: Any, name: str, value: Any) -> None:
    assert Privacy(content).attribute(name, value) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("raw", b"\x00\xff bytes"), ("nested", [b"x", ["y", {"z": b"\xff"}]]), ("who.knows", "text")],
)
def test_text_under_unknown_names_stays_as_it_is_where_content_is_kept(name: str, value: Any) -> None:
    assert Privacy("redacted").attribute(name, value) == value
    assert Privacy("none").attribute(name, value) is STRIPPED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("db.password", "hunter2"),
        ("db.password", b"hunter2"),
        ("x-api-key", ("hunter2",)),
        ("note", f"use hunter2? no: {SECRET}".replace("hunter2", "")),
        ("raw", SECRET.encode()),
        ("deep", {"a": [{"password": "hunter2"}, b"x"]}),
        (names.MAS_TASK_ID, f"{SECRET} " * 20),  # an id is not that long
    ],
)
def test_secrets_go_whatever_the_type(name: str, value: Any) -> None:
    stored = repr(Privacy("redacted").attribute(name, value))
    assert "hunter2" not in stored
    assert SECRET not in stored


@pytest.mark.parametrize(
    "name",
    [
        names.GEN_AI_INPUT_MESSAGES,
        "gen_ai.prompt.0.content",
        "ai.response.text",
        "langfuse.observation.input",
        "logfire.msg",
        "mlflow.spanInputs",
        "_ml_obs.meta.input.value",
        "traceloop.entity.input",
        "inputs",
        "url.full",
        "exception.message",
        "process.command_line",
    ],
)
@pytest.mark.parametrize("value", ["hi", 7, ["hi"]])
def test_known_content_is_stripped_without_content_whatever_its_type(name: str, value: Any) -> None:
    assert Privacy("none").attribute(name, value) is STRIPPED
    assert Privacy("redacted").attribute(name, value) == value


def test_text_under_the_name_of_a_secret_is_stripped_without_content() -> None:
    assert Privacy("none").attribute("x-api-key", "hunter2") is STRIPPED
    assert Privacy("redacted").attribute("http.request.header.authorization", ("hunter2",)) == "[redacted]"


def test_a_status_description_is_content() -> None:
    assert Privacy("none").description("boom") == ""
    assert Privacy("redacted").description("boom") == "boom"


def test_a_value_does_not_change_the_treatment_of_its_name() -> None:
    privacy = Privacy("none")
    assert privacy.attribute("who.knows", 1) == 1
    assert privacy.attribute("who.knows", "text") is STRIPPED
    assert privacy.attribute("who.knows", 1) == 1


def test_content_keeps_bytes_and_loses_secrets() -> None:
    value = {"image": b"\x89PNG", "note": SECRET, "file": f"key {SECRET}".encode(), "token": "hunter2"}
    stored = to_json(Privacy("redacted").value("arguments", value))
    assert b'"image":{"$bytes":"iVBORw=="}' in stored
    assert SECRET.encode() not in stored
    assert b"hunter2" not in stored


def test_content_under_a_secret_name_is_a_secret() -> None:
    assert Privacy("redacted").value("password", "hunter2") == "[redacted]"


def test_full_is_full() -> None:
    assert Privacy("full").value("password", {"token": SECRET}) == {"token": SECRET}


def test_personal_data_goes_from_everything_that_is_stored_beside_secrets() -> None:
    personal = PersonalData(["email"], remove=["user.address", "state.plan"])
    privacy = Privacy("redacted", personal=personal)
    text = f"bob@example.com {SECRET}"
    for stored in (
        privacy.attribute("who.knows", text),
        privacy.attribute(names.GEN_AI_AGENT_NAME, text),
        privacy.attribute("deep", {"a": [text.encode(), {"b": text}]}),
        privacy.text(text),
        privacy.name(text),
        privacy.description(text),
        privacy.value("gen_ai.tool.call.arguments", {"a": text}),
    ):
        assert "bob" not in repr(stored)
        assert SECRET not in repr(stored)
        assert "[email]" in repr(stored)
    assert privacy.attribute("user.address", ["Street 1"]) == "[removed]"
    assert privacy.value("plan", "go", path="state.plan") == "[removed]"
    counts = privacy.drain_counts()
    assert counts["email"] == 8
    assert counts["path"] == 2
    assert counts["sk"] >= 7


def test_ids_of_ours_are_not_searched_for_personal_data() -> None:
    privacy = Privacy("redacted", personal=PersonalData(["phone", "card"]))
    for value in ("4111111111111111", ("4111111111111111",)):
        assert privacy.attribute(names.MAS_TASK_ID, value) is value
