"""`otel-mas root-cause`: the ranking of root causes, and which of them a replay confirms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from otel_mas.analyse.complaints import ComplaintLabel
from otel_mas.cli.app_command import AppCommand, app_of, arguments_of
from otel_mas.cli.options import Target, one_target, source_options
from otel_mas.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Source, Trace
    from otel_mas.config import Settings
    from otel_mas.replay.changes import Change
    from otel_mas.replay.verification import Tried, VerifiedCause

_CANDIDATES = 3


@click.command("root-cause", cls=AppCommand, options_metavar="[OPTIONS]", epilog="[-- COMMAND [ARGS]...]")
@one_target
@click.option(
    "--complaint",
    type=click.Choice([one.value for one in ComplaintLabel]),
    help="What somebody has against it; by default what was marked, beside errors that were recorded.",
)
@click.option("--verify", is_flag=True, help="Mend the first candidates in replays of COMMAND, one after the other.")
@click.option("--reference", metavar="TRACE", help="A run that went well: candidates are mended as they were there.")
@click.option("--mended", multiple=True, metavar="LABEL=VALUE", help="A mended output; may be given several times.")
@click.option("--expect", metavar="REGEX", help="What the output of a mended run has. [default: as the reference's]")
@click.option(
    "--candidates", type=click.IntRange(1), default=_CANDIDATES, show_default=True, help="How many are tried."
)
@click.option("--stub", metavar="MODULE:NAME", help="A chat model or function that answers what depends on a mend.")
@click.option("--live", is_flag=True, help="Really call what depends on a mend and the reference does not have.")
@source_options
def command(target: Target, store: str | None, as_json: bool, **options: Any) -> None:
    """Show what a run most probably failed of, and try whether it ends well with that mended.

    A candidate is confirmed if the run ends well with its output replaced by the mended one: that of --mended, else of
    the same call or task in --reference. All that does not depend on it is answered from the recording. The earliest
    of those that are confirmed comes first.

    \b
    otel-mas root-cause latest
    otel-mas root-cause 4bf92f35 --verify --reference 00f067aa -- python app.py
    """
    from otel_mas.api import open as open_source
    from otel_mas.report.json.replay import verified
    from otel_mas.report.terminal import replay as terminal

    app = app_of(click.get_current_context())
    if options["verify"] and not app:
        raise click.UsageError("Say what to run after --, as in: otel-mas root-cause --verify TRACE -- python app.py")
    with open_source(store) as source:
        found = target.find(source)
        causes = _verified(found, source, app, options) if options["verify"] else _ranked(found, options["complaint"])
        if as_json:
            print_json([verified(one) for one in causes])
        else:
            print_lines(lambda width: terminal.root_causes(causes, width))


def _ranked(found: Trace | Conversation, complaint: str | None) -> Sequence[VerifiedCause]:
    """The ranking, untried."""
    from otel_mas.api.verification import untried

    return untried(found, complaint)


def _verified(
    found: Trace | Conversation, source: Source, app: Sequence[str], options: dict[str, Any]
) -> Sequence[VerifiedCause]:
    from otel_mas.api.verification import verified_by
    from otel_mas.config import Settings
    from otel_mas.replay.changes import parsed_changes

    mended = {one.target: one.value for one in parsed_changes(options["mended"])}
    reference = None if options["reference"] is None else source.trace(options["reference"])
    given: dict[str, Any] = {"replay_live": ("descendants",) if options["live"] else None}
    settings = replace(
        Settings.from_env(**given),
        replay=_name(found),
        replay_from=source.location,
        replay_stub=options["stub"],
        replay_reference=None if reference is None else reference.trace_id,
    )
    return verified_by(
        found,
        lambda changes: _attempt(arguments_of(app), settings, changes),
        reference=reference,
        mended=mended,
        expect=options["expect"],
        candidates=options["candidates"],
        complaint=options["complaint"],
    )


def _name(found: Trace | Conversation) -> str:
    from otel_mas.api import Trace
    from otel_mas.replay.reading import THREAD

    return found.trace_id if isinstance(found, Trace) else f"{THREAD}{found.thread}"


def _attempt(arguments: Sequence[str], settings: Settings, changes: Sequence[Change]) -> Tried:
    """Run the app in a replay with these changes."""
    from otel_mas.api import open as open_source
    from otel_mas.api.verification import tried_in
    from otel_mas.cli.run import run

    runs: list[str] = []

    def ended(run_id: str) -> int:
        runs.append(run_id)
        return 0

    run(arguments, replace(settings, replay_changes=tuple(one.text for one in changes)), summary=False, ended=ended)
    with open_source(settings.store) as source:
        return tried_in([source.trace(one.trace_id) for run_id in runs for one in source.run(run_id).traces])


__all__ = ["command"]
