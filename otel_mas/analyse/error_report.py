"""Error reports: what failed, where and with what, what led there, what ran beside it, and on which versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otel_mas.analyse.content import NO_CONTENT, RunContent
from otel_mas.analyse.failures import ErrorOutcome, error_outcomes
from otel_mas.analyse.state import StateSnapshot, state_timeline
from otel_mas.analyse.state.snapshot import read_by
from otel_mas.analyse.topology import GraphScopes
from otel_mas.analyse.traceback_text import ExceptionInStack, exceptions_in, with_source
from otel_mas.causal import CausalGraph, Edge
from otel_mas.model import Span, StatusCode
from otel_mas.model.message_text import text_of, withheld, written
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, RecordKind, TaskOutcome

_MOST_CAUSES = 30
_MOST_MESSAGES = 6
_INPUTS = (
    names.GEN_AI_TOOL_CALL_ARGUMENTS,
    names.GEN_AI_RETRIEVAL_QUERY_TEXT,
    names.GEN_AI_SYSTEM_INSTRUCTIONS,
)
_ENVIRONMENT = {
    "service": names.SERVICE_NAME,
    "service version": names.SERVICE_VERSION,
    "python": names.PROCESS_RUNTIME_VERSION,
    "implementation": names.PROCESS_RUNTIME_NAME,
    "system": names.OS_TYPE,
    "opentelemetry-sdk": names.TELEMETRY_SDK_VERSION,
}
_NOT_KEPT = "it was not kept (OTEL_MAS_CONTENT=none), or the source has no content"
_CONTROL = frozenset(kind.value for kind in LinkKind if kind is not LinkKind.MESSAGE)


@dataclass(frozen=True, slots=True)
class Led:
    """A task on the way to the one that failed. `kind` is how it caused the next one; `decision` what it chose, why."""

    span: Span
    task: str
    kind: str
    provenance: str
    decision: str | None


@dataclass(frozen=True, slots=True)
class Sibling:
    """A task of its step, or of the step of a task around it. `outcome` is a `TaskOutcome`; None: it has not ended."""

    span: Span
    task: str
    outcome: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Raised:
    """An error around the one that the report is about, raised because of it: in a span around its own."""

    span: Span
    task: str
    type: str
    message: str | None


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """All that is known of one error. It stands under the span in which it happened; others it only passed through."""

    span: Span
    task: str
    """Label of the task; of a span inside one with its name."""
    type: str
    message: str | None
    stack: str | None
    """As recorded when it happened, with source lines."""
    exceptions: tuple[ExceptionInStack, ...]
    """The exceptions of the stack: causes first."""
    missing: str | None
    """Why message and stack are not there; None where they are."""
    outcome: ErrorOutcome
    handled_by: tuple[str, ...]
    """Labels of the tasks that dealt with it: its error handler, or the one around it that went on."""
    raised: tuple[Raised, ...]
    attempts: tuple[Span, ...]
    """Earlier attempts of the same task that failed alike."""
    ids: Mapping[str, str]
    inputs: tuple[tuple[str, str], ...]
    """Name and text: arguments, a query, the newest messages that it was given."""
    state: StateSnapshot | None
    """The state that its task read."""
    causes: tuple[Led, ...]
    """From the start of the run to the task."""
    siblings: tuple[Sibling, ...]
    environment: Mapping[str, str]


def error_reports(causal: CausalGraph, content: RunContent = NO_CONTENT) -> tuple[ErrorReport, ...]:
    """Return a report for each error, those that ended a run first. An error is one error, however far it went up.

    Args:
        causal: the graph of a trace or a conversation.
        content: messages, stacks and values; without it the structure alone is told.
    """
    return tuple(_Reports(causal, content).made())


class _Reports:
    def __init__(self, causal: CausalGraph, content: RunContent) -> None:
        self._causal = causal
        self._content = content
        self._scopes = GraphScopes(causal)
        self._spans = self._scopes.spans
        self._labels = causal.labels()
        self._short = causal.short_labels()

    def made(self) -> Iterator[ErrorReport]:
        outcomes = error_outcomes(self._causal.spans)
        if not outcomes:
            return
        self._timeline = state_timeline(self._causal, self._content)
        alike: dict[object, list[Span]] = {}
        unrelated = [span for span in self._causal.spans if self._is_unrelated(span, outcomes)]
        for span in [*(self._spans[span_id] for _, span_id in outcomes), *unrelated]:
            span_id = span.span_id
            task = self._task(span)
            key = (task.task_id, span.name, span.columns.get(names.ERROR_TYPE)) if task is not None else span_id
            alike.setdefault(key, []).append(span)
        for spans in alike.values():
            *earlier, last = sorted(spans, key=lambda span: span.start_ns)
            outcome = outcomes.get((last.trace_id, last.span_id), ErrorOutcome.UNKNOWN)
            yield self._report(last, earlier, outcome)

    def _report(self, span: Span, earlier: Sequence[Span], outcome: ErrorOutcome) -> ErrorReport:
        task = self._task(span)
        stack = self._stack(span)
        reason = withheld(stack)
        text = None if stack is None or reason is not None else text_of(stack)
        message = self._content.error_message(span)
        missing = f"withheld: {reason}" if reason else None if text or message else _NOT_KEPT
        raised = tuple(self._raised(span))
        outcome = self._ended(span, outcome, raised)
        handlers = tuple(self._handlers(span)) if outcome is not ErrorOutcome.ENDED_THE_RUN else ()
        return ErrorReport(
            span=span,
            task=self._label(span),
            type=str(span.get(names.ERROR_TYPE) or "error"),
            message=message,
            stack=text,
            exceptions=with_source(exceptions_in(text), self._content.get(span, names.MAS_ERROR_SOURCE))
            if text
            else (),
            missing=missing,
            outcome=ErrorOutcome.HANDLED if handlers else outcome,
            handled_by=handlers,
            raised=raised,
            attempts=tuple(earlier),
            ids=_ids(span, task),
            inputs=tuple(self._inputs(span, task)),
            state=None if task is None or task.task_id is None else read_by(self._timeline, task),
            causes=tuple(reversed(list(self._led(task)))) if task is not None else (),
            siblings=tuple(self._siblings(task)) if task is not None else (),
            environment=_environment(span),
        )

    # -- places --------------------------------------------------------------------------------------------------------

    def _task(self, span: Span) -> Span | None:
        """The task that a span is or lies in."""
        return next((one for one in self._upwards(span) if one.task_id is not None), None)

    def _upwards(self, span: Span) -> Iterator[Span]:
        one: Span | None = span
        seen: set[str] = set()
        while one is not None and one.span_id not in seen:
            seen.add(one.span_id)
            yield one
            one = self._scopes.parent(one)

    def _label(self, span: Span) -> str:
        task = self._task(span)
        if task is None:
            return span.workflow or span.name
        label = self._labels.get(task.span_id, task.name)
        return label if task is span else f"{label} › {span.name}"

    def _stack(self, span: Span) -> Any:
        """The stack as recorded: beside the span, else on its event; text, or why it was withheld."""
        kept = self._content.of(span).get(names.EXCEPTION_STACKTRACE)
        events = [
            event.attributes.get(names.EXCEPTION_STACKTRACE) for event in span.events if event.name == "exception"
        ]
        return kept or next(filter(None, reversed(events)), None)

    def _handlers(self, span: Span) -> Iterator[str]:
        """The error handlers of the tasks that an error passed through; else the task around that ended well."""
        for one in self._upwards(span):
            for edge in self._causal.effects_of(one.span_id):
                if edge.kind == LinkKind.ERROR_HANDLER and edge.effect in self._spans:
                    yield self._label(self._spans[edge.effect])
        for one in self._upwards(span):
            if one is not span and one.columns.get(names.MAS_TASK_OUTCOME) == TaskOutcome.OK:
                yield self._label(one)
                return

    def _raised(self, span: Span) -> Iterator[Raised]:
        """Errors of their own in the spans around: exceptions raised from this one, or while it was handled."""
        for one in self._upwards(span):
            if one is not span and self._has_own_error(one) and self._follows(one, span):
                kind = str(one.get(names.ERROR_TYPE) or "error")
                if kind != span.get(names.ERROR_TYPE) or not one.is_foreign:
                    yield Raised(one, self._label(one), kind, self._content.error_message(one))

    def _has_own_error(self, span: Span) -> bool:
        return span.status == StatusCode.ERROR and not span.columns.get(names.MAS_ERROR_SPAN)

    def _follows(self, outer: Span, inner: Span) -> bool:
        """Whether the stack of an error has the type of another one; taken for granted where there is no stack."""
        stack = self._stack(outer)
        types = {_class(one.type) for one in exceptions_in(stack)} if isinstance(stack, str) else set()
        return not types or _class(str(inner.get(names.ERROR_TYPE) or "")) in types

    def _is_unrelated(self, span: Span, outcomes: Mapping[tuple[str, str], ErrorOutcome]) -> bool:
        """Whether an error is one of its own, though spans inside of it failed as well."""
        if not self._has_own_error(span) or (span.trace_id, span.span_id) in outcomes:
            return False
        inside = [one for one in self._causal.children_of(span.span_id) if self._has_own_error(one)]
        return bool(inside) and not any(self._follows(span, one) for one in inside)

    def _ended(self, span: Span, outcome: ErrorOutcome, raised: Sequence[Raised]) -> ErrorOutcome:
        """The outcome of an error; one that another was raised from ended the run where that did."""
        outermost = list(self._upwards(span))[-1]
        origin = str(outermost.columns.get(names.MAS_ERROR_SPAN) or "").rpartition("-")[2]
        ends = {span.span_id, *(one.span.span_id for one in raised)}
        return ErrorOutcome.ENDED_THE_RUN if origin in ends or outermost.span_id in ends else outcome

    # -- what it had, and what led there -------------------------------------------------------------------------------

    def _inputs(self, span: Span, task: Span | None) -> Iterator[tuple[str, str]]:
        for name in _INPUTS:
            value = self._content.get(span, name)
            if value is not None:
                reason = withheld(value)
                yield name, f"(withheld: {reason})" if reason is not None else text_of(value)
        for one in dict.fromkeys((span, task)):
            if one is None:
                continue
            read = self._content.messages_of(one, "input")
            for message in read[-_MOST_MESSAGES:]:
                text = "(not kept)" if message.body is None else written(message.body)
                yield (f"message from {message.role}" if message.role else "message"), text
            if read:
                return

    def _led(self, task: Span) -> Iterator[Led]:
        """The tasks on the way back to the start; where several led to one, the last of them to end."""
        seen, effect = {task.span_id}, task
        for _ in range(_MOST_CAUSES):
            edges = [edge for edge in self._causal.causes_of(effect.span_id) if self._is_cause(edge, seen)]
            if edges:
                edge = max(edges, key=lambda edge: self._spans[edge.cause].last_ns)
                cause = self._spans[edge.cause]
                seen.add(cause.span_id)
                yield Led(cause, self._label(cause), edge.kind, edge.provenance, self._decision(cause, effect))
                effect = cause
                continue
            around = self._scopes.around(effect)
            if around is None or around.span_id in seen:
                return
            seen.add(around.span_id)
            yield Led(around, self._label(around), "child", "recorded", None)
            effect = around

    def _is_cause(self, edge: Edge, seen: set[str]) -> bool:
        return edge.kind in _CONTROL and edge.cause in self._spans and edge.cause not in seen

    def _decision(self, cause: Span, effect: Span) -> str | None:
        """The routing decision of a task that chose another one, with its reason."""
        for one in reversed(self._causal.children_of(cause.span_id)):
            choice = one.get(names.MAS_ROUTING_CHOICE) if one.record_kind == RecordKind.ROUTING_DECISION else None
            if choice and effect.task_name in choice:
                reason = self._content.reason(one)
                return f"chose {effect.task_name}" + (f" (“{reason}”)" if reason else "")
        return None

    def _siblings(self, task: Span) -> Iterator[Sibling]:
        """The tasks of its step, and those of the steps of the tasks around it."""
        seen: set[str] = set()
        for one in self._upwards(task):
            if one.task_id is not None and one.task_id not in seen:
                seen.add(one.task_id)
                yield from self._siblings_of(one)

    def _siblings_of(self, task: Span) -> Iterator[Sibling]:
        scope = self._scopes.scope_of(task)
        step = task.columns.get(names.MAS_TASK_STEP)
        for one in scope.tasks if scope is not None else ():
            same = one.columns.get(names.MAS_TASK_STEP) == step and one.trace_id == task.trace_id
            if same and one.task_id != task.task_id:
                outcome = one.columns.get(names.MAS_TASK_OUTCOME)
                error = one.columns.get(names.ERROR_TYPE)
                yield Sibling(one, self._label(one), None if one.end_ns is None else outcome, error)


def _class(type_name: str) -> str:
    return type_name.rpartition(".")[2]


def _ids(span: Span, task: Span | None) -> dict[str, str]:
    found = {"trace": span.trace_id, "span": span.span_id}
    for one in (span, task):
        if one is not None:
            pairs = {
                "conversation": one.conversation_id,
                "task": one.task_id,
                "checkpoint": one.columns.get(names.MAS_CHECKPOINT_ID),
                "tool call": one.get(names.GEN_AI_TOOL_CALL_ID),
                "user": one.get(names.USER_ID),
            }
            found |= {name: str(value) for name, value in pairs.items() if value and name not in found}
    run = span.resource.attributes.get(names.MAS_RUN_ID)
    return found | ({"run": str(run)} if run else {})


def _environment(span: Span) -> dict[str, str]:
    resource = span.resource.attributes
    found = {name: str(resource[key]) for name, key in _ENVIRONMENT.items() if resource.get(key)}
    for package in resource.get(names.MAS_PROCESS_PACKAGES) or ():
        name, _, version = str(package).rpartition(" ")
        found[name] = version
    return found


__all__ = ["ErrorReport", "Led", "Raised", "Sibling", "error_reports"]
