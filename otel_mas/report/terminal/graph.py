"""The causal graph: tasks in lanes, each with its causes in words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from otel_mas.analyse.questions import Question
from otel_mas.causal import CausalGraph, Edge
from otel_mas.model import Span
from otel_mas.report.certainty import certainty, is_inferred, percent
from otel_mas.report.decisions import Reasons, decision, reason
from otel_mas.report.forks import beginnings
from otel_mas.report.lanes import Row, draw
from otel_mas.report.message_readers import MessageReaders
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.terminal.lines import cells, fit, joined, kind_style, outcome, wrap
from otel_mas.report.terminal.overdue import marks
from otel_mas.report.text import counted, duration, listing, offset, plain
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, RecordKind

_WIDEST_NAME = 32
# Tasks of a step seldom end at the same instant: less than this held nobody up.
_HELD_NS = 1_000_000
_CHOSEN = (LinkKind.TRIGGER, LinkKind.SEND, LinkKind.HANDOFF)
_WORDS = {
    LinkKind.TRIGGER: "trigger from",
    LinkKind.SEND: "send from",
    LinkKind.HANDOFF: "handoff from",
    LinkKind.CALL: "call from",
    LinkKind.RESUME: "resume of",
    LinkKind.RETRY: "retry of",
    LinkKind.ERROR_HANDLER: "handles the error of",
    LinkKind.MESSAGE: "reads a message of",
    "child": "inside",
}
_WORK = (
    RecordKind.LLM_CALL,
    RecordKind.TOOL_CALL,
    RecordKind.RETRIEVAL,
    RecordKind.GUARDRAIL,
    RecordKind.EVALUATION,
    RecordKind.SEND,
    RecordKind.RECEIVE,
)


def graph(
    causal: CausalGraph, width: int, asked: Sequence[Question] = (), reasons: Reasons | None = None
) -> Iterator[Text]:
    """The tasks in start order, a lane for each cause under way, and what each task waited for.

    All spans, if none is a task (traces of other instrumentation). Overdue ones of the questions `asked` are marked;
    `reasons` are those of decisions.
    """
    picture = _Picture(causal, marks(asked), reasons or {})
    if not picture.nodes:
        return
    begin = picture.nodes[0].start_ns
    nodes = [span.span_id for span in picture.nodes]
    rows = draw(nodes, picture.edges()) or [Row(node, "", None, "") for node in nodes]
    lanes = max(len(line) for row in rows for line in (row.line, row.fork or ""))
    margin = lanes + 2 if lanes else 0
    labels = [picture.label(span) for span in picture.nodes]
    named = min(_WIDEST_NAME, max(4, *(label.cell_len for label in labels)))
    headings = f"{'start':>9}{'took':>9}  {'':{margin}}{fit(Text('task'), named).plain}  caused by"
    yield cells(Text(headings, style="dim"))
    for row, span, label in zip(rows, picture.nodes, labels, strict=True):
        times = Text.assemble(
            fit(Text(offset(span.start_ns - begin), style="dim"), 9, "right"),
            fit(Text("" if span.end_ns is None else duration(span.duration_ns)), 9, "right"),
            "  ",
        )
        blank = " " * times.cell_len
        first = times.append(row.line.ljust(margin)[:margin]).append_text(fit(label, named)).append("  ")
        yield from _with_lanes(row, picture.phrase(span), first, blank, margin, width)


def _with_lanes(row: Row, phrase: Text, first: Text, blank: str, margin: int, width: int) -> Iterator[Text]:
    """Lines of a row: the node with its text, then the rest of the text with the lanes that go on."""
    pieces = wrap(phrase, width - first.cell_len)
    yield cells(first, pieces[0])
    fork = row.fork
    for piece in pieces[1:]:
        lanes = (row.below if fork is None else fork).ljust(margin)[:margin]
        fork = None
        yield cells(blank, lanes, " " * (first.cell_len - len(blank) - margin), piece)
    if len(pieces) == 1 and fork is not None:
        yield cells(blank, fork)


def _cut(name: str) -> str:
    cut = Text(name)
    cut.truncate(_WIDEST_NAME, overflow="ellipsis")
    return cut.plain


class _Picture:
    """Which spans are drawn, which edges between them, and the words for both."""

    def __init__(self, causal: CausalGraph, overdue: Mapping[str, Text], reasons: Reasons) -> None:
        self._causal = causal
        self._outline = TaskLabels(causal)
        self._readings = MessageReaders(causal, self._outline)
        self._forked = beginnings(causal)
        self._reasons = reasons
        self._chosen: dict[tuple[str, str], str] = {}
        self._overdue = overdue
        self._spans = {span.span_id: span for span in causal.spans}
        tasks = self._outline.tasks
        self.nodes = tasks or causal.spans
        self._causes: dict[str, list[Edge]] = defaultdict(list)
        self._around: dict[str, Span] = {}
        for edge in causal.control_edges() if tasks else causal.edges:
            if self._starts(edge):
                self._around[edge.effect] = self._spans[edge.cause]
            elif edge.cause in self._spans:
                self._causes[edge.effect].append(edge)
        self._perhaps: dict[str, list[Edge]] = defaultdict(list)
        for edge in causal.possible_edges:
            self._perhaps[edge.effect].append(edge)
        externals = frozenset(causal.externals)
        self._outside: dict[str, list[Edge]] = defaultdict(list)
        for edge in causal.edges if externals else ():
            if edge.cause in externals:
                self._outside[edge.effect].append(edge)
        for task in tasks:
            enclosing = self._outline.enclosing(task)
            if enclosing is not None and not (task.span_id in self._causes or task.span_id in self._outside):
                self._around.setdefault(task.span_id, enclosing)
        self._work = self._work_of_tasks(causal)

    def _starts(self, edge: Edge) -> bool:
        """Whether the effect starts the subgraph of its cause: `__start__` is no span, it stands for that one."""
        effect = self._spans[edge.effect]
        around = self._outline.enclosing(effect) if edge.kind == LinkKind.TRIGGER else None
        return around is not None and around.span_id == edge.cause

    def _work_of_tasks(self, causal: CausalGraph) -> dict[str, Counter[str]]:
        work: dict[str, Counter[str]] = defaultdict(Counter)
        for span in causal.spans:
            task = self._outline.task(span)
            if task is None or task is span:
                continue
            if span.record_kind == RecordKind.ROUTING_DECISION:
                self._note_reason(task, span)
            elif span.record_kind in _WORK:
                work[task.span_id][" ".join(filter(None, (plain(span.name), decision(span))))] += 1
        return work

    def _note_reason(self, decider: Span, decision: Span) -> None:
        why = reason(decision, self._reasons)
        for chosen in decision.get(names.MAS_ROUTING_CHOICE) or () if why is not None else ():
            self._chosen[decider.span_id, str(chosen)] = str(why)

    def edges(self) -> Iterator[tuple[str, str]]:
        """The edges to draw; those into subgraphs last, so that the graph around them keeps its lane."""
        for edges in self._causes.values():
            yield from ((edge.cause, edge.effect) for edge in edges)
        for effect, around in self._around.items():
            yield around.span_id, effect

    def label(self, span: Span) -> Text:
        inset = "  " * self._outline.nesting(span) if self._outline.tasks else ""
        return Text(inset).append(self._outline.label(span), style=kind_style(span))

    def phrase(self, span: Span) -> Text:
        """How it ended if not well, what caused it, what it did."""
        ended = outcome(span)
        parts = [] if ended is None else [ended]
        if span.span_id in self._overdue:
            parts.append(self._overdue[span.span_id])
        if span.span_id in self._forked:
            parts.append(Text(self._forked[span.span_id], style="yellow"))
        groups: dict[tuple[str, str], list[Edge]] = defaultdict(list)
        for edge in self._causes.get(span.span_id, ()):
            groups[edge.kind, certainty(edge) if is_inferred(edge) else ""].append(edge)
        resumes_first = sorted(groups, key=lambda group: group[0] != LinkKind.RESUME)
        parts += [self._cause(group[0], groups[group], span) for group in resumes_first]
        if not groups and span.span_id in self._perhaps:
            parts.append(self._possible(self._perhaps[span.span_id]))
        if span.span_id in self._around:
            parts.append(Text(f"← start of {self._name(self._around[span.span_id])}"))
        for edge in self._outside.get(span.span_id, ()):
            words = _WORDS.get(edge.kind, edge.kind)
            parts.append(Text(f"← {words} span {edge.cause} of another trace", style="yellow"))
        did = [_cut(one) for one in counted(self._work[span.span_id])]
        parts.extend(self._did(did, span))
        return joined(parts)

    def _did(self, work: Sequence[str], span: Span) -> Iterator[Text]:
        read = self._readings.of_task(span, [self._spans[edge.cause] for edge in self._causes.get(span.span_id, ())])
        phrase = [listing(work)] if work else []
        if read is not None:
            phrase.append(read)
        if phrase:
            yield Text(f"· {'; '.join(phrase)}", style="dim")

    def _cause(self, kind: str, edges: Sequence[Edge], effect: Span) -> Text:
        causes = [self._spans[edge.cause] for edge in edges]
        phrase = Text("← ").append(_WORDS.get(kind, kind), style="dim").append(" ").append(self._listed(causes))
        ended = sorted((cause.end_ns, cause.start_ns, cause.span_id) for cause in causes if cause.end_ns is not None)
        if len(ended) > 1:
            last, before = self._spans[ended[-1][2]], self._spans[ended[-2][2]]
            phrase.append("; waited for ").append(self._name(last), style="bold")
            phrase.append(f", {duration(ended[-1][0] - ended[-2][0])} after {self._name(before)}")
        if kind == LinkKind.RESUME and ended:
            gap = duration(max(0, effect.start_ns - ended[-1][0]))
            phrase.append(" after ").append(f"{gap} waiting for input", style="yellow")
        if kind in _CHOSEN:
            phrase.append_text(self._held(causes, effect))
            whys = [self._chosen.get((cause.span_id, effect.task_name or "")) for cause in causes]
            for why in dict.fromkeys(filter(None, whys)):
                phrase.append(f" {why}", style="dim")
        if is_inferred(edges[0]):
            phrase.append(f" ({certainty(edges[0])})", style="yellow")
        return phrase

    def _possible(self, edges: Sequence[Edge]) -> Text:
        """Causes of which each is less likely than not, the likeliest first."""
        ranked = sorted(edges, key=lambda edge: -(edge.probability or 0))
        named = [f"{self._name(self._spans[edge.cause])} ({percent(edge.probability or 0)})" for edge in ranked]
        return Text(f"← perhaps after {listing(named, most=4)}", style="yellow")

    def _held(self, causes: Sequence[Span], effect: Span) -> Text:
        """Which task of the step before kept the effect waiting once its causes had ended."""
        holder = self._causal.held_by(effect.span_id)
        ready = max(cause.end_ns or cause.start_ns for cause in causes)
        if holder is None or holder.end_ns is None or holder.end_ns - ready < _HELD_NS:
            return Text("")
        phrase = Text("; held by ").append(self._name(holder), style="bold")
        return phrase.append(f", which ended {duration(holder.end_ns - ready)} later")

    def _name(self, span: Span) -> str:
        """A name among the words: cut as it is in its own row."""
        return _cut(self._outline.label(span))

    def _listed(self, causes: Sequence[Span]) -> str:
        """summarise#1, #2, #3: a name that several share is said once."""
        phrase, name = [], None
        for cause in causes:
            label = self._name(cause)
            own, mark, number = self._outline.label(cause).rpartition("#")
            phrase.append(f"#{number}" if mark and own == name else label)
            name = own if mark else None
        return listing(phrase, most=4)
