"""`otel-mas replay`: runs an app again, with a recording for what it calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otel_mas.cli.app_command import AppCommand, app_of, arguments_of
from otel_mas.cli.options import debug
from otel_mas.cli.output import note, print_lines

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.config import Settings
    from otel_mas.replay.recording import Recording

_NS_PER_S = 1e9
_MISSED = 1  # exit status where the app itself ended well


_NO_APP = "Say what to run after --, as in: otel-mas replay TRACE -- python app.py"


class _Replay(AppCommand):
    """A command with an app, unless it only lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" not in args and not {"-h", "--help", "--list"} & set(args):
            raise click.UsageError(_NO_APP, ctx)
        return super().parse_args(ctx, args)


def _in_a_folder(ctx: click.Context, parameter: click.Parameter, file: str | None) -> str | None:
    """The path of a file to write, whose folder exists: nobody wants to know that after the app has run."""
    if file is not None and not (folder := Path(file).absolute().parent).is_dir():
        raise click.BadParameter(f"There is no folder {folder}.", ctx, parameter)
    return file


@click.command("replay", cls=_Replay, options_metavar="[OPTIONS]", epilog="-- COMMAND [ARGS]...")
@click.argument("trace", required=False, metavar="[TRACE | FILE]")
@click.option("--conversation", metavar="THREAD", help="Replay all of this conversation, instead of one trace.")
@click.option("--from", "source", metavar="SOURCE", help="Where the recording is read. [default: the store]")
@click.option("--store", metavar="PATH", help="Record the replay into this store. [default: as for OTEL_MAS_STORE]")
@click.option(
    "--live",
    multiple=True,
    metavar="models|tools|retrievers|descendants|AGENT",
    help="Really call these, or what is in this agent or node; descendants: what depends on a change. May be given "
    "several times.",
)
@click.option(
    "--change",
    "changes",
    multiple=True,
    metavar="LABEL[ ASPECT]=VALUE",
    help="Change one answer, and run again what depends on it: researcher#1/model#2=TEXT. ASPECT is output (the "
    "default), input, prompt, model, goto or answer. May be given several times.",
)
@click.option("--from-task", metavar="TASK", help="Run this task and its causal descendants again: researcher#1.")
@click.option("--to-task", metavar="TASK", help="With --from-task: stop at the first call that depends on this task.")
@click.option("--stub", metavar="MODULE:NAME", help="A chat model or function that answers what runs again.")
@click.option("--yes", is_flag=True, help="Do not ask before what runs again is paid.")
@click.option(
    "--comparison",
    type=click.Path(dir_okay=False, writable=True),
    callback=_in_a_folder,
    metavar="FILE",
    help="Write recording and replay side by side into this file, as JSON.",
)
@click.option("--list", "listing", is_flag=True, help="List the recorded calls and tasks by their labels, and end.")
@click.option(
    "--on-miss",
    type=click.Choice(["error", "live", "nearest"]),
    help="A call without a recorded answer fails, is really made, or is answered as the nearest was. [default: error]",
)
@click.option("--timing", is_flag=True, help="Answers take as long as they took.")
@click.option(
    "--freeze", is_flag=True, help="The clock stands at the recording's start; random numbers and UUIDs repeat."
)
@click.option("--quiet", is_flag=True, help="No summary at the end.")
@debug
@click.pass_context
def command(
    ctx: click.Context,
    trace: str | None,
    conversation: str | None,
    source: str | None,
    store: str | None,
    live: tuple[str, ...],
    on_miss: str | None,
    timing: bool,
    freeze: bool,
    quiet: bool,
    changes: tuple[str, ...],
    from_task: str | None,
    to_task: str | None,
    stub: str | None,
    yes: bool,
    comparison: str | None,
    listing: bool,
) -> None:
    """Run an app again for nothing: what it calls answers what was recorded.

    TRACE is the id of a trace or the beginning of it, or "latest" (the default), with all other traces of the same
    `otel-mas run`; FILE is what `otel-mas export --content` has written. COMMAND is what you would type without
    otel-mas. The app runs as it is; its models, tools and retrievers are not called, and no key is needed. A call
    that the recording has no answer for fails, and says what the nearest recorded request was. The replay is recorded
    like any run, and linked to what it replays.

    \b
    otel-mas replay latest -- python app.py
    otel-mas replay run.jsonl --live tools -- python app.py
    otel-mas replay 4bf92f35 --on-miss nearest -- -m package.app
    otel-mas replay latest --change 'researcher#1/model#2=14 stops' --live descendants -- python app.py
    otel-mas replay latest --from-task writer#1 --stub app:stub -- python app.py
    """
    from otel_mas.cli.run import run
    from otel_mas.config import Settings
    from otel_mas.errors import ConfigError

    app = app_of(ctx)
    if not app and not listing:
        raise click.UsageError(_NO_APP, ctx)
    if trace is not None and conversation is not None:
        raise click.UsageError("Give either TRACE or --conversation, not both.", ctx)
    given: dict[str, Any] = {
        "replay_live": live or None,
        "replay_on_miss": on_miss,
        "replay_timing": timing or None,
        "replay_freeze": freeze or None,
        "replay_changes": changes or None,
        "replay_from_task": from_task,
        "replay_to_task": to_task,
        "replay_stub": stub,
    }
    settings = Settings.from_env(store=store, **given)
    if not settings.enabled and not listing:
        raise ConfigError(
            "a replay is recorded like any run, and recording is off: unset OTEL_SDK_DISABLED and OTEL_MAS_ENABLED"
        )
    recording, target = _read(trace, conversation, source, Settings.from_env().store)
    settings = replace(settings, replay=target, replay_from=source or _store_of(target))
    if listing:
        from otel_mas.cli.replay_changes import print_labels

        print_labels(recording)
        return
    for lacking in recording.lacks:
        note(f"this recording lacks something: {lacking}.")
    for unknown in _unknown_live(settings.replay_live, recording):
        note(f"--live {unknown}: the recording has no agent or node of this name, so that none may be live.")
    if settings.replay_changes or settings.replay_from_task or settings.replay_to_task:
        from otel_mas.cli.replay_changes import confirm

        confirm(settings, recording, yes=yes)
    summary = _Summary(settings, recording, quiet, comparison)
    ctx.exit(run(arguments_of(app), settings, summary=not quiet, started=summary.load, ended=summary.ended))


def _read(trace: str | None, conversation: str | None, source: str | None, store: str) -> tuple[Recording, str]:
    """The recording, and how the app's processes are told which."""
    from otel_mas.replay.reading import THREAD, read_recording, read_whole_run

    if conversation is not None:
        target = f"{THREAD}{conversation}"
        return read_recording(target, source, store)[0], target
    recording, target = read_whole_run(trace or "latest", source, store)  # the app makes all of its traces again
    if target == "latest" and recording.spans:  # the replay itself will be later
        target = recording.spans[0].trace_id
    return recording, target


def _unknown_live(live: tuple[str, ...], recording: Recording) -> list[str]:
    """Names that are to be live, and name neither a kind of call nor anything around a recorded one."""
    from otel_mas.replay.policy import DESCENDANTS, LIVE_KINDS

    around = [run for call in recording.calls for run in call.place.runs]
    known = {run.graph for run in around} | {level.name for run in around for level in run.levels}
    known |= {name.removeprefix("@") for name in known} | {DESCENDANTS, *LIVE_KINDS}
    return [one for one in live if one not in known]


def _store_of(target: str) -> str | None:
    """The store that the recording was found in, since the replay may be recorded elsewhere; None of a file."""
    import os

    from otel_mas.config import Settings

    return None if os.path.isfile(os.path.expanduser(target)) else Settings.from_env().store


@dataclass
class _Summary:
    """Counts of a replay, from the spans that it has recorded."""

    settings: Settings
    recording: Recording
    quiet: bool
    comparison: str | None = None

    def load(self) -> None:
        """Import what it needs while the app runs, so that nobody waits for that afterwards."""
        import otel_mas.api.source
        import otel_mas.api.trace

        if not self.quiet:
            import otel_mas.cli.summary
            import otel_mas.report.terminal  # noqa: F401
            from otel_mas.api.findings import load_detectors

            load_detectors()

    def ended(self, run_id: str) -> int:
        """Print it; the exit status where the app has caught a miss."""
        from otel_mas.api import open as open_source
        from otel_mas.errors import OtelMasError

        try:
            with open_source(self.settings.store) as source:
                traces = [source.trace(one.trace_id) for one in source.run(run_id).traces]
        except OtelMasError as error:
            note(f"no summary of the replay: {error}")
            return 0
        spans = [span for trace in traces for span in trace.spans]
        if not self.quiet:
            print_lines(lambda _: self._lines(spans), err=True)
        counts = _outcomes(spans)
        if self.settings.replay_changes or self.settings.replay_from_task or self.comparison is not None:
            from otel_mas.cli.replay_changes import compare

            if not compare(self.settings, self.recording, run_id, self.comparison, quiet=self.quiet):
                return _MISSED
        if self.settings.replay_from_task:
            from otel_mas.cli.replay_changes import unreached

            for label in unreached(self.settings, self.recording, spans):
                note(f"{label} was not reached: the app did not go the recorded way.")
                return _MISSED
        return _MISSED if counts["missed"] or counts["stopped"] else 0

    def _lines(self, spans: list[Any]) -> Iterator[Text]:
        from rich.text import Text

        from otel_mas.replay.reading import THREAD
        from otel_mas.semconv import attributes as names

        counts, saved = _outcomes(spans), _saved(spans)
        answered = counts["answered"] + counts["nearest"]
        parts = [f"{answered} answered", f"{counts['live']} live", f"{counts['missed']} missed"]
        if counts["nearest"]:
            parts[0] += f" ({counts['nearest']} as the nearest request)"
        parts += [f"{counts[one]} {one}" for one in ("changed", "stubbed", "stopped") if counts[one]]
        yield Text("")
        yield Text(f"replayed {self.recording.what}", style="bold").append(f": {', '.join(parts)}", style="not bold")
        if self.settings.replay_from_task:
            from otel_mas.cli.replay_changes import segment_states

            for state in segment_states(spans):
                yield Text(f"state before {self.settings.replay_from_task}: {state}")
        if counts["after_segment"]:
            yield Text(f"stopped before the first call after {self.settings.replay_to_task}, where the segment ends")
        yield Text(f"saved {saved[0]:,} tokens, ${saved[1]:.4f}", style="green")
        if spans:
            took = max(span.last_ns for span in spans) - min(span.start_ns for span in spans)
            recorded = self.recording.duration_ns
            yield Text(f"took {took / _NS_PER_S:.2f} s; the recorded run {recorded / _NS_PER_S:.2f} s")
        if not (self.settings.replay or "").startswith(THREAD):  # of a conversation each process makes its part
            repeated = {str(span.get(names.MAS_REPLAY_SPAN)) for span in spans}
            calls = [f"{call.span.trace_id}-{call.span.span_id}" for call in self.recording.calls]
            if unmade := sum(one not in repeated for one in calls):
                yield Text(f"{unmade} of {len(calls)} recorded calls were not made again", style="yellow")
        if counts["missed"]:
            yield Text("missed calls failed: the run is not the recorded one", style="bold red")


def _outcomes(spans: list[Any]) -> Counter[str]:
    from otel_mas.semconv import attributes as names

    return Counter(str(found) for span in spans if (found := span.get(names.MAS_REPLAY_OUTCOME)))


def _saved(spans: list[Any]) -> tuple[int, float]:
    """Tokens and USD that answers had cost when they were recorded."""
    from otel_mas.analyse.model_calls import tokens_of
    from otel_mas.semconv import attributes as names

    answered = [span for span in spans if span.get(names.MAS_REPLAY_OUTCOME) in ("answered", "nearest")]
    return (
        sum(map(tokens_of, answered)),
        sum(float(span.get(names.MAS_COST_USD) or 0.0) for span in answered),
    )


__all__ = ["command"]
