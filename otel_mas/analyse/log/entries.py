"""Entries of the start and of the end of a span."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from otel_mas.analyse.log.content import NOT_KEPT, NOTHING, SpanContents, Text
from otel_mas.analyse.log.entry import Entry, EntryKind
from otel_mas.analyse.log.readers import Reader, Readers
from otel_mas.analyse.log.tasks import Tasks
from otel_mas.analyse.state.values import written_channels
from otel_mas.model import EXCEPTION_EVENT, STATE_EVENT, Event, Span, StatusCode
from otel_mas.model.message_text import text_of
from otel_mas.semconv import LinkKind, RecordKind, TaskOutcome, record_kind
from otel_mas.semconv import attributes as names

_MOST_CONVERSATIONS, _MOST_TRACES = 256, 4096
APP, PERSON = "the app", "a person"
_INPUT, _OUTPUT = "input", "output"
_LINKED = {LinkKind.SEND: EntryKind.SEND, LinkKind.HANDOFF: EntryKind.HANDOFF, LinkKind.RETRY: EntryKind.RETRY}
_NO_EVENTS = frozenset({EXCEPTION_EVENT, STATE_EVENT})
"""Events of what has entries of its own."""

_Entries = Iterator[Entry]


class EntryMaker:
    """Makes the entries of spans whose starts and ends come in causal order.

    Args:
        full: prompts have all their messages, not only those that are new to the reader.
    """

    def __init__(self, *, full: bool = False) -> None:
        self._full = full
        self._conversations: dict[tuple[str, str], Readers] = {}
        self._threads: dict[str, str] = {}
        self._open: dict[tuple[str, str | None], Span] = {}
        self._logged: dict[tuple[str, str | None], int] = {}
        self._failed_inside: set[tuple[str, str | None]] = set()
        self._paused_inside: set[tuple[str, str | None]] = set()
        self._tasks: Tasks
        self._contents: SpanContents

    def _readers_of(self, span: Span) -> Readers:
        """Readers of the conversation of a span; those of conversations from long ago are forgotten."""
        thread = self._threads.get(span.trace_id) or span.conversation_id
        if thread is not None and span.trace_id not in self._threads:
            _bound(self._threads, _MOST_TRACES)
            self._threads[span.trace_id] = thread
        scope = span.service, thread or span.trace_id
        readers = self._conversations.pop(scope, None) or Readers()
        _bound(self._conversations, _MOST_CONVERSATIONS)
        self._conversations[scope] = readers
        return readers

    def use(self, tasks: Tasks, contents: SpanContents) -> None:
        """Take names and content of the spans that come next from here."""
        self._tasks, self._contents = tasks, contents

    def start(self, span: Span) -> _Entries:
        """Entries of the start of a span."""
        kind = kind_of(span)
        around = self._open.get((span.trace_id, span.parent_span_id))
        if around is not None:
            yield from self._logs(around, span.start_ns)
        _bound(self._open, _MOST_TRACES)
        self._open[span.trace_id, span.span_id] = span
        yield from self._caused(span)
        if is_run(span):
            yield self._run_start(span)
        make = _STARTS.get(kind)
        if make is not None:
            yield from make(self, span)

    def end(self, span: Span) -> _Entries:
        """Entries of the end of a span."""
        kind = kind_of(span)
        make = _ENDS.get(kind)
        yield from self._events(span)
        yield from self._logs(span)
        self._open.pop((span.trace_id, span.span_id), None)
        self._logged.pop((span.trace_id, span.span_id), None)
        if make is not None:
            yield from make(self, span)
        if span.status == StatusCode.ERROR:
            yield from self._error(span)
        if is_run(span):
            yield self._run_end(span)
        for inside in (self._failed_inside, self._paused_inside):
            inside.discard((span.trace_id, span.span_id))

    # -- starts --------------------------------------------------------------------------------------------------------

    def _caused(self, span: Span) -> _Entries:
        """The hand-off, the `Send` or the failed attempt that made a task run."""
        for cause in self._tasks.causes(span):
            kind = _LINKED.get(LinkKind(cause.kind)) if cause.kind in _KNOWN_LINKS else None
            if kind is EntryKind.SEND and kind_of(span) == RecordKind.RECEIVE:
                kind = None  # has its own entries
            if kind is not None:
                attempt = span.get(names.MAS_TASK_ATTEMPT) if kind is EntryKind.RETRY else None
                yield self._entry(
                    kind,
                    span,
                    sender=cause.label,
                    receiver=self._tasks.task(span),
                    provenance=cause.provenance,
                    outcome=None if attempt is None else f"attempt {attempt}",
                )

    def _run_start(self, span: Span) -> Entry:
        channels = written_channels(span)
        text = self._contents.state(span)
        return self._entry(
            EntryKind.RUN_START,
            span,
            text,
            sender=APP,
            receiver=self._tasks.task(span),
            channels=channels,
            digests=tuple(span.get(names.MAS_STATE_DIGESTS) or ()),
        )

    def _prompt(self, span: Span) -> _Entries:
        digests = self._contents.digests(span, _INPUT)
        is_task = kind_of(span) == RecordKind.AGENT_TASK
        new = self._readers_of(span).read(self._reader(span), digests)
        if is_task and not new:
            return
        shown = digests if self._full else [digests[position] for position in new]
        text = self._contents.messages(span, shown, roles=True) if digests else Text(None, NOT_KEPT)
        writers = [self._readers_of(span).writer(digest) or self._contents.role(digest) or APP for digest in shown]
        yield self._entry(
            EntryKind.PROMPT,
            span,
            text,
            sender=", ".join(dict.fromkeys(writers)) or None,
            receiver=self._tasks.task(span),
            digests=tuple(shown),
            known_messages=len(digests) - len(shown),
        )

    def _tool_call(self, span: Span) -> _Entries:
        text = self._contents.value(span, names.GEN_AI_TOOL_CALL_ARGUMENTS)
        yield self._entry(EntryKind.TOOL_CALL, span, text, sender=self._tasks.task(span), receiver=_tool(span))

    def _message(self, kind: EntryKind) -> Callable[[Span], _Entries]:
        def entries(span: Span) -> _Entries:
            peer, task = span.get(names.MAS_MESSAGE_PEER), self._tasks.task(span)
            sender, receiver = (task, peer) if kind is EntryKind.SEND else (peer, task)
            digests = self._contents.digests(span, _OUTPUT) or self._contents.digests(span, _INPUT)
            text = self._contents.messages(span, digests, roles=False) if digests else Text(None, NOT_KEPT)
            if kind is EntryKind.SEND:
                self._readers_of(span).write(self._reader(span), task, digests)
            yield self._entry(kind, span, text, sender=sender, receiver=receiver, digests=tuple(digests))

        return entries

    # -- ends ----------------------------------------------------------------------------------------------------------

    def _answer(self, span: Span) -> _Entries:
        digests, task = self._contents.digests(span, _OUTPUT), self._tasks.task(span)
        if not digests and span.status == StatusCode.ERROR:
            return
        self._readers_of(span).write(self._reader(span), task, digests)
        text = self._contents.messages(span, digests, roles=False) if digests else Text(None, NOT_KEPT)
        columns = span.columns
        yield self._entry(
            EntryKind.ANSWER,
            span,
            text,
            sender=task,
            digests=tuple(digests),
            duration_ns=span.duration_ns,
            input_tokens=columns.get(names.GEN_AI_USAGE_INPUT_TOKENS),
            output_tokens=columns.get(names.GEN_AI_USAGE_OUTPUT_TOKENS),
            cost_usd=columns.get(names.MAS_COST_USD),
        )

    def _tool_result(self, span: Span) -> _Entries:
        digests = self._contents.digests(span, _OUTPUT)
        self._readers_of(span).write(("tool", _tool(span)), _tool(span), digests)
        if span.status == StatusCode.ERROR:
            return
        text = self._contents.value(span, names.GEN_AI_TOOL_CALL_RESULT)
        if text.text is None and digests:
            text = self._contents.messages(span, digests, roles=False)
        yield self._entry(
            EntryKind.TOOL_RESULT,
            span,
            text,
            sender=_tool(span),
            receiver=self._tasks.task(span),
            digests=tuple(digests),
            duration_ns=span.duration_ns,
        )

    def _task_end(self, span: Span) -> _Entries:
        task = self._tasks.task(span)
        digests = [one for one in self._contents.digests(span, _OUTPUT) if self._readers_of(span).writer(one) is None]
        if digests:
            self._readers_of(span).write(self._reader(span), task, digests)
            text = self._contents.messages(span, digests, roles=False)
            yield self._entry(EntryKind.ANSWER, span, text, sender=task, digests=tuple(digests))
        yield from self._state(span)
        yield from self._questions(span)

    def _state(self, span: Span) -> _Entries:
        channels = written_channels(span)
        if channels and not is_run(span):
            digests = tuple(span.get(names.MAS_STATE_DIGESTS) or ())
            text, task = self._contents.state(span), self._tasks.task(span)
            yield self._entry(EntryKind.STATE, span, text, sender=task, channels=channels, digests=digests)

    def _questions(self, span: Span) -> _Entries:
        """The question of a task that paused; those around it pause with it, and ask nothing."""
        if span.columns.get(names.MAS_TASK_OUTCOME) != TaskOutcome.INTERRUPTED:
            return
        self._paused_inside.add((span.trace_id, span.parent_span_id))
        if (span.trace_id, span.span_id) in self._paused_inside:
            return
        text = self._contents.value(span, names.MAS_INTERRUPT_VALUES, listed=True)
        yield self._entry(EntryKind.QUESTION, span, text, sender=self._tasks.task(span), receiver=PERSON)

    def _human_input(self, span: Span) -> _Entries:
        text = self._contents.value(span, names.MAS_RESUME_VALUES)
        yield self._entry(EntryKind.HUMAN_INPUT, span, text, sender=PERSON, receiver=self._tasks.task(span))

    def _route(self, span: Span) -> _Entries:
        choice = tuple(str(one) for one in span.get(names.MAS_ROUTING_CHOICE) or ())
        yield self._entry(
            EntryKind.ROUTE,
            span,
            self._contents.reason(span),
            sender=self._tasks.task(span),
            receiver=", ".join(choice) or None,
            outcome=", ".join(choice) or None,
        )

    def _guardrail(self, span: Span) -> _Entries:
        yield self._judged(EntryKind.GUARDRAIL, span, names.MAS_GUARDRAIL_NAME, span.get(names.MAS_GUARDRAIL_VERDICT))

    def _evaluation(self, span: Span) -> _Entries:
        label = span.get(names.GEN_AI_EVALUATION_SCORE_LABEL)
        score = span.get(names.GEN_AI_EVALUATION_SCORE_VALUE)
        yield self._judged(EntryKind.EVALUATION, span, names.GEN_AI_EVALUATION_NAME, score if label is None else label)

    def _judged(self, kind: EntryKind, span: Span, name: str, outcome: Any) -> Entry:
        return self._entry(
            kind,
            span,
            self._contents.reason(span),
            sender=str(span.get(name) or span.name),
            receiver=self._tasks.task(span),
            outcome=None if outcome is None else f"{outcome:g}" if isinstance(outcome, float) else str(outcome),
        )

    def _retrieval(self, span: Span) -> _Entries:
        query = self._contents.value(span, names.GEN_AI_RETRIEVAL_QUERY_TEXT)
        documents = self._contents.value(span, names.GEN_AI_RETRIEVAL_DOCUMENTS, listed=True)
        text = "\n".join(part for part in (query.text, documents.text) if part is not None)
        source = span.get(names.GEN_AI_DATA_SOURCE_ID) or span.name
        yield self._entry(
            EntryKind.RETRIEVAL,
            span,
            Text(text or None, query.missing or documents.missing),
            sender=self._tasks.task(span),
            receiver=str(source),
            duration_ns=span.duration_ns,
        )

    def _events(self, span: Span) -> _Entries:
        """Events of the app. It has none inside of a model call, of which others record their messages as events."""
        if kind_of(span) == RecordKind.LLM_CALL:
            return
        for event in span.events:
            if event.name not in _NO_EVENTS:
                yield self._entry(EntryKind.EVENT, span, _event_text(event), at_ns=event.time_ns, outcome=event.name)

    def _logs(self, span: Span, until_ns: int | None = None) -> _Entries:
        """Log records of a span that have no entry yet; before a span inside of it, those from before its start."""
        key = span.trace_id, span.span_id
        for number, record in enumerate(self._contents.logs(span)):
            if number < self._logged.get(key, 0):
                continue
            if until_ns is not None and record.time_ns > until_ns:
                return
            self._logged[key] = number + 1
            failed = (record.exception_type, record.exception_message)
            error = ": ".join(part for part in failed if part)
            yield self._entry(
                EntryKind.LOG,
                span,
                Text("\n".join(filter(None, (record.message, error)))),
                at_ns=record.time_ns,
                sender=record.logger or None,
                outcome=record.severity or None,
            )

    def _error(self, span: Span) -> _Entries:
        """An error where it happened, not where it passed through."""
        self._failed_inside.add((span.trace_id, span.parent_span_id))
        if span.columns.get(names.MAS_ERROR_SPAN) or (span.trace_id, span.span_id) in self._failed_inside:
            return
        yield self._entry(
            EntryKind.ERROR,
            span,
            self._contents.error_message(span),
            sender=self._tasks.task(span),
            outcome=str(span.columns.get(names.ERROR_TYPE) or "error"),
            duration_ns=span.duration_ns,
        )

    def _run_end(self, span: Span) -> Entry:
        outcome = span.columns.get(names.MAS_RUN_OUTCOME) or ("error" if span.status == StatusCode.ERROR else "ok")
        return self._entry(
            EntryKind.RUN_END,
            span,
            sender=self._tasks.task(span),
            receiver=APP,
            outcome=str(outcome),
            duration_ns=span.duration_ns,
        )

    # -- both ----------------------------------------------------------------------------------------------------------

    def _entry(
        self, kind: EntryKind, span: Span, text: Text = NOTHING, *, at_ns: int | None = None, **fields: Any
    ) -> Entry:
        at = span.start_ns if kind in _AT_START or span.end_ns is None else span.end_ns
        return Entry(
            kind,
            at if at_ns is None else at_ns,
            span.trace_id,
            span.span_id,
            self._tasks.task(span),
            self._tasks.agent(span),
            tool=_tool(span) if kind_of(span) == RecordKind.TOOL_CALL else None,
            model=_model(span),
            text=text.text,
            missing=text.missing,
            **fields,
        )

    def _reader(self, span: Span) -> Reader:
        """The agent, or the task by its path without numbers."""
        name = self._tasks.agent(span)
        if name is None:
            name = "/".join(part.rpartition("#")[0] or part for part in self._tasks.task(span).split("/"))
        return name


def _bound(known: dict[Any, Any], most: int) -> None:
    """Make room for one more in a dictionary that keeps so many, the newest."""
    if len(known) >= most:
        del known[next(iter(known))]


def kind_of(span: Span) -> str | None:
    """The record kind of a span; of one by other instrumentation by its operation."""
    return span.record_kind or record_kind(str(span.columns.get(names.GEN_AI_OPERATION_NAME)))


def is_run(span: Span) -> bool:
    """Whether a span is one invocation of a workflow, or an agent that the app called."""
    return kind_of(span) == RecordKind.WORKFLOW or span.columns.get(names.MAS_RUN_OUTCOME) is not None


def _tool(span: Span) -> str:
    return str(span.columns.get(names.GEN_AI_TOOL_NAME) or span.name)


def _model(span: Span) -> str | None:
    model = span.columns.get(names.GEN_AI_RESPONSE_MODEL) or span.columns.get(names.GEN_AI_REQUEST_MODEL)
    return None if model is None else str(model)


def _event_text(event: Event) -> Text:
    lines = [f"{name}: {text_of(value)}" for name, value in event.attributes.items()]
    return Text("\n".join(lines) or None)


_KNOWN_LINKS = frozenset(kind.value for kind in LinkKind)
_AT_START = frozenset(
    {
        EntryKind.RUN_START,
        EntryKind.PROMPT,
        EntryKind.TOOL_CALL,
        EntryKind.HANDOFF,
        EntryKind.SEND,
        EntryKind.RECEIVE,
        EntryKind.RETRY,
        EntryKind.HUMAN_INPUT,
    }
)
_STARTS: Mapping[str | None, Callable[[EntryMaker, Span], _Entries]] = {
    RecordKind.AGENT_TASK: EntryMaker._prompt,
    RecordKind.LLM_CALL: EntryMaker._prompt,
    RecordKind.TOOL_CALL: EntryMaker._tool_call,
    RecordKind.SEND: lambda maker, span: maker._message(EntryKind.SEND)(span),
    RecordKind.RECEIVE: lambda maker, span: maker._message(EntryKind.RECEIVE)(span),
}
_ENDS: Mapping[str | None, Callable[[EntryMaker, Span], _Entries]] = {
    RecordKind.AGENT_TASK: EntryMaker._task_end,
    RecordKind.LLM_CALL: EntryMaker._answer,
    RecordKind.TOOL_CALL: EntryMaker._tool_result,
    RecordKind.RETRIEVAL: EntryMaker._retrieval,
    RecordKind.ROUTING_DECISION: EntryMaker._route,
    RecordKind.GUARDRAIL: EntryMaker._guardrail,
    RecordKind.EVALUATION: EntryMaker._evaluation,
    RecordKind.HUMAN_INPUT: EntryMaker._human_input,
}

__all__ = ["APP", "PERSON", "EntryMaker", "is_run", "kind_of"]
