"""Causes beyond parentage: span links, the attributes that repeat them, and the stable keys that join traces."""

from __future__ import annotations

from collections import Counter, defaultdict
from operator import lt

from otel_mas.causal.forest import Forest
from otel_mas.causal.inferred import infer_causes
from otel_mas.causal.links import INFERRED, METADATA, RECORDED, Links
from otel_mas.causal.messages import reads_across_processes
from otel_mas.causal.problems import Problems
from otel_mas.causal.references import References, texts
from otel_mas.model import NOT_HERE, Span, SpanTable
from otel_mas.semconv import LinkKind, RecordKind, TaskOutcome
from otel_mas.semconv import attributes as names

_GUESSED = "?|"
_UNSETTLED = (TaskOutcome.INTERRUPTED, TaskOutcome.ERROR, TaskOutcome.CANCELLED)


def find_causes(forest: Forest, problems: Problems) -> Links:
    """All edges but `child`: first what was recorded, then what stable keys join."""
    problems.empty = not forest.spans
    links = _Search(forest, problems).run()
    if all(map(lt, links.cause, links.effect)):
        return links  # no effect starts before its causes, and so there is no cycle
    for cause, effect in zip(links.cause, links.effect, strict=True):
        if cause >= 0 and forest.start[cause] > forest.start[effect]:
            problems.late_causes.append((forest.spans[cause], forest.spans[effect]))
    cycle = _find_cycle(links)
    if cycle:
        problems.link_cycles.append([forest.spans[i] for i in cycle])
    return links


class _Search:
    """One pass over each column that holds causes, then the joins that need all of them."""

    def __init__(self, forest: Forest, problems: Problems) -> None:
        self.forest = forest
        self.problems = problems
        self.links = Links(len(forest.spans))
        self.traces = set(forest.spans.trace_ids)

    def run(self) -> Links:
        spans = self.forest.spans
        self._recorded()
        referring = list(spans.having(names.MAS_CAUSE_REFS))
        tasks = _tasks(spans, every=bool(referring))
        references = References(self.forest, tasks)
        for i, pending in spans.having(names.MAS_CHECKPOINT_PENDING):
            if not references.run_ended(spans.value(i, names.MAS_CHECKPOINT_LAST_ID), texts(pending)):
                self.problems.unreadable.append(spans[i])
        self.problems.unreadable.sort(key=lambda span: spans.numbers[span.span_id])
        for effect, keys in referring:
            self._resolve(effect, texts(keys), references)
        self._resume(tasks)
        for writer, reader in reads_across_processes(self.forest, texts):
            self.links.add(writer, reader, LinkKind.MESSAGE.value, METADATA)
        infer_causes(self.forest, self.links, complete=not self.problems.orphans)
        return self.links

    def _recorded(self) -> None:
        """Links and what repeats them, span by span."""
        spans, add, place = self.forest.spans, self.links.add, 0
        links = spans.links()
        effects, known, kinds = links.effects, links.causes, links.kinds
        for repeating, causes in (*spans.having(names.MAS_CAUSE_SPANS), (len(spans), None)):
            while place < len(effects) and effects[place] <= repeating:
                kind, cause = kinds[place], known[place]
                if kind and cause != NOT_HERE and kind != LinkKind.REPLAY:
                    add(cause, effects[place], kind, RECORDED)
                elif kind and cause == NOT_HERE:
                    self._add(*links.in_other_traces[place], effects[place], kind, RECORDED)
                place += 1
            if causes is not None:
                self._repeated(repeating, spans[repeating])

    def _add(self, trace_id: str, span_id: str, effect: int, kind: str, provenance: str) -> None:
        if kind == LinkKind.REPLAY:  # what it was answered from did not cause it
            return
        spans = self.forest.spans
        cause = spans.numbers.get(span_id)
        if cause is None:
            if trace_id in self.traces:
                self.problems.lost_causes.append(spans[effect])
            cause = self.links.outside(span_id)
        elif spans.trace_ids[cause] != trace_id:  # the id of another span: nodes are known by it alone
            self.problems.unreadable.append(spans[effect])
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

    def _resolve(self, effect: int, keys: list[str], references: References) -> None:
        span = self.forest.spans[effect]
        for reference in keys:
            guessed = _GUESSED in reference
            causes = references.resolve(reference.replace(_GUESSED, "|", 1), span)
            if not causes:
                self.problems.references.append((span, reference))
            for kind, trace_id, span_id in causes:
                # Of an open span, whose links are not stored yet, the references repeat them.
                is_link = span.end_ns is None and reference == f"{kind}|{trace_id}-{span_id}"
                self._add(trace_id, span_id, effect, kind, INFERRED if guessed else RECORDED if is_link else METADATA)

    def _resume(self, tasks: dict[str, list[int]]) -> None:
        """Join a task to the latest earlier span of the same task that paused, or that failed in an earlier run."""
        trace_ids, start, end = self.forest.spans.trace_ids, self.forest.start, self.forest.end
        for same in tasks.values():
            left, settled = None, False
            for i in same:
                apart = left is not None and trace_ids[left] != trace_ids[i]
                if left is not None and (apart or end[left] <= start[i]) and (not settled or self._answered(i)):
                    self._continue(left, i, apart)
                outcome = self.forest.spans.value(i, names.MAS_TASK_OUTCOME)
                if outcome in _UNSETTLED:
                    left, settled = i, False
                elif outcome is not None:
                    settled = True  # a later span of it is another branch of the thread's history, not a continuation

    def _continue(self, left: int, effect: int, apart: bool) -> None:
        links, spans = self.links, self.forest.spans
        if spans.value(left, names.MAS_TASK_OUTCOME) == TaskOutcome.INTERRUPTED:
            if not links.has(effect, LinkKind.RESUME):
                links.add(left, effect, LinkKind.RESUME.value, METADATA)
        elif apart and not links.has(effect, LinkKind.RETRY) and not spans[effect].get(names.MAS_TASK_UPDATED):
            links.add(left, effect, LinkKind.RETRY.value, METADATA)

    def _answered(self, i: int) -> bool:
        return any(self.forest.spans[j].record_kind == RecordKind.HUMAN_INPUT for j in self.forest.children(i))


def _tasks(spans: SpanTable, every: bool) -> dict[str, list[int]]:
    """The spans of each task in start order; of those with one span only where all are asked for."""
    column = spans.column(names.MAS_TASK_ID)
    known = [task for task in column if isinstance(task, str) and task]
    if not every and len(set(known)) == len(known):
        return {}
    spans_of = Counter(known)
    tasks: dict[str, list[int]] = defaultdict(list)
    for i, task in enumerate(column):
        if isinstance(task, str) and task and (every or spans_of[task] > 1):
            tasks[task].append(i)
    return tasks


def _pair(cause: str) -> tuple[str, str] | None:
    trace_id, _, span_id = cause.partition("-")
    return (trace_id, span_id) if trace_id and span_id else None


def _find_cycle(links: Links) -> list[int]:
    """One cycle of links, if there is any; spans that no cycle leads to are removed first. Linear."""
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
    """Spans that remain when those without a remaining cause are removed repeatedly."""
    waiting_for = {effect: len(known) for effect, known in causes.items()}
    stack = [span for span in effects if span not in waiting_for]
    while stack:
        for effect in effects.get(stack.pop(), ()):
            waiting_for[effect] -= 1
            if waiting_for[effect] == 0:
                del waiting_for[effect]
                stack.append(effect)
    return set(waiting_for)
