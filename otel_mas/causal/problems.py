"""Problems of the traces that a graph is built from, one line for each sort."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from otel_mas.causal.clocks import Skew
from otel_mas.model import Span

_EXAMPLES = 3


@dataclass(slots=True)
class Problems:
    """Gathers what was found on the way. A line names at most three examples, however many there are."""

    duplicates: dict[str, Span] = field(default_factory=dict)
    orphans: list[Span] = field(default_factory=list)
    parent_cycles: list[list[Span]] = field(default_factory=list)
    roots: dict[str, tuple[list[Span], list[Span]]] = field(default_factory=dict)
    """By trace: spans without a parent, and spans that stand in as roots."""
    open: list[Span] = field(default_factory=list)
    backwards: list[Span] = field(default_factory=list)
    unreadable: list[Span] = field(default_factory=list)
    lost_causes: list[Span] = field(default_factory=list)
    late_causes: list[tuple[Span, Span]] = field(default_factory=list)
    link_cycles: list[list[Span]] = field(default_factory=list)
    skews: list[Skew] = field(default_factory=list)
    early: list[Span] = field(default_factory=list)
    """Spans that start before their parent."""
    put_inside: list[Span] = field(default_factory=list)
    """Spans that are read as inside of the empty one beside them that names them."""
    references: list[tuple[Span, str]] = field(default_factory=list)
    empty: bool = False
    single: bool = False
    """Only one trace was given."""
    whole: bool = False
    """There is no more of the conversation than what was given."""

    def lines(self) -> tuple[str, ...]:
        """One line for each sort of problem, those about the spans themselves first."""
        return (*self._about_spans(), *self._about_causes())

    def _about_spans(self) -> Iterator[str]:
        if self.empty:
            yield "There are no spans."
        if self.duplicates:
            several = _several(len(self.duplicates), "span id occurs", "span ids occur")
            named = _named(list(self.duplicates.values()))
            yield f"{several} more than once ({named}): the first that has ended is kept."
        if self.orphans:
            several = _several(len(self.orphans), "span names", "spans name")
            yield f"{several} a parent that is not here ({_named(self.orphans)}): treated as roots."
        for cycle in self.parent_cycles[:_EXAMPLES]:
            yield f"Spans are each other's parents ({_round(cycle)}): the earliest is treated as a root."
        if len(self.parent_cycles) > _EXAMPLES:
            yield f"{len(self.parent_cycles) - _EXAMPLES} more cycles of parents were cut in the same way."
        yield from self._about_roots()
        yield from map(_about_skew, self.skews)
        if self.early:
            several = _several(len(self.early), "span begins before its parent", "spans begin before their parents")
            yield f"{several} ({_named(self.early)}): left in place."
        if self.put_inside:
            several = _several(len(self.put_inside), "span lies", "spans lie") + " beside an empty span"
            yield f"{several} that invoked the same ({_named(self.put_inside)}): read as inside of that."
        if self.open:
            several = _several(len(self.open), "span has", "spans have")
            yield f"{several} not ended ({_named(self.open)}): taken to last until the last instant seen in the trace."
        if self.backwards:
            several = _several(len(self.backwards), "span ends before it starts", "spans end before they start")
            yield f"{several} ({_named(self.backwards)}): taken as instants at their start."

    def _about_roots(self) -> Iterator[str]:
        for trace_id, (proper, stand_ins) in self.roots.items():
            together = [*proper, *stand_ins]
            if not proper and len(together) > 1:
                yield f"Trace {trace_id} has no root ({_named(together)} stand in): its time runs over all of them."
            elif len(together) > 1:
                yield (
                    f"Trace {trace_id} has {len(together)} roots ({_named(together)}): its time runs from the first "
                    "start to the last end of them."
                )

    def _about_causes(self) -> Iterator[str]:
        if self.unreadable:
            several = _several(len(self.unreadable), "span has", "spans have")
            yield f"{several} causes that cannot be read ({_named(self.unreadable)}): those are left out."
        if self.lost_causes:
            several = _several(len(self.lost_causes), "span names", "spans name")
            yield f"{several} a cause that its trace lacks ({_named(self.lost_causes)}): shown by its id alone."
        if self.late_causes:
            several = _several(len(self.late_causes), "cause starts", "causes start")
            pairs = "; ".join(f"{_name(c)} → {_name(e)}" for c, e in self.late_causes[:_EXAMPLES])
            yield f"{several} after the effect ({pairs}{_more(self.late_causes)}): not used for the critical path."
        for cycle in self.link_cycles:
            yield f"Causes run in a circle ({_round(cycle)}): the critical path follows only what goes back in time."
        if self.references:
            yield self._about_references()

    def _about_references(self) -> str:
        thread = next((span.conversation_id for span, _ in self.references if span.conversation_id), None)
        if self.single and not self.whole and thread is not None:
            several = _several(len(self.references), "cause lies", "causes lie")
            return f"{several} in an earlier trace of this conversation: add --conversation {shlex.quote(str(thread))}"
        several = _several(len(self.references), "cause is", "causes are")
        named = "; ".join(f"{reference} of {_name(span)}" for span, reference in self.references[:_EXAMPLES])
        more = "it is in none of these traces" if self.whole else "the whole conversation may have it"
        return f"{several} known only by a key that leads to no span here ({named}{_more(self.references)}): {more}."


def _about_skew(skew: Skew) -> str:
    clock = f"The clock of {skew.service}" + (f" ({skew.clock})" if skew.clock != skew.service else "")
    against = f"{_several(skew.contradictions, 'span contradicts its cause', 'spans contradict their causes')}"
    if not skew.contradictions:
        against = f"as that of {skew.like}"
    if not skew.offset_ns:
        return f"{clock} and that of {skew.reference} differ by no single time ({against}): both are left."
    way = "behind" if skew.offset_ns > 0 else "ahead of"
    took = _seconds(abs(skew.offset_ns))
    moved = _several(skew.spans, "span is", "spans are")
    return f"{clock} is {took} {way} that of {skew.reference} ({against}): its {moved} moved."


def _seconds(ns: int) -> str:
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 1000)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns} ns"


def _several(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _name(span: Span) -> str:
    return f"{span.name} {span.span_id}"


def _named(spans: Sequence[Span]) -> str:
    return ", ".join(_name(span) for span in spans[:_EXAMPLES]) + _more(spans)


def _more(items: Sequence[object]) -> str:
    return f" and {len(items) - _EXAMPLES} more" if len(items) > _EXAMPLES else ""


def _round(cycle: Sequence[Span]) -> str:
    shown = [_name(span) for span in cycle[:_EXAMPLES]]
    if len(cycle) > _EXAMPLES:
        shown.append(f"{len(cycle) - _EXAMPLES} more")
    return " → ".join([*shown, _name(cycle[0])])
