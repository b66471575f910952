"""Messages that were sent and never received, and values that were written and did not reach who read them next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from otel_mas.analyse.final_output import final_output
from otel_mas.analyse.findings.departures import direct_causes, unread
from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.findings.named_values import NamedValue, named_values, read_by_name
from otel_mas.analyse.findings.receipts import received_ids
from otel_mas.analyse.findings.task_flow import TaskFlow
from otel_mas.analyse.findings.unheard import unheard
from otel_mas.analyse.root_cause.passages import is_none, labelled_texts
from otel_mas.causal import CHILD
from otel_mas.causal.references import texts
from otel_mas.dialects.messaging import queue_name
from otel_mas.model import Finding, Severity, Span, Undecided
from otel_mas.semconv import RecordKind, RunOutcome
from otel_mas.semconv import attributes as names

_OUTSIDE = ("__end__", "__start__")
_CODE = "message-loss"
_SHOWN = 3


def message_loss(facts: RunFacts) -> Iterator[Finding | Undecided]:
    """A message was lost between two agents: one that `send` recorded and no `receive`, and no task that it caused,
    ever had, in a run that is over; a `Send`, or a node that a task chose, for which no task was started though the run
    ended well; a value that a task wrote under a name (a field of the state, of a result, or `Name: value` in a text),
    where the prompt of a later agent says of that name that there is none (`none`, `unknown`, `n/a`, nothing); a prompt
    that is empty, or has a name without a value, and nothing of what the causes of its task wrote; or one with nothing
    of one message, which nobody else read either, though it has something of those beside it. It is an error where the
    answer of the run says that there is none as well. A value that was taken back in between, that only the agent
    itself had written, or that stands elsewhere in the prompt is none. It is undecided where nothing in a run records
    receipts, the receiver is not recorded, or nothing else from that queue was received.
    """
    yield from _unreceived(facts)
    yield from _never_started(facts)
    reported: set[str] = set()
    for one in _lost_values(facts):
        reported.add(one.spans[0])
        yield one
    yield from _unread(facts, reported)
    yield from _unheard(facts, reported)


# -- sends -------------------------------------------------------------------------------------------------------------


def _unreceived(facts: RunFacts) -> Iterator[Finding | Undecided]:
    over = {root.trace_id for root in facts.graph.roots if root.end_ns is not None}
    receipts = facts.by_kind.get(RecordKind.RECEIVE, ())
    received = {identity for span in receipts for identity in received_ids(facts, span)}
    caused = {
        (edge.cause, name)
        for task in facts.tasks
        for edge in facts.graph.causes_of(task.span_id)
        if edge.kind != CHILD
        for name in (task.agent, task.task_name, None)
    }
    lost = [
        span
        for span in facts.by_kind.get(RecordKind.SEND, ())
        if span.trace_id in over
        and (identity := _id(span)) is not None
        and identity not in received
        and (span.span_id, None) not in caused
        and (span.parent_span_id, span.get(names.MAS_MESSAGE_PEER)) not in caused
    ]
    emptied = {queue_name(span) for span in facts.by_kind.get(RecordKind.SEND, ()) if _id(span) in received}
    acted = {name for task in facts.tasks for name in (task.agent, task.task_name)}
    for span in lost:
        peer, sender = span.get(names.MAS_MESSAGE_PEER), facts.who(span)
        if not received:
            yield Undecided(_CODE, "messages were sent, and nothing records receipts: mark them by `otel_mas.receive`")
            return
        queue = queue_name(span)
        if queue is not None and queue not in emptied:
            reason = f"nothing that came from queue {queue} is recorded here: record its consumer, into the same store"
            yield Undecided(_CODE, reason)
            return
        if peer is not None and peer not in acted:
            reason = f"a message went to {peer}, which is not recorded here: record its process, into the same store"
            yield Undecided(_CODE, reason)
            return
        yield Finding(
            code=_CODE,
            severity=Severity.WARNING,
            confidence=0.9,
            summary=f"a message of {sender} to {peer or 'another agent'} was sent and never received",
            subject=f"{sender} -> {peer or '?'}",
            spans=ids([span]),
            messages=tuple(facts.wrote(span)),
            rests_on=("recorded", "inferred"),
            advice=f"let {peer or 'the receiver'} read its queue to the end before it stops, or confirm what it got",
        )


def _id(span: Span) -> object:
    return span.get(names.MAS_MESSAGE_ID)


def _never_started(facts: RunFacts) -> Iterator[Finding]:
    """Nodes that a routing decision chose and that have no task, in graphs that ended well."""
    for scope in facts.scopes.all:
        run = scope.runs[-1]
        if run.columns.get(names.MAS_RUN_OUTCOME) != RunOutcome.OK and run.columns.get(names.MAS_TASK_OUTCOME) != "ok":
            continue
        ran = {task.task_name for task in scope.tasks}
        for task in scope.tasks:
            for decision in facts.graph.children_of(task.span_id):
                if decision.record_kind != RecordKind.ROUTING_DECISION:
                    continue
                chosen = texts(decision.get(names.MAS_ROUTING_CHOICE))
                nodes = scope.topology.nodes if scope.topology is not None else ()
                for node in dict.fromkeys(chosen):
                    if node not in ran and node in nodes and node not in _OUTSIDE:
                        yield Finding(
                            code=_CODE,
                            severity=Severity.ERROR,
                            confidence=1.0,
                            summary=f"{facts.who(task)} sent work to {node}, and no task of {node} was started",
                            subject=f"{facts.who(task)} -> {node}",
                            spans=ids([decision, task]),
                            advice=f"see that what decides returns a `Send` or the name of {node} each time",
                        )


# -- values ------------------------------------------------------------------------------------------------------------


def _lost_values(facts: RunFacts) -> Iterator[Finding]:
    read = [(task, pairs) for task, pairs in read_by_name(facts) if any(is_none(value) for _, value in pairs)]
    if not read:
        return
    answer = final_output(facts.graph, facts.content) or ""
    unanswered = {label for label, value in labelled_texts(answer) if is_none(value)}
    written = named_values(facts)
    for reader, pairs in read:
        values = {value for _, value in pairs}
        labels = [label for label, value in pairs if is_none(value)]
        by_writer: dict[str, list[tuple[str, NamedValue]]] = defaultdict(list)
        for label in dict.fromkeys(labels):
            before = [one for one in written.get(label, ()) if one.is_for(reader)]
            last = before[-1] if before else None
            if last is None or is_none(last.value) or last.value in values:
                continue
            if facts.who(last.task) != facts.who(reader):
                by_writer[facts.who(last.task)].append((label, last))
        for writer, lost in by_writer.items():
            yield _lost(facts, writer, reader, lost, unanswered)


def _unread(facts: RunFacts, reported: set[str]) -> Iterator[Finding]:
    """Tasks that read nothing of what those before them had written for them."""
    for one in unread(facts):
        reader, name = one.task.span, facts.once(TaskFlow).name
        wrote = [task for task in direct_causes(facts, reader) if name(task) != name(reader)]
        if wrote and reader.span_id not in reported:
            reported.add(reader.span_id)
            yield Finding(
                code=_CODE,
                severity=Severity.WARNING,
                confidence=0.6,
                summary=f"{name(reader)} {one.reason}",
                subject=f"{name(wrote[0])} -> {name(reader)}",
                spans=ids([reader, *wrote]),
                rests_on=("recorded", "inferred"),
                advice=f"look at how {name(reader)} takes what {name(wrote[0])} wrote from the state",
            )


def _unheard(facts: RunFacts, reported: set[str]) -> Iterator[Finding]:
    """Messages of which no model read anything, though one read those of others beside them."""
    for message, reader, label in unheard(facts):
        if reader.span_id not in reported:
            reported.add(reader.span_id)
            writer, name = facts.who(message.task), facts.who(reader)
            yield Finding(
                code=_CODE,
                severity=Severity.WARNING,
                confidence=0.6,
                summary=f"{name} read nothing that {writer} had written to {message.channel}, such as {label}, but "
                "what others had",
                subject=f"{writer} -> {name}",
                spans=ids([reader, message.task]),
                rests_on=("recorded", "inferred"),
                advice=f"look at how {name} takes what it reads from {message.channel}",
            )


def _lost(
    facts: RunFacts, writer: str, reader: Span, lost: Sequence[tuple[str, NamedValue]], unanswered: set[str]
) -> Finding:
    shown = ", ".join(f"{label} ({one.value[:60]})" for label, one in lost[:_SHOWN])
    in_answer = any(label in unanswered for label, _ in lost)
    return Finding(
        code=_CODE,
        severity=Severity.ERROR if in_answer else Severity.WARNING,
        confidence=0.8,
        summary=f"{facts.who(reader)} did not get what {writer} had written: {shown}",
        subject=f"{writer} -> {facts.who(reader)}",
        spans=ids([reader, *dict.fromkeys(one.task for _, one in lost)]),
        rests_on=("recorded", "inferred"),
        advice=f"look at how {facts.who(reader)} takes {lost[0][0]} from the state: by which key, and what it does "
        "where it is missing; let it raise instead of going on without",
    )


__all__ = ["message_loss"]
