"""`otel-mas run`: its options; `otel_mas.cli.run` runs the command."""

from __future__ import annotations

from dataclasses import replace

import click

from otel_mas.cli.app_command import arguments_of
from otel_mas.cli.options import checked_address, debug


class _Run(click.Command):
    """Everything from the app on belongs to the app; `-m module` may stand in its place."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        takes_value = {
            name
            for parameter in self.params
            if isinstance(parameter, click.Option) and not parameter.is_flag
            for name in parameter.opts
        }
        position = 0
        while position < len(args) and args[position].startswith("-") and args[position] not in ("--", "-m"):
            position += 2 if args[position] in takes_value else 1
        if position < len(args) and args[position] == "-m":
            args = [*args[:position], "--", *args[position:]]
        return super().parse_args(ctx, args)


@click.command(
    "run",
    cls=_Run,
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS] --",
)
@click.option("--store", metavar="PATH", help="Record into this store. [default: as for OTEL_MAS_STORE]")
@click.option(
    "--content",
    type=click.Choice(["full", "redacted", "none"]),
    help="What to keep of messages, tool calls and exceptions. [default: redacted]",
)
@click.option("--simulated-cost", is_flag=True, help="Mark costs as simulated: the model is a stand-in.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND[:NAME=VALUE,...]",
    help="Inject a fault, for practice: tool_error:tool=search,occurrence=1. May be given several times.",
)
@click.option("--fault-seed", type=int, metavar="N", help="Seed of what faults decide and change. [default: 0]")
@click.option(
    "--serve", is_flag=True, help="Show the run live on a page, which is opened in a browser and stays until Ctrl-C."
)
@click.option("--listen", metavar="HOST:PORT", default="127.0.0.1:4320", show_default=True, callback=checked_address,
              help="With --serve: where. Port 0 is one that is free.")  # fmt: skip
@click.option("--no-open", is_flag=True, help="With --serve: print the link, and open no browser.")
@click.option("--quiet", is_flag=True, help="No summary at the end.")
@debug
@click.argument("app", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND [ARGS]...")
@click.pass_context
def command(
    ctx: click.Context,
    app: tuple[str, ...],
    store: str | None,
    content: str | None,
    simulated_cost: bool,
    faults: tuple[str, ...],
    fault_seed: int | None,
    serve: bool,
    listen: tuple[str, int],
    no_open: bool,
    quiet: bool,
) -> None:
    """Run an app and record it, without changing it.

    COMMAND is what you would type without otel-mas: "python app.py", "-m module", or the name of a console
    script. The app's output and exit status stay as they are. A short summary on stderr says
    what was recorded.

    \b
    otel-mas run -- python app.py --its-own option
    otel-mas run --store runs.db -- -m package.app
    otel-mas run --serve -- python app.py
    otel-mas run --fault tool_error:tool=search --fault model_slow:delay=2s -- python app.py
    """
    from otel_mas.cli.run import run
    from otel_mas.config import Settings

    settings = Settings.from_env(
        store=store, content=content, simulated_cost=simulated_cost or None, fault_seed=fault_seed
    )
    if faults or settings.faults:
        from otel_mas.faults.autostart import asked_for

        settings = replace(settings, faults=asked_for(settings, faults))
    if not serve:
        ctx.exit(run(arguments_of(app), settings, summary=not quiet))
    from otel_mas.cli.run_page import PageOptions, RunPage

    page = RunPage(settings.store, PageOptions(listen, browser=not no_open))
    try:
        status = run(arguments_of(app), settings, summary=not quiet, page=page)
    finally:
        page.close()
    ctx.exit(status)
