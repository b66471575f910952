"""Changes of `otel-mas replay`: what depends on them before the app runs, and both runs side by side after it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_mas.cli.output import note, print_line, print_lines

if TYPE_CHECKING:
    from otel_mas.config import Settings
    from otel_mas.replay.recording import Recording


def print_labels(recording: Recording) -> None:
    """Print the labels of the recorded calls and tasks, in order of start."""
    starts = {label: (task.spans[0].start_ns, "") for label, task in recording.tasks.items()}
    starts |= {call.label: (call.span.start_ns, call.name) for call in recording.calls}
    for label, (_, name) in sorted(starts.items(), key=lambda one: one[1][0]):
        print_line(f"{label}  {name}".rstrip())


def confirm(settings: Settings, recording: Recording, *, yes: bool) -> None:
    """Print what depends on the changes, and ask before anything is paid.

    Raises:
        ConfigError: The recording has no such call or task.
        UsageError: Something may be paid, and nobody can be asked.
    """
    from otel_mas.replay.autostart import policy_of
    from otel_mas.replay.changes import parsed_changes
    from otel_mas.replay.counterfactual import Counterfactual, checked_stub
    from otel_mas.report.terminal import replay as terminal

    counterfactual = Counterfactual(recording, checked_stub(settings.replay_stub))
    for change in parsed_changes(settings.replay_changes):
        counterfactual.add(change)
    plan = counterfactual.plan()
    print_lines(lambda width: terminal.plan(plan, width), err=True)
    if not policy_of(settings).descendants_live:
        if settings.replay_stub is None and plan.calls:
            note("what depends on the change is not called: the replay stops there; --live descendants, or --stub.")
        return
    if yes or not plan.calls:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("What depends on the change may have to be paid: give --yes, or --stub.")
    click.confirm("Call them?", abort=True, err=True)


def compare(settings: Settings, recording: Recording, run_id: str, file: str | None, *, quiet: bool) -> bool:
    """Print recording and replay side by side, or write them to a file; whether a change was made."""
    from otel_mas.api import open as open_source
    from otel_mas.api.replay_comparison import compared
    from otel_mas.api.trace_replay import traces_of
    from otel_mas.replay.changes import parsed_changes
    from otel_mas.report.json.replay import comparison as document
    from otel_mas.report.terminal import replay as terminal
    from otel_mas.semconv import attributes as names

    changes = parsed_changes(settings.replay_changes)
    with open_source(settings.store) as source, traces_of(str(settings.replay), settings.replay_from) as original:
        replayed = [source.trace(one.trace_id) for one in source.run(run_id).traces]
        if not replayed:
            note("nothing of the replay was recorded, so there is nothing to compare.")
            return False
        found = compared(original(recording), replayed, changes)
    if not quiet:
        print_lines(lambda width: terminal.comparison(found, width), err=True)
    if file is not None:
        Path(file).write_text(json.dumps(document(found), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    made = sum(span.get(names.MAS_REPLAY_OUTCOME) == "changed" for one in replayed for span in one.spans)
    if not made:
        note("nothing was changed: the app did not come to what was to be changed.")
    return bool(made)


__all__ = ["compare", "confirm", "print_labels"]
