"""Spans as a forest over integers: who is inside whom, from when until when, whatever is wrong with the trace."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from otel_mas.causal.problems import Problems
from otel_mas.model import Span, Trace

ROOT = -1
"""The parent of a root; also the end of a list of children."""

_NO_PARENT = (None, "", "0" * 16)


@dataclass(frozen=True, slots=True)
class Tree:
    """Spans by their number in start order. Arrays of integers, so that 100,000 spans cost little beside themselves."""

    spans: tuple[Span, ...]
    index: dict[str, int]
    start: list[int]
    end: list[int]
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


def plant(traces: Sequence[Trace], problems: Problems) -> Tree:
    """Order the spans, find their parents and settle their times."""
    spans, index = _distinct([span for trace in traces for span in trace.spans], problems)
    start = [span.start_ns for span in spans]
    end = _ends(spans, start, problems)
    parent = _parents(spans, index, problems)
    _cut_cycles(spans, parent, problems)
    roots = [i for i, above in enumerate(parent) if above == ROOT]
    _count_roots(spans, roots, problems)
    head, following = list_children(parent)
    return Tree(tuple(spans), index, start, end, parent, roots, head, following)


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


def nearest(parent: array[int], marked: Sequence[bool]) -> array[int]:
    """For every span the nearest span above it that is marked, or ROOT. Linear, however deep the tree is."""
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


def _distinct(spans: list[Span], problems: Problems) -> tuple[list[Span], dict[str, int]]:
    if any(one.start_ns > other.start_ns for one, other in pairwise(spans)):
        spans.sort(key=lambda span: span.start_ns)
    index = {span.span_id: i for i, span in enumerate(spans)}
    if len(index) == len(spans):
        return spans, index
    kept: dict[str, Span] = {}
    for span in spans:
        known = kept.get(span.span_id)
        if known is None or (known.end_ns is None and span.end_ns is not None):
            kept[span.span_id] = span
        if known is not None:
            problems.duplicates.setdefault(span.span_id, span)
    distinct = sorted(kept.values(), key=lambda span: span.start_ns)
    return distinct, {span.span_id: i for i, span in enumerate(distinct)}


def _ends(spans: Sequence[Span], start: Sequence[int], problems: Problems) -> list[int]:
    end = []
    for span, begin in zip(spans, start, strict=True):
        finish = span.end_ns
        if finish is None:
            problems.open.append(span)
            finish = span.last_ns
        elif finish < begin:
            problems.backwards.append(span)
            finish = begin
        end.append(finish)
    if problems.open:
        last: dict[str, int] = {}
        for span, finish in zip(spans, end, strict=True):
            last[span.trace_id] = max(finish, last.get(span.trace_id, finish))
        end = [last[span.trace_id] if span.end_ns is None else finish for span, finish in zip(spans, end, strict=True)]
    return end


def _parents(spans: Sequence[Span], index: dict[str, int], problems: Problems) -> array[int]:
    parent = array("q")
    for span in spans:
        named = span.parent_span_id
        if named in _NO_PARENT:
            parent.append(ROOT)
            continue
        above = index.get(named, ROOT) if named is not None else ROOT
        if above == ROOT or spans[above].trace_id != span.trace_id:
            problems.orphans.append(span)
            above = ROOT
        parent.append(above)
    return parent


def _cut_cycles(spans: Sequence[Span], parent: array[int], problems: Problems) -> None:
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


def _count_roots(spans: Sequence[Span], roots: Sequence[int], problems: Problems) -> None:
    if len(roots) == 1 and spans[roots[0]].parent_span_id in _NO_PARENT:
        return
    for i in roots:
        span = spans[i]
        proper, stand_ins = problems.roots.setdefault(span.trace_id, ([], []))
        (proper if span.parent_span_id in _NO_PARENT else stand_ins).append(span)
