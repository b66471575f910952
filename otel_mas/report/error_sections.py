"""The sections of an error report, as the terminal and Markdown have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from otel_mas.analyse.error_report import ErrorReport
from otel_mas.analyse.failures import ErrorOutcome
from otel_mas.analyse.state.values import value_text
from otel_mas.analyse.traceback_text import Relation
from otel_mas.errors.printable import shortened
from otel_mas.report.text import count, duration, listing, plain

_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with rows of a name and a text, or with a text that keeps its lines."""

    heading: str
    rows: tuple[tuple[str, str], ...] = ()
    block: str | None = None


def title(report: ErrorReport) -> str:
    """Type and message, on a line; of a long message the beginning."""
    return f"{plain(report.type)}: {_cut(report.message)}" if report.message else plain(report.type)


def sections(report: ErrorReport) -> Iterator[Section]:
    """Those that have something to say, in the order in which somebody needs them."""
    yield Section("", tuple(_facts(report)))
    if report.message and report.stack is None and len(plain(report.message)) > _LONGEST:
        yield Section("Message", block=report.message)
    if report.stack is not None:
        yield Section("Stack", block=report.stack.rstrip())
    elif report.missing is not None:
        yield Section("Stack", (("not here", report.missing),))
    source = "\n\n".join(_source(report))
    if source:
        yield Section("Source", block=source)
    if report.inputs:
        yield Section("Input", tuple((plain(name), _cut(text)) for name, text in report.inputs))
    if report.state is not None and (report.state.channels or report.state.notes):
        yield Section("State that it read", tuple(_state(report)))
    if report.causes:
        yield Section("What led to it", tuple(_causes(report)))
    if report.siblings:
        yield Section("Side by side with it", tuple(_siblings(report)))
    yield Section("Ids", tuple(report.ids.items()))
    if report.environment:
        yield Section("Environment", tuple((name, plain(value)) for name, value in report.environment.items()))


def _source(report: ErrorReport) -> Iterator[str]:
    """Frames with the lines around them, each place once; a mark stands at the line that the frame was at."""
    frames = [frame for one in report.exceptions for frame in one.frames if frame.around]
    for frame in {(one.file, one.line): one for one in frames}.values():
        wide = len(str(frame.around[-1][0]))
        lines = [f"{'>' if number == frame.line else ' '} {number:{wide}}  {text}" for number, text in frame.around]
        yield "\n".join([f"{frame.file}, in {frame.function}", *lines])


def _facts(report: ErrorReport) -> Iterator[tuple[str, str]]:
    yield "in", plain(report.task)
    yield "outcome", _outcome(report)
    for one in report.raised:
        message = f": {plain(one.message)}" if one.message else ""
        yield "raised from it", f"{plain(one.type)}{_cut(message)} in {plain(one.task)}"
    chained = [one for one in report.exceptions if one.relation is not Relation.RAISED]
    for exception in chained:
        yield exception.relation.value, _cut(f"{plain(exception.type)}: {plain(exception.message)}")
    if report.attempts:
        yield "before", f"{count(len(report.attempts), 'earlier attempt')} failed alike"


def _outcome(report: ErrorReport) -> str:
    if report.outcome is ErrorOutcome.ENDED_THE_RUN:
        return "it ended the run"
    if report.outcome is ErrorOutcome.HANDLED:
        by = listing([plain(one) for one in report.handled_by])
        return f"handled by {by}" if by else "handled: the run went on"
    return "the run failed of another error, or has not ended"


def _state(report: ErrorReport) -> Iterator[tuple[str, str]]:
    assert report.state is not None
    for one in report.state.channels:
        written = f"by {listing([plain(writer) for writer in one.writers])}"
        if one.last.replaces:
            value = f"({one.missing})" if one.missing is not None else _cut(value_text(one.value))
        else:
            kept = [value_text(change.value) for change in one.changes if change.missing is None]
            value = f"{count(len(one.changes), 'update')}{': ' if kept else ''}{_cut(' | '.join(kept))}"
        yield plain(f"{one.channel} v{one.version}"), f"{value}  ({written})"
    for note in report.state.notes:
        yield "note", plain(note)


def _causes(report: ErrorReport) -> Iterator[tuple[str, str]]:
    for one in report.causes:
        how = "ran it inside" if one.kind == "child" else one.kind
        sure = "" if one.provenance == "recorded" else f", {one.provenance}"
        yield plain(one.task), f"{how}{sure}" + (f", {_cut(one.decision)}" if one.decision else "")


def _siblings(report: ErrorReport) -> Iterator[tuple[str, str]]:
    for one in report.siblings:
        outcome = one.outcome or "has not ended"
        error = f" ({plain(one.error)})" if one.error else ""
        yield plain(one.task), f"{outcome}{error}, {duration(one.span.duration_ns)}"


def _cut(text: str) -> str:
    return shortened(plain(text), _LONGEST)


__all__ = ["Section", "sections", "title"]
