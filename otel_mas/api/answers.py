"""Answers that show themselves in a notebook, and can be had as data frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import TYPE_CHECKING

from otel_mas import causal
from otel_mas.analyse import cost, profile
from otel_mas.analyse.error_report import ErrorReport
from otel_mas.model import PartialList, TraceSummary
from otel_mas.model.frame import Tabular

if TYPE_CHECKING:
    import pandas

    from otel_mas.report.frame import Frame


class Traces(PartialList[TraceSummary], Tabular):
    """Traces in a list, the newest first. `limited`: there may be older ones that match."""

    def __init__(
        self, found: Iterable[TraceSummary] = (), *, limited: bool = False, incomplete: str | None = None
    ) -> None:
        super().__init__(found, incomplete)
        self.limited = limited

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.traces(self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.traces(self, self.limited)


class CriticalPath(causal.CriticalPath, Tabular):
    """The critical path of a graph: steps in time order, end to end."""

    _graph: causal.CausalGraph

    @classmethod
    def of(cls, graph: causal.CausalGraph) -> CriticalPath:
        """The critical path of this graph."""
        path: CriticalPath = cls.like(graph.critical_path())
        path._graph = graph
        return path

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.critical_path(self._graph, self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.critical_path(self._graph, self)


class ErrorReports(tuple[ErrorReport, ...], Tabular):
    """A report for each error, those that ended a run first."""

    def to_markdown(self) -> str:
        """A document for an issue or a chat."""
        from otel_mas.report import markdown

        return markdown.errors(self)

    def to_html(self) -> str:
        """A page, which loads nothing and runs no script."""
        from otel_mas.report.html.errors import page

        return page(self, f"otel-mas {version('otel-mas')}")

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.errors(self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.errors(self)


@dataclass(frozen=True)
class CostTable(cost.CostTable, Tabular):
    """Tokens and USD by agent and by model, the dearest first."""

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.cost(self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.cost(self)


@dataclass(frozen=True)
class Profile(profile.Profile, Tabular):
    """Time of one or several runs. As a table: a row for each agent, turn, node, model and tool."""

    limited: bool = False
    """There may be more traces that match."""
    incomplete: str | None = None
    """Losses of the source that was asked, in words."""

    @classmethod
    def of(
        cls,
        graphs: Iterable[causal.CausalGraph],
        *,
        turns: bool = True,
        limited: bool = False,
        incomplete: str | None = None,
    ) -> Profile:
        """The profile of these graphs; `turns` as in `otel_mas.analyse.profile`."""
        found = profile.profile(graphs, turns=turns)
        return cls(
            **{one.name: getattr(found, one.name) for one in fields(found)}, limited=limited, incomplete=incomplete
        )

    def hot_spots_to_pandas(self) -> pandas.DataFrame:
        """Its hot spots, a row each. Raises `MissingExtra` without pandas."""
        from otel_mas.report import frame

        return frame.hot_spots(self).to_pandas()

    def functions_to_pandas(self) -> pandas.DataFrame:
        """Its profiled functions, a row each. Raises `MissingExtra` without pandas."""
        from otel_mas.report import frame

        return frame.functions(self).to_pandas()

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.profile(self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.profile(self)
