"""Answers about recorded runs for a model: text as the command line prints it, a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, islice
from typing import Annotated, Any

from pydantic import Field
from rich.text import Text

from otel_mas.api.log import Selection
from otel_mas.api.query_answers import Answer
from otel_mas.api.source import Source
from otel_mas.api.trace import Trace
from otel_mas.model.search import Match
from otel_mas.report import terminal
from otel_mas.report.query_tables import TABLES
from otel_mas.report.terminal.span import span as span_lines
from otel_mas.report.text import plain

MOST_CHARACTERS = 6_000
"""Length of an answer: about 2,000 tokens."""
_WIDTH = 110
_MOST_LINES = 20_000
"""Lines that are counted; of a longer answer the end is not looked for."""

Run = Annotated[str, Field(description='Id of a trace, the unique beginning of one, or "latest".')]
FromLine = Annotated[int, Field(ge=1, description="The first line of the answer to give; the last part says which.")]
Since = Annotated[str | None, Field(description="1h, 2d, or 2026-11-21T10:00")]
Name = Annotated[str | None, Field(description="Leave out for all.")]


class Tools:
    """The tools over one source. Their names, arguments and docstrings are what a model gets to read."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def all(self) -> list[Callable[..., str]]:
        """Every tool."""
        return [
            self.search,
            self.trace,
            self.graph,
            self.critical_path,
            self.findings,
            self.log,
            self.span,
            self.cost,
            self.diff,
            self.agents,
            self.topology,
            self.variants,
            self.hot_spots,
        ]

    def search(
        self,
        text: Annotated[str | None, Field(description="Text in messages, arguments, results or errors.")] = None,
        status: Annotated[str | None, Field(description="ok, error, interrupted, running, stopped, ...")] = None,
        since: Since = None,
        agent: Name = None,
        tool: Name = None,
        model: Name = None,
        conversation: Name = None,
        service: Name = None,
        limit: Annotated[int, Field(ge=1, le=100, description="How many at most.")] = 15,
        from_line: FromLine = 1,
    ) -> str:
        """Find recorded runs, newest first; with `text` the places that hold it. Begin here."""
        named = {
            "status": status,
            "since": since,
            "agent": agent,
            "tool": tool,
            "model": model,
            "conversation": conversation,
            "service": service,
        }
        filters = {name: value for name, value in named.items() if value is not None}
        more = "a greater limit or narrower filters find others"
        if text is not None:
            found = self._source.search(text, limit=limit, **filters)  # type: ignore[arg-type]
            lines = map(_match, found) if found else [Text("Nothing holds this text.")]
            return _part(lines, from_line, more)
        runs = self._source.traces(limit=limit, **filters)  # type: ignore[arg-type]
        if not runs:
            return "No run matches."
        messages = self._source.error_messages(runs)
        return _part(terminal.traces(runs, _WIDTH, error_messages=messages), from_line, more)

    def trace(self, run: Run = "latest", from_line: FromLine = 1) -> str:
        """Show a run as a tree: what ran inside what, when, for how long, and what failed."""
        found = self._run(run)
        notes = found.questions(), found.reasons(), found.error_messages()
        lines = terminal.tree(found.graph().causal, _WIDTH, *notes)
        return self._about(found, lines, from_line, "`span` tells everything about one of them")

    def graph(self, run: Run = "latest", from_line: FromLine = 1) -> str:
        """Show what caused what in a run: each task with its causes, and what each join waited for."""
        found = self._run(run)
        lines = terminal.graph(found.graph().causal, _WIDTH, found.questions(), found.reasons())
        return self._about(found, lines, from_line, "`span` tells everything about one task")

    def critical_path(self, run: Run = "latest", from_line: FromLine = 1) -> str:
        """Show the steps that the duration of a run is made of, and why each next one waited."""
        found = self._run(run)
        lines = terminal.critical_path(found.graph().causal, found.graph().critical_path(), _WIDTH)
        return self._about(found, lines, from_line, "`span` tells everything about one step")

    def findings(self, run: Run = "latest", from_line: FromLine = 1) -> str:
        """Show what is wrong with a run, the worst first, with evidence and advice."""
        found = self._run(run)
        answer = found.findings()
        lines = terminal.findings(answer, answer.undecided, found.graph().causal, _WIDTH)
        return self._about(found, lines, from_line, "`span` shows a span that is named as evidence")

    def log(
        self,
        run: Run = "latest",
        agent: Name = None,
        tool: Name = None,
        model: Name = None,
        kind: Annotated[str | None, Field(description="prompt, answer, tool call, tool result, hand-off, ...")] = None,
        grep: Annotated[str | None, Field(description="Only entries with this text.")] = None,
        full: Annotated[bool, Field(description="Whole texts instead of their first lines.")] = False,
        from_line: FromLine = 1,
    ) -> str:
        """Show what was said and done in a run, in causal order: prompts, answers, tools, hand-offs, errors."""
        found = self._run(run)
        selection = Selection.of(agent=agent, tool=tool, model=model, kinds=kind or (), grep=grep, full=full)
        begin = min((span.start_ns for span in found.spans), default=0)
        lines = terminal.log(selection.entries([found]), _WIDTH, begin, full=full)
        return self._about(found, lines, from_line, "agent, tool, model, kind and grep choose among the entries")

    def span(
        self,
        span: Annotated[str, Field(description="Id of a span, the beginning of one, or a task: researcher#1/model#2")],
        run: Run = "latest",
        from_line: FromLine = 1,
    ) -> str:
        """Show everything about one span or task: causes, effects, messages, arguments, results, state, error."""
        found = self._run(run)
        lines = chain.from_iterable(span_lines(one, _WIDTH) for one in found.span_details(span))
        return self._about(found, lines, from_line, "`span` of another one shows its neighbours")

    def cost(self, run: Run = "latest", from_line: FromLine = 1) -> str:
        """Show tokens and cost of a run, by agent and by model."""
        found = self._run(run)
        return self._about(found, terminal.cost(found.graph().cost(), _WIDTH), from_line, "`log` shows the calls")

    def diff(
        self,
        before: Annotated[str, Field(description="The run as it was: id of a trace, or the beginning of one.")],
        run: Run = "latest",
        from_line: FromLine = 1,
    ) -> str:
        """Compare a run with an earlier one step by step: what changed, from where on, and what follows from it."""
        found = self._run(before).diff(self._run(run))
        lines = terminal.diff(found, found.outputs, _WIDTH)
        return _part(lines, from_line, "`span` tells everything about one step of either run")

    def agents(
        self,
        since: Since = None,
        by: Annotated[str, Field(description="agent, node, tool or model")] = "agent",
        from_line: FromLine = 1,
    ) -> str:
        """Show statistics over many runs: how often each agent succeeded, how long it took, its errors and models."""
        found = self._source.executions(since=since).by(by)
        return _answered(found, from_line, "since chooses other runs")

    def topology(
        self,
        since: Since = None,
        workflow: Name = None,
        from_line: FromLine = 1,
    ) -> str:
        """Show over many runs who triggers, sends to, hands off to, uses or reads whom; how often, and what failed."""
        found = self._source.topology(since=since, workflow=workflow)
        return _answered(found, from_line, "since and workflow choose other runs")

    def variants(
        self,
        since: Since = None,
        workflow: Name = None,
        from_line: FromLine = 1,
    ) -> str:
        """Show the variants of each workflow: runs by structure, with what is other than in the most frequent one."""
        found = self._source.variants(since=since, workflow=workflow)
        return _answered(found, from_line, "`trace` shows the run that is named for example")

    def hot_spots(
        self,
        since: Since = None,
        workflow: Name = None,
        from_line: FromLine = 1,
    ) -> str:
        """Show where the time, the cost and the errors of many runs concentrate."""
        found = self._source.hot_spots(since=since, workflow=workflow)
        return _answered(found, from_line, "`trace` shows the run that is named for example")

    def _run(self, run: str) -> Trace:
        return self._source.latest() if run.strip().lower() == "latest" else self._source.trace(run)

    def _about(self, run: Trace, lines: Iterable[Text], from_line: int, more: str) -> str:
        heading = "\n".join(line.plain.rstrip() for line in terminal.heading(run.spans, _WIDTH)) + "\n\n"
        return heading + _part(lines, from_line, more)


def _match(one: Match) -> Text:
    return Text(f"trace {one.trace_id}  span {one.span_id}  {one.where}: {plain(one.snippet)}")


def _rows(found: Answer[Any]) -> Iterable[Text]:
    return terminal.table(TABLES[found.name](found, None), _WIDTH)


def _answered(found: Answer[Any], from_line: int, more: str) -> str:
    """A part of the table of an answer."""
    return _part(_rows(found) if found else [Text("No run matches.")], from_line, more)


def _part(lines: Iterable[Text], from_line: int, more: str) -> str:
    """The lines from one on that fit, and how to get the others."""
    texts = [line.plain.rstrip() for line in islice(lines, _MOST_LINES)]
    kept: list[str] = []
    size = 0
    for text in texts[from_line - 1 :]:
        size += len(text) + 1
        if size > MOST_CHARACTERS and kept:
            break
        kept.append(text[:MOST_CHARACTERS])
    last = from_line - 1 + len(kept)
    if from_line > len(texts):
        return f"[the answer has {len(texts)} lines only]"
    if last >= len(texts):
        return "\n".join(kept)
    return "\n".join(kept) + f"\n[lines {from_line} to {last} of {len(texts)}: from_line={last + 1} goes on; {more}]"


__all__ = ["MOST_CHARACTERS", "Tools"]
