"""The summary at the end of `otel-mas run`, on stderr: short, with the commands to look further."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from otel_mas.cli.output import naming, pasteable, print_lines
from otel_mas.model.status import RUNNING, STOPPED

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.api import Conversation, Source, Trace
    from otel_mas.model import Finding, RunSummary, Span, TraceSummary

_MAX_TRACES = 5
_MAX_STEPS = 5
_MAX_REMARKS = 5
_MOST_EXAMINED = 3_000
"""Spans of a run up to which its findings are looked for: those of a very wide or deep one may take many seconds."""
_PAGE_PATIENCE_S = 0.3
_NO_REASON = ("packages-conflict", "otel-mas-differs")
_ERROR_OUTCOMES = {
    "ENDED_THE_RUN": ("✗ ended the run: ", "bold red"),
    "UNKNOWN": ("✗ ", "red"),
    "HANDLED": ("✗ handled: ", "yellow"),
}


def print_run_summary(
    store_path: str | Path,
    run_id: str,
    killed: int | None = None,
    faults: Sequence[str] = (),
    server: tuple[str, int] | None = None,
) -> bool:
    """Print what a run recorded: how long, its critical path, tokens and cost, what failed, waits or was lost.

    Args:
        store_path: where it was recorded.
        run_id: which run.
        killed: the signal that ended its process.
        faults: that were to be injected, as text.
        server: where its page may be; the default address without.

    Returns:
        Whether any process of the run has written to the store; without, nothing is printed.

    Raises:
        StoreError: The store cannot be read.
    """
    if not os.path.exists(store_path):
        return False
    from otel_mas.api import open as open_source
    from otel_mas.doctor.server import API

    with open_source(store_path) as source:
        run = source.run(run_id)
        if not (run.traces or run.processes or run.problems):
            return False
        print_lines(lambda width: _summary(source, run, width, killed, faults, server or API), err=True)
    return True


def reason_for_nothing(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """The likely reason why a run recorded nothing, and what to do: looked for where the command ran."""
    from otel_mas.doctor.environment import check_environment
    from otel_mas.doctor.findings import Level

    _, findings = check_environment(command, environ)
    for one in sorted(findings, key=lambda one: one.level is not Level.PROBLEM):
        if one.level is not Level.OK and one.code not in _NO_REASON:
            return f"{one.message}: {one.fix}"
    return (
        "the app ended without running a graph, a model, a tool or a retriever, and has no spans of its own; or the "
        "store could not be written: a line above then has the reason."
    )


def _summary(
    source: Source, run: RunSummary, width: int, killed: int | None, faults: Sequence[str], server: tuple[str, int]
) -> Iterator[Text]:
    from rich.text import Text

    from otel_mas.report import terminal

    yield Text("")
    if not run.traces:
        yield Text("otel-mas recorded nothing: no graph ran, no model was called.", style="yellow")
        yield from _lost(run)
        yield from _injected(source, run, faults)
        return
    traces = sorted(run.traces, key=lambda trace: trace.start_ns)
    if killed is not None and run.processes == 1:  # the heart of a process that is gone can look as if it still beat
        traces = [replace(trace, status=STOPPED) if trace.status == RUNNING else trace for trace in traces]
    yield Text("otel-mas recorded", style="bold")
    yield from terminal.traces(traces[:_MAX_TRACES], width)
    if len(traces) > _MAX_TRACES:
        yield Text(f"and {len(traces) - _MAX_TRACES} more", style="dim")
    subject = _subject(source, traces)
    yield Text("")
    yield from path_and_cost(subject, width, _of(subject, traces))
    if killed is not None:
        yield Text(_killed(killed, subject.spans), style="bold red")
    yield from remarks(subject, width)
    examined = len(subject.spans) <= _MOST_EXAMINED
    worth_a_line = [one for one in subject.findings() if one.severity != "info"] if examined else []
    yield from _worst(worth_a_line, width)
    yield from _injected(source, run, faults)
    yield from _lost(run, subject.graph().causal.problems)
    yield Text("")
    yield from _next_commands(source, subject, () if examined and not worth_a_line else ("explain",))
    yield Text(f"  {_page(source.location, subject, server)}")


def path_and_cost(subject: Trace | Conversation, width: int, of: str = "") -> Iterator[Text]:
    """The longest steps of the critical path, and tokens and cost in a line."""
    from rich.text import Text

    from otel_mas.report import terminal

    graph = subject.graph()
    yield Text("critical path").append(of, style="dim")
    yield from terminal.critical_path(graph.causal, graph.critical_path(), width, most=_MAX_STEPS)
    if graph.cost().total.calls:
        yield terminal.cost_in_a_line(graph.cost())


def _subject(source: Source, traces: Sequence[TraceSummary]) -> Trace | Conversation:
    """The subject of the summary: a run that is one conversation, with the pauses before it; else its longest trace."""
    from otel_mas.api import Conversation

    threads = {(trace.conversation_id, trace.service) for trace in traces}
    thread, service = next(iter(threads))
    if len(threads) == 1 and thread is not None:
        known = source.traces(conversation=thread, service=service, limit=sys.maxsize)[::-1]
        ids = [trace.trace_id for trace in known]
        first, last = ids.index(traces[0].trace_id), ids.index(traces[-1].trace_id)
        while first > 0 and known[first - 1].status == "interrupted":
            first -= 1
        if first < last:
            return Conversation(thread, [source.trace(trace_id) for trace_id in ids[first : last + 1]])
    return source.trace(max(traces, key=lambda trace: trace.duration_ns or 0).trace_id)


def _of(subject: Trace | Conversation, traces: Sequence[TraceSummary]) -> str:
    from otel_mas.api import Conversation

    if isinstance(subject, Conversation):
        return f" of thread {subject.thread}, {len(subject.traces)} traces"
    return f" of {subject.trace_id[:8]}, the longest" if len(traces) > 1 else ""


def _killed(number: int, spans: Sequence[Span]) -> str:
    """The task of the process when a signal ended it, and for how long it ran at least."""
    from otel_mas.model.incomplete import innermost, places
    from otel_mas.report.text import duration, plain

    open_spans = [span for span in spans if span.end_ns is None]
    if not open_spans:
        return f"killed by signal {number}"
    took = max(span.last_ns - span.start_ns for span in innermost(open_spans))
    return f"killed by signal {number} while in {plain(places(open_spans))}, after ≥ {duration(took)}"


def remarks(subject: Trace | Conversation, width: int) -> Iterator[Text]:
    """Failures, and tasks that wait for a human."""
    from rich.text import Text

    from otel_mas.analyse.failures import error_outcomes, waiting
    from otel_mas.report.task_labels import TaskLabels
    from otel_mas.report.terminal.lines import fit
    from otel_mas.report.text import plain

    spans = subject.spans
    labels = TaskLabels(subject.graph().causal)
    by_id = {(span.trace_id, span.span_id): span for span in spans}
    messages = subject.error_messages()
    found = []
    for key, error_outcome in error_outcomes(spans).items():
        prefix, style = _ERROR_OUTCOMES[error_outcome.name]
        found.append((f"{prefix}{labels.unambiguous_label(by_id[key])}: {_failure(by_id[key], messages)}", style))
    found += [
        (f"{labels.unambiguous_label(task)} is waiting for input: {_question(subject, task)}", "yellow")
        for task in waiting(spans)
    ]
    for remark, style in found[:_MAX_REMARKS]:
        line = fit(Text(plain(remark).rstrip(": "), style=style), width)
        line.rstrip()
        yield line
    if len(found) > _MAX_REMARKS:
        yield Text(f"and {len(found) - _MAX_REMARKS} more", style="dim")


def _worst(found: Sequence[Finding], width: int) -> Iterator[Text]:
    """The worst finding in a line, with the number of further ones."""
    from rich.text import Text

    from otel_mas.model import Severity
    from otel_mas.report.terminal.lines import cells, fit
    from otel_mas.report.text import count, plain

    if found:
        more = f" (and {count(len(found) - 1, 'more finding')})" if len(found) > 1 else ""
        style = "bold red" if found[0].severity is Severity.ERROR else "yellow"
        summary = Text(f"! {plain(found[0].summary)}", style=style)
        yield cells(fit(summary, min(summary.cell_len, width - len(more))), more)


def _failure(span: Span, messages: Mapping[str, str]) -> str:
    from otel_mas.semconv import attributes as names

    kind = span.columns.get(names.ERROR_TYPE) or "error"
    return f"{kind}: {messages.get(span.span_id, '')}"


def _question(subject: Trace | Conversation, task: Span) -> str:
    from otel_mas.semconv import attributes as names

    asked = _content(subject, task, names.MAS_INTERRUPT_VALUES)
    return "; ".join(map(_in_words, asked)) if isinstance(asked, list) else _in_words(asked or "")


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_in_words(one)}" for name, one in value.items())
    return str(value)


def _content(subject: Trace | Conversation, span: Span, name: str) -> object:
    from otel_mas.api import Conversation

    traces = subject.traces if isinstance(subject, Conversation) else (subject,)
    trace = next(trace for trace in traces if trace.trace_id == span.trace_id)
    return trace.contents(span).get(name)


def _injected(source: Source, run: RunSummary, faults: Sequence[str]) -> Iterator[Text]:
    """Injected faults with how often each occurred; a warning for those that never did."""
    from rich.text import Text

    if not faults:
        return
    from otel_mas.model import injected_faults, never_occurred

    counts = Counter(
        fault.text
        for trace in run.traces
        for span in source.trace(trace.trace_id).spans
        for fault in injected_faults(span)
    )
    for fault in dict.fromkeys(faults):
        if counts[fault]:
            yield Text(f"injected {fault}: {counts[fault]}×", style="magenta")
        else:
            yield Text(never_occurred(fault), style="yellow")


def _lost(run: RunSummary, problems: Sequence[str] = ()) -> Iterator[Text]:
    """Losses, and problems of the traces."""
    from rich.text import Text

    for problem in (*run.problems, *problems)[:_MAX_REMARKS]:
        yield Text(f"problem: {problem}", style="yellow")


def _next_commands(source: Source, subject: Trace | Conversation, first: Sequence[str]) -> Iterator[Text]:
    from rich.text import Text

    from otel_mas.api import Conversation

    which = naming(subject, source) if isinstance(subject, Conversation) else (subject.trace_id[:12],)
    yield Text("look further", style="bold")
    for command in (*first, "graph", "critical-path", "show", "cost"):
        yield Text(f"  {pasteable(command, *which, store=source.location)}")


def _page(store: str, subject: Trace | Conversation, server: tuple[str, int]) -> str:
    """The address of the picture, where a server shows this store; else the command that starts one."""
    from otel_mas.api import Conversation
    from otel_mas.doctor.server import ask_server, shown

    if not ask_server(server, _PAGE_PATIENCE_S).shows(store):
        return pasteable("serve", store=store)
    if isinstance(subject, Conversation):
        service = f"?{urlencode({'service': subject.service})}" if subject.service else ""
        return f"http://{shown(server)}/conversations/{quote(subject.thread, safe='')}{service}"
    return f"http://{shown(server)}/traces/{subject.trace_id}"
