"""What was read in another process than it was written in is joined by digest; the rest is recorded, or not there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from otel_mas.causal import build
from otel_mas.model import Resource, Span, Trace
from otel_mas.semconv import attributes as names

Make = Callable[..., Span]
Gather = Callable[..., list[Trace]]


@pytest.fixture
def chat(span: Make) -> Callable[..., list[Span]]:
    """A task and the call of the model in it, in the process and trace of that name."""

    def make(process: str, task: str, start: int, reads: str = "", writes: str = "") -> list[Span]:
        text: dict[str, Any] = {names.MAS_RECORD_KIND: "LLM_CALL"}
        text |= {names.MAS_INPUT_MESSAGES: tuple(reads.split()), names.MAS_OUTPUT_MESSAGES: tuple(writes.split())}
        around = span(f"{task}{start}", start, start + 9, trace=process, task=task)
        inner = span(f"{task}{start}.chat", start + 1, start + 8, around.span_id, trace=process)
        resource = Resource({names.MAS_INSTANCE_ID: process})
        return [
            dataclasses.replace(around, resource=resource),
            dataclasses.replace(inner, resource=resource, columns=text),
        ]

    return make


def read(traces: list[Trace]) -> list[tuple[str, str, str]]:
    return [(e.cause, e.effect, e.provenance) for e in build(traces).edges if e.kind == "message"]


def test_what_another_process_wrote_is_joined(chat: Any, traces: Gather) -> None:
    spans = [*chat("one", "researcher", 0, "ask", "facts"), *chat("two", "writer", 20, "ask facts", "report")]
    assert read(traces(*spans)) == [("researcher0.chat", "writer20.chat", "metadata")]


def test_what_the_same_process_wrote_was_linked_or_was_not_read(chat: Any, traces: Gather) -> None:
    spans = [*chat("one", "researcher", 0, "ask", "facts"), *chat("one", "writer", 20, "ask facts", "report")]
    assert read(traces(*spans)) == []


def test_the_own_words_are_history_in_another_process_too(chat: Any, traces: Gather) -> None:
    spans = [*chat("one", "writer", 0, "ask", "draft"), *chat("two", "writer", 20, "ask draft", "report")]
    assert read(traces(*spans)) == []


def test_what_was_read_before_is_not_joined_again(chat: Any, traces: Gather) -> None:
    spans = [
        *chat("one", "researcher", 0, "ask", "facts"),
        *chat("one", "writer", 20, "facts", "draft"),
        *chat("two", "writer", 40, "facts draft", "report"),
    ]
    assert read(traces(*spans)) == []


def test_words_that_are_said_again_are_new(chat: Any, traces: Gather) -> None:
    spans = [
        *chat("one", "researcher", 0, "ask", "yes"),
        *chat("two", "writer", 20, "yes", "draft"),
        *chat("one", "judge", 40, "draft", "yes"),
        *chat("two", "writer", 60, "yes", "report"),
    ]
    assert read(traces(*spans)) == [
        ("researcher0.chat", "writer20.chat", "metadata"),
        ("writer20.chat", "judge40.chat", "metadata"),
        ("researcher0.chat", "writer60.chat", "metadata"),
        ("judge40.chat", "writer60.chat", "metadata"),
    ]


def test_what_was_written_afterwards_was_not_read(chat: Any, traces: Gather) -> None:
    spans = [*chat("one", "researcher", 0, "ask", "facts"), *chat("two", "writer", 2, "facts", "report")]
    assert read(traces(*spans)) == []
