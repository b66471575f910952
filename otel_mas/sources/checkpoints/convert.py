"""Traces of rebuilt runs: spans with stable ids, causes marked as worked out afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from otel_mas.model import Event, Span, SpanBody, StatusCode, Trace
from otel_mas.model.channels import BRANCH_TO, JOIN
from otel_mas.semconv import LinkKind, RecordKind, RunOutcome, TaskOutcome, TimeBasis
from otel_mas.semconv import attributes as names
from otel_mas.sources.checkpoints.tasks import HANDLER, PUSHED, RebuiltRun, RebuiltTask, RebuiltWriter

_OUTCOMES = {TaskOutcome.INTERRUPTED: RunOutcome.INTERRUPTED, TaskOutcome.ERROR: RunOutcome.ERROR}


def trace_of(run: RebuiltRun) -> Trace:
    """The trace of one invocation."""
    if run.source == "update" and len(run.tasks) == 1:  # one act, one span
        spans = [_task(run.tasks[0], 0, None)]
    else:
        spans = [_root(run), *_tasks(run, _span_id(run))]
    spans.sort(key=lambda span: (span.start_ns, span.parent_span_id is not None))
    gaps = [one.incomplete for one in _runs(run) if one.incomplete]
    pending = sorted({name for one in _runs(run) for name in one.pending_nodes})
    if pending:
        gaps.append(
            f"{', '.join(pending)} {'was' if len(pending) == 1 else 'were'} due when its checkpoints end:"
            " it stopped before, is still running, or was killed"
        )
    return Trace(_trace_id(run), tuple(spans), "; ".join(dict.fromkeys(gaps)) or None)


def _root(run: RebuiltRun) -> Span:
    agent, outcome, failed = run.agent, _outcome(run), _failed(run)
    attributes: dict[str, Any] = {
        names.MAS_RECORD_KIND: (RecordKind.AGENT_TASK if agent else RecordKind.WORKFLOW).value,
        names.GEN_AI_CONVERSATION_ID: run.first.thread,
        names.MAS_CHECKPOINT_LAST_ID: run.last.id,
        names.MAS_TIME_BASIS: TimeBasis.CHECKPOINT.value,
    }
    if run.source != "update":
        attributes[names.GEN_AI_OPERATION_NAME] = "invoke_agent" if agent else "invoke_workflow"
        attributes[names.MAS_RUN_OUTCOME] = outcome.value
    if agent:
        attributes[names.GEN_AI_AGENT_NAME] = agent
    if run.started_from is not None:
        attributes[names.MAS_CHECKPOINT_ID] = run.started_from
    attributes |= _fork(run)
    if failed is not None and outcome is RunOutcome.ERROR:
        attributes[names.MAS_ERROR_SPAN] = _reference(failed)
    name = f"invoke_agent {agent}" if agent else "update_state" if run.source == "update" else "invoke_workflow"
    return _span(run, None, name, attributes, "" if outcome is RunOutcome.ERROR and failed is None else None)


def _tasks(run: RebuiltRun, parent: str) -> Iterator[Span]:
    order = sorted(run.tasks, key=lambda task: (task.checkpoint.step, *_scheduling(task)))
    for index, task in enumerate(order):
        yield _task(task, index, parent)
        for subgraph_run in task.subgraph_runs:
            yield from _tasks(subgraph_run, _span_id(task))


def _task(task: RebuiltTask, index: int, parent: str | None) -> Span:
    """The span of a task; that of an update alone in its trace has no parent."""
    agent = task.subgraph_runs[0].agent if task.subgraph_runs else None
    attributes: dict[str, Any] = {
        names.MAS_RECORD_KIND: RecordKind.AGENT_TASK.value,
        names.GEN_AI_CONVERSATION_ID: task.checkpoint.thread,
        names.MAS_CHECKPOINT_ID: task.checkpoint.id,
        names.MAS_TASK_ID: task.id,
        names.MAS_TASK_INDEX: index,
        names.MAS_TASK_NAME: task.name,
        names.MAS_TASK_STEP: task.checkpoint.step + 1,
        names.MAS_TASK_NAMESPACE: task.checkpoint.namespace,
        names.MAS_TASK_TRIGGERS: task.triggers,
        names.MAS_TASK_OUTCOME: task.outcome.value,
        names.MAS_TIME_BASIS: TimeBasis.CHECKPOINT.value,
        **(_fork(task.run) if parent is None else {}),
    }
    name = f"task {task.name}"
    written = _written(task)
    if written:
        attributes[names.MAS_STATE_CHANGED] = written
    causes = tuple(f"{_kind(kind, cause)}|{_reference(cause)}" for kind, cause in task.causes)
    if causes:
        attributes[names.MAS_CAUSE_REFS] = causes
    if agent and agent != task.run.agent:
        attributes |= {names.GEN_AI_OPERATION_NAME: "invoke_agent", names.GEN_AI_AGENT_NAME: agent}
        name = f"invoke_agent {agent}"
    if task.outcome is TaskOutcome.INTERRUPTED and task.interrupts:
        attributes[names.MAS_INTERRUPT_IDS] = task.interrupts
    error = None
    if task.outcome is TaskOutcome.ERROR:
        attributes[names.ERROR_TYPE] = (task.error or "").partition("(")[0] or "error"
        failed = _failed_below(task)
        if failed is not None:
            attributes[names.MAS_ERROR_SPAN] = _reference(failed)
        else:
            error = task.error or ""
    if task.is_update:
        attributes[names.MAS_TASK_UPDATED] = True
        name = "update_state" if task.name == "update_state" else f"update_state {task.name}"
    return _span(task, parent, name, attributes, error)


def _written(task: RebuiltTask) -> tuple[str, ...]:
    """The channels of the state that a task wrote; the values are not read."""
    own = (write.channel for write in task.checkpoint.writes if write.task_id == task.id)
    return tuple(dict.fromkeys(channel for channel in own if not channel.startswith(("__", BRANCH_TO, JOIN))))


def _span(of: RebuiltWriter, parent: str | None, name: str, attributes: dict[str, Any], error: str | None) -> Span:
    """A span; `error` is the message of one that failed, else None."""
    start_ns, end_ns = _times(of)
    events: tuple[Event, ...] = ()
    if error is not None:
        kind = attributes.get(names.ERROR_TYPE, "error")
        events = (Event("exception", end_ns, {names.EXCEPTION_TYPE: kind, names.EXCEPTION_MESSAGE: error}),)
    return Span.complete(
        SpanBody(attributes=attributes, events=events, status_message=error or ""),
        trace_id=_trace_id(of),
        span_id=_span_id(of),
        parent_span_id=parent,
        name=name,
        start_ns=start_ns,
        end_ns=end_ns,
        status=StatusCode.UNSET if error is None else StatusCode.ERROR,
    )


# -- a run as a whole -----------------------------------------------------------------------------------------------


def _runs(run: RebuiltRun) -> Iterator[RebuiltRun]:
    yield run
    for task in run.tasks:
        for subgraph_run in task.subgraph_runs:
            yield from _runs(subgraph_run)


def _outcome(run: RebuiltRun) -> RunOutcome:
    last = [task.outcome for task in _last(run)]
    for outcome in (TaskOutcome.ERROR, TaskOutcome.INTERRUPTED):
        if outcome in last:
            return _OUTCOMES[outcome]
    return RunOutcome.INTERRUPTED if run.pending_nodes else RunOutcome.OK


def _last(run: RebuiltRun) -> list[RebuiltTask]:
    """The tasks that a run was left in, without those whose error was handled."""
    handled = {task.path.partition(HANDLER)[0] for task in run.tasks if HANDLER in task.path}
    return [task for task in run.tasks if task.checkpoint is run.last and task.path not in handled]


def _fork(run: RebuiltRun) -> dict[str, Any]:
    """The older checkpoint that a run went on from, and the span that had made it."""
    maker = run.forked_from
    if maker is None:
        return {}
    made_by = maker.tasks[0] if maker.source == "update" and len(maker.tasks) == 1 else maker
    return {names.MAS_FORK_CHECKPOINT_ID: run.started_from, names.MAS_FORK_SPAN: _reference(made_by)}


def _failed(run: RebuiltRun) -> RebuiltTask | None:
    """The innermost task in which the error happened that ended a run."""
    failed = next((task for task in _last(run) if task.outcome is TaskOutcome.ERROR), None)
    return failed and (_failed_below(failed) or failed)


def _failed_below(task: RebuiltTask) -> RebuiltTask | None:
    return next((found for one in task.subgraph_runs if (found := _failed(one)) is not None), None)


def _times(of: RebuiltWriter) -> tuple[int, int]:
    """From the checkpoint before to the one after, and around all that ran in it."""
    if isinstance(of, RebuiltTask):
        inner = [_times(one) for one in of.subgraph_runs]
        return min([of.start_ns, *(start for start, _ in inner)]), max([of.end_ns, *(end for _, end in inner)])
    return of.start_ns, max([of.start_ns, of.last.time_ns, *(_times(task)[1] for task in of.tasks)])


def _scheduling(task: RebuiltTask) -> tuple[int, str]:
    """LangGraph's order within a step: `Send`s, then nodes by name, then what those called."""
    called = task.path.count("~") > 1
    return (2 if called else 0 if task.path.startswith(PUSHED) else 1), task.path


def _kind(kind: LinkKind, cause: RebuiltWriter) -> str:
    handed = kind is LinkKind.TRIGGER and isinstance(cause, RebuiltTask) and cause.outcome is TaskOutcome.HANDOFF
    return (LinkKind.HANDOFF if handed else kind).value


# -- ids: the same whenever the same checkpoints are read --------------------------------------------------------------


def _reference(of: RebuiltWriter) -> str:
    if isinstance(of, RebuiltRun) and of.outer is not None:
        return _reference(of.outer)
    return f"{_trace_id(of)}-{_span_id(of)}"


def _trace_id(of: RebuiltWriter) -> str:
    return _id(16, *_outermost(of).key)


def _span_id(of: RebuiltWriter) -> str:
    if isinstance(of, RebuiltRun):
        return _id(8, *of.key)
    at = of.checkpoint
    return _id(8, *_outermost(of).key, at.namespace, at.id, of.id, str(of.is_rerun))


def _outermost(of: RebuiltWriter) -> RebuiltRun:
    run = of.run if isinstance(of, RebuiltTask) else of
    while run.outer is not None:
        run = run.outer.run
    return run


def _id(size: int, *parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=size).hexdigest()
