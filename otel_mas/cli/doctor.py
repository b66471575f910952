"""`otel-mas doctor`: problems of settings, installation and connections, and what to do."""

from __future__ import annotations

import os
import sys

import click

from otel_mas.cli.failures import DEBUG
from otel_mas.cli.options import debug
from otel_mas.cli.output import print_json, print_lines


@click.command("doctor", context_settings={"allow_interspersed_args": False}, options_metavar="[OPTIONS] [--]")
@click.option(
    "--store",
    metavar="PATH",
    help="Look at this store. [default: $OTEL_MAS_STORE, else the one in your data directory]",
)
@click.option(
    "--from",
    "sources",
    metavar="SOURCE",
    multiple=True,
    help="Also ask this place that traces are read from, like jaeger+http://localhost:16686; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@debug
@click.argument("app", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND [ARGS]...]")
@click.pass_context
def command(
    ctx: click.Context, store: str | None, sources: tuple[str, ...], as_json: bool, app: tuple[str, ...]
) -> None:
    """Find problems, and show how to fix them.

    Checks the settings and their origin, the installed packages, the store, the servers that are configured or given,
    other recorders and exporters, `otel-mas serve` on this machine, and what leaves it. Writes nothing, shows no
    prompts and no secrets, and takes thirty seconds at most.

    With COMMAND, as you would type it to start the app, it checks the Python that this starts; the app is not started.
    The exit code is 1 if there is a problem, else 0; docs/doctor.md lists all findings.

    \b
    otel-mas doctor
    otel-mas doctor --from tempo+http://localhost:3200 -- python app.py
    """
    from otel_mas.doctor.diagnose import diagnose

    words = (sys.executable, *app) if app[:1] == ("-m",) else app
    found = diagnose(os.environ, store=store, sources=sources, command=words)
    if found.errors and ctx.meta.get(DEBUG):
        raise found.errors[0]
    if as_json:
        print_json(found.form)
    else:
        from otel_mas.cli.doctor_lines import lines

        print_lines(lambda width: lines(found.form, width))
    ctx.exit(0 if found.ok else 1)
