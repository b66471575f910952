"""Messages that arrive twice though they were sent once, and work that is done twice for one sending."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from otel_mas.analyse.findings.departures import departures, direct_causes
from otel_mas.analyse.findings.facts import RunFacts, canonical, ids
from otel_mas.analyse.findings.named_values import composed_prompts
from otel_mas.analyse.findings.receipts import received_ids
from otel_mas.analyse.root_cause.arrivals import Departure
from otel_mas.analyse.root_cause.passages import PHRASE, flattened
from otel_mas.dialects.messaging import queue_name
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import LinkKind, RecordKind
from otel_mas.semconv import attributes as names
from otel_mas.trace_records.formats import parsed

_CODE = "duplicate-delivery"
_MOST = 50
"""Repeated lines that are looked for."""


def duplicate_delivery(facts: RunFacts) -> Iterator[Finding]:
    """An agent got the same message twice though it was sent once: two receipts of one `send`; two tasks of the same
    node that one task made by `Send` with the same input, which both wrote the same, among others whose inputs differ;
    a message, or a whole line of a text, twice in what an agent's model read, though one task wrote it, once. Attempts
    and tasks that were resumed are none, nor is a message to several agents, one that was written twice, several votes
    on the same input, or what the run's own input has as often.
    """
    yield from _received_twice(facts)
    yield from _done_twice(facts)
    yield from _messages_twice(facts)
    edges = {one.subject: one for one in _lines_twice(facts)}
    yield from edges.values()
    readers = {subject.partition(" -> ")[2] for subject in edges}
    yield from _read_twice(facts, readers)


def _received_twice(facts: RunFacts) -> Iterator[Finding]:
    senders = {span.get(names.MAS_MESSAGE_ID): span for span in facts.by_kind.get(RecordKind.SEND, ())}
    receipts: dict[tuple[str, str, str | None], list[Span]] = defaultdict(list)
    for span in facts.by_kind.get(RecordKind.RECEIVE, ()):
        for identity in received_ids(facts, span):
            receipts[facts.who(span), identity, queue_name(span)].append(span)  # a dead letter is in another queue
    for (who, identity, _), spans in receipts.items():
        number = _deliveries(facts, spans)
        if number > 1:
            sent = senders.get(identity)
            sender = facts.who(sent) if sent is not None else spans[0].get(names.MAS_MESSAGE_PEER) or "another agent"
            yield Finding(
                code=_CODE,
                severity=Severity.WARNING,
                confidence=1.0,
                summary=f"{who} received a message of {sender} {number} times, which was sent once",
                subject=f"{sender} -> {who}",
                spans=ids([*spans[1:], spans[0]]),
                messages=tuple(dict.fromkeys(digest for span in spans for digest in facts.read(span))),
                advice="let the receiver remember the ids of what it has had, and pass over what comes again",
            )


def _deliveries(facts: RunFacts, receipts: list[Span]) -> int:
    """The number of receipts, of several attempts of one task only those of one."""
    attempts: dict[str, Counter[str]] = defaultdict(Counter)
    for span in receipts:
        task = facts.task(span)
        place = span.span_id if task is None else task.task_id or task.span_id
        attempts[place][span.span_id if task is None else task.span_id] += 1
    return sum(max(counts.values()) for counts in attempts.values())


def _done_twice(facts: RunFacts) -> Iterator[Finding]:
    """Tasks that one task made by `Send`, several with the same input and output, among others."""
    made: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for task in {task.task_id: task for task in facts.tasks if task.task_id is not None}.values():
        for link in task.links:
            if link.kind == LinkKind.SEND:
                made[link.span_id, task.task_name or ""].append(task)
    for (sender, node), tasks in made.items():
        given: dict[str, list[Span]] = defaultdict(list)
        for task in tasks:
            given[canonical(facts.value(task, names.MAS_TASK_INPUT)) or task.span_id].append(task)
        twice = [
            same
            for one, same in given.items()
            if len(same) > 1 and _wrote_the_same(facts, same) and not _given_as_often(facts, one, given, len(same))
        ]
        if len(given) < 2 or not twice:
            continue
        who = facts.who(facts.scopes.spans[sender]) if sender in facts.scopes.spans else "another agent"
        again = [task for same in twice for task in same[1:]]
        some = len(twice) < len(given)
        yield Finding(
            code=_CODE,
            severity=Severity.WARNING,
            confidence=0.9 if some else 0.6,
            summary=f"{len(again)} of {len(tasks)} tasks of {node} did what another one of them did: {who} made "
            "several with the same input",
            subject=f"{who} -> {node}",
            spans=ids([*again, *(same[0] for same in twice)]),
            rests_on=("recorded", "inferred"),
            saves_ns=facts.saves_ns_without(again),
            advice=f"take what is there twice out of the list from which {who} makes a `Send` each",
        )


def _given_as_often(facts: RunFacts, one: str, others: Iterable[str], number: int) -> bool:
    """Whether the run's input has, so many times, what sets one input of a task apart from the others, all as JSON."""
    shared = [set(_leaves(parsed(other))) for other in others if other != one]
    given = facts.once(_given)
    return any(given[leaf] >= number for leaf in set(_leaves(parsed(one))).difference(*shared))


def _given(facts: RunFacts) -> Counter[str]:
    """Lines, numbers and texts in the input of the run, each in one form, and how often they are there."""
    values = [one.value for root in facts.graph.roots for one in facts.state_values(root)]
    texts = [facts.text(digest) or "" for root in facts.graph.roots for digest in facts.read(root)]
    return Counter(leaf for value in (*values, *texts) for leaf in _leaves(value))


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one)
    else:
        yield from filter(None, map(_plain, str(value).splitlines()))


def _wrote_the_same(facts: RunFacts, tasks: list[Span]) -> bool:
    wrote = {tuple((one.channel, one.digest) for one in facts.state_values(task)) or task.span_id for task in tasks}
    return len(wrote) == 1


def _lines_twice(facts: RunFacts) -> Iterator[Finding]:
    """Lines that stand more often in a prompt than in what one other agent wrote, once; one finding an edge."""
    repeated: dict[str, list[tuple[Span, int]]] = defaultdict(list)
    for task, texts in composed_prompts(facts):
        for text in texts:
            for line, number in Counter(map(_plain, text.splitlines())).items():
                if number > 1 and len(line) >= PHRASE and len(repeated) < _MOST:
                    repeated[line].append((task, number))
    if not repeated:
        return
    reported: set[tuple[str, str]] = set()
    writers = _writers_of(facts, repeated)
    for line, readings in repeated.items():
        for reader, number in readings:
            wrote = [task for task in writers.get(line, ()) if task.last_ns <= reader.start_ns]
            edge = facts.who(wrote[0]) if wrote else "", facts.who(reader)
            known = facts.once(_given)[line]
            once = len(_outermost(facts, wrote)) == 1 and number > _times_inside(facts, wrote[0], line) + known
            if once and edge not in reported and edge[0] != edge[1]:
                reported.add(edge)
                yield _read(facts, edge[0], [reader, *wrote], number, f": {line[:60]}", (), 0.8)


def _read_twice(facts: RunFacts, reported: set[str]) -> Iterator[Finding]:
    """Yield a finding for each reader that was given twice what had been written once, but for those told."""
    for one in departures(facts, Departure.DOUBLED):
        reader, wrote = facts.who(one.task.span), list(direct_causes(facts, one.task.span))
        if reader not in reported and wrote:
            reported.add(reader)
            yield _read(facts, facts.who(wrote[0]), [one.task.span, *wrote], 2, f": it {one.reason}", (), 0.6)


def _plain(line: str) -> str:
    """A line without the mark of a list, and with single spaces."""
    return flattened(line).lstrip("-*•# ").rstrip(".")


def _writers_of(facts: RunFacts, lines: Iterable[str]) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = defaultdict(list)
    for task in facts.tasks:
        wrote = flattened("\n".join(facts.outputs(task)))
        for line in lines:
            if line in wrote:
                found[line].append(task)
    return found


def _times_inside(facts: RunFacts, task: Span, line: str) -> int:
    return max(flattened(text).count(line) for text in facts.outputs(task) if line in flattened(text))


def _messages_twice(facts: RunFacts) -> Iterator[Finding]:
    """Messages of another agent that the same call of a model read more than once; one finding an edge."""
    reported: set[tuple[str, str]] = set()
    for call in facts.model_calls:
        for digest, number in Counter(facts.read(call)).items():
            wrote = facts.writers.get(digest, ()) if number > 1 else ()
            tasks = {facts.who(span) for span in wrote}
            text = facts.text(digest)
            if len(tasks) == 1 and len(text or "") >= PHRASE and len(_outermost(facts, wrote)) == 1:
                edge = tasks.pop(), facts.who(call)
                if edge not in reported and edge[0] != edge[1]:
                    reported.add(edge)
                    yield _read(facts, edge[0], [call, *wrote], number, "", (digest,), 1.0)


def _outermost(facts: RunFacts, spans: Iterable[Span]) -> list[Span]:
    """The tasks of these spans, of those inside each other only the outer ones; of attempts one."""
    tasks = {(task.task_id or task.span_id): task for span in spans if (task := facts.task(span)) is not None}
    own = {task.span_id for task in tasks.values()}
    return [task for task in tasks.values() if not any(above in own for above in _around(facts, task))]


def _around(facts: RunFacts, task: Span) -> Iterator[str]:
    above = facts.parent(task)
    while above is not None and (outer := facts.task(above)) is not None:
        yield outer.span_id
        above = facts.parent(outer)


def _read(
    facts: RunFacts, writer: str, spans: list[Span], number: int, what: str, messages: tuple[str, ...], sure: float
) -> Finding:
    reader = facts.who(spans[0])
    return Finding(
        code=_CODE,
        severity=Severity.WARNING,
        confidence=sure,
        summary=f"{reader} read {number} times what {writer} wrote once{what}",
        subject=f"{writer} -> {reader}",
        spans=ids(spans),
        messages=messages,
        rests_on=("recorded",) if sure == 1 else ("recorded", "inferred"),
        advice="use a reducer that knows what is there already, such as `add_messages` with ids, or a set",
    )


__all__ = ["duplicate_delivery"]
