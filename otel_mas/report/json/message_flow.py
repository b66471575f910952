"""Flow of messages between agents as JSON: who wrote each message, and who read it, when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, TypedDict

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.places import Place, places
from otel_mas.causal import CausalGraph
from otel_mas.model import MessageRef, Span
from otel_mas.model.message_text import written
from otel_mas.report.json.fields import PROBLEMS, TIME

_MOST_CHARACTERS = 2_000


class MessageUseForm(TypedDict):
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "the span that wrote or read it"]
    name: Annotated[str, "the span's name"]
    task: Annotated[str | None, "the task that the span is or lies in, as `researcher#1/model#2`"]
    agent: Annotated[str | None, "the agent that the span is, or works for"]
    time_ns: Annotated[int, f"end of the span that wrote it, start of one that read it{TIME}"]


class FlowForm(TypedDict):
    digest: Annotated[str, "the same for the same content"]
    role: Annotated[str | None, "user, assistant, tool, ...; null where its content was not kept"]
    text: Annotated[str | None, "its parts as text, shortened; null where its content was not kept"]
    characters: Annotated[int, "length of the whole text"]
    wrote: Annotated[MessageUseForm | None, "the span that wrote it first; null where it came from outside"]
    read: Annotated[list[MessageUseForm], "the first span of each task that read it, in order of time"]


class MessagesDocument(TypedDict):
    messages: Annotated[list[FlowForm], "in the order in which they were first written or read"]
    problems: Annotated[list[str], PROBLEMS]


def message_flow(causal: CausalGraph, content: RunContent, problems: Sequence[str]) -> MessagesDocument:
    """The messages of a run, each with its writer and its readers."""
    return {"messages": list(_flows(causal, content)), "problems": list(problems)}


def _flows(causal: CausalGraph, content: RunContent) -> Iterator[FlowForm]:
    where, numbers, table = places(causal), causal.table.numbers, causal.table
    uses: dict[str, list[tuple[int, bool, MessageRef]]] = {}
    for ref in content.refs:
        number = numbers.get(ref.span_id)
        if number is not None:
            is_output = ref.direction == "output"
            time_ns = causal.ends[number] if is_output else table.starts[number]
            uses.setdefault(ref.digest, []).append((time_ns, is_output, ref))
    for digest, found in sorted(uses.items(), key=lambda item: min(one[0] for one in item[1])):
        found.sort(key=lambda one: one[0])
        message = content.messages.get(digest)
        text = None if message is None or message.body is None else written(message.body)
        wrote = next((one for one in found if one[1]), None)
        yield {
            "digest": digest,
            "role": None if message is None else message.role,
            "text": None if text is None else text[:_MOST_CHARACTERS],
            "characters": len(text or ""),
            "wrote": None if wrote is None else _use(wrote[0], causal.span(wrote[2].span_id), where),
            "read": list(_readers(causal, where, found)),
        }


def _readers(
    causal: CausalGraph, where: Mapping[str, Place], found: Sequence[tuple[int, bool, MessageRef]]
) -> Iterator[MessageUseForm]:
    known = set()
    for time_ns, is_output, ref in found:
        if not is_output:
            span = causal.span(ref.span_id)
            use = _use(time_ns, span, where)
            key = use["task"] or use["span_id"]
            if key not in known:
                known.add(key)
                yield use


def _use(time_ns: int, span: Span, where: Mapping[str, Place]) -> MessageUseForm:
    place = where[span.span_id]
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "name": span.name,
        "task": place.label,
        "agent": place.agent,
        "time_ns": time_ns,
    }


__all__ = ["MessagesDocument", "message_flow"]
