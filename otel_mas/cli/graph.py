"""Commands about the causal graph of a run: `graph`, `critical-path` and `cost`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_mas.cli.answers import Answer, explains, under_heading

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Trace


@explains("graph")
def graph(found: Trace | Conversation) -> Answer:
    """Show what caused what: each task with its causes, how, and what each join waited for.

    A lane is a cause under way to its effect, ● a task, ○ one without a cause in the picture. "read" names those whose
    messages a task read although they did not cause it.
    """
    from otel_mas.report import json, terminal

    causal, questions = found.graph().causal, found.questions()
    return Answer(
        lambda: json.graph(causal, found.problems, questions),
        under_heading(found, lambda width: terminal.graph(causal, width, questions, found.reasons())),
    )


@explains("critical-path")
@click.option("--all", "every", is_flag=True, help="Show small steps too, instead of gathering them.")
def critical_path(found: Trace | Conversation, every: bool) -> Answer:
    """Show what the duration is made of, step by step, and why each next step waited.

    Only what is listed here makes a run shorter when it gets faster. The percentages leave out the time spent
    waiting for input.
    """
    from otel_mas.report import json, terminal

    causal, path = found.graph().causal, found.graph().critical_path()
    return Answer(
        lambda: json.critical_path(causal, path, found.problems),
        under_heading(found, lambda width: terminal.critical_path(causal, path, width, every=every)),
    )


@explains("cost")
def cost(found: Trace | Conversation) -> Answer:
    """Show tokens and cost in USD, by agent and by model.

    A call whose model has no known price is named, and counts as unknown, not as 0.
    """
    from otel_mas.report import json, terminal

    table = found.graph().cost()
    return Answer(
        lambda: json.cost(table, found.problems), under_heading(found, lambda width: terminal.cost(table, width))
    )
