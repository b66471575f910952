"""Calls that failed and were tried again: the same task, model call, tool call or request, one after the other."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from otel_mas.analyse.findings.facts import RunFacts, kind_of, model_name, tool_name
from otel_mas.causal.failed import failed
from otel_mas.model import Span, SpanKind
from otel_mas.semconv import RecordKind

_Key = tuple[Hashable, ...]


@dataclass(slots=True)
class Tries:
    """Tries of one call that failed, each begun after the one before had ended."""

    what: str
    """The name of the task, model, tool or request."""
    failed: list[Span] = field(default_factory=list)
    worked: Span | None = None
    """The try that worked; None where nobody tried again, or that is not recorded."""

    @property
    def lost_ns(self) -> int:
        """Nanoseconds from the first try to the start of the one that worked, else to the end of the last."""
        end = self.failed[-1].last_ns if self.worked is None else self.worked.start_ns
        return max(0, end - self.failed[0].start_ns)


def failed_tries(facts: RunFacts) -> Sequence[Tries]:
    """Tries of each call that failed at least once. For `RunFacts.once`.

    A task is the same by its id; a model call by agent, model and messages; a tool call by agent, tool and arguments; a
    request of other instrumentation inside one of these by its name. Calls side by side are no tries of each other.
    """
    return tuple(_failed_tries(facts))


def _failed_tries(facts: RunFacts) -> Iterator[Tries]:
    which = {rough for span in facts.spans if failed(span) and (rough := _rough_key(facts, span)) is not None}
    running: dict[_Key, Tries] = {}
    for span in facts.spans if which else ():
        rough = _rough_key(facts, span)
        if rough is None or rough not in which:
            continue
        key = (*rough, *_details(facts, span))
        tries = running.get(key)
        if tries is not None and span.start_ns < tries.failed[-1].last_ns:
            continue
        if failed(span):
            running.setdefault(key, Tries(str(rough[-1]))).failed.append(span)
        elif tries is not None:
            tries.worked = span
            yield running.pop(key)
    yield from running.values()


def _rough_key(facts: RunFacts, span: Span) -> _Key | None:
    """Kind, surroundings and name, which are known without content."""
    kind = kind_of(span)
    if kind == RecordKind.AGENT_TASK:
        return None if span.task_id is None else (kind, span.trace_id, span.task_id, span.task_name or span.name)
    if kind in (RecordKind.LLM_CALL, RecordKind.TOOL_CALL):
        name = model_name(span) if kind == RecordKind.LLM_CALL else tool_name(span)
        return kind, facts.places[span.span_id].root.span_id, facts.who(span), name
    if kind is None and span.kind == SpanKind.CLIENT and span.parent_span_id:
        return "request", span.trace_id, span.parent_span_id, span.name
    return None


def _details(facts: RunFacts, span: Span) -> _Key:
    """The messages or arguments; where these were not recorded, the task."""
    kind = kind_of(span)
    given: Hashable = None
    if kind == RecordKind.LLM_CALL:
        given = tuple(facts.read(span))
    elif kind == RecordKind.TOOL_CALL:
        given = facts.arguments(span)
    else:
        return ()
    task = facts.task(span)
    return (given,) if given else (None, None if task is None else task.task_id or task.span_id)


__all__ = ["Tries", "failed_tries"]
