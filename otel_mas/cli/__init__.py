"""The command line. Each command's module is imported when the command is used, so that `--help` is quick."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from otel_mas.cli.failures import reported

# Name → (module under otel_mas.cli and its command, one line for `otel-mas --help`).
COMMANDS = {
    "run": ("run_command:command", "Run an app and record it, without changing it."),
    "replay": ("replay:command", "Run an app again for nothing: a recording answers what it calls."),
    "traces": ("traces:command", "List the recorded traces, newest first."),
    "log": ("log:command", "Show what was said and done, in causal order; --follow shows it live."),
    "attach": ("attach:command", "Follow runs as apps record them, and analyse each when it ends."),
    "show": ("show:command", "Show a trace as a tree, or everything about one span or task."),
    "graph": ("graph:graph", "Show what caused what, and what each join waited for."),
    "critical-path": ("graph:critical_path", "Show what the duration is made of, step by step."),
    "what-if": ("what_if:command", "Show how long a run would have taken if something were otherwise."),
    "profile": ("profile:command", "Show the time by agent, node, model and tool, and hot spots."),
    "why-not": ("why:why_not", "Show why an agent did not act."),
    "state": ("why:state", "Show what each task changed in the state, and what another one read of it."),
    "root-cause": ("root_cause:command", "Rank root causes, and confirm them by replays that mend them."),
    "explain": ("explain:command", "Show what a run most probably failed of, and all findings."),
    "findings": ("findings:command", "Show what is wrong with a run, with evidence and advice."),
    "evaluate": ("evaluate:command", "Hold recorded runs against cases: outputs, budgets, topology, findings."),
    "mark": ("mark:command", "Mark a run as wrong, missing, late or right, or with a score."),
    "error": ("why:error", "Show everything about the errors of a run."),
    "cost": ("graph:cost", "Show tokens and cost, by agent and by model."),
    "alerts": ("alerts:command", "Check alert rules, tell receivers, and write the rules for Prometheus."),
    "health": ("health:command", "Show whether agents, workflows and recording are healthy; for probes."),
    "query": ("query:command", "Ask about many runs: executions, agents, chains, events, metrics."),
    "metrics": ("metrics:command", "Print the metrics of recorded runs as Prometheus' text."),
    "sql": ("sql:command", "Ask a store by SQL, read-only."),
    "diff": ("diff:command", "Show two runs step by step: what changed, and from where on."),
    "compare": ("compare:command", "Compare two sets of runs: what got slower, dearer, or fails more."),
    "serve": ("serve:command", "Receive OTLP from any SDK, and show runs as they happen."),
    "ship": ("ship:command", "Ship recorded spans to an OTLP endpoint, from where it stopped last."),
    "export": ("export:command", "Write traces as OTLP/JSON lines."),
    "import": ("import_:command", "Import OTLP files into a store."),
    "store": ("store:command", "Look after a store: stats, check, repair, compact, prune."),
    "mcp": ("mcp:command", "Serve recorded runs as tools of a model, over MCP."),
    "doctor": ("doctor:command", "Find problems, and show how to fix them."),
    "report": ("report:command", "Write an HTML page about a run, for people who were not there."),
}
_NEW_OBJECTS = 10_000


def collect_seldom() -> None:
    """Let 10,000 new objects wake the garbage collector, not 700 (docs/decisions.md). For a command's own process."""
    gc.set_threshold(_NEW_OBJECTS)


class Commands(click.Group):
    """Finds commands by the table above; turns our errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"otel_mas.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        with reported(ctx):
            return super().invoke(ctx)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from otel_mas import __version__
        from otel_mas.cli.output import print_line

        print_line(f"otel-mas {__version__}")
        ctx.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: otel-mas run -- python your_app.py",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.option("--debug", is_flag=True, help="Show tracebacks instead of one line for an error.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """See what caused what in a multi-agent run."""
    ctx.meta["otel_mas.debug"] = debug


def main(args: Sequence[str] | None = None) -> None:
    """The `otel-mas` command."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without Unicode shows ? for a box character, rather than a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    collect_seldom()
    cli.main(args=args, prog_name="otel-mas")
