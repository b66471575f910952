"""The generated names: classes of content, kinds of record."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.semconv import CONTENT_PREFIXES, SCHEMA_URL, ContentClass, attributes, content_class, record_kind
from otel_mas.semconv.conventions import CONVENTIONS
from otel_mas.semconv.enums import LinkKind, Operation, RecordKind

DIALECTS = tomllib.loads((Path(__file__).resolve().parents[3] / "semconv" / "dialects.toml").read_text()).values()
STRUCTURE = CONVENTIONS.union(*(dialect["structure"] for dialect in DIALECTS))
NAMES = [value for name, value in vars(attributes).items() if name.isupper()]


def test_a_constant_is_its_name_in_capitals() -> None:
    assert attributes.MAS_TASK_ID == "mas.task.id"
    assert all(vars(attributes)[name.upper().replace(".", "_")] == name for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_the_registry_has_a_class(name: str) -> None:
    assert content_class(name) is not None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mas.cause.spans", ContentClass.STRUCTURE),
        ("mas.input.messages", ContentClass.IDENTIFIER),
        ("gen_ai.input.messages", ContentClass.CONTENT),
        ("gen_ai.tool.call.arguments", ContentClass.CONTENT),
        ("exception.type", ContentClass.STRUCTURE),
        ("exception.message", ContentClass.CONTENT),
        ("exception.stacktrace", ContentClass.CONTENT),
        ("input.value", ContentClass.CONTENT),
        ("output.value", ContentClass.CONTENT),
        ("llm.input_messages", ContentClass.CONTENT),
        ("llm.input_messages.0.message.tool_calls.1.tool_call.function.arguments", ContentClass.CONTENT),
        ("gen_ai.prompt.0.content", ContentClass.CONTENT),
        ("traceloop.entity.input", ContentClass.CONTENT),
        ("http.route", ContentClass.STRUCTURE),
        ("url.full", ContentClass.CONTENT),
        ("db.query.text", ContentClass.CONTENT),
        ("messaging.message.body", ContentClass.CONTENT),
        ("messaging.message.body.size", ContentClass.STRUCTURE),
        ("k8s.pod.label.app", None),
        ("input.values_count", None),
        ("llm.input_messages_count", None),
    ],
)
def test_the_content_class_of_a_name(name: str, expected: ContentClass | None) -> None:
    assert content_class(name) is expected


@given(st.sampled_from(CONTENT_PREFIXES), st.text(min_size=1))
def test_everything_below_a_prefix_is_content(prefix: str, rest: str) -> None:
    name = f"{prefix}.{rest}"
    assert name in STRUCTURE or content_class(name) is ContentClass.CONTENT


def test_a_name_of_another_vocabulary_has_the_class_that_its_table_gives_it() -> None:
    for dialect in DIALECTS:
        content = [*dialect["content"], *dialect["content_below"]]
        assert [name for name in content if content_class(name) is not ContentClass.CONTENT] == []
        assert [name for name in dialect["structure"] if content_class(name) is not ContentClass.STRUCTURE] == []


def test_no_prefix_of_another_vocabulary_swallows_a_name_of_ours() -> None:
    below = tuple(prefix + "." for prefix in CONTENT_PREFIXES)
    swallowed = [name for name in NAMES if name in CONTENT_PREFIXES or name.startswith(below)]

    assert [name for name in swallowed if content_class(name) is not ContentClass.CONTENT] == []


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("invoke_agent", RecordKind.AGENT_TASK),
        ("invoke_workflow", RecordKind.WORKFLOW),
        ("chat", RecordKind.LLM_CALL),
        ("generate_content", RecordKind.LLM_CALL),
        ("text_completion", RecordKind.LLM_CALL),
        ("embeddings", RecordKind.LLM_CALL),
        ("execute_tool", RecordKind.TOOL_CALL),
        ("retrieval", RecordKind.RETRIEVAL),
        (Operation.CREATE_AGENT, None),
        ("of somebody else", None),
    ],
)
def test_the_kind_of_record_follows_from_the_operation(operation: str, kind: RecordKind | None) -> None:
    assert record_kind(operation) is kind


def test_link_kinds_are_those_of_the_design() -> None:
    assert [kind.value for kind in LinkKind] == [
        "trigger",
        "send",
        "handoff",
        "call",
        "resume",
        "retry",
        "error_handler",
        "message",
        "replay",
    ]


def test_the_schema_url_has_a_version() -> None:
    assert SCHEMA_URL.rsplit("/", 1)[1] == "0.1.0"
