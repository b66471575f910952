"""Entries of the start and of the end of a span."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from otel_mas.analyse.log.content import NOT_KEPT, NOTHING, SpanContents, Text
from otel_mas.analyse.log.entry import Entry, EntryKind
from otel_mas.analyse.log.readers import Readers
from otel_mas.analyse.log.subject import Subject
from otel_mas.analyse.log.tasks import Tasks
from otel_mas.analyse.state.values import written_channels
from otel_mas.causal.references import texts
from otel_mas.model import EXCEPTION_EVENT, STATE_EVENT, Event, Span, StatusCode
from otel_mas.model.message_text import text_of
from otel_mas.semconv import LinkKind, RecordKind, TaskOutcome
from otel_mas.semconv import attributes as names

_MOST_CONVERSATIONS, _MOST_TRACES = 256, 4096
APP, PERSON = "the app", "a person"
_INPUT, _OUTPUT = "input", "output"
_LINKED: Mapping[str, EntryKind] = {
    LinkKind.SEND: EntryKind.SEND,
    LinkKind.HANDOFF: EntryKind.HANDOFF,
    LinkKind.RETRY: EntryKind.RETRY,
}
_NO_EVENTS = frozenset({EXCEPTION_EVENT, STATE_EVENT})
"""Events of what has entries of its own."""

_Entries = Iterator[Entry]
_Key = tuple[str, str | None]
"""Ids of a trace and of a span in it."""


class EntryMaker:
    """Makes the entries of spans whose starts and ends come in causal order.

    Args:
        full: prompts have all their messages, not only those that are new to the reader.
    """

    def __init__(self, *, full: bool = False) -> None:
        self._full = full
        self._conversations: dict[tuple[str, str], Readers] = {}
        self._threads: dict[str, str] = {}
        self._open: dict[_Key, Subject] = {}
        self._logged: dict[_Key, int] = {}
        self._failed_inside: set[_Key] = set()
        self._paused_inside: set[_Key] = set()
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
        subject = Subject.of(span, self._tasks)
        around = self._open.get((span.trace_id, span.parent_span_id))
        if around is not None:
            yield from self._logs(around, span.start_ns)
        _bound(self._open, _MOST_TRACES)
        self._open[subject.key] = subject
        yield from self._caused(subject)
        if subject.is_run:
            yield self._run_start(subject)
        make = _STARTS.get(subject.kind)
        if make is not None:
            yield from make(self, subject)

    def end(self, span: Span) -> _Entries:
        """Entries of the end of a span."""
        subject = self._open.pop((span.trace_id, span.span_id), None)
        if subject is None or subject.span is not span:  # an ended span says more than it did while it was open
            subject = Subject.of(span, self._tasks)
        yield from self._events(subject)
        yield from self._logs(subject)
        self._logged.pop(subject.key, None)
        make = _ENDS.get(subject.kind)
        if make is not None:
            yield from make(self, subject)
        if span.status == StatusCode.ERROR:
            yield from self._error(subject)
        if subject.is_run:
            yield self._run_end(subject)
        self._failed_inside.discard(subject.key)
        self._paused_inside.discard(subject.key)

    # -- starts --------------------------------------------------------------------------------------------------------

    def _caused(self, subject: Subject) -> _Entries:
        """The hand-off, the `Send` or the failed attempt that made a task run."""
        for cause in self._tasks.causes(subject.span):
            kind = _LINKED.get(cause.kind)
            if kind is EntryKind.SEND and subject.kind == RecordKind.RECEIVE:
                kind = None  # has its own entries
            if kind is not None:
                attempt = subject.span.get(names.MAS_TASK_ATTEMPT) if kind is EntryKind.RETRY else None
                yield _entry(
                    kind,
                    subject,
                    sender=cause.label,
                    receiver=subject.task,
                    provenance=cause.provenance,
                    outcome=None if attempt is None else f"attempt {attempt}",
                )

    def _run_start(self, subject: Subject) -> Entry:
        span = subject.span
        return _entry(
            EntryKind.RUN_START,
            subject,
            self._contents.state(span),
            sender=APP,
            receiver=subject.task,
            channels=written_channels(span),
            digests=tuple(texts(span.get(names.MAS_STATE_DIGESTS))),
        )

    def _prompt(self, subject: Subject) -> _Entries:
        digests, readers = self._contents.digests(subject.span, _INPUT), self._readers_of(subject.span)
        new = readers.read(subject.reader, digests)
        if subject.kind == RecordKind.AGENT_TASK and not new:
            return
        shown = digests if self._full else [digests[position] for position in new]
        text = self._contents.messages(subject.span, shown, roles=True) if digests else Text(None, NOT_KEPT)
        writers = [readers.writer(digest) or self._contents.role(digest) or APP for digest in shown]
        yield _entry(
            EntryKind.PROMPT,
            subject,
            text,
            sender=", ".join(dict.fromkeys(writers)) or None,
            receiver=subject.task,
            digests=tuple(shown),
            known_messages=len(digests) - len(shown),
        )

    def _tool_call(self, subject: Subject) -> _Entries:
        text = self._contents.value(subject.span, names.GEN_AI_TOOL_CALL_ARGUMENTS)
        yield _entry(EntryKind.TOOL_CALL, subject, text, sender=subject.task, receiver=subject.tool)

    def _send(self, subject: Subject) -> _Entries:
        digests = self._passed(subject)
        self._readers_of(subject.span).write(subject.reader, subject.task, digests)
        yield self._message(EntryKind.SEND, subject, digests, sender=subject.task, receiver=_peer(subject))

    def _receive(self, subject: Subject) -> _Entries:
        yield self._message(
            EntryKind.RECEIVE, subject, self._passed(subject), sender=_peer(subject), receiver=subject.task
        )

    def _passed(self, subject: Subject) -> Sequence[str]:
        """Digests of the messages that one agent sends to another."""
        return self._contents.digests(subject.span, _OUTPUT) or self._contents.digests(subject.span, _INPUT)

    def _message(self, kind: EntryKind, subject: Subject, digests: Sequence[str], **parties: Any) -> Entry:
        text = self._contents.messages(subject.span, digests, roles=False) if digests else Text(None, NOT_KEPT)
        return _entry(kind, subject, text, digests=tuple(digests), **parties)

    # -- ends ----------------------------------------------------------------------------------------------------------

    def _answer(self, subject: Subject) -> _Entries:
        span = subject.span
        digests = self._contents.digests(span, _OUTPUT)
        if not digests and span.status == StatusCode.ERROR:
            return
        self._readers_of(span).write(subject.reader, subject.task, digests)
        text = self._contents.messages(span, digests, roles=False) if digests else Text(None, NOT_KEPT)
        columns = span.columns
        yield _entry(
            EntryKind.ANSWER,
            subject,
            text,
            sender=subject.task,
            digests=tuple(digests),
            duration_ns=span.duration_ns,
            input_tokens=columns.get(names.GEN_AI_USAGE_INPUT_TOKENS),
            output_tokens=columns.get(names.GEN_AI_USAGE_OUTPUT_TOKENS),
            cost_usd=columns.get(names.MAS_COST_USD),
        )

    def _tool_result(self, subject: Subject) -> _Entries:
        span, tool = subject.span, subject.tool
        digests = self._contents.digests(span, _OUTPUT)
        self._readers_of(span).write(("tool", tool), tool, digests)
        if span.status == StatusCode.ERROR:
            return
        text = self._contents.value(span, names.GEN_AI_TOOL_CALL_RESULT)
        if text.text is None and digests:
            text = self._contents.messages(span, digests, roles=False)
        yield _entry(
            EntryKind.TOOL_RESULT,
            subject,
            text,
            sender=tool,
            receiver=subject.task,
            digests=tuple(digests),
            duration_ns=span.duration_ns,
        )

    def _task_end(self, subject: Subject) -> _Entries:
        readers = self._readers_of(subject.span)
        written = self._contents.digests(subject.span, _OUTPUT)
        digests = [digest for digest in written if readers.writer(digest) is None]
        if digests:
            readers.write(subject.reader, subject.task, digests)
            text = self._contents.messages(subject.span, digests, roles=False)
            yield _entry(EntryKind.ANSWER, subject, text, sender=subject.task, digests=tuple(digests))
        yield from self._state(subject)
        yield from self._questions(subject)

    def _state(self, subject: Subject) -> _Entries:
        channels = written_channels(subject.span)
        if channels and not subject.is_run:
            digests = tuple(texts(subject.span.get(names.MAS_STATE_DIGESTS)))
            text = self._contents.state(subject.span)
            yield _entry(EntryKind.STATE, subject, text, sender=subject.task, channels=channels, digests=digests)

    def _questions(self, subject: Subject) -> _Entries:
        """The question of a task that paused; those around it pause with it, and ask nothing."""
        span = subject.span
        if span.columns.get(names.MAS_TASK_OUTCOME) != TaskOutcome.INTERRUPTED:
            return
        self._paused_inside.add((span.trace_id, span.parent_span_id))
        if subject.key in self._paused_inside:
            return
        text = self._contents.value(span, names.MAS_INTERRUPT_VALUES, listed=True)
        yield _entry(EntryKind.QUESTION, subject, text, sender=subject.task, receiver=PERSON)

    def _human_input(self, subject: Subject) -> _Entries:
        text = self._contents.value(subject.span, names.MAS_RESUME_VALUES)
        yield _entry(EntryKind.HUMAN_INPUT, subject, text, sender=PERSON, receiver=subject.task)

    def _route(self, subject: Subject) -> _Entries:
        choice = tuple(texts(subject.span.get(names.MAS_ROUTING_CHOICE)))
        yield _entry(
            EntryKind.ROUTE,
            subject,
            self._contents.reason(subject.span),
            sender=subject.task,
            receiver=", ".join(choice) or None,
            outcome=", ".join(choice) or None,
        )

    def _guardrail(self, subject: Subject) -> _Entries:
        verdict = subject.span.get(names.MAS_GUARDRAIL_VERDICT)
        yield self._judged(EntryKind.GUARDRAIL, subject, names.MAS_GUARDRAIL_NAME, verdict)

    def _evaluation(self, subject: Subject) -> _Entries:
        label = subject.span.get(names.GEN_AI_EVALUATION_SCORE_LABEL)
        score = subject.span.get(names.GEN_AI_EVALUATION_SCORE_VALUE)
        outcome = score if label is None else label
        yield self._judged(EntryKind.EVALUATION, subject, names.GEN_AI_EVALUATION_NAME, outcome)

    def _judged(self, kind: EntryKind, subject: Subject, name: str, outcome: Any) -> Entry:
        return _entry(
            kind,
            subject,
            self._contents.reason(subject.span),
            sender=str(subject.span.get(name) or subject.span.name),
            receiver=subject.task,
            outcome=None if outcome is None else f"{outcome:g}" if isinstance(outcome, float) else str(outcome),
        )

    def _retrieval(self, subject: Subject) -> _Entries:
        span = subject.span
        query = self._contents.value(span, names.GEN_AI_RETRIEVAL_QUERY_TEXT)
        documents = self._contents.value(span, names.GEN_AI_RETRIEVAL_DOCUMENTS, listed=True)
        text = "\n".join(part for part in (query.text, documents.text) if part is not None)
        source = span.get(names.GEN_AI_DATA_SOURCE_ID) or span.name
        yield _entry(
            EntryKind.RETRIEVAL,
            subject,
            Text(text or None, query.missing or documents.missing),
            sender=subject.task,
            receiver=str(source),
            duration_ns=span.duration_ns,
        )

    def _events(self, subject: Subject) -> _Entries:
        """Events of the app. It has none inside of a model call, of which others record their messages as events."""
        if subject.kind == RecordKind.LLM_CALL:
            return
        for event in subject.span.events:
            if event.name not in _NO_EVENTS:
                text = _event_text(event)
                yield _entry(EntryKind.EVENT, subject, text, at_ns=event.time_ns, outcome=event.name)

    def _logs(self, subject: Subject, until_ns: int | None = None) -> _Entries:
        """Log records of a span that have no entry yet; before a span inside of it, those from before its start."""
        records = self._contents.logs(subject.span)
        for number in range(self._logged.get(subject.key, 0), len(records)):
            record = records[number]
            if until_ns is not None and record.time_ns > until_ns:
                return
            self._logged[subject.key] = number + 1
            failed = (record.exception_type, record.exception_message)
            error = ": ".join(part for part in failed if part)
            yield _entry(
                EntryKind.LOG,
                subject,
                Text("\n".join(filter(None, (record.message, error)))),
                at_ns=record.time_ns,
                sender=record.logger or None,
                outcome=record.severity or None,
            )

    def _error(self, subject: Subject) -> _Entries:
        """An error where it happened, not where it passed through."""
        span = subject.span
        self._failed_inside.add((span.trace_id, span.parent_span_id))
        if span.columns.get(names.MAS_ERROR_SPAN) or subject.key in self._failed_inside:
            return
        yield _entry(
            EntryKind.ERROR,
            subject,
            self._contents.error_message(span),
            sender=subject.task,
            outcome=str(span.columns.get(names.ERROR_TYPE) or "error"),
            duration_ns=span.duration_ns,
        )

    def _run_end(self, subject: Subject) -> Entry:
        span = subject.span
        outcome = span.columns.get(names.MAS_RUN_OUTCOME) or ("error" if span.status == StatusCode.ERROR else "ok")
        return _entry(
            EntryKind.RUN_END,
            subject,
            sender=subject.task,
            receiver=APP,
            outcome=str(outcome),
            duration_ns=span.duration_ns,
        )


def _entry(
    kind: EntryKind, subject: Subject, text: Text = NOTHING, *, at_ns: int | None = None, **fields: Any
) -> Entry:
    span = subject.span
    at = span.start_ns if kind in _AT_START or span.end_ns is None else span.end_ns
    return Entry(
        kind,
        at if at_ns is None else at_ns,
        span.trace_id,
        span.span_id,
        subject.task,
        subject.agent,
        tool=subject.tool if subject.kind == RecordKind.TOOL_CALL else None,
        model=subject.model,
        text=text.text,
        missing=text.missing,
        **fields,
    )


def _bound(known: dict[Any, Any], most: int) -> None:
    """Make room for one more in a dictionary that keeps so many, the newest."""
    if len(known) >= most:
        del known[next(iter(known))]


def _peer(subject: Subject) -> Any:
    return subject.span.get(names.MAS_MESSAGE_PEER)


def _event_text(event: Event) -> Text:
    lines = [f"{name}: {text_of(value)}" for name, value in event.attributes.items()]
    return Text("\n".join(lines) or None)


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
_STARTS: Mapping[str | None, Callable[[EntryMaker, Subject], _Entries]] = {
    RecordKind.AGENT_TASK: EntryMaker._prompt,
    RecordKind.LLM_CALL: EntryMaker._prompt,
    RecordKind.TOOL_CALL: EntryMaker._tool_call,
    RecordKind.SEND: EntryMaker._send,
    RecordKind.RECEIVE: EntryMaker._receive,
}
_ENDS: Mapping[str | None, Callable[[EntryMaker, Subject], _Entries]] = {
    RecordKind.AGENT_TASK: EntryMaker._task_end,
    RecordKind.LLM_CALL: EntryMaker._answer,
    RecordKind.TOOL_CALL: EntryMaker._tool_result,
    RecordKind.RETRIEVAL: EntryMaker._retrieval,
    RecordKind.ROUTING_DECISION: EntryMaker._route,
    RecordKind.GUARDRAIL: EntryMaker._guardrail,
    RecordKind.EVALUATION: EntryMaker._evaluation,
    RecordKind.HUMAN_INPUT: EntryMaker._human_input,
}

__all__ = ["APP", "PERSON", "EntryMaker"]
