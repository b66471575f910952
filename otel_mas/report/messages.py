"""Messages of a run, each once, with its writer and its readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from otel_mas.analyse.content import RunContent
from otel_mas.causal import CausalGraph
from otel_mas.model import MessageRef, Span
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.text import plain
from otel_mas.semconv import attributes as names

INPUT, OUTPUT = "input", "output"
PERSON = "a person"
_SIDES = ((INPUT, names.MAS_INPUT_MESSAGES), (OUTPUT, names.MAS_OUTPUT_MESSAGES))


@dataclass(slots=True)
class MessageEntry:
    """One message. `writer` is None where none of the spans wrote it: it came from the app or its user.

    `text` is None if its content was not kept.
    """

    at_ns: int
    role: str
    text: str | None
    writer: str | None = None
    readers: list[str] = field(default_factory=list)


def refs_of(spans: Sequence[Span]) -> list[MessageRef]:
    """Which messages the spans read and wrote by what they say themselves, for sources that keep no messages."""
    found = []
    for span in spans:
        for side, name in _SIDES:
            digests = span.get(name) if span.record_kind is not None else None
            for position, digest in enumerate(digests if isinstance(digests, (list, tuple)) else ()):
                found.append(MessageRef(span.trace_id, span.span_id, side, position, str(digest)))
    return found


def message_entries(causal: CausalGraph, content: RunContent) -> list[MessageEntry]:
    """Every message in the order in which it was first written or read, and what was asked of people and answered."""
    labels = TaskLabels(causal)
    spans = {span.span_id: span for span in causal.spans}
    known: dict[str, MessageEntry] = {}
    placed = [(ref, spans[ref.span_id]) for ref in content.refs if ref.span_id in spans]
    for ref, span in sorted(placed, key=lambda one: (*_when(*one), one[0].direction, one[0].position)):
        message = content.messages.get(ref.digest)
        one = known.get(ref.digest)
        if one is None:
            body = None if message is None else message.body
            role = plain(message.role) if message is not None else ""
            one = known[ref.digest] = MessageEntry(_when(ref, span)[0], role, None if body is None else written(body))
        who = _who(span, labels)
        if ref.direction == OUTPUT:
            one.writer = one.writer or who
        elif who not in one.readers:
            one.readers.append(who)
    asked = [one for span in causal.spans for one in _asked(span, content.of(span), labels)]
    return sorted([*known.values(), *asked], key=lambda one: one.at_ns)


def written(body: Mapping[str, Any]) -> str:
    """A message's parts as text: what was said, which tools were called with what, what they answered."""
    parts = body.get("parts")
    if not isinstance(parts, (list, tuple)):
        return _text(body.get("content"))
    return "\n".join(filter(None, (_part(part) for part in parts)))


def _part(part: Any) -> str:
    if not isinstance(part, Mapping):
        return _text(part)
    kind = part.get("type")
    if kind == "tool_call":
        return f"calls {_text(part.get('name'))}({_text(part.get('arguments'))})"
    if kind == "tool_call_response":
        return _text(part.get("response", part.get("result")))
    if "content" in part:
        content = _text(part["content"])
        return content if kind == "text" else f"[{_text(kind)}] {content}"
    return f"[{_text(kind) or 'part'}] {_text({name: part[name] for name in part if name != 'type'})}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError):
        return str(value)


def _asked(span: Span, content: Mapping[str, Any], labels: TaskLabels) -> Iterator[MessageEntry]:
    """Questions that a task put to a person, and what the person answered."""
    questions = content.get(names.MAS_INTERRUPT_VALUES)
    end_ns = span.start_ns if span.end_ns is None else span.end_ns
    for value in questions if isinstance(questions, (list, tuple)) else () if questions is None else [questions]:
        yield MessageEntry(end_ns, "question", _text(value), _who(span, labels), [PERSON])
    if names.MAS_RESUME_VALUES in content:
        answer = _text(content[names.MAS_RESUME_VALUES])
        yield MessageEntry(span.start_ns, "answer", answer, PERSON, [_who(span, labels)])


def _when(ref: MessageRef, span: Span) -> tuple[int, int]:
    """When a span read (at its start) or wrote (at its end) it."""
    if ref.direction == OUTPUT and span.end_ns is not None:
        return span.end_ns, span.start_ns
    return span.start_ns, span.start_ns


def _who(span: Span, labels: TaskLabels) -> str:
    """The task that a span belongs to, inside the one around it; a tool by its own name."""
    task = labels.task(span)
    tool = span.columns.get(names.GEN_AI_TOOL_NAME)
    if task is None:
        return plain(tool) if tool else labels.label(span).removeprefix("invoke_workflow ")
    around = labels.enclosing(task)
    own = plain(tool) if tool else labels.label(task)
    return f"{labels.label(around if around is not None else task)} › {own}" if around is not None or tool else own


__all__ = ["INPUT", "OUTPUT", "PERSON", "MessageEntry", "message_entries", "refs_of", "written"]
