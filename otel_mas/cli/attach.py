"""`otel-mas attach`: a debug session in the terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import click

from otel_mas.cli.options import json_option, store_option
from otel_mas.cli.output import pasteable, print_json_line, print_lines

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.api.debug_session.watcher import FollowedRun, News, Transition, Watcher
    from otel_mas.report.json.session import SessionDocument

_MOST_ERRORS = 3
_STYLES = {"IDLE": "dim", "ATTACHED": "green", "RECORDING": "bold red", "ANALYZING": "bold yellow"}


@click.command("attach")
@store_option
@click.option("--once", is_flag=True, help="End after the first run that was analysed.")
@json_option
def command(store: str | None, once: bool, as_json: bool) -> None:
    """Follow the runs of apps as they record, and analyse each when it ends. Ctrl-C ends it.

    Shows the state: IDLE (waits for the store), ATTACHED (waits for a run), RECORDING (with the log of the run, live),
    ANALYZING (the run has ended, or is quiet for OTEL_MAS_QUIET_AFTER). Of several runs at once each is shown in turn,
    from its beginning. Start it before or after the app.
    """
    with suppress(KeyboardInterrupt):
        from otel_mas.api.debug_session.watcher import Watcher
        from otel_mas.config import Settings

        settings = Settings.from_env(store=store)
        with closing(Watcher(settings.store, settings.quiet_after_s)) as watcher:
            if as_json:
                for one in _news(watcher, once):
                    print_json_line(_document(one))
            else:
                print_lines(lambda width: _lines(watcher, once, width))


def _news(watcher: Watcher, once: bool) -> Iterator[News]:
    """News of the session, until it is to end."""
    from otel_mas.api.debug_session.states import SessionEvent
    from otel_mas.api.debug_session.watcher import Transition
    from otel_mas.api.follow import POLL_S

    while True:
        for one in watcher.look():
            yield one
            if once and isinstance(one, Transition) and one.event is SessionEvent.ANALYZED:
                return
        time.sleep(POLL_S)


def _lines(watcher: Watcher, once: bool, width: int) -> Iterator[Text]:
    from otel_mas.api.debug_session.watcher import FollowedRun, Transition
    from otel_mas.report import terminal

    yield _state_line("IDLE", f"{'opens the' if watcher.path.exists() else 'waits for a'} store at {watcher.path}")
    for one in _news(watcher, once):
        if isinstance(one, Transition):
            yield _state_line(one.state, _detail(one, watcher))
        elif isinstance(one, FollowedRun):
            yield from _page(one, str(watcher.path), width)
        else:
            yield from terminal.log([one], width, None)


def _state_line(state: str, detail: str) -> Text:
    from rich.text import Text

    from otel_mas.report.text import plain

    return Text(f"── {state:<9}", style=_STYLES.get(state, "")).append(f"  {plain(detail)}", style="dim")


def _detail(change: Transition, watcher: Watcher) -> str:
    """The reason of a change of state, in words."""
    from otel_mas.api.debug_session.states import SessionEvent
    from otel_mas.report.text import count

    trace = f"trace {(change.trace_id or '')[:16]}"
    more = f" · {count(change.waiting, 'more run')} after it" if change.waiting else ""
    words = {
        SessionEvent.STORE_OPENED: "waits for a run",
        SessionEvent.STORE_LOST: f"the store was removed or replaced: waits for one at {watcher.path}",
        SessionEvent.RUN_BEGAN: trace + more,
        SessionEvent.RUN_CLOSED: f"{trace} has ended",
        SessionEvent.RUN_STOPPED: f"the process of {trace} is gone",
        SessionEvent.RUN_QUIET: f"{trace} is open, and quiet for {watcher.quiet_after_s:g} s",
        SessionEvent.ANALYZED: "ready for the next run",
    }
    return words.get(change.event, change.event)


def _page(run: FollowedRun, store: str, width: int) -> Iterator[Text]:
    """The answers about a run in a few lines, and where to look next."""
    from rich.text import Text

    from otel_mas.cli.summary import path_and_cost, remarks
    from otel_mas.report import terminal
    from otel_mas.report.terminal.lines import fit
    from otel_mas.report.text import plain

    trace = run.trace
    yield Text("")
    yield from terminal.heading(trace.spans, width)
    yield from path_and_cost(trace, width)
    yield from remarks(trace, width)
    for report in run.errors[:_MOST_ERRORS]:
        frames = report.exceptions[-1].frames if report.exceptions else ()
        if frames:
            at = frames[-1]
            where = plain(f"raised in {at.function} ({at.file}:{at.line}): {at.source or ''}".removesuffix(": "))
            yield fit(Text("  ").append(where, style="red"), width)
    if run.final_output is not None:
        yield fit(Text(plain(f"final output: {run.final_output}")), width)
    yield from (Text(plain(f"problem: {one}"), style="yellow") for one in trace.problems[:_MOST_ERRORS])
    yield Text("look further", style="bold")
    for name in (*(("error",) if run.errors else ()), "log", "critical-path", "profile", "cost"):
        yield Text(f"  {pasteable(name, trace.trace_id[:12], store=store)}")
    if trace.conversation_id is not None:
        yield Text(f"  {pasteable('graph', '--conversation', trace.conversation_id, store=store)}")
    yield Text("")


def _document(one: News) -> SessionDocument:
    from otel_mas.api.debug_session.watcher import FollowedRun, Transition
    from otel_mas.report.json import session as json
    from otel_mas.report.json.log import entry

    if isinstance(one, Transition):
        change = json.TransitionForm(
            state=one.state.value,
            why=one.event.value,
            time_ns=one.time_ns,
            trace_id=one.trace_id,
            waiting=one.waiting,
        )
        return json.session(state=change)
    if not isinstance(one, FollowedRun):
        return json.session(entry=entry(one))
    graph, trace = one.graph, one.trace
    answers = (graph.critical_path(), graph.cost(), one.errors)
    ended = "" if one.ended is None else one.ended.value
    return json.session(
        analysis=json.analysis(
            trace.trace_id, ended, one.status, one.final_output, graph.causal, answers, trace.problems
        )
    )
