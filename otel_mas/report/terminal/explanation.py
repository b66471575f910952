"""The page of `otel-mas explain`: the most probable cause, how it came to the end, what to look at next, findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from rich.text import Text

from otel_mas.analyse.complaints import Complaint, ComplaintLabel
from otel_mas.analyse.root_cause import RootCause
from otel_mas.causal import CausalGraph
from otel_mas.model import Finding, StatusCode, Undecided
from otel_mas.report.explanation_words import causes_title, causes_to_show, complaint_sentence, evidence
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.terminal.findings import findings
from otel_mas.report.terminal.lines import fit, wrap
from otel_mas.report.text import offset

Command = Callable[..., str]
"""Words of a command of ours, with the words that name the run and its source, as a line to paste."""

_INSET = 7


def explanation(
    complaint: Complaint | None,
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
        yield from wrap(Text(complaint_sentence(complaint, labels), style="yellow"), width)
        yield Text("")
    shown = causes_to_show(causes)
    if shown:
        yield Text(causes_title(shown), style="bold")
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


def _cause(one: RootCause, labels: TaskLabels, width: int) -> Iterator[Text]:
    causal = labels.causal
    span, start = causal.span(one.span), min((root.start_ns for root in causal.roots), default=0)
    line = Text.assemble((f"{one.score:>5.0%}  ", "bold"), labels.path_label(span))
    line.append(f"  {offset(span.start_ns - start)}  span {one.span}", "dim")
    yield fit(line, width)
    for text in evidence(one, labels):
        yield from (Text.assemble(" " * _INSET, piece) for piece in wrap(Text(text), width - _INSET))


def _next(one: RootCause, complaint: Complaint | None, labels: TaskLabels, command: Command) -> Iterator[str]:
    if complaint is not None and complaint.label is ComplaintLabel.LATE:
        yield command("critical-path")
    elif labels.causal.span(one.span).status == StatusCode.ERROR:
        yield command("error")
    yield command("show", one.span)
    if one.agent:
        yield command("log", "--agent", one.agent)


def _no_evidence(complaint: Complaint | None, command: Command | None, width: int) -> Iterator[Text]:
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
