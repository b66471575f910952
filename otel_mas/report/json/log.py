"""Entries of the interaction log as JSON."""

from __future__ import annotations

from typing import Annotated, TypedDict

from otel_mas.analyse.log import Entry, EntryKind

_KINDS = ", ".join(EntryKind)


class EntryForm(TypedDict):
    kind: Annotated[str, _KINDS]
    time_ns: Annotated[int, "when it happened: nanoseconds since the Unix epoch"]
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "the span that says so"]
    task: Annotated[str, "the task it happened in, as `researcher#1/model#2`; outside of any the name of the run"]
    agent: Annotated[str | None, "the agent that the task works for"]
    sender: Annotated[str | None, "task, tool, person or other party that it comes from"]
    receiver: Annotated[str | None, "task, tool, person or other party that it goes to"]
    tool: Annotated[str | None, "the tool that was called"]
    model: Annotated[str | None, "the model that answered, or else the one asked"]
    outcome: Annotated[
        str | None, "choice of a route, verdict, grade, outcome of a run, type of an error, name of an event, severity"
    ]
    text: Annotated[str | None, "content, in lines; each message of a prompt begins with its role"]
    missing: Annotated[str | None, "why content, or some of it, is not in `text`; null where all of it is"]
    digests: Annotated[list[str], "of the messages, or of the values of the channels"]
    channels: Annotated[list[str], "channels of a state that were written"]
    known_messages: Annotated[int, "messages of a prompt that its reader knew, which are left out"]
    duration_ns: Annotated[int | None, "nanoseconds that it took; null at a start"]
    input_tokens: Annotated[int | None, "tokens that the model read"]
    output_tokens: Annotated[int | None, "tokens that the model wrote"]
    cost_usd: Annotated[float | None, "USD; null where no price is known"]
    provenance: Annotated[
        str | None, "of a hand-off, Send or retry: recorded, metadata (joined by stable keys, exact) or inferred"
    ]


def entry(one: Entry) -> EntryForm:
    """A line of `otel-mas log --json`."""
    return {
        "kind": one.kind.value,
        "time_ns": one.time_ns,
        "trace_id": one.trace_id,
        "span_id": one.span_id,
        "task": one.task,
        "agent": one.agent,
        "sender": one.sender,
        "receiver": one.receiver,
        "tool": one.tool,
        "model": one.model,
        "outcome": one.outcome,
        "text": one.text,
        "missing": one.missing,
        "digests": list(one.digests),
        "channels": list(one.channels),
        "known_messages": one.known_messages,
        "duration_ns": one.duration_ns,
        "input_tokens": one.input_tokens,
        "output_tokens": one.output_tokens,
        "cost_usd": one.cost_usd,
        "provenance": one.provenance,
    }


__all__ = ["EntryForm", "entry"]
