"""Who caused whom beyond parentage: links, the attributes that repeat them, and the stable keys that join traces."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from otel_mas.causal.messages import read_elsewhere
from otel_mas.causal.problems import Problems
from otel_mas.causal.references import References, texts
from otel_mas.causal.tree import Tree
from otel_mas.model import Span
from otel_mas.semconv import LinkKind, RecordKind, TaskOutcome
from otel_mas.semconv import attributes as names

RECORDED = "recorded"
METADATA = "metadata"
INFERRED = "inferred"
_GUESSED = "?|"
_UNSETTLED = (TaskOutcome.INTERRUPTED, TaskOutcome.ERROR, TaskOutcome.CANCELLED)


@dataclass(slots=True)
class Links:
    """Edges other than `child`, as parallel lists. A negative cause is external: -1 is `externals[0]`, and so on."""

    cause: list[int] = field(default_factory=list)
    effect: list[int] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    provenance: list[str] = field(default_factory=list)
    externals: list[str] = field(default_factory=list)
    by_effect: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _known: set[tuple[int, str]] = field(default_factory=set)
    _known_of: int = -1
    _external: dict[str, int] = field(default_factory=dict)

    def add(self, cause: int, effect: int, kind: str, provenance: str) -> None:
        """Add an edge; what is there already stays as it is, so record links first."""
        edges = self.by_effect[effect]
        if self._known_of != effect:  # edges come effect by effect, so the set of one is enough
            self._known_of = effect
            self._known = {(self.cause[edge], self.kind[edge]) for edge in edges}
        if (cause, kind) in self._known:
            return
        self._known.add((cause, kind))
        edges.append(len(self.cause))
        self.cause.append(cause)
        self.effect.append(effect)
        self.kind.append(kind)
        self.provenance.append(provenance)

    def outside(self, span_id: str) -> int:
        """The number of an external node."""
        if span_id not in self._external:
            self.externals.append(span_id)
            self._external[span_id] = -len(self.externals)
        return self._external[span_id]

    def has(self, effect: int, kind: str) -> bool:
        return any(self.kind[edge] == kind for edge in self.by_effect.get(effect, ()))


def find_causes(tree: Tree, problems: Problems) -> Links:
    """All edges but `child`: first what was recorded, then what stable keys join."""
    problems.empty = not tree.spans
    search = _Search(tree, problems)
    links = search.run()
    for cause, effect in zip(links.cause, links.effect, strict=True):
        if cause >= 0 and tree.start[cause] > tree.start[effect]:
            problems.late_causes.append((tree.spans[cause], tree.spans[effect]))
    cycle = _find_cycle(links)
    if cycle:
        problems.link_cycles.append([tree.spans[i] for i in cycle])
    return links


class _Search:
    """One pass over the spans for what they say, then the joins that need all of them."""

    def __init__(self, tree: Tree, problems: Problems) -> None:
        self.tree = tree
        self.problems = problems
        self.links = Links()
        self.traces = {span.trace_id for span in tree.spans}
        self.referring: list[int] = []
        self.tasks: dict[str, list[int]] = defaultdict(list)
        self.references = References(tree, self.tasks)

    def run(self) -> Links:
        for i, span in enumerate(self.tree.spans):
            if span.links:
                for link in span.links:
                    if link.kind:
                        self._add(link.trace_id, link.span_id, i, link.kind, RECORDED)
            columns = span.columns
            if not columns:
                continue
            if columns.get(names.MAS_CAUSE_SPANS):
                self._repeated(i, span)
            task_id = columns.get(names.MAS_TASK_ID)
            if task_id and isinstance(task_id, str):
                self.tasks[task_id].append(i)
            if columns.get(names.MAS_CHECKPOINT_PENDING):
                waiting = texts(columns[names.MAS_CHECKPOINT_PENDING])
                if not self.references.run_ended(columns.get(names.MAS_CHECKPOINT_LAST_ID), waiting):
                    self.problems.unreadable.append(span)
            if columns.get(names.MAS_CAUSE_REFS):
                self.referring.append(i)
        self._resolve()
        self._resume()
        for writer, reader in read_elsewhere(self.tree, texts):
            self.links.add(writer, reader, LinkKind.MESSAGE.value, METADATA)
        return self.links

    def _add(self, trace_id: str, span_id: str, effect: int, kind: str, provenance: str) -> None:
        cause = self.tree.index.get(span_id)
        if cause is None:
            if trace_id in self.traces:
                self.problems.lost_causes.append(self.tree.spans[effect])
            cause = self.links.outside(span_id)
        elif self.tree.spans[cause].trace_id != trace_id:  # the id of another span: nodes are known by it alone
            self.problems.unreadable.append(self.tree.spans[effect])
            return
        self.links.add(cause, effect, kind, provenance)

    def _repeated(self, effect: int, span: Span) -> None:
        """The causes as attributes, for sources that lose the attributes of links, or links past a limit."""
        causes = texts(span.columns.get(names.MAS_CAUSE_SPANS))
        kinds = texts(span.columns.get(names.MAS_CAUSE_KINDS))
        pairs = [_pair(cause) for cause in causes]
        if len(causes) != len(kinds) or None in pairs:
            self.problems.unreadable.append(span)
        for pair, kind in zip(pairs, kinds, strict=False):
            if pair is not None:
                self._add(*pair, effect, kind, RECORDED)

    def _resolve(self) -> None:
        for effect in self.referring:
            span = self.tree.spans[effect]
            for reference in texts(span.columns.get(names.MAS_CAUSE_REFS)):
                guessed = _GUESSED in reference
                causes = self.references.resolve(reference.replace(_GUESSED, "|", 1), span)
                if not causes:
                    self.problems.references.append((span, reference))
                for kind, trace_id, span_id in causes:
                    self._add(trace_id, span_id, effect, kind, INFERRED if guessed else METADATA)

    def _resume(self) -> None:
        """Join a task to the latest earlier span of the same task that paused, or that failed in an earlier run."""
        spans, start, end = self.tree.spans, self.tree.start, self.tree.end
        for same in self.tasks.values():
            left, settled = None, False
            for i in same:
                apart = left is not None and spans[left].trace_id != spans[i].trace_id
                if left is not None and (apart or end[left] <= start[i]) and (not settled or self._answered(i)):
                    self._again(left, i, apart)
                outcome = spans[i].columns.get(names.MAS_TASK_OUTCOME)
                if outcome in _UNSETTLED:
                    left, settled = i, False
                elif outcome is not None:
                    settled = True  # a later span of it is another branch of the thread's history, not a continuation

    def _again(self, left: int, effect: int, apart: bool) -> None:
        spans, links = self.tree.spans, self.links
        if spans[left].columns.get(names.MAS_TASK_OUTCOME) == TaskOutcome.INTERRUPTED:
            if not links.has(effect, LinkKind.RESUME):
                links.add(left, effect, LinkKind.RESUME.value, METADATA)
        elif apart and not links.has(effect, LinkKind.RETRY) and not spans[effect].get(names.MAS_TASK_UPDATED):
            links.add(left, effect, LinkKind.RETRY.value, METADATA)

    def _answered(self, i: int) -> bool:
        return any(self.tree.spans[j].record_kind == RecordKind.HUMAN_INPUT for j in self.tree.children(i))


def _pair(cause: str) -> tuple[str, str] | None:
    trace_id, _, span_id = cause.partition("-")
    return (trace_id, span_id) if trace_id and span_id else None


def _find_cycle(links: Links) -> list[int]:
    """One cycle of links, if there is any; what no cycle leads to is peeled off first. Linear."""
    if all(cause < effect for cause, effect in zip(links.cause, links.effect, strict=True)):
        return []  # every effect starts after its causes
    causes: dict[int, list[int]] = defaultdict(list)
    effects: dict[int, list[int]] = defaultdict(list)
    for cause, effect in zip(links.cause, links.effect, strict=True):
        if cause >= 0:
            causes[effect].append(cause)
            effects[cause].append(effect)
    left = _without_ends(causes, effects)
    if not left:
        return []
    # Every span that is left has a cause that is left: going back must come round.
    span = min(left)
    seen: dict[int, int] = {}
    chain: list[int] = []
    while span not in seen:
        seen[span] = len(chain)
        chain.append(span)
        span = min(cause for cause in causes[span] if cause in left)
    cycle = chain[seen[span] :][::-1]
    first = cycle.index(min(cycle))
    return cycle[first:] + cycle[:first]


def _without_ends(causes: dict[int, list[int]], effects: dict[int, list[int]]) -> set[int]:
    """The spans that remain when those that no remaining span caused are taken away again and again."""
    waiting_for = {effect: len(known) for effect, known in causes.items()}
    stack = [span for span in effects if span not in waiting_for]
    while stack:
        for effect in effects.get(stack.pop(), ()):
            waiting_for[effect] -= 1
            if waiting_for[effect] == 0:
                del waiting_for[effect]
                stack.append(effect)
    return set(waiting_for)
