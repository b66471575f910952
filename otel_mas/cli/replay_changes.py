"""Changes and segments of `otel-mas replay`: what runs again, before the app does, and both runs side by side after."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_mas.cli.output import note, print_line, print_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_mas.config import Settings
    from otel_mas.model import Span
    from otel_mas.replay.recording import Recording


def print_labels(recording: Recording) -> None:
    """Print the labels of the recorded calls and tasks, in order of start."""
    starts = {label: (task.spans[0].start_ns, "") for label, task in recording.tasks.items()}
    starts |= {call.label: (call.span.start_ns, call.name) for call in recording.calls}
    for label, (_, name) in sorted(starts.items(), key=lambda one: one[1][0]):
        print_line(f"{label}  {name}".rstrip())


def confirm(settings: Settings, recording: Recording, *, yes: bool) -> None:
    """Print what depends on the changes, or is in the segment, and ask before anything is paid.

    Raises:
        ConfigError: The recording has no such call or task, or the segment is none.
        UsageError: Something may be paid, and nobody can be asked.
    """
    from otel_mas.replay.autostart import policy_of
    from otel_mas.replay.changes import parsed_changes
    from otel_mas.replay.counterfactual import Counterfactual, checked_stub
    from otel_mas.replay.segment import segment_of
    from otel_mas.report.terminal import replay as terminal

    counterfactual = Counterfactual(recording, checked_stub(settings.replay_stub))
    for change in parsed_changes(settings.replay_changes):
        counterfactual.add(change)
    counterfactual.take_segment(segment_of(recording, settings.replay_from_task, settings.replay_to_task))
    plan = counterfactual.plan()
    print_lines(lambda width: terminal.plan(plan, width), err=True)
    if not policy_of(settings).descendants_live:
        if settings.replay_stub is None and plan.calls:
            note("none of these is called: the replay stops there; --live descendants, or --stub.")
        return
    if yes or not plan.calls:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("What runs again may have to be paid: give --yes, or --stub.")
    click.confirm("Call them?", abort=True, err=True)


def unreached(settings: Settings, recording: Recording, spans: Sequence[Span]) -> list[str]:
    """Labels of those of the segment's two tasks that the replay has not come to."""
    from otel_mas.semconv import attributes as names

    repeated = {span.get(names.MAS_REPLAY_SPAN) for span in spans}

    def is_reached(label: str) -> bool:
        return any(f"{one.trace_id}-{one.span_id}" in repeated for one in recording.tasks[label].spans)

    labels = (settings.replay_from_task, settings.replay_to_task)
    return [one for one in labels if one is not None and not is_reached(one)]


def segment_states(spans: Sequence[Span]) -> list[str]:
    """Sources of the state before the segment, in words: one for each run that it is in, each once."""
    from otel_mas.semconv import attributes as names

    found = [
        (span.get(names.MAS_REPLAY_CHECKPOINT_ID), span.get(names.MAS_REPLAY_CHECKPOINT_MISSING)) for span in spans
    ]
    states = [f"checkpoint {id_}" if id_ else f"a replay up to there, since {why}" for id_, why in found if id_ or why]
    return list(dict.fromkeys(states))


def compare(settings: Settings, recording: Recording, run_id: str, file: str | None, *, quiet: bool) -> bool:
    """Print recording and replay side by side, and write them to a file; whether all that was to be changed was."""
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
    if not changes:
        return True
    made = sum(span.get(names.MAS_REPLAY_OUTCOME) == "changed" for one in replayed for span in one.spans)
    if not made:
        note("nothing was changed: the app did not come to what was to be changed.")
    return bool(made)


__all__ = ["compare", "confirm", "print_labels", "segment_states", "unreached"]
