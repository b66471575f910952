"""Recording: the calls of models, tools and retrievers in a trace or conversation, and what each was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from otel_mas.model import Message, Span
from otel_mas.replay.place import TaskPlace


class CallKind(StrEnum):
    """The sort of thing that is called."""

    MODEL = "model"
    TOOL = "tool"
    RETRIEVER = "retriever"


@dataclass(frozen=True, slots=True, eq=False)
class RecordedCall:
    """One call in a recording: where it was made, what was asked, and what was answered.

    Messages and contents are as the store has them: redacted, media taken out. An answer that an exception took the
    place of has none; the span and `contents` say which exception it was.
    """

    span: Span
    kind: CallKind
    place: TaskPlace
    label: str
    """Text form: `researcher#1/model#2`, the second call of a model in the task of that label; `.../tool:search#1`."""
    name: str
    """The model's, tool's or retriever's."""
    input: tuple[Message, ...] = ()
    """Messages of a model's request, in order; the body of one is None where its content was not kept."""
    output: tuple[Message, ...] = ()
    """Messages of the answer: one for each candidate of a model; those that a tool returned."""
    contents: Mapping[str, Any] = field(default_factory=dict)
    """Other content by attribute name: tool definitions, arguments and result, query and documents, the exception."""

    def get(self, name: str) -> Any:
        """A content or attribute by name; None where it was not kept."""
        value = self.contents.get(name)
        return self.span.get(name) if value is None else value


__all__ = ["CallKind", "RecordedCall"]
