"""Entries of the interaction log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntryKind(StrEnum):
    """Kind of an entry."""

    RUN_START = "run_start"
    """A workflow, or an agent called by the app, begins; with its input."""
    RUN_END = "run_end"
    """It ends; with its outcome."""
    PROMPT = "prompt"
    """A model, or an agent, is given messages."""
    ANSWER = "answer"
    """A model answers, or a task writes a message itself."""
    TOOL_CALL = "tool_call"
    """A tool is called; with its arguments."""
    TOOL_RESULT = "tool_result"
    """A tool returns."""
    HANDOFF = "handoff"
    """An agent hands over to another one."""
    SEND = "send"
    """A `Send` starts a task, or a message leaves for another agent."""
    RECEIVE = "receive"
    """A message arrives from another agent."""
    ROUTE = "route"
    """A routing decision."""
    GUARDRAIL = "guardrail"
    """The verdict of a check."""
    EVALUATION = "evaluation"
    """A judgement that the app made: a grade."""
    RETRIEVAL = "retrieval"
    """A query to a retriever, and the documents that it found."""
    QUESTION = "question"
    """A task asks a person, and waits."""
    HUMAN_INPUT = "human_input"
    """The answer of the person."""
    STATE = "state"
    """A task, or the app, writes to channels of the state."""
    RETRY = "retry"
    """A task is tried again after it failed."""
    ERROR = "error"
    """An exception, where it happened."""
    EVENT = "event"
    """A stage that was reached, or an event of the app's own."""
    LOG = "log"
    """A log record of the app."""


@dataclass(slots=True)
class Entry:
    """One thing that happened at the start or the end of a span.

    Not to be changed, and not frozen, as `otel_mas.model.Span`: there are two for each span.
    """

    kind: EntryKind
    time_ns: int
    """Nanoseconds since the Unix epoch."""
    trace_id: str
    span_id: str
    task: str
    """The task it happened in, as `CausalGraph.labels` has it; outside of any the name of the run."""
    agent: str | None = None
    sender: str | None = None
    receiver: str | None = None
    tool: str | None = None
    model: str | None = None
    outcome: str | None = None
    """The choice of a routing decision, a verdict, a grade, the outcome of a run, the type of an error, or the severity
    of a log record."""
    text: str | None = None
    """Content, in lines. Each message of a prompt begins with its role."""
    missing: str | None = None
    """Why content, or some of it, is not in `text`: it was not kept, or withheld."""
    digests: tuple[str, ...] = ()
    """Digests of the messages, or of the values of the channels."""
    channels: tuple[str, ...] = ()
    """Channels of a state that were written."""
    known_messages: int = 0
    """Messages of a prompt that its reader had read or written before, and that are left out."""
    duration_ns: int | None = None
    """Nanoseconds that the span took, where the entry is its end."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    provenance: str | None = None
    """Provenance of the cause, in a hand-off, a `Send` or a retry: recorded, metadata or inferred."""


__all__ = ["Entry", "EntryKind"]
