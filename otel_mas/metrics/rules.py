"""The rules: an ended span → measurements.

They read attributes and times, never content. Spans come in the order in which they ended; what a cause, a run or a
question needs of earlier ones is remembered within bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from otel_mas.metrics.ended import EndedSpan, Key
from otel_mas.metrics.memory import Asked, Bounded, Expected, Inside, Seen
from otel_mas.semconv import CallStatus, LinkKind, Operation, RecordKind, metrics
from otel_mas.semconv import attributes as names
from otel_mas.semconv.metrics import Metric

_NS: Final = 1e9
_REMEMBERED: Final = 10_000
"""Spans, and questions."""
_OTHER_ERROR: Final = "_OTHER"  # of the semantic conventions: an error whose type is not known
_OPERATION: Final = names.GEN_AI_OPERATION_NAME
_AGENT: Final = Operation.INVOKE_AGENT.value
_INVOCATIONS: Final = (_AGENT, Operation.INVOKE_WORKFLOW.value)
_HANDOFF: Final = LinkKind.HANDOFF.value
_REPLAY: Final = LinkKind.REPLAY.value
_TRIGGER: Final = LinkKind.TRIGGER.value
_RETRY: Final = LinkKind.RETRY.value
_AGAIN: Final = frozenset({LinkKind.RESUME.value, _RETRY})
_TOKENS: Final = (
    (names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, metrics.GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS),
    (names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, metrics.GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS),
    (names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, metrics.GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS),
)


class Measure(NamedTuple):
    """One measurement: the value, and one for each of the metric's labels, None where it does not apply."""

    metric: Metric
    labels: tuple[str | None, ...]
    value: float
    span: Any = None
    """The reader's own object of the span that was measured."""


_AGENT_LABEL: Final = {
    metric: metric.labels.index(names.GEN_AI_AGENT_NAME)
    for metric in metrics.METRICS
    if names.GEN_AI_AGENT_NAME in metric.labels
}
"""The place of the agent among the labels."""


class Rules:
    """The rules, with what they remember. Not for several threads at once."""

    def __init__(self) -> None:
        self._seen: Bounded[Key, Seen] = Bounded(_REMEMBERED)
        self._expected: Bounded[Key, list[Expected]] = Bounded(_REMEMBERED)
        self._inside: Bounded[Key, Inside[Measure]] = Bounded(_REMEMBERED)
        self._asked: Bounded[str, Asked] = Bounded(_REMEMBERED)
        self._by_kind: dict[Any, Callable[[EndedSpan, list[Measure]], object]] = {
            RecordKind.LLM_CALL.value: self._model_call,
            RecordKind.RETRIEVAL.value: self._retrieval,
            RecordKind.TOOL_CALL.value: self._tool_call,
            RecordKind.ROUTING_DECISION.value: _routing,
            RecordKind.GUARDRAIL.value: _guardrail,
            RecordKind.EVALUATION.value: _evaluation,
            RecordKind.HUMAN_INPUT.value: self._answer,
            RecordKind.AGENT_TASK.value: self._task,
            RecordKind.WORKFLOW.value: self._agent,
        }

    def measures(self, span: EndedSpan) -> list[Measure]:
        """The measurements that are known once a span has ended: its own, and those of calls inside it.

        A call of a model, a retriever or a tool is counted when the agent around it has ended, since only then is it
        known whose it is.
        """
        found: list[Measure] = []
        kind = span.get(names.MAS_RECORD_KIND)
        if kind is not None and (rule := self._by_kind.get(kind)) is not None:
            rule(span, found)
        inside = self._inside.pop(span.key, None)
        if inside is not None:
            self._pass_on(span, inside, found)
        if kind is not None and (actor := _actor(span)) is not None:
            self._edges(span, actor, found)
        return found

    # -- models and tools ------------------------------------------------------------------------------------------

    def _model_call(self, span: EndedSpan, found: list[Measure]) -> None:
        get, measured = span.get, span.span
        call: Inside[Measure] = Inside(model_calls=1)
        own = call.waiting
        labels = _client_duration(span, own)[:-1]
        consumed, produced = get(names.GEN_AI_USAGE_INPUT_TOKENS), get(names.GEN_AI_USAGE_OUTPUT_TOKENS)
        if type(consumed) is int:
            call.tokens = consumed
            own.append(Measure(metrics.GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS, labels, consumed, measured))
            own.append(Measure(metrics.GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS, labels, consumed, measured))
        if type(produced) is int:
            call.tokens = produced + (call.tokens or 0)
            own.append(Measure(metrics.GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS, labels, produced, measured))
            own.append(Measure(metrics.GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS, labels, produced, measured))
        for name, metric in _TOKENS:
            if type(count := get(name)) is int:
                own.append(Measure(metric, labels, count, measured))
        _streaming(span, labels, own)
        usd = get(names.MAS_COST_USD)
        if isinstance(usd, float | int) and not get(names.MAS_COST_SIMULATED):
            call.usd = float(usd)
            own.append(Measure(metrics.MAS_COST, (labels[3], labels[2]), float(usd), measured))
        self._called(span, call, found)

    def _retrieval(self, span: EndedSpan, found: list[Measure]) -> None:
        call: Inside[Measure] = Inside()
        _client_duration(span, call.waiting)
        self._called(span, call, found)

    def _tool_call(self, span: EndedSpan, found: list[Measure]) -> None:
        tool, agent, error = span.get(names.GEN_AI_TOOL_NAME), span.get(names.GEN_AI_AGENT_NAME), _error(span)
        call: Inside[Measure] = Inside(tool_calls=1)
        duration, status = _seconds(span), CallStatus.OK.value if error is None else CallStatus.ERROR.value
        call.waiting.append(Measure(metrics.GEN_AI_EXECUTE_TOOL_DURATION, (tool, agent, error), duration, span.span))
        call.waiting.append(Measure(metrics.MAS_TOOL_CALLS, (agent, tool, status), 1, span.span))
        self._called(span, call, found)

    def _called(self, span: EndedSpan, call: Inside[Measure], found: list[Measure]) -> None:
        """Add a call to what is inside its parent. One that names its agent need not wait for it."""
        if span.get(names.GEN_AI_AGENT_NAME) is not None:
            found += call.waiting
            call.waiting = []
        self._put_inside(span.parent, call, found)

    def _pass_on(self, span: EndedSpan, inside: Inside[Measure], found: list[Measure]) -> None:
        """Count the calls inside a span, if it is their agent, or no agent can be around it; else its parent may."""
        if inside.waiting:
            if span.get(_OPERATION) == _AGENT and (agent := span.get(names.GEN_AI_AGENT_NAME)) is not None:
                _of_agent(agent, inside, found)
            elif span.get(names.MAS_RUN_OUTCOME) is not None:
                _of_agent(None, inside, found)
        self._put_inside(span.parent, inside, found)

    def _put_inside(self, parent: Key | None, inside: Inside[Measure], found: list[Measure]) -> None:
        if parent is None:
            _of_agent(None, inside, found)
            return
        ended = self._seen.get(parent)
        if ended is not None:  # the parent did not wait for its child
            _of_agent(ended.actor if ended.is_agent else None, inside, found)
            return
        known = self._inside.get(parent)
        if known is not None:
            known.add(inside)
            if len(known.waiting) > _REMEMBERED:
                _of_agent(None, known, found)
        elif (oldest := self._inside.put(parent, inside)) is not None:
            _of_agent(None, oldest, found)

    # -- tasks, agents, runs ---------------------------------------------------------------------------------------

    def _task(self, span: EndedSpan, found: list[Measure]) -> None:
        get = span.get
        task = get(names.MAS_TASK_NAME)
        if task is not None and not get(names.MAS_TASK_UPDATED):
            labels = (task, get(names.MAS_TASK_OUTCOME))
            found.append(Measure(metrics.MAS_TASK_DURATION, labels, _seconds(span), span.span))
            for asked in get(names.MAS_INTERRUPT_IDS) or ():
                self._asked.put(asked, Asked(task, span.end_ns))
                found.append(Measure(metrics.MAS_INTERRUPTS, (task,), 1, span.span))
        if (lag := get(names.MAS_EVENT_LOOP_LAG_MAX)) is not None:
            found.append(Measure(metrics.MAS_EVENT_LOOP_LAG, (task,), lag, span.span))
        self._agent(span, found)

    def _agent(self, span: EndedSpan, found: list[Measure]) -> None:
        get = span.get
        operation = get(_OPERATION)
        if operation in _INVOCATIONS:
            name = get(names.GEN_AI_AGENT_NAME)
            labels = (operation, name, _error(span))
            found.append(Measure(metrics.GEN_AI_INVOKE_AGENT_DURATION, labels, _seconds(span), span.span))
            inside = self._inside.get(span.key)
            if operation == _AGENT:
                models, tools = (0, 0) if inside is None else (inside.model_calls, inside.tool_calls)
                found.append(Measure(metrics.GEN_AI_INVOKE_AGENT_INFERENCE_CALLS, (name,), models, span.span))
                found.append(Measure(metrics.GEN_AI_INVOKE_AGENT_TOOL_CALLS, (name,), tools, span.span))
            if (outcome := get(names.MAS_RUN_OUTCOME)) is not None:
                found.append(Measure(metrics.MAS_RUNS, (name, outcome), 1, span.span))
                found.append(Measure(metrics.MAS_RUN_DURATION, (name, outcome), _seconds(span), span.span))
                if inside is not None and inside.tokens is not None:
                    found.append(Measure(metrics.MAS_RUN_TOKENS, (name,), inside.tokens, span.span))
                if inside is not None and inside.usd is not None:
                    found.append(Measure(metrics.MAS_RUN_COST, (name,), inside.usd, span.span))

    def _answer(self, span: EndedSpan, found: list[Measure]) -> None:
        for asked in span.get(names.MAS_INTERRUPT_IDS) or ():
            known = self._asked.get(asked)
            if known is not None:
                waited = max(0, span.start_ns - known.end_ns) / _NS
                found.append(Measure(metrics.MAS_INTERRUPT_WAIT, (known.task,), waited, span.span))

    # -- causes ----------------------------------------------------------------------------------------------------

    def _edges(self, span: EndedSpan, actor: str, found: list[Measure]) -> None:
        measured = span.span
        ends = []
        for key, kind in _causes(span):
            cause = self._seen.get(key)
            if cause is None:
                self._expect(key, Expected(kind, actor))
                continue
            _edge(kind, cause.actor, actor, measured, found)
            waited = max(0, span.start_ns - cause.end_ns) / _NS
            found.append(Measure(metrics.MAS_EDGE_WAIT, (kind, cause.actor, actor), waited, measured))
            if kind == _RETRY:
                found.append(Measure(metrics.MAS_RETRIES, (actor, cause.error), 1, measured))
            elif kind == _TRIGGER:
                ends.append(cause.end_ns)
        if len(ends) > 1:
            found.append(Measure(metrics.MAS_JOIN_SKEW, (actor,), (max(ends) - min(ends)) / _NS, measured))
        for effect in self._expected.pop(span.key, ()):
            # It was under way: nothing waited for its end.
            _edge(effect.kind, actor, effect.actor, measured, found)
        self._seen.put(span.key, Seen(actor, span.end_ns, _error(span), span.get(_OPERATION) == _AGENT))

    def _expect(self, key: Key, effect: Expected) -> None:
        known = self._expected.get(key)
        if known is None:
            self._expected.put(key, [effect])
        else:
            known.append(effect)


def _causes(span: EndedSpan) -> Iterable[tuple[Key, str]]:
    """The causes that count: a task that is resumed or retried has those of its first attempt, too."""
    causes = [cause for cause in span.causes if cause[1] != _REPLAY]
    return [cause for cause in causes if cause[1] in _AGAIN] or causes


def _edge(kind: str, source: str, target: str, span: Any, found: list[Measure]) -> None:
    found.append(Measure(metrics.MAS_EDGES, (kind, source, target), 1, span))
    if kind == _HANDOFF:
        found.append(Measure(metrics.MAS_HANDOFFS, (source, target), 1, span))


def _actor(span: EndedSpan) -> str | None:
    """The agent, node, workflow or tool that a span is, or the agent that it works for; None of other calls."""
    get = span.get
    agent = get(names.GEN_AI_AGENT_NAME)
    if agent is not None and get(_OPERATION) == _AGENT:
        return str(agent)
    actor = get(names.MAS_TASK_NAME) or get(names.GEN_AI_TOOL_NAME) or agent
    return None if actor is None else str(actor)


def _of_agent(agent: str | None, inside: Inside[Measure], found: list[Measure]) -> None:
    """Count what waits as that of an agent."""
    if agent is None:
        found += inside.waiting
    else:
        for metric, labels, value, span in inside.waiting:
            place = _AGENT_LABEL[metric]
            found.append(Measure(metric, (*labels[:place], agent, *labels[place + 1 :]), value, span))
    inside.waiting = []


def _client_duration(span: EndedSpan, found: list[Measure]) -> tuple[str | None, ...]:
    get = span.get
    labels = (
        get(_OPERATION),
        get(names.GEN_AI_PROVIDER_NAME),
        get(names.GEN_AI_REQUEST_MODEL),
        get(names.GEN_AI_AGENT_NAME),
        _error(span),
    )
    found.append(Measure(metrics.GEN_AI_CLIENT_OPERATION_DURATION, labels, _seconds(span), span.span))
    return labels


def _streaming(span: EndedSpan, labels: tuple[str | None, ...], found: list[Measure]) -> None:
    first = span.get(names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK)
    if not isinstance(first, float | int):
        return
    found.append(Measure(metrics.GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK, labels, float(first), span.span))
    chunks = span.get(names.MAS_RESPONSE_CHUNK_COUNT)
    if type(chunks) is int and chunks > 1:
        each = max(0.0, _seconds(span) - first) / (chunks - 1)
        found.append(Measure(metrics.GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK, labels, each, span.span))


def _routing(span: EndedSpan, found: list[Measure]) -> None:
    function = span.get(names.MAS_ROUTING_FUNCTION)
    choices = _texts(span.get(names.MAS_ROUTING_CHOICE))
    found.extend([Measure(metrics.MAS_ROUTING_DECISIONS, (function, choice), 1, span.span) for choice in choices])


def _guardrail(span: EndedSpan, found: list[Measure]) -> None:
    get = span.get
    verdict = get(names.MAS_GUARDRAIL_VERDICT)
    if verdict is not None:
        labels = (get(names.MAS_GUARDRAIL_NAME), verdict, get(names.MAS_GUARDRAIL_CATEGORY))
        found.append(Measure(metrics.MAS_GUARDRAIL_VERDICTS, labels, 1, span.span))


def _evaluation(span: EndedSpan, found: list[Measure]) -> None:
    get = span.get
    if get(names.MAS_EVALUATION_SOURCE) is None:
        labels = (get(names.GEN_AI_EVALUATION_NAME), get(names.GEN_AI_EVALUATION_SCORE_LABEL))
        found.append(Measure(metrics.MAS_EVALUATIONS, labels, 1, span.span))


def _texts(value: Any) -> Iterable[str]:
    return (value,) if isinstance(value, str) else value or ()


def _seconds(span: EndedSpan) -> float:
    return max(0, span.end_ns - span.start_ns) / _NS


def _error(span: EndedSpan) -> str | None:
    error: str | None = span.get(names.ERROR_TYPE)
    return _OTHER_ERROR if error is None and span.failed else error


__all__ = ["Measure", "Rules"]
