"""`otel-mas what-if`: the time and cost of a run under changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_mas.cli.answers import Answer, explains, under_heading

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Trace


def _pairs(_: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Values of the form NAME=VALUE, by name; the name may have a = in it."""
    found: dict[str, str] = {}
    for value in values:
        name, separator, setting = value.rpartition("=")
        if not separator or not name.strip() or not setting.strip():
            raise click.BadParameter(f"{value!r} is not of the form {param.metavar}", param=param)
        if name in found:
            raise click.BadParameter(f"{name} is given twice", param=param)
        found[name] = setting
    return found


def _numbers(context: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, setting in _pairs(context, param, values).items():
        try:
            found[name] = float(setting)
        except ValueError:
            raise click.BadParameter(f"{setting!r} is not a number: write {name}=2", param=param) from None
    return found


def _groups(_: click.Context, param: click.Parameter, values: tuple[str, ...]) -> list[list[str]]:
    groups = [[name.strip() for name in value.split(",") if name.strip()] for value in values]
    for value, group in zip(values, groups, strict=True):
        if not group:
            raise click.BadParameter(f"{value!r} names nothing: write a,b", param=param)
    return groups


@explains("what-if")
@click.option(
    "--faster",
    metavar="NAME=TIMES",
    multiple=True,
    callback=_numbers,
    help="So many times as fast, with all that is inside; 0.5 is half as fast. May be repeated, as all of these.",
)
@click.option(
    "--lasting", metavar="NAME=DURATION", multiple=True, callback=_pairs, help="Takes this long each time, as 200ms."
)
@click.option(
    "--parallel", metavar="NAME,NAME", multiple=True, callback=_groups, help="Run side by side, if nothing holds them."
)
@click.option("--without", metavar="NAME", multiple=True, help="Takes no time and costs nothing.")
@click.option(
    "--model", "models", metavar="MODEL=MODEL", multiple=True, callback=_pairs, help="The second in place of the first."
)
@click.option("--no-retries", is_flag=True, help="Every attempt that was repeated had worked at once.")
@click.option("--no-waiting", is_flag=True, help="No wait for people, the next invocation, or the next attempt.")
@click.option("--no-barriers", is_flag=True, help="Tasks wait for their causes alone, not for LangGraph's steps.")
def command(
    found: Trace | Conversation,
    faster: dict[str, float],
    lasting: dict[str, str],
    parallel: list[list[str]],
    without: tuple[str, ...],
    models: dict[str, str],
    no_retries: bool,
    no_waiting: bool,
    no_barriers: bool,
) -> Answer:
    """Show how long a run would have taken, and what it would have cost, if something were otherwise.

    NAME is an agent, a task or its label (writer#2), a tool, a model, or the id of a span; tool:search or agent:search
    where a name means several things. Without a change the answer is how much longer each task could have taken (its
    slack), how much sooner the run had ended if it took no time (its drag), and how long the run would have taken if
    tasks waited for their causes alone.
    """
    from otel_mas.report import terminal
    from otel_mas.report.json.what_if import what_if as document

    graph = found.graph()
    answer = graph.what_if(
        faster=faster,
        lasting=lasting,
        parallel=parallel,
        without=without,
        models=models,
        retries=not no_retries,
        waiting=not no_waiting,
        barriers=not no_barriers,
    )
    return Answer(
        lambda: document(answer, graph.causal, found.problems),
        under_heading(found, lambda width: terminal.what_if(answer, graph.causal, width)),
    )
