"""Why a node of a graph that ran was never reached: what stopped on the way to it, or went another way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.judgements import Judgements, quote
from otel_mas.analyse.topology import GraphScope, GraphScopes
from otel_mas.causal import CausalGraph
from otel_mas.causal.failed import failed
from otel_mas.causal.topology import ANY, COMMAND, EDGE, HANDLER, JOIN, DeclaredEdge, Topology
from otel_mas.model import Span
from otel_mas.model.channels import BRANCH_TO, END, START, node_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, RecordKind, RunOutcome, TaskOutcome


class WhyNotKind(StrEnum):
    """Kind of the reason why an agent did not act."""

    ACTED = "acted"
    """It did act."""
    CACHED = "cached"
    """LangGraph answered it, or the node that it is in, from its cache."""
    WRITTEN = "written"
    """The app wrote the state in its place (`update_state`)."""
    FAILED = "failed"
    """The run failed before it."""
    BLOCKED = "blocked"
    """A guardrail stopped what led to it."""
    PAUSED = "paused"
    """The run waits for a person."""
    CANCELLED = "cancelled"
    """The run was cancelled, or its caller stopped reading, before it."""
    RUNNING = "running"
    """The run has not come to it yet, or its process stopped before."""
    JOIN = "join"
    """It waits for a join that never filled."""
    SKIPPED = "skipped"
    """A grade, of relevance for instance, led elsewhere."""
    NOT_REACHED = "not reached"
    """Another branch was taken, or nothing led to it."""
    NOT_DEFINED = "not defined"
    """No graph of the run has it."""
    UNKNOWN = "unknown"
    """The recording does not tell."""


_ORDER = {kind: number for number, kind in enumerate(WhyNotKind)}


@dataclass(frozen=True, slots=True)
class WhyNotReason:
    """One reason: the sentence without its subject, and the spans that show it, the most telling one first."""

    kind: WhyNotKind
    predicate: str
    spans: tuple[Span, ...]
    inferred: bool = False
    others: tuple[str, ...] = ()
    inside: str | None = None
    """The node that the subject is in, where the reason is why that one did not run."""

    @property
    def rank(self) -> tuple[int, bool]:
        """The most telling first."""
        return _ORDER[self.kind], self.inferred

    def sentence(self, subject: str) -> str:
        """The whole sentence."""
        where = f"{subject} is in {self.inside}, which" if self.inside else subject
        return f"{where} {self.predicate}."


@dataclass(frozen=True, slots=True)
class _Stop:
    """A place where a graph stopped: its nodes, the reason, and whether the next nodes are recorded as waiting."""

    kind: WhyNotKind
    nodes: tuple[str, ...]
    words: str
    spans: tuple[Span, ...]
    waiting: frozenset[str] = frozenset()


class Unreached:
    """Finds reasons in one graph after another."""

    def __init__(self, causal: CausalGraph, scopes: GraphScopes, content: RunContent) -> None:
        self._causal = causal
        self._scopes = scopes
        self._content = content
        self._labels = causal.short_labels()
        self._judgements = Judgements(causal, scopes.spans, content)

    def explain(self, scope: GraphScope, node: str) -> WhyNotReason:
        """Return why no task of this node is in a run of its graph."""
        topology = scope.topology
        assert topology is not None
        acted = {task.task_name or "" for task in scope.tasks} | {START}
        stops = [stop for stop in self._stops(scope) if self._leads(stop, topology, node)]
        found = [self._stopped(stop, topology, node) for stop in stops]
        found += self._declined_ways(scope, topology, node, acted)
        if not found:
            return self._nothing_led(scope, node)
        best = min(found, key=lambda one: one.rank)
        others = tuple(dict.fromkeys(one.predicate for one in found if one.predicate != best.predicate))
        return WhyNotReason(best.kind, best.predicate, best.spans, best.inferred, others)

    def stopped_inside(self, scope: GraphScope, node: str) -> WhyNotReason:
        """Return why a graph inside this node never began, though the node ran."""
        task = scope.of_node(node)[-1]
        stop = self._stop(task)
        if stop is not None:
            return WhyNotReason(stop.kind, f"did not come to it: {stop.words}", stop.spans)
        return WhyNotReason(WhyNotKind.NOT_REACHED, f"ran without it ({self.label(task)})", (task,), inferred=True)

    def declined(self, name: str) -> WhyNotReason | None:
        """The last routing decision that could have chosen this name, as its candidates say; None where there is none.

        For recordings that lack the topology.
        """
        known = [span for span in self._causal.spans if span.record_kind == RecordKind.ROUTING_DECISION]
        known = [span for span in known if name in _texts(span, names.MAS_ROUTING_CANDIDATES)]
        return self._decided(known, None) if known else None

    # -- words ---------------------------------------------------------------------------------------------------------

    def label(self, span: Span) -> str:
        """The name of a task; of other spans their own."""
        return self._labels.get(span.span_id) or span.workflow or span.agent or span.name

    def error(self, span: Span) -> str | None:
        """The error that a task ended with, or that passed through it; None where it did not fail."""
        origin = self._origin(span)
        if origin is None:
            return None
        kind = str(origin.get(names.ERROR_TYPE) or "error")
        message = self._content.error_message(origin)
        return f"{kind}: {quote(message)}" if message else kind

    def _origin(self, span: Span) -> Span | None:
        """The span in which the error that a span failed with happened."""
        _, _, span_id = str(span.columns.get(names.MAS_ERROR_SPAN) or "").rpartition("-")
        if span_id:
            return self._scopes.spans.get(span_id, span)
        return span if failed(span) else None

    # -- where the graph stopped ---------------------------------------------------------------------------------------

    def _stops(self, scope: GraphScope) -> Iterator[_Stop]:
        """The last run of each task that has not ended well, and the end of the run itself."""
        last = {task.task_id: task for task in scope.tasks}
        stopped = False
        for task in last.values():
            stop = self._stop(task)
            if stop is not None and not self._handled(task, scope):
                stopped = True
                step = task.columns.get(names.MAS_TASK_STEP)
                same_step = [one for one in last.values() if one.columns.get(names.MAS_TASK_STEP) == step]
                yield replace(stop, waiting=self._next(scope, same_step))
        run = scope.runs[-1]
        outcome = run.columns.get(names.MAS_RUN_OUTCOME)
        waiting = frozenset(_waiting(run)) or self._next(scope, _last_step(scope) or [run])
        ends = waiting
        if outcome == RunOutcome.ABANDONED:
            words = "the caller stopped reading the stream"
            yield _Stop(WhyNotKind.CANCELLED, tuple(ends), words, (run,), waiting)
        elif stopped:
            return
        elif run.end_ns is None:
            words = (
                f"the process that ran {self.label(run)} stopped" if run.stopped else f"{self.label(run)} still runs"
            )
            yield _Stop(WhyNotKind.RUNNING, tuple(ends), words, (run,), waiting)
        elif outcome == RunOutcome.INTERRUPTED:
            words = f"{self.label(run)} paused at a breakpoint, and waits to be resumed"
            yield _Stop(WhyNotKind.PAUSED, tuple(ends), words, (run,), waiting)
        elif outcome == RunOutcome.CANCELLED:
            yield _Stop(WhyNotKind.CANCELLED, tuple(ends), f"{self.label(run)} was cancelled", (run,), waiting)
        elif outcome == RunOutcome.ERROR:
            words = f"{self.label(run)} failed ({self.error(run) or 'error'})"
            yield _Stop(WhyNotKind.FAILED, tuple(ends), words, (self._origin(run) or run,), waiting)

    def _stop(self, task: Span) -> _Stop | None:
        """How a task that did not end well ended."""
        outcome, node, label = task.columns.get(names.MAS_TASK_OUTCOME), task.task_name or "", self.label(task)
        if outcome == TaskOutcome.INTERRUPTED:
            return _Stop(WhyNotKind.PAUSED, (node,), f"{label} waits for a person", self._innermost(task))
        if outcome == TaskOutcome.CANCELLED:
            return _Stop(WhyNotKind.CANCELLED, (node,), f"{label} was cancelled", (task,))
        if outcome == TaskOutcome.ERROR:
            guardrail = self._judgements.guardrail(task)
            if guardrail is not None:
                return _Stop(WhyNotKind.BLOCKED, (node,), self._judgements.blocked(guardrail, label), (guardrail, task))
            origin = self._origin(task) or task
            return _Stop(WhyNotKind.FAILED, (node,), f"{label} failed ({self.error(task)})", _distinct(origin, task))
        if task.end_ns is None:
            return _Stop(WhyNotKind.RUNNING, (node,), self.going_on(task), (task,))
        return None

    def going_on(self, span: Span) -> str:
        """The words for a span that has not ended."""
        label = self.label(span)
        return f"the process that ran {label} stopped" if span.stopped else f"{label} still runs"

    def _handled(self, task: Span, scope: GraphScope) -> bool:
        """Whether an error handler, or a later attempt, dealt with a task's error."""
        if task.columns.get(names.MAS_TASK_OUTCOME) != TaskOutcome.ERROR:
            return False
        effects = self._causal.effects_of(task.span_id)
        return any(edge.kind == LinkKind.ERROR_HANDLER for edge in effects) or (
            scope.runs[-1].columns.get(names.MAS_RUN_OUTCOME) == RunOutcome.OK
        )

    def _innermost(self, task: Span) -> tuple[Span, ...]:
        """A paused task, behind the tasks inside it that asked."""
        inside = [
            span
            for span in self._judgements.below(task)
            if span.columns.get(names.MAS_TASK_OUTCOME) == TaskOutcome.INTERRUPTED and span is not task
        ]
        return (*reversed(inside), task)

    def _next(self, scope: GraphScope, tasks: Sequence[Span]) -> frozenset[str]:
        """The nodes to which tasks that ended well have led: by plain edges, and by what they decided."""
        found: set[str] = set()
        for task in tasks:
            node = START if task in scope.runs else task.task_name
            if task.columns.get(names.MAS_TASK_OUTCOME) in (None, TaskOutcome.OK):
                found.update(one for decision in self._decisions(task) for one in _choice(decision))
                edges = scope.topology.edges if scope.topology is not None else ()
                found.update(edge.target for edge in edges if edge.kind == EDGE and node in edge.sources)
        return frozenset(found)

    def _leads(self, stop: _Stop, topology: Topology, node: str) -> bool:
        return node in stop.waiting or topology.reaches((*stop.nodes, *stop.waiting), node)

    def _stopped(self, stop: _Stop, topology: Topology, node: str) -> WhyNotReason:
        direct = node in stop.waiting or any(
            edge.target == node and set(edge.sources) & set(stop.nodes) for edge in topology.edges
        )
        return WhyNotReason(stop.kind, f"was not reached: {stop.words}", stop.spans, inferred=not direct)

    # -- what went another way -----------------------------------------------------------------------------------------

    def _declined_ways(
        self, scope: GraphScope, topology: Topology, node: str, acted: set[str], before: frozenset[str] = frozenset()
    ) -> Iterator[WhyNotReason]:
        """A reason for each edge at which the run could have turned towards the node, and did not.

        Ways that lead over nodes of `before`, which wait for this one, are none.
        """
        waiting, seen = [node], {node, *before}
        while waiting:
            towards = waiting.pop(0)
            for edge in topology.into(towards):
                for source in edge.sources:
                    if source in acted:
                        found = self._declined(scope, topology, edge, source, towards, frozenset(seen))
                        if found is not None:
                            yield found if towards == node else _over(found, towards)
                    elif source not in seen and edge.target != ANY:
                        seen.add(source)
                        waiting.append(source)

    def _declined(
        self,
        scope: GraphScope,
        topology: Topology,
        edge: DeclaredEdge,
        source: str,
        towards: str,
        before: frozenset[str],
    ) -> WhyNotReason | None:
        tasks = scope.runs if source == START else scope.of_node(source)
        if edge.kind == JOIN:
            return self._unfilled(scope, topology, edge, towards, before)
        if edge.kind in (EDGE, HANDLER):
            return self._plain(scope, edge, tasks[-1])
        decisions = [one for task in tasks for one in self._decisions(task) if towards not in _choice(one)]
        if edge.target == ANY:
            decisions = [one for one in decisions if not _texts(one, names.MAS_ROUTING_CANDIDATES)]
        if decisions:
            return self._decided(decisions, tasks[-1])
        if edge.kind == COMMAND and tasks[-1].columns.get(names.MAS_TASK_OUTCOME) == TaskOutcome.OK:
            words = f"was not reached: {self.label(tasks[-1])} gave no command to go there"
            return WhyNotReason(WhyNotKind.NOT_REACHED, words, (tasks[-1],))
        return None

    def _plain(self, scope: GraphScope, edge: DeclaredEdge, task: Span) -> WhyNotReason | None:
        """A plain edge leads on unless its source failed and was handled, left its graph, or the graph stopped."""
        outcome = task.columns.get(names.MAS_TASK_OUTCOME)
        if edge.kind == HANDLER:
            if failed(task):
                return None
            words = f"was not reached: {self.label(task)}, whose errors it handles, did not fail"
            return WhyNotReason(WhyNotKind.NOT_REACHED, words, (task,))
        if outcome == TaskOutcome.ERROR and self._handled(task, scope):
            words = f"was not reached: {self.label(task)} failed ({self.error(task)}), and its error handler went on"
            return WhyNotReason(WhyNotKind.FAILED, words, _distinct(self._origin(task) or task, task))
        if outcome == TaskOutcome.HANDOFF:
            to = [edge.effect for edge in self._causal.effects_of(task.span_id) if edge.kind == LinkKind.HANDOFF]
            whom = ", ".join(self.label(self._scopes.spans[one]) for one in to if one in self._scopes.spans)
            words = f"was not reached: {self.label(task)} handed over to {whom or 'another agent'}"
            return WhyNotReason(WhyNotKind.NOT_REACHED, words, (task,))
        return None

    def _unfilled(
        self, scope: GraphScope, topology: Topology, edge: DeclaredEdge, towards: str, before: frozenset[str]
    ) -> WhyNotReason | None:
        there = [source for source in edge.sources if scope.of_node(source)]
        missing = [source for source in edge.sources if source not in there]
        if not missing:
            return None
        waits = f"waits for {_and(missing)}, which did not act"
        arrived = [scope.of_node(source)[-1] for source in there]
        whose = f"; {_and([self.label(one) for one in arrived])} arrived" if arrived else ""
        reason = ""
        if topology.nodes and missing[0] not in before and missing[0] in topology.nodes:
            acted = {task.task_name or "" for task in scope.tasks} | {START}
            ways = self._declined_ways(scope, topology, missing[0], acted, before)
            found = min(ways, key=lambda one: one.rank, default=None)
            if found is not None:
                reason = f": {missing[0]} {found.predicate}"
                arrived += [span for span in found.spans if span not in arrived]
        recorded = any(f"join:{'+'.join(edge.sources)}:{towards}" == one for run in scope.runs for one in _pending(run))
        predicate = f"waits for a join of {_and(edge.sources)} that never filled: it {waits}{whose}{reason}"
        return WhyNotReason(WhyNotKind.JOIN, predicate, tuple(arrived) or tuple(scope.runs[-1:]), inferred=not recorded)

    def _decided(self, decisions: Sequence[Span], task: Span | None) -> WhyNotReason:
        """The last of these decisions, none of which chose it."""
        last = decisions[-1]
        decider = self._scopes.parent(last) or task or last
        chosen = _and([_end(one) for one in _choice(last)]) or "the end"
        reason = self._content.reason(last)
        quoted = f" (“{quote(reason)}”)" if reason else ""
        number = f", the last of {len(decisions)} decisions without it" if len(decisions) > 1 else ""
        went = f"{self.label(decider)} chose {chosen}{quoted}{number}"
        guardrail = self._judgements.guardrail(decider)
        if guardrail is not None:
            words = f"was not reached: {self._judgements.blocked(guardrail, self.label(decider))}, and {went}"
            return WhyNotReason(WhyNotKind.BLOCKED, words, (guardrail, *reversed(decisions)))
        grade, inferred = self._judgements.grade(decider)
        if grade is not None:
            words = f"was skipped: {self._judgements.graded(grade)}, and {went}"
            return WhyNotReason(WhyNotKind.SKIPPED, words, (grade, *reversed(decisions)), inferred)
        return WhyNotReason(WhyNotKind.NOT_REACHED, f"was not reached: {went}", tuple(reversed(decisions)))

    def _nothing_led(self, scope: GraphScope, node: str) -> WhyNotReason:
        label = self.label(scope.runs[-1])
        decisions = [one for task in (*scope.runs, *scope.tasks) for one in self._decisions(task)]
        if decisions:
            found = self._decided(decisions, None)
            return WhyNotReason(found.kind, found.predicate, found.spans, True)
        words = f"was not reached: no edge of {label} led to it, and nothing was sent to it"
        return WhyNotReason(WhyNotKind.NOT_REACHED, words, tuple(scope.runs[-1:]), True)

    def _decisions(self, task: Span) -> list[Span]:
        inside = self._causal.children_of(task.span_id)
        return [one for one in inside if one.record_kind == RecordKind.ROUTING_DECISION]


def _distinct(*spans: Span) -> tuple[Span, ...]:
    return tuple(dict.fromkeys(spans))


def _over(found: WhyNotReason, towards: str) -> WhyNotReason:
    return WhyNotReason(found.kind, f"{found.predicate} (the way leads over {towards})", found.spans, found.inferred)


def _choice(decision: Span) -> list[str]:
    return _texts(decision, names.MAS_ROUTING_CHOICE)


def _texts(span: Span, name: str) -> list[str]:
    value = span.get(name)
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _pending(run: Span) -> list[str]:
    """The channels in which causes wait at the checkpoint that a run ended at."""
    return [text.rpartition("=")[0].rpartition("=")[0] for text in _texts(run, names.MAS_CHECKPOINT_PENDING)]


def _waiting(run: Span) -> Iterator[str]:
    """The nodes that were about to run when it ended."""
    for channel in _pending(run):
        if channel.startswith(BRANCH_TO):
            yield node_of(channel)


def _last_step(scope: GraphScope) -> list[Span]:
    steps = [task.columns.get(names.MAS_TASK_STEP) for task in scope.tasks]
    last = max((step for step in steps if isinstance(step, int)), default=None)
    return [task for task, step in zip(scope.tasks, steps, strict=True) if step == last]


def _end(node: str) -> str:
    return "the end" if node == END else node


def _and(items: Sequence[str]) -> str:
    return ", ".join(items[:-1]) + f" and {items[-1]}" if len(items) > 1 else "".join(items)


__all__ = ["Unreached", "WhyNotKind", "WhyNotReason"]
