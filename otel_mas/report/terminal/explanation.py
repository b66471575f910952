"""The page of `otel-mas explain`: the most probable cause, how it came to the end, what to look at next, findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from rich.text import Text

from otel_mas.analyse.complaints import Complaint, Marked
from otel_mas.analyse.hops import hops_to_end
from otel_mas.analyse.root_cause import RootCause
from otel_mas.causal import CausalGraph
from otel_mas.model import Finding, Span, StatusCode, Undecided
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.terminal.findings import findings
from otel_mas.report.terminal.lines import fit, wrap
from otel_mas.report.text import offset, plain

Command = Callable[..., str]
"""Words of a command of ours, with the words that name the run and its source, as a line to paste."""

_MOST_CAUSES = 3
_LIKELY = 0.25
_MENTIONED = 0.1
_MOST_HOPS = 6
_INSET = 7
_COMPLAINTS = {
    Complaint.WRONG: "the answer is wrong",
    Complaint.MISSING: "the answer, or a part of it, is missing",
    Complaint.LATE: "it took too long",
}


def explanation(
    complaint: Marked | None,
    causes: Sequence[RootCause],
    found: Sequence[Finding],
    undecided: Iterable[Undecided],
    causal: CausalGraph,
    command: Command,
    markable: bool,
    width: int,
) -> Iterator[Text]:
    """The page.

    Args:
        complaint: where there is one beside errors.
        causes: the most probable one first.
        found: all findings.
        undecided: kinds of findings that cannot be told.
        causal: the graph of the run.
        command: makes lines to paste.
        markable: whether the source is one that marks can be written into.
        width: in characters.
    """
    labels = TaskLabels(causal)
    if complaint is not None:
        yield from wrap(_complaint(complaint, labels), width)
        yield Text("")
    shown = _shown(causes)
    if shown:
        likely = shown[0].score >= _LIKELY
        yield Text("Most probable cause" if likely else "Possible causes, none of them likely by itself", style="bold")
        for one in shown:
            yield from _cause(one, labels, width)
        yield Text("")
        yield Text("Look at next", style="bold")
        for line in _next(shown[0], complaint, labels, command):
            yield Text(f"  {line}")
        yield Text("")
    else:
        yield from _no_evidence(complaint, command if markable else None, width)
        yield Text("")
    yield Text("Findings", style="bold")
    yield from findings(found, undecided, causal, width)


def _shown(causes: Sequence[RootCause]) -> list[RootCause]:
    """Those with evidence: the first, and others that are not far less probable."""
    evident = [one for one in causes if one.reasons]
    return [one for number, one in enumerate(evident[:_MOST_CAUSES]) if not number or one.score >= _MENTIONED]


def _complaint(complaint: Marked, labels: TaskLabels) -> Text:
    span = None if complaint.span is None else labels.causal.span(complaint.span)
    what = _COMPLAINTS[complaint.complaint] if span is None else f"{labels.path_label(span)} is {complaint.complaint}"
    by = f", says {plain(complaint.author)}" if complaint.author else ""
    why = f": “{plain(complaint.reason)}”" if complaint.reason else "."
    return Text(f"Complaint: {what}{by}{why}", style="yellow")


def _cause(one: RootCause, labels: TaskLabels, width: int) -> Iterator[Text]:
    causal = labels.causal
    span, start = causal.span(one.span), min((root.start_ns for root in causal.roots), default=0)
    line = Text.assemble((f"{one.score:>5.0%}  ", "bold"), labels.path_label(span))
    line.append(f"  {offset(span.start_ns - start)}  span {one.span}", "dim")
    yield fit(line, width)
    way = _way(hops_to_end(causal, one.span), labels)
    for text in (*one.reasons, *way):
        yield from (Text.assemble(" " * _INSET, piece) for piece in wrap(Text(plain(text)), width - _INSET))


def _way(hops: Sequence[Span], labels: TaskLabels) -> Iterator[str]:
    if len(hops) > 1:
        left = len(hops) - _MOST_HOPS
        between = [f"{left} more"] if left > 0 else []
        named = [labels.label(one) for one in hops]
        if left > 0:
            named = [*named[: _MOST_HOPS // 2], *between, *named[-_MOST_HOPS // 2 :]]
        yield f"came to the end by {' → '.join(named)}"


def _next(one: RootCause, complaint: Marked | None, labels: TaskLabels, command: Command) -> Iterator[str]:
    if complaint is not None and complaint.complaint is Complaint.LATE:
        yield command("critical-path")
    elif labels.causal.span(one.span).status == StatusCode.ERROR:
        yield command("error")
    yield command("show", one.span)
    if one.agent:
        yield command("log", "--agent", one.agent)


def _no_evidence(complaint: Marked | None, command: Command | None, width: int) -> Iterator[Text]:
    """That nothing is known, and what would help; `command` where the run can be marked."""
    if complaint is None:
        yield from wrap(Text("No error ended this run, and no complaint about it is recorded.", style="green"), width)
        if command is not None:
            yield Text("If its answer is wrong, say so:")
            yield Text(f"  {command('mark', '--wrong', '--because', 'WHY')}")
        return
    yield from wrap(Text("This recording shows no evidence for a cause.", style="bold"), width)
    yield Text("What would help:")
    if command is not None and complaint.span is None:
        yield Text(f"  {command('mark', '--span', 'TASK', '--wrong')}")
    if command is not None and not complaint.reason:
        yield Text(f"  {command('mark', '--wrong', '--because', 'the wrong value, or the right one')}")
    yield Text("  messages and results, where they were not kept (OTEL_MAS_CONTENT)")
    yield Text("  a check of what agents say, in the app (otel_mas.grade)")
