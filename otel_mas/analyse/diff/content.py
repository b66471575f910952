"""Questions and answers of steps as text: equal where the content is, whatever store it is in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.diff.step_tree import MODEL, RETRIEVAL, TASK, TOOL, StepTree, known_kind
from otel_mas.analyse.state.values import StateValues, value_digests, value_text, written_channels
from otel_mas.causal.failed import failed
from otel_mas.model import Span, StatusCode
from otel_mas.model.message_text import written
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names

_HANDLED: Final = "tool_error"
"""`error.type` of a tool that dealt with its exception itself: it returned an answer."""
_ANSWERS: Final = {
    RecordKind.TOOL_CALL: (names.GEN_AI_TOOL_CALL_RESULT,),
    RecordKind.RETRIEVAL: (names.GEN_AI_RETRIEVAL_DOCUMENTS,),
    RecordKind.ROUTING_DECISION: (names.MAS_ROUTING_CHOICE,),
    RecordKind.GUARDRAIL: (names.MAS_GUARDRAIL_VERDICT, names.MAS_GUARDRAIL_CATEGORY),
    RecordKind.EVALUATION: (names.GEN_AI_EVALUATION_SCORE_LABEL, names.GEN_AI_EVALUATION_SCORE_VALUE),
    RecordKind.HUMAN_INPUT: (names.MAS_RESUME_VALUES,),
}
_WITH_CONTENT: Final = (MODEL, TASK, TOOL, RETRIEVAL)
"""Kinds of steps whose questions and answers are content, which may not have been kept."""
_COMPARED: Final = 1_000
"""Characters of a text that are looked at to tell how alike two are."""
_DEEPEST: Final = 20
"""Steps inside each other in which a question is looked for."""
_QUESTIONS: Final = {
    TASK: names.MAS_TASK_INPUT,
    TOOL: names.GEN_AI_TOOL_CALL_ARGUMENTS,
    RETRIEVAL: names.GEN_AI_RETRIEVAL_QUERY_TEXT,
}
_RESULTS: Final = {
    TASK: names.MAS_TASK_RESULT,
    TOOL: names.GEN_AI_TOOL_CALL_RESULT,
    RETRIEVAL: names.GEN_AI_RETRIEVAL_DOCUMENTS,
}


def answer_text(span: Span, content: RunContent) -> str | None:
    """Output of a span as text: the error that it ended with, what it answered, or what it wrote and returned.

    None where it has none, or that was not kept. An error that only passed through is no output.
    """
    kind = known_kind(span.record_kind, span.columns.get(names.GEN_AI_OPERATION_NAME))
    error = _error(span, content)
    if error is not None and kind != RecordKind.AGENT_TASK:
        return error
    if kind == RecordKind.AGENT_TASK:
        return task_text(span, content) or error or _messages(span, content, "output")
    if kind in _ANSWERS:
        found = [content.get(span, name) for name in _ANSWERS[kind]]
        return ", ".join(value_text(one) for one in found if one is not None) or None
    return _messages(span, content, "output")


def _messages(span: Span, content: RunContent, direction: str) -> str | None:
    bodies = (message.body for message in content.messages_of(span, direction))
    return "\n".join(written(body) for body in bodies if body is not None) or None


def _error(span: Span, content: RunContent) -> str | None:
    kind = span.columns.get(names.ERROR_TYPE)
    if not kind or kind == _HANDLED:
        return None
    if span.status != StatusCode.ERROR and not str(kind).endswith("CancelledError"):
        return None
    return f"{str(kind).rpartition('.')[2]}: {content.error_message(span) or ''}".removesuffix(": ")


def task_text(span: Span, content: RunContent) -> str | None:
    """Text of what a task wrote and returned; None where it did neither, or that was not kept."""
    lines = [f"{one.channel}: {_text(one.value)}" for one in StateValues(content).written(span)]
    returned = content.get(span, names.MAS_TASK_RESULT)
    if returned is not None:
        lines.append(_text(returned))
    return "\n".join(lines) or None


def _text(value: Any) -> str:
    return "" if value is None else value_text(value)


class StepContent:
    """Questions and answers of the steps of one run, each read when it is asked for."""

    def __init__(self, tree: StepTree, content: RunContent) -> None:
        self.tree = tree
        self._content = content
        self._answers: dict[int, str | None] = {}
        self._texts: dict[str, str] = {}
        """Texts of messages by digest: a long history is read by many calls."""

    def answer(self, step: int) -> str | None:
        """Output of a step as text: `answer_text` of the span in which it ended."""
        if step not in self._answers:
            self._answers[step] = answer_text(self.tree.span(step), self._content)
        return self._answers[step]

    def read_answers(self) -> None:
        """Read the answers that are compared as texts, in order: a store reads the bodies of neighbours at once."""
        for step, kind in enumerate(self.tree.kind):
            if kind not in (MODEL, TASK):
                self.answer(step)

    def question(self, step: int) -> str | None:
        """The last message that a model was given, the arguments of a tool, the query, the input of a task.

        Of a step without any the question of the first step inside it.
        """
        for _ in range(_DEEPEST):
            found = self.questions(step, latest=True)
            inside = self.tree.children[step]
            if found or not inside:
                return found[-1] if found else None
            step = inside[0]
        return None

    def questions(self, step: int, *, latest: bool = False) -> Sequence[str]:
        """All that a step was given, as texts; if asked for the last of it alone."""
        kind, span = self.tree.kind[step], self.tree.spans(step)[0]
        if kind == MODEL:
            digests = self._content.digests_of(span, "input")
            return [text for one in (digests[-1:] if latest else digests) if (text := self._message(one)) is not None]
        value = self._content.get(span, _QUESTIONS[kind]) if kind in _QUESTIONS else None
        return [] if value is None else [value_text(value)]

    def words(self, step: int) -> frozenset[str]:
        """Words of its question and its answer, as far as they are needed to tell which steps are alike."""
        texts = (self.question(step), self.answer(step))
        return frozenset(word for text in texts if text for word in text[:_COMPARED].split())

    def is_kept(self, step: int) -> bool:
        """Whether its content would be known, if it had any."""
        return self.kept or self.tree.kind[step] not in _WITH_CONTENT

    @cached_property
    def kept(self) -> bool:
        """Whether it is known what this run said: it has content, not only a source that could keep some.

        Also where no step could have any.
        """
        asked = [step for step, kind in enumerate(self.tree.kind) if kind in _WITH_CONTENT]
        if not asked or not self._content.kept:
            return not asked
        spoken = any(message.body is not None for message in self._content.messages.values())
        return spoken or any(map(self._has_content, asked))

    def error(self, step: int) -> str:
        """Name of the exception or error that a step ended with, which is no content; empty where there is none."""
        return str(self.tree.span(step).columns.get(names.ERROR_TYPE) or "").rpartition(".")[2]

    def _has_content(self, step: int) -> bool:
        kind = self.tree.kind[step]
        span = self.tree.span(step)
        if any(self._content.get(span, by[kind]) is not None for by in (_QUESTIONS, _RESULTS) if kind in by):
            return True
        return kind == TASK and any(one.missing is None for one in StateValues(self._content).written(span))

    def _message(self, digest: str) -> str | None:
        if digest not in self._texts:
            message = self._content.messages.get(digest)
            if message is None or message.body is None:
                return None
            self._texts[digest] = written(message.body)
        return self._texts[digest]

    def digests(self, step: int, direction: str) -> Sequence[str]:
        """Digests of what a step was given or gave: equal where that is equal, unless the stores differ.

        Each store has its own key. Empty where there are none, or where they do not tell all.
        """
        span = self.tree.span(step)
        if self.tree.kind[step] == MODEL:
            return () if direction == "output" and failed(span) else self._content.digests_of(span, direction)
        if self.tree.kind[step] != TASK or direction == "input" or failed(span):
            return ()
        channels, digests = written_channels(span), value_digests(span)
        returned = self._content.get(span, names.MAS_TASK_RESULT)
        return (*channels, *digests) if returned is None and len(channels) == len(digests) else ()


def same_answer(one: StepContent, step: int, other: StepContent, its: int) -> bool:
    """Whether two steps, of two runs, answered the same. Texts are needed only where digests differ."""
    if not (one.is_kept(step) and other.is_kept(its)):
        return one.error(step) == other.error(its)  # nobody knows more
    if (digests := one.digests(step, "output")) and digests == other.digests(its, "output"):
        return True
    return one.answer(step) == other.answer(its)


def same_question(one: StepContent, step: int, other: StepContent, its: int) -> bool:
    """Whether two steps, of two runs, were asked the same."""
    if not (one.is_kept(step) and other.is_kept(its)):
        return True
    if (digests := one.digests(step, "input")) and digests == other.digests(its, "input"):
        return True
    return one.questions(step) == other.questions(its)


__all__ = ["StepContent", "answer_text", "same_answer", "same_question", "task_text"]
