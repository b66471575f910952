"""Spans as a forest over integers, with start and end of each, whatever is wrong with the trace."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import le, lt

from otel_mas.causal.enclosing import put_inside
from otel_mas.causal.problems import Problems
from otel_mas.model import ObjectSpanTable, Span, SpanKind, SpanTable, Trace
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names

ROOT = -1
"""The parent of a root; also the end of a list of children."""

_NO_PARENT = (None, "", "0" * 16)


@dataclass(frozen=True, slots=True)
class Forest:
    """Spans by their number in start order. Arrays of integers, so that 100,000 spans cost little memory."""

    spans: SpanTable
    start: MutableSequence[int]
    end: Sequence[int]
    parent: array[int]
    roots: list[int]
    head: array[int]
    following: array[int]

    def children(self, above: int) -> Iterator[int]:
        """The children of a span, in start order."""
        child = self.head[above]
        while child != ROOT:
            yield child
            child = self.following[child]


def build_forest(traces: Sequence[Trace], problems: Problems) -> Forest:
    """Order the spans, find their parents and correct their ends."""
    spans = _distinct(traces, problems)
    end = _ends(spans, problems)
    parent = _parents(spans, problems)
    problems.put_inside.extend(map(spans.__getitem__, put_inside(spans, parent, end)))
    _cut_cycles(spans, parent, problems)
    roots = [i for i, above in enumerate(parent) if above == ROOT]
    _count_roots(spans, roots, problems)
    _find_early(spans, parent, problems)
    head, following = list_children(parent)
    return Forest(spans, spans.starts, end, parent, roots, head, following)


def list_children(parent: array[int]) -> tuple[array[int], array[int]]:
    """First child and next sibling of every span, in start order: two arrays instead of a list for each span."""
    head = array("q", [ROOT]) * len(parent)
    following = array("q", [ROOT]) * len(parent)
    for i in range(len(parent) - 1, -1, -1):
        above = parent[i]
        if above != ROOT:
            following[i] = head[above]
            head[above] = i
    return head, following


def nearest(parent: Sequence[int], marked: Sequence[bool]) -> array[int]:
    """For every span the nearest span above it that is marked, or ROOT. Linear, however deep the forest is."""
    unknown = ROOT - 1
    found = array("q", [unknown]) * len(parent)
    for i, above in enumerate(parent):
        if above < i:
            found[i] = above if above == ROOT or marked[above] else found[above]
            continue
        chain = [i]
        while above > i and found[above] == unknown:  # a parent after its child, where clocks differ
            chain.append(above)
            above = parent[above]
        for span in reversed(chain):
            above = parent[span]
            found[span] = above if above == ROOT or marked[above] else found[above]
    return found


def _distinct(traces: Sequence[Trace], problems: Problems) -> SpanTable:
    """Spans in start order, one for each id; the source's own table if it is so already."""
    if len(traces) == 1:
        given = traces[0].spans
        table = given if isinstance(given, SpanTable) else ObjectSpanTable(given)
        if len(table.numbers) == len(table) and all(map(le, table.starts, islice(table.starts, 1, None))):
            return table
    spans = sorted((span for trace in traces for span in trace.spans), key=lambda span: span.start_ns)
    kept: dict[str, Span] = {}
    for span in spans:
        known = kept.get(span.span_id)
        if known is None or (known.end_ns is None and span.end_ns is not None):
            kept[span.span_id] = span
        if known is not None:
            problems.duplicates.setdefault(span.span_id, span)
    return ObjectSpanTable(sorted(kept.values(), key=lambda span: span.start_ns) if problems.duplicates else spans)


def _ends(spans: SpanTable, problems: Problems) -> Sequence[int]:
    start, last = spans.starts, spans.lasts
    if not spans.open_spans and not any(map(lt, last, start)):
        return last
    end, still_open = list(last), frozenset(spans.open_spans)
    problems.open.extend(spans[i] for i in spans.open_spans)
    for i, finish in enumerate(end):
        if finish < start[i] and i not in still_open:
            problems.backwards.append(spans[i])
            end[i] = start[i]
    latest: dict[str, int] = {}
    for trace_id, finish in zip(spans.trace_ids, end, strict=True):
        latest[trace_id] = max(finish, latest.get(trace_id, finish))
    for i in still_open:
        end[i] = latest[spans.trace_ids[i]]
    return end


def _parents(spans: SpanTable, problems: Problems) -> array[int]:
    named, numbers, trace_ids = spans.parents, spans.numbers, spans.trace_ids
    parent = array("q", [numbers.get(above or "", ROOT) for above in named])
    odd = len(set(trace_ids)) > 1 or any((absent or "") in numbers for absent in _NO_PARENT)
    for i, above in enumerate(parent):
        if above == ROOT or (odd and (named[i] in _NO_PARENT or trace_ids[above] != trace_ids[i])):
            parent[i] = ROOT
            if named[i] not in _NO_PARENT:
                problems.orphans.append(spans[i])
    return parent


def _cut_cycles(spans: SpanTable, parent: array[int], problems: Problems) -> None:
    """Make the earliest span of every cycle of parents a root."""
    visit = array("q", [0]) * len(parent)
    for walk, origin in enumerate((i for i, above in enumerate(parent) if above >= i), start=1):
        # Every cycle has a span whose parent does not come before it, so all walks together see all cycles.
        span = origin
        while span != ROOT and visit[span] == 0:
            visit[span] = walk
            span = parent[span]
        if span == ROOT or visit[span] != walk:
            continue
        cycle = [span]
        while parent[cycle[-1]] != span:
            cycle.append(parent[cycle[-1]])
        earliest = min(cycle)
        problems.parent_cycles.append([spans[i] for i in cycle])
        parent[earliest] = ROOT


def _find_early(spans: SpanTable, parent: array[int], problems: Problems) -> None:
    """Find spans that begin before their parent; of messages, judgements and checkpoints' times that is nothing odd."""
    start, kinds = spans.starts, spans.kinds
    for i, above in enumerate(parent):
        if above == ROOT or start[above] <= start[i]:
            continue
        message = kinds[i] == SpanKind.CONSUMER or kinds[above] == SpanKind.PRODUCER
        if not message and not _is_judgement(spans, i) and not spans.value(i, names.MAS_TIME_BASIS):
            problems.early.append(spans[i])


def _is_judgement(spans: SpanTable, number: int) -> bool:
    return bool(spans.value(number, names.MAS_RECORD_KIND) == RecordKind.EVALUATION)


def _count_roots(spans: SpanTable, roots: Sequence[int], problems: Problems) -> None:
    if len(roots) == 1 and spans[roots[0]].parent_span_id in _NO_PARENT:
        return
    for i in roots:
        span = spans[i]
        proper, stand_ins = problems.roots.setdefault(span.trace_id, ([], []))
        (proper if span.parent_span_id in _NO_PARENT else stand_ins).append(span)
