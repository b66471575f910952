"""Why an agent or a node did not act in a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from otel_mas.analyse.content import NO_CONTENT, RunContent
from otel_mas.analyse.topology import GraphScopes
from otel_mas.analyse.unreached import Unreached, WhyNotKind, WhyNotReason
from otel_mas.causal import CausalGraph
from otel_mas.causal.links import INFERRED, METADATA, RECORDED
from otel_mas.model import Span
from otel_mas.model.channels import START
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind, TaskOutcome

_MOST_KNOWN = 10


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why an agent did not act, in one sentence, with the spans that show it.

    `provenance` is as that of the edges of a causal graph: "recorded", "metadata", or "inferred" where the sentence
    follows from the topology and from what is absent.
    """

    agent: str
    kind: WhyNotKind
    sentence: str
    spans: tuple[Span, ...] = ()
    """The most telling one first."""
    provenance: str = RECORDED
    others: tuple[str, ...] = ()
    """Why the other ways to it were not taken."""
    known: tuple[str, ...] = ()
    """Names that resemble it, of those that the run has; all of them (10 at most) where none does."""


def why_not(causal: CausalGraph, agent: str, content: RunContent = NO_CONTENT) -> WhyNot:
    """Return why an agent (or a node) did not act, or where it did.

    Args:
        causal: the graph of a trace or a conversation.
        agent: its name, as the app gave it, or the name of the node.
        content: reasons of decisions and messages of errors.
    """
    return _Question(causal, agent, content).answer()


class _Question:
    def __init__(self, causal: CausalGraph, agent: str, content: RunContent) -> None:
        self._causal = causal
        self._agent = agent
        self._scopes = GraphScopes(causal)
        self._unreached = Unreached(causal, self._scopes, content)

    def answer(self) -> WhyNot:
        acted = [span for span in self._causal.spans if self._is_it(span)]
        if acted:
            return self._acted(acted)
        homes = [
            (scope, node)
            for scope in self._scopes.all
            if scope.topology is not None and (node := scope.topology.node(self._agent)) is not None
        ]
        found = [self._unreached.explain(scope, node) for scope, node in homes] or list(self._never_entered())
        if found:
            # Of several runs of the graph that has it, the one that came nearest to it.
            return self._answer(min(found, key=lambda one: one.rank))
        return self._without_topology()

    def _answer(self, found: WhyNotReason) -> WhyNot:
        based = any(span.get(names.MAS_TIME_BASIS) for span in found.spans)
        provenance = INFERRED if found.inferred else METADATA if based else RECORDED
        return WhyNot(self._agent, found.kind, found.sentence(self._agent), found.spans, provenance, found.others)

    # -- it did act ----------------------------------------------------------------------------------------------------

    def _is_it(self, span: Span) -> bool:
        columns = span.columns
        if columns.get(names.MAS_RECORD_KIND) != RecordKind.AGENT_TASK:
            return False
        return self._agent in (columns.get(names.MAS_TASK_NAME), span.agent)

    def _acted(self, spans: Sequence[Span]) -> WhyNot:
        own = [span for span in spans if not span.get(names.MAS_TASK_CACHED) and not span.get(names.MAS_TASK_UPDATED)]
        label = self._unreached.label
        if not own:
            last = spans[-1]
            if last.get(names.MAS_TASK_UPDATED):
                text = "the app wrote the state in its place, with update_state"
                return self._answered(WhyNotKind.WRITTEN, f"{label(last)} did not run: {text}", spans)
            text = "LangGraph answered it from its cache"
            return self._answered(WhyNotKind.CACHED, f"{label(last)} did not run: {text}", spans)
        last = own[-1]
        outcome = last.columns.get(names.MAS_TASK_OUTCOME)
        if outcome == TaskOutcome.INTERRUPTED:
            return self._answered(WhyNotKind.PAUSED, f"{label(last)} began to act, and waits for a person", [last])
        if outcome == TaskOutcome.CANCELLED:
            return self._answered(WhyNotKind.CANCELLED, f"{label(last)} began to act, and was cancelled", [last])
        return self._answered(WhyNotKind.ACTED, f"{self._agent} did act, {self._where(own)}", own)

    def _where(self, spans: Sequence[Span]) -> str:
        tasks = list(dict.fromkeys(self._unreached.label(span) for span in spans))
        where = ", ".join(tasks[:3]) + (f" and {len(tasks) - 3} more" if len(tasks) > 3 else "")
        where = "once" if tasks == [self._agent] else f"as {where}"
        last = spans[-1]
        error = self._unreached.error(last)
        if error:
            return f"{where}, which failed at last ({error})"
        return f"{where}, still running" if last.end_ns is None else where

    def _answered(self, kind: WhyNotKind, sentence: str, spans: Iterable[Span]) -> WhyNot:
        return WhyNot(self._agent, kind, f"{sentence}.", tuple(spans))

    # -- it is not in a graph that ran ---------------------------------------------------------------------------------

    def _never_entered(self) -> Iterator[WhyNotReason]:
        """Reasons why a graph inside a node, which has it, never ran."""
        for scope, node in self._scopes.not_entered(self._agent):
            tasks = scope.of_node(node)
            if tasks and all(task.get(names.MAS_TASK_CACHED) for task in tasks):
                found = WhyNotReason(
                    WhyNotKind.CACHED, "did not run: LangGraph answered it from its cache", tuple(tasks)
                )
            elif tasks:
                found = self._unreached.stopped_inside(scope, node)
            else:
                found = self._unreached.explain(scope, node)
            yield replace(found, inside=node)

    def _without_topology(self) -> WhyNot:
        decided = self._unreached.declined(self._agent)
        if decided is not None:
            return self._answer(decided)
        names_here = self._names()
        close = get_close_matches(self._agent.casefold(), [name.casefold() for name in names_here], n=3, cutoff=0.6)
        known = [name for name in names_here if name.casefold() in close] or names_here[:_MOST_KNOWN]
        unknown = [scope for scope in self._scopes.all if scope.topology is None]
        going_on = [scope.runs[-1] for scope in unknown if scope.runs[-1].end_ns is None]
        if going_on:
            text = f"has not acted so far: {self._unreached.going_on(going_on[0])}"
            return WhyNot(
                self._agent, WhyNotKind.RUNNING, f"{self._agent} {text}.", tuple(going_on), INFERRED, known=tuple(known)
            )
        if unknown or not self._scopes.all:
            text = "no node or agent of this name acted, and this recording does not say which nodes the graph has"
            return WhyNot(
                self._agent,
                WhyNotKind.UNKNOWN,
                f"{self._agent}: {text}, so it cannot be told whether it exists.",
                tuple(run for scope in unknown for run in scope.runs[:1]),
                INFERRED,
                known=tuple(known),
            )
        runs = tuple(scope.runs[0] for scope in self._scopes.all)
        functional = any(scope.topology is not None and not scope.topology.edges for scope in self._scopes.all)
        aside = "; functions that are called, with @task or by themselves, are known only once they run"
        sentence = f"No graph of this run has a node or an agent {self._agent!r}{aside if functional else ''}."
        provenance = INFERRED if functional else RECORDED
        return WhyNot(self._agent, WhyNotKind.NOT_DEFINED, sentence, runs, provenance, known=tuple(known))

    def _names(self) -> list[str]:
        found: Counter[str] = Counter()
        for topology in self._scopes.topologies():
            found.update(topology.names())
        for span in self._causal.spans:
            if span.record_kind == RecordKind.AGENT_TASK:
                found.update(name for name in (span.task_name, span.agent) if name)
        found.pop(START, None)
        return [name for name, _ in found.most_common()]


__all__ = ["WhyNot", "WhyNotKind", "why_not"]
