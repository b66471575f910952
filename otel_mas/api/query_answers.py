"""Answers over many runs, as lists and objects that show themselves and can be had as data frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from otel_mas.analyse import comparison
from otel_mas.analyse.call_chains import Call, call_chains
from otel_mas.analyse.content import NO_CONTENT, RunContent
from otel_mas.analyse.events import TYPES, RunEvent, events
from otel_mas.analyse.execution_statistics import BY, ExecutionStatistics, execution_statistics
from otel_mas.analyse.executions import KINDS, Execution, executions
from otel_mas.analyse.metrics import Metric
from otel_mas.analyse.outcome_costs import OutcomeCost
from otel_mas.analyse.stages import Stage, stages
from otel_mas.causal import CausalGraph
from otel_mas.errors import UnsupportedQuery, arguments
from otel_mas.model import PartialList, Query
from otel_mas.model.frame import Tabular
from otel_mas.sources import Source as Port

if TYPE_CHECKING:
    from otel_mas.report.frame import Frame

T = TypeVar("T")


class Answer(PartialList[T], Tabular):
    """A list that shows itself as a table. `limited`: older traces may match that were not read."""

    name: ClassVar[str]
    """Name of its JSON document, table and frame."""

    def __init__(self, found: Iterable[T] = (), *, limited: bool = False, incomplete: str | None = None) -> None:
        super().__init__(found, incomplete)
        self.limited = limited
        self.further: tuple[Answer[Any], ...] = ()
        """Further answers that belong to it, in the same JSON document."""

    def _frame(self) -> Frame:
        from otel_mas.report.frame.query import answer

        return answer(self.name, self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook
        from otel_mas.report.query_tables import TABLES

        return notebook.table(TABLES[self.name](self))


AnswerT = TypeVar("AnswerT", bound=Answer[Any])


class Statistics(Answer[ExecutionStatistics]):
    """Executions by agent, node, tool or model, the one with the most time first."""

    name = "statistics"


class Chains(Answer[Call]):
    """Calls of tasks and agents, the newest run first, in each in the order of their starts."""

    name = "chains"


class Stages(Answer[Stage]):
    """Timelines of stages, the newest run first."""

    name = "stages"


class Events(Answer[RunEvent]):
    """Events, newest first."""

    name = "events"

    @classmethod
    def of(cls, runs: Iterable[ReadRun], query: Query | None = None, kind: str | None = None) -> Events:
        """Events of these runs that match; `kind` is their type.

        Raises:
            UnsupportedQuery: No event is of this type.
        """
        if arguments.optional_name("type", kind) not in (None, *TYPES):
            raise UnsupportedQuery(f"no event is of type {kind!r}: ask for one of {', '.join(TYPES)}")
        found = chain.from_iterable(events(run.graph, query, kind, run.content) for run in runs)
        return cls(sorted(found, key=lambda one: (-one.time_ns, one.span_id, one.type)))


class Metrics(Answer[Metric]):
    """Metrics. As a frame a row for each window, or one for each metric without windows."""

    name = "metrics"


class Outcomes(Answer[OutcomeCost]):
    """Cost of runs by outcome: all of them, each status, and those whose answer was accepted or rejected."""

    name = "outcomes"


class Executions(Answer[Execution]):
    """Executions, newest first; statistics, call chains and stages of them are asked of this."""

    name = "executions"

    def __init__(self, runs: Iterable[ReadRun] = (), query: Query | None = None, kind: str | None = None) -> None:
        if arguments.optional_name("kind", kind) not in (None, *KINDS):
            raise UnsupportedQuery(f"no execution is of kind {kind!r}: ask for one of {', '.join(KINDS)}")
        self._runs = [(run, [one for one in executions(run.graph, query) if kind in (None, one.kind)]) for run in runs]
        found = chain.from_iterable(some for _, some in self._runs)
        super().__init__(sorted(found, key=lambda one: (-one.start_ns, one.span_id)))

    def by(self, by: str = "agent") -> Statistics:
        """How often each agent (or `node`, `tool`, `model`) succeeded, how long it took, its errors and models.

        Raises:
            UnsupportedQuery: `by` is none of these.
        """
        if arguments.name("by", by) not in BY:
            raise UnsupportedQuery(f"executions are not counted by {by!r}: ask for one of {', '.join(BY)}")
        return self.like(Statistics(execution_statistics(self, by)))

    def chains(self) -> Chains:
        """The call that made each of these tasks and agents run: by whom, how, why, how deep."""
        calls = (call_chains(run.graph, some, run.content) for run, some in self._runs)
        return self.like(Chains(chain.from_iterable(calls)))

    def stages(self) -> Stages:
        """The stages of the runs."""
        return self.like(Stages(chain.from_iterable(stages(run.graph) for run, _ in self._runs)))

    def slowest(self, most: int | None = None) -> Sequence[Execution]:
        """The longest executions that have ended, the longest first."""
        if most is not None:
            arguments.number_of("most", most)
        ended = [one for one in self if one.duration_ns is not None]
        return sorted(ended, key=lambda one: (-(one.duration_ns or 0), one.span_id))[:most]

    def like(self, answer: AnswerT) -> AnswerT:
        """The answer with what is missing of these executions."""
        answer.limited, answer.incomplete = self.limited, self.incomplete
        return answer


@dataclass(frozen=True)
class Comparison(comparison.Comparison, Tabular):
    """Two sets of runs compared. As a frame a row for each measure."""

    limited: bool = False
    """Older runs may match that were not read."""
    incomplete: str | None = None

    def _frame(self) -> Frame:
        from otel_mas.report.frame.query import comparison

        return comparison(self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook
        from otel_mas.report.query_tables import comparison

        return notebook.table(comparison(self))


@dataclass(frozen=True)
class ReadRun:
    """A trace or a conversation that was read, and where each of its traces is from."""

    graph: CausalGraph
    traces: Sequence[tuple[Port, str]]

    @property
    def content(self) -> RunContent:
        """Content further its spans, without messages; none from a source that keeps none."""
        kept = [(port, trace_id) for port, trace_id in self.traces if port.capabilities.content]
        if not kept:
            return NO_CONTENT
        contents = chain.from_iterable(port.contents(trace_id) for port, trace_id in kept)
        return RunContent.gathered((), {}, contents, kept=True)


__all__ = ["Chains", "Comparison", "Events", "Executions", "Metrics", "Outcomes", "ReadRun", "Stages", "Statistics"]
