"""Traces of rebuilt runs: spans with stable ids, causes marked as worked out afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from otel_mas.model import Event, Span, SpanBody, StatusCode, Trace
from otel_mas.semconv import LinkKind, RecordKind, RunOutcome, TaskOutcome, TimeBasis
from otel_mas.semconv import attributes as names
from otel_mas.sources.checkpoints.tasks import HANDLER, PUSHED, RebuiltRun, RebuiltTask, Writer

_OUTCOMES = {TaskOutcome.INTERRUPTED: RunOutcome.INTERRUPTED, TaskOutcome.ERROR: RunOutcome.ERROR}


def trace_of(run: RebuiltRun) -> Trace:
    """The trace of one invocation."""
    if run.source == "update" and len(run.tasks) == 1:  # one act, one span
        spans = [_task(task, 0, _task_span_id(task), None, _fork(run)) for task in run.tasks]
    else:
        spans = [_root(run), *_tasks(run, _id(8, *_key(run)))]
    spans.sort(key=lambda span: (span.start_ns, span.parent_span_id is not None))
    gaps = [one.incomplete for one in _runs(run) if one.incomplete]
    pending = sorted({name for one in _runs(run) for name in one.pending_nodes})
    if pending:
        gaps.append(
            f"{', '.join(pending)} {'was' if len(pending) == 1 else 'were'} due when its checkpoints end:"
            " it stopped before, is still running, or was killed"
        )
    return Trace(trace_id(run), tuple(spans), "; ".join(dict.fromkeys(gaps)) or None)


def trace_id(run: RebuiltRun) -> str:
    """The same whenever the same checkpoints are read."""
    return _id(16, *_key(run))


def _root(run: RebuiltRun) -> Span:
    agent = run.first.metadata.get("lc_agent_name")
    outcome = _outcome(run)
    attributes: dict[str, Any] = {
        names.MAS_RECORD_KIND: (RecordKind.AGENT_TASK if agent else RecordKind.WORKFLOW).value,
        names.GEN_AI_OPERATION_NAME: "invoke_agent" if agent else "invoke_workflow",
        names.GEN_AI_CONVERSATION_ID: run.first.thread,
        names.MAS_CHECKPOINT_LAST_ID: run.last.id,
        names.MAS_RUN_OUTCOME: outcome.value,
        names.MAS_TIME_BASIS: TimeBasis.CHECKPOINT.value,
    }
    if agent:
        attributes[names.GEN_AI_AGENT_NAME] = str(agent)
    started_from = run.first.id if run.source == "resume" else run.first.parent
    if started_from is not None:
        attributes[names.MAS_CHECKPOINT_ID] = started_from
    attributes |= _fork(run)
    failed = _failed(run)
    status = StatusCode.ERROR if outcome is RunOutcome.ERROR and failed is None else StatusCode.UNSET
    if failed is not None and outcome is RunOutcome.ERROR:
        attributes[names.MAS_ERROR_SPAN] = _span_key(failed)
    if run.source == "update":
        del attributes[names.MAS_RUN_OUTCOME], attributes[names.GEN_AI_OPERATION_NAME]
    name = f"invoke_agent {agent}" if agent else "update_state" if run.source == "update" else "invoke_workflow"
    return _span(run, _id(8, *_key(run)), None, name, (run.start_ns, _end_ns(run)), attributes, status)


def _tasks(run: RebuiltRun, parent: str) -> Iterator[Span]:
    order = sorted(run.tasks, key=lambda task: (task.checkpoint.step, *_scheduling(task)))
    for index, task in enumerate(order):
        span_id = _task_span_id(task)
        yield _task(task, index, span_id, parent)
        for subgraph_run in task.subgraph_runs:
            yield from _tasks(subgraph_run, span_id)


def _task(
    task: RebuiltTask, index: int, span_id: str, parent: str | None, more: Mapping[str, Any] = MappingProxyType({})
) -> Span:
    agent = next((one.first.metadata.get("lc_agent_name") for one in task.subgraph_runs), None)
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
        **more,
    }
    causes = tuple(f"{_kind(kind, cause)}|{_span_key(cause)}" for kind, cause in task.causes)
    if causes:
        attributes[names.MAS_CAUSE_REFS] = causes
    if agent and agent != task.run.first.metadata.get("lc_agent_name"):
        attributes |= {names.GEN_AI_OPERATION_NAME: "invoke_agent", names.GEN_AI_AGENT_NAME: str(agent)}
    if task.outcome is TaskOutcome.INTERRUPTED and task.interrupts:
        attributes[names.MAS_INTERRUPT_IDS] = task.interrupts
    status, message = StatusCode.UNSET, ""
    if task.outcome is TaskOutcome.ERROR:
        failed = next((found for one in task.subgraph_runs if (found := _failed(one)) is not None), None)
        attributes[names.ERROR_TYPE] = (task.error or "").partition("(")[0] or "error"
        if failed is not None:
            attributes[names.MAS_ERROR_SPAN] = _span_key(failed)
        else:
            status, message = StatusCode.ERROR, task.error or ""
    name = f"invoke_agent {agent}" if names.GEN_AI_AGENT_NAME in attributes else f"task {task.name}"
    if task.is_update:
        attributes[names.MAS_TASK_UPDATED] = True
        name = "update_state" if task.name == "update_state" else f"update_state {task.name}"
    return _span(task.run, span_id, parent, name, _times(task), attributes, status, message)


def _span(
    run: RebuiltRun,
    span_id: str,
    parent: str | None,
    name: str,
    times: tuple[int, int],
    attributes: dict[str, Any],
    status: StatusCode,
    message: str = "",
) -> Span:
    events: tuple[Event, ...] = ()
    if status is StatusCode.ERROR:
        kind = attributes.get(names.ERROR_TYPE, "error")
        events = (Event("exception", times[1], {names.EXCEPTION_TYPE: kind, names.EXCEPTION_MESSAGE: message}),)
    return Span.complete(
        SpanBody(attributes=attributes, events=events, status_message=message),
        trace_id=trace_id(_outermost(run)),
        span_id=span_id,
        parent_span_id=parent,
        name=name,
        start_ns=times[0],
        end_ns=times[1],
        status=status,
    )


# -- a run as a whole -----------------------------------------------------------------------------------------------


def _runs(run: RebuiltRun) -> Iterator[RebuiltRun]:
    yield run
    for task in run.tasks:
        for subgraph_run in task.subgraph_runs:
            yield from _runs(subgraph_run)


def _outermost(run: RebuiltRun) -> RebuiltRun:
    while run.outer is not None:
        run = run.outer.run
    return run


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
    if run.forked_from is None:
        return {}
    older = run.first.id if run.source == "resume" else run.first.parent
    maker = run.forked_from
    made_by = maker.tasks[0] if maker.source == "update" and len(maker.tasks) == 1 else maker
    return {names.MAS_FORK_CHECKPOINT_ID: older, names.MAS_FORK_SPAN: _span_key(made_by)}


def _failed(run: RebuiltRun) -> RebuiltTask | None:
    """The innermost task in which the error happened that ended a run."""
    for task in _last(run):
        if task.outcome is TaskOutcome.ERROR:
            return next((found for one in task.subgraph_runs if (found := _failed(one)) is not None), task)
    return None


def _end_ns(run: RebuiltRun) -> int:
    return max([run.start_ns, run.last.time_ns, *(_times(task)[1] for task in run.tasks)])


def _times(task: RebuiltTask) -> tuple[int, int]:
    """From the checkpoint before to the one after, and around the runs of its subgraph."""
    runs = [(one.start_ns, _end_ns(one)) for one in task.subgraph_runs]
    return min([task.start_ns, *(start for start, _ in runs)]), max([task.end_ns, *(end for _, end in runs)])


def _scheduling(task: RebuiltTask) -> tuple[int, str]:
    """LangGraph's order within a step: `Send`s, then nodes by name, then what those called."""
    called = task.path.count("~") > 1
    return (2 if called else 0 if task.path.startswith(PUSHED) else 1), task.path


def _kind(kind: LinkKind, cause: Writer) -> str:
    handed = kind is LinkKind.TRIGGER and isinstance(cause, RebuiltTask) and cause.outcome is TaskOutcome.HANDOFF
    return (LinkKind.HANDOFF if handed else kind).value


# -- ids --------------------------------------------------------------------------------------------------------------


def _span_key(of: Writer) -> str:
    if isinstance(of, RebuiltTask):
        return f"{trace_id(_outermost(of.run))}-{_task_span_id(of)}"
    if of.outer is not None:
        return _span_key(of.outer)
    return f"{trace_id(of)}-{_id(8, *_key(of))}"


def _task_span_id(task: RebuiltTask) -> str:
    return _id(
        8, *_key(_outermost(task.run)), task.checkpoint.namespace, task.checkpoint.id, task.id, str(task.is_rerun)
    )


def _key(run: RebuiltRun) -> Sequence[str]:
    return (
        run.first.thread,
        run.first.namespace,
        run.first.id,
        "resume" if run.source == "resume" else "",
        str(run.number),
    )


def _id(size: int, *parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=size).hexdigest()
