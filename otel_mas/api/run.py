"""The base of the handles on a trace and on a conversation: all that both answer."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from itertools import chain
from typing import TYPE_CHECKING, Any, Unpack

from otel_mas.api.diagnosable import Diagnosable
from otel_mas.api.filters import Filters, checked, query_of
from otel_mas.api.when import duration_ns
from otel_mas.config import Settings
from otel_mas.errors import TraceNotFound, UnsupportedQuery, arguments
from otel_mas.model import Message, Span, StatusCode
from otel_mas.model.frame import Tabular
from otel_mas.semconv import RecordKind

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from otel_mas.analyse.content import RunContent
    from otel_mas.analyse.questions import Question
    from otel_mas.analyse.spans import SpanDetails
    from otel_mas.analyse.why_not import WhyNot
    from otel_mas.api.answers import Profile
    from otel_mas.api.diff import Diff
    from otel_mas.api.log import Log
    from otel_mas.api.logs import Logs
    from otel_mas.api.query_answers import Events, Executions, Metrics, ReadRun
    from otel_mas.api.records import Records
    from otel_mas.api.states import State
    from otel_mas.api.what_if import Changes, WhatIf
    from otel_mas.causal import CausalGraph
    from otel_mas.report.frame import Frame


_STATEFUL = (RecordKind.AGENT_TASK, RecordKind.WORKFLOW)


class Run(Diagnosable, Tabular):
    """Base of trace and conversation: both have one causal graph."""

    @property
    @abstractmethod
    def spans(self) -> tuple[Span, ...]:
        """Its spans, in start order."""

    def questions(self) -> tuple[Question, ...]:
        """Questions to people, since when, their outcome, and whether they are overdue.

        The time to answer is recorded with each question; else it is OTEL_MAS_INPUT_TIMEOUT here.
        """
        from otel_mas.analyse.questions import questions

        return questions(self._whole(), now_ns=time.time_ns(), timeout_s=Settings.from_env().input_timeout_s)

    def reasons(self) -> Mapping[str, str]:
        """Why routing decisions, guardrails and grades went as they did, by span id, where that is kept."""
        from otel_mas.analyse.content import REASONS

        found: dict[str, str] = {}
        for trace in self._parts():
            for span in trace.spans if trace._port.capabilities.content else ():
                name = REASONS.get(span.record_kind)
                if name is not None:
                    reason = trace._stored_contents(span.span_id).get(name) or span.get(name)
                    if reason:
                        found[span.span_id] = str(reason)
        return found

    def error_messages(self) -> Mapping[str, str]:
        """Messages of the errors that happened in it, by span id, where they are stored."""
        from otel_mas.analyse.failures import error_message

        found: dict[str, str] = {}
        for trace in self._parts():
            for span in trace.spans:
                if span.status == StatusCode.ERROR:
                    message = error_message(span, trace._stored_contents(span.span_id))
                    if message:
                        found[span.span_id] = message
        return found

    def log(
        self,
        *,
        agent: str | None = None,
        tool: str | None = None,
        model: str | None = None,
        kinds: str | Collection[str] = (),
        grep: str | None = None,
        full: bool = False,
    ) -> Log:
        """Everything that was said and done in it, in causal order.

        Args:
            agent: Only of the agent or task of this name, or to or from it.
            tool: Only calls of this tool, and their results.
            model: Only prompts to this model, and its answers.
            kinds: Only of this kind, or of these: values of `EntryKind`.
            grep: Only with this text in it, in any case.
            full: Whole prompts, instead of the messages that are new to their reader.

        Raises:
            UnsupportedQuery: There is no such kind.
        """
        from otel_mas.api.log import Log, Selection

        selection = Selection.of(agent=agent, tool=tool, model=model, kinds=kinds, grep=grep, full=full)
        return Log(selection.entries([self]))

    def final_output(self) -> str | None:
        """Text of its last answer or change of the state; None where that is not kept, or its caller got nothing."""
        from otel_mas.analyse.final_output import final_output

        return final_output(self.graph().causal, self._content)

    def executions(self, *, kind: str | None = None, **filters: Unpack[Filters]) -> Executions:
        """Its executions of tasks, agents, tools and models, newest first; `kind` and filters as `Source.executions`.

        Filters that are about traces make no difference here.
        """
        from otel_mas.analyse.executions import STATUSES
        from otel_mas.api.query_answers import Executions

        return Executions([self._as_read()], query_of(filters, 1, STATUSES), kind)

    def events(self, *, type: str | None = None, **filters: Unpack[Filters]) -> Events:  # noqa: A002 - as in the answer
        """Its events, newest first; `type` and filters as `Source.events`."""
        from otel_mas.api.query_answers import Events

        return Events.of([self._as_read()], query_of(filters, 1), type)

    def metrics(
        self, name: str, *, by: str = "node", window: str | float | None = None, **filters: Unpack[Filters]
    ) -> Metrics:
        """A measure of its executions by agent, node, tool or model, as `Source.metrics`."""
        from otel_mas.analyse.execution_statistics import BY
        from otel_mas.api.queries import check_metric, metrics_of

        check_metric(name, by)
        if by not in BY:
            raise UnsupportedQuery(f"metrics by {by} are of many runs: ask a source, or by {', '.join(BY)}")
        return metrics_of(
            self.executions(**filters), name, by, None if window is None else checked(duration_ns, window)
        )

    def _as_read(self) -> ReadRun:
        from otel_mas.api.query_answers import ReadRun

        return ReadRun(self.graph().causal, [(trace._port, trace.trace_id) for trace in self._parts()])

    def logs(self, *, level: int | str = 0) -> Logs:
        """Log records of the app in it, by time, as far as they were kept (`OTEL_MAS_LOG_LEVEL`).

        Args:
            level: Only from this level of `logging` on: a number or a name.

        Raises:
            UnsupportedQuery: There is no such level.
        """
        from otel_mas.analyse.log import logs
        from otel_mas.api.logs import Logs
        from otel_mas.config.parse import log_level, severity_number

        if isinstance(level, bool) or not isinstance(level, int | str):
            raise TypeError(f"level is {level!r}: it must be an int or a str")
        least = severity_number(checked(log_level, str(level)))
        found = logs(self.graph().causal, self._content)
        return Logs(record for record in found if not level or record.severity_number >= least)

    @cached_property
    def _content(self) -> RunContent:
        """Messages and other content of its traces; without any from a source that keeps none."""
        from otel_mas.analyse.content import refs_of

        kept = [trace for trace in self._parts() if trace._port.capabilities.content]
        refs = [ref for one in self._parts() for ref in (one._refs if one in kept else refs_of(one.spans))]
        messages: dict[str, Message] = {}
        for trace in kept:
            digests = dict.fromkeys([*(ref.digest for ref in trace._refs), *_value_digests(trace.spans)])
            lacking = [one for one in digests if one not in messages or messages[one].body is None]
            messages.update(trace._port.messages(lacking, trace.trace_id))
        return replace(self._contents, refs=refs, messages=messages)

    @cached_property
    def _contents(self) -> RunContent:
        """Content of its traces but for messages, which take most of the time to read."""
        from otel_mas.analyse.content import RunContent

        kept = [trace for trace in self._parts() if trace._port.capabilities.content]
        contents = chain.from_iterable(trace._port.contents(trace.trace_id) for trace in kept)
        return RunContent.gathered((), {}, contents, kept=bool(kept))

    def span_details(self, name: str) -> tuple[SpanDetails, ...]:
        """Everything about one span; of a task that paused about each span of it, in start order.

        Args:
            name: The id of a span, the beginning of one, or the label of a task: `researcher#1/model#2`.

        Raises:
            TraceNotFound: There is no such span; the error lists labels that resemble it.
        """
        from otel_mas.analyse.spans import span_details

        return tuple(span_details(self.graph().causal, span, self._content) for span in self._named(name))

    def span(self, name: str) -> Span:
        """A span by its id, the beginning of one, or a task's label; of a task that paused its last one.

        Raises:
            TraceNotFound: There is no such span; the error lists labels that resemble it.
        """
        return self._named(name)[-1]

    def _named(self, name: str) -> list[Span]:
        from otel_mas.analyse.spans import alike, find_spans

        arguments.name("name", name)
        graph = self.graph().causal
        found = find_spans(graph, name)
        if not found:
            close = alike(graph, name)
            hint = f": did you mean {', '.join(close)}?" if close else ": `otel-mas show` lists its spans"
            raise TraceNotFound(f"no span and no task {name!r} in {self._title()}{hint}")
        return found

    @abstractmethod
    def _title(self) -> str:
        """Its name in an error."""

    def why_not(self, agent: str) -> WhyNot:
        """Why an agent (or a node) of this name did not act, in a sentence, with the spans that show it.

        An unknown name is answered too, with those that resemble it.
        """
        from otel_mas.analyse.why_not import why_not

        return why_not(self.graph().causal, arguments.name("agent", agent), self._contents)

    def state(self) -> State:
        """Changes of the state of its graphs, in order, the state that a task read, and two of these compared."""
        from otel_mas.analyse.state import state_timeline
        from otel_mas.api.states import State

        return State(state_timeline(self.graph().causal, self._content))

    def what_if(self, **changes: Unpack[Changes]) -> WhatIf:
        """The run as it would have been under changes: see `Graph.what_if`."""
        return self.graph().what_if(**changes)

    def diff(
        self, other: Run, *, ratio: float = 1.25, least: str | float = "20ms", least_usd: float = 0.000_01
    ) -> Diff:
        """This run and another one step by step: what changed, from where on, and what follows from what.

        Steps are aligned by causal place, then by content, so a step that was inserted shifts none of the others. The
        other run may be of another source. A conversation counts as one run.

        Args:
            other: A trace or a conversation: what it is now, where this is what it was.
            ratio: A step is slower or dearer from so many times as much on.
            least: And from so much longer on: "20ms", or seconds.
            least_usd: And from so many USD more on.

        Raises:
            UnsupportedQuery: A limit means nothing.
        """
        from otel_mas.analyse.diff import RunSteps
        from otel_mas.api.diff import Diff, limits_of

        if not isinstance(other, Run):
            raise TypeError(f"other is {other!r}: it must be a trace or a conversation")
        limits = limits_of(ratio, least, least_usd)
        a, b = (RunSteps(run.graph().judged, run._content) for run in (self, other))
        return Diff.of(a, b, limits, (self.final_output, other.final_output))

    def profile(self) -> Profile:
        """Its time: by agent, turn, node, model and tool, hot spots, and profiled functions."""
        from otel_mas.api.answers import Profile

        return Profile.of([self.graph().causal])

    def records(self, *, payload: bool = True, max_payload_bytes: int | None = None) -> Records:
        """Its trace records, for other programs: docs/records.md.

        Args:
            payload: with content: messages, arguments, results, reasons. Without, only structure, such as choices.
            max_payload_bytes: size of the JSON of one payload, 64 KiB by default; a longer one is shortened and marked.
        """
        from otel_mas.analyse.content import NO_CONTENT
        from otel_mas.analyse.records import records
        from otel_mas.api.records import Records
        from otel_mas.trace_records.record import MAX_PAYLOAD_BYTES

        size = MAX_PAYLOAD_BYTES
        if max_payload_bytes is not None:
            size = arguments.number_of("max_payload_bytes", max_payload_bytes)
        content = self._content if payload else NO_CONTENT
        return Records(records(self.graph().causal, content, payload=payload, max_payload_bytes=size))

    @abstractmethod
    def _whole(self) -> CausalGraph:
        """The graph of all that is known of its thread."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Problems of its traces (missing parents, cycles of links, ...), one line each."""
        return self.graph().problems

    def to_pandas(self, attributes: bool = False) -> pandas.DataFrame:
        """Its spans, a row each; if asked for with a column for every attribute.

        Raises:
            MissingExtra: pandas is not installed.
        """
        return self._frame(attributes).to_pandas()

    def to_arrow(self, attributes: bool = False) -> pyarrow.Table:
        """Its spans, a row each; if asked for with a column for every attribute.

        Raises:
            MissingExtra: pyarrow is not installed.
        """
        return self._frame(attributes).to_arrow()

    def to_html(self) -> str:
        """A report for people who were not there: one page, which loads nothing and runs no script."""
        from otel_mas.report.html.page import Material, page

        graph, explained = self.graph(), self.explain()
        material = Material(
            causal=graph.causal,
            path=graph.critical_path(),
            cost=graph.cost(),
            problems=self.problems,
            content=self._content,
            complaint=explained.complaint,
            root_cause=explained.root_cause,
            findings=explained.findings,
        )
        return page(material, f"otel-mas {version('otel-mas')}")

    def to_speedscope(self) -> dict[str, Any]:
        """A document for https://www.speedscope.app, to be written as JSON: its spans on tracks, times in ns."""
        from otel_mas.report.speedscope import speedscope

        causal = self.graph().causal
        return speedscope([causal], causal.roots[0].name if causal.roots else "otel-mas")

    def to_perfetto(self) -> bytes:
        """A trace for https://ui.perfetto.dev: its spans on tracks, its causes as flows."""
        from otel_mas.report.perfetto import perfetto

        return perfetto([self.graph().causal])

    def _frame(self, attributes: bool = False) -> Frame:
        from otel_mas.report import frame

        return frame.spans([self.graph().causal], attributes)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        graph, explained = self.graph(), self.explain()
        return notebook.run(
            graph.causal,
            graph.critical_path(),
            graph.cost(),
            self.problems,
            self.reasons(),
            explained.findings,
            explained.complaint,
            explained.root_cause,
        )


def _value_digests(spans: Iterable[Span]) -> Iterator[str]:
    """Digests of the values that tasks and runs wrote to a state."""
    from otel_mas.analyse.state.values import value_digests

    return chain.from_iterable(value_digests(span) for span in spans if span.record_kind in _STATEFUL)
