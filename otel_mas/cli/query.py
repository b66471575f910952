"""`otel-mas query`: questions over many runs, each with the same filters."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otel_mas.analyse.execution_statistics import BY
from otel_mas.analyse.executions import KINDS, STATUSES
from otel_mas.cli.files import written
from otel_mas.cli.filters import filter_options, limit_option
from otel_mas.cli.options import parsed_by, source_options
from otel_mas.cli.output import note, note_limits, print_json, print_lines
from otel_mas.cli.traces import command as traces_command

if TYPE_CHECKING:
    from otel_mas.api import Source
    from otel_mas.api.query_answers import Answer

_all = click.option("--all", "every", is_flag=True, help="Print every row, instead of the first ones.")
_kind = click.option("--kind", type=click.Choice(KINDS), help="Only executions of this kind.")


@click.group("query")
def command() -> None:
    """Ask about many runs: executions, agents, call chains, stages, outcomes, events,
    metrics, topology, variants, rare paths, hot spots.

    The filters select traces; those by agent, operation, tool, model, error type, status, duration and time also select
    among the executions or events in them. The newest traces are read, as many as --limit says.
    """


command.add_command(traces_command)


_FORMS = {".html": "to_html", ".svg": "to_svg", ".dot": "to_dot", ".gv": "to_dot", ".mmd": "to_mermaid"}


def _drawn(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The file to write; its name says in which form."""
    wanted = [".html"] if context.info_name != "topology" else list(_FORMS)
    if value is not None and Path(value).suffix.lower() not in wanted:
        raise click.BadParameter(f"{value} ends in none of {', '.join(wanted)}, which says what to write")
    return value


_output = click.option(
    *("-o", "--output"), metavar="FILE", callback=_drawn, help="Write a page to this file (.html), too."
)


def _asks(name: str, *, without: tuple[str, ...] = ()) -> Callable[[Callable[..., Answer[Any]]], click.Command]:
    """A command that prints an answer: as a table, or as an object with it under its name."""

    def decorate(ask: Callable[..., Answer[Any]]) -> click.Command:
        @filter_options(STATUSES, without)
        @limit_option("How many traces to read at most.")
        @_all
        @source_options
        @wraps(ask)
        def asking(store: str | None, as_json: bool, every: bool, output: str | None = None, **options: Any) -> None:
            from otel_mas.api import open as open_source
            from otel_mas.report.query_tables import MOST, TABLES

            with open_source(store) as source:
                answer = ask(source, **options)
            if output is not None:
                _write(answer, output)
            if as_json:
                print_json(_document(answer))
            else:
                from otel_mas.report.terminal.table import table

                print_lines(lambda width: table(TABLES[answer.name](answer, None if every else MOST), width))
            note_limits(answer, options["limit"])

        return command.command(name)(asking)

    return decorate


def _write(answer: Answer[Any], output: str) -> None:
    document: str = getattr(answer, _FORMS[Path(output).suffix.lower()])()
    with written(output) as file:
        file.write(document.encode())
    note(f"wrote {output} ({len(document) / 1024:,.0f} KB)")


def _document(answer: Answer[Any]) -> dict[str, object]:
    from otel_mas.report.json.query import ROWS

    rows = [ROWS[answer.name](one) for one in answer]
    further = {one.name: [ROWS[one.name](row) for row in one] for one in answer.further}
    return {answer.name: rows, **further, "limited": answer.limited, "incomplete": answer.incomplete}


@_asks("executions")
@_kind
@click.option("--slowest", is_flag=True, help="The longest first, instead of the newest.")
def executions(source: Source, slowest: bool, **which: Any) -> Answer[Any]:
    """List executions of tasks, agents, tools and models, newest first.

    "model" and "tools" are the parts of the duration in which one ran; "overhead" is the time in which none did.
    """
    found = source.executions(**which)
    if slowest:
        found[:] = found.slowest()
    return found


@_asks("agents")
@click.option("--by", type=click.Choice(tuple(BY)), default="agent", show_default=True, help="What to count by.")
def agents(source: Source, by: str, **which: Any) -> Answer[Any]:
    """Show how often each agent succeeded, how long it took, its errors and its models."""
    return source.executions(**which).by(by)


@_asks("chains")
def chains(source: Source, **which: Any) -> Answer[Any]:
    """Show who called each task and agent, how, how deep, and why.

    Of several causes the caller is the last one to end: the one that it waited for.
    """
    return source.executions(**which).chains()


@_asks("stages")
def stages(source: Source, **which: Any) -> Answer[Any]:
    """Show the stages of runs as timelines: steps of the graph, and stages that the app marked."""
    return source.executions(**which).stages()


@_asks("outcomes")
def outcomes(source: Source, **which: Any) -> Answer[Any]:
    """Show what runs cost by outcome: for one that succeeded, or was accepted, with all the others.

    Accepted and rejected are by feedback (otel-mas mark) and by evaluations of the answer.
    """
    return source.outcomes(**which)


@_asks("events", without=("status", "min_duration", "max_duration"))
@click.option(
    "--type", metavar="TYPE", help="Only this type: AGENT_TASK, LLM_CALL, TOOL_CALL, ROUTING_DECISION, ERROR, ..."
)
def events(source: Source, **which: Any) -> Answer[Any]:
    """List events, newest first: one for each span that records something, and one for each error."""
    return source.events(**which)


@_asks("metrics")
@click.argument("name", default="duration")
@click.option(
    "--by",
    type=click.Choice(("run", "service", *BY)),
    default="run",
    show_default=True,
    help="What to count by; run: all together.",
)
@click.option("--window", metavar="DURATION", callback=parsed_by("duration_ns"), help="By window of time: 1h, 1d.")
def metrics(source: Source, name: str, **which: Any) -> Answer[Any]:
    """Show count, mean, percentiles and trend of a measure.

    NAME is duration (the default), input_tokens, output_tokens, cost or errors; by agent, node, tool or model also
    model_time, tool_time or overhead.
    """
    return source.metrics(name, **which)


_workflow = click.option("--workflow", metavar="NAME", help="Only runs of the workflow or agent of this name.")


@_asks("topology")
@_workflow
@click.option(
    *("-o", "--output"),
    metavar="FILE",
    callback=_drawn,
    help="Draw it into this file, too: a page (.html), a picture (.svg), Graphviz (.dot) or Mermaid (.mmd).",
)
def topology(source: Source, **which: Any) -> Answer[Any]:
    """Show who triggers, sends to, hands off to, calls, uses or reads whom, over all runs.

    "runs" is the share of a workflow's runs that took the edge, "next" the part of the cause's executions that it was
    taken after. The wait is that from the end of the cause to the start of the effect; what it took, how often it
    failed and its cost are those of the effect. An edge that was not recorded says so.
    """
    return source.topology(**which)


@_asks("variants")
@_workflow
@_output
@click.option("--loops", is_flag=True, help="Tell runs apart by how often each task ran, and in which order.")
def variants(source: Source, **which: Any) -> Answer[Any]:
    """Group the runs of each workflow by structure, with what is other in each variant.

    The structure is the nodes that ran and the edges that were taken, without models and messages. An edge counts once,
    however often it was taken, unless --loops is given.
    """
    return source.variants(**which)


@_asks("rare-paths")
@_workflow
@_output
@click.option(
    "--below", type=float, default=0.05, show_default=True, metavar="SHARE", help="Of a workflow's runs, 0 to 1."
)
def rare_paths(source: Source, **which: Any) -> Answer[Any]:
    """List the edges and variants that few runs take, the rarest first.

    How many of these runs failed stands beside how many of the workflow's other runs did; --json names all of them.
    """
    return source.rare_paths(**which)


@_asks("hot-spots")
@_workflow
@_output
def hot_spots(source: Source, **which: Any) -> Answer[Any]:
    """Show where the time, the cost and the errors of the runs concentrate.

    "self" is time in which nothing inside of it ran; "on path" is its part of the critical paths. Errors are counted
    where they happened, not where they passed through.
    """
    return source.hot_spots(**which)
