"""Two runs, or two sets of runs, step by step, as answers that show themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from otel_mas.analyse import diff
from otel_mas.analyse.diff import Limits, RunDiff, RunSteps, diff_runs
from otel_mas.api.filters import checked
from otel_mas.api.when import duration_ns
from otel_mas.errors import UnsupportedQuery
from otel_mas.model.frame import Tabular

if TYPE_CHECKING:
    from otel_mas.report.frame import Frame


class Diff(RunDiff, Tabular):
    """Two runs aligned by causal place and content. As a frame a row for each step of either."""

    _outputs: Sequence[Callable[[], str | None]]

    @classmethod
    def of(cls, a: RunSteps, b: RunSteps, limits: Limits, outputs: Sequence[Callable[[], str | None]]) -> Diff:
        """The diff of two runs, with functions that give the output of each."""
        found = diff_runs(a, b, limits)
        answer = cls(**{field.name: getattr(found, field.name) for field in fields(found)})
        object.__setattr__(answer, "_outputs", outputs)
        return answer

    def __repr__(self) -> str:
        return f"<Diff {self.summary}>"

    @property
    def outputs(self) -> tuple[str | None, ...]:
        """Text of what the caller of each run got; None where that is nothing, or was not kept."""
        return tuple(output() for output in self._outputs)

    def to_json(self) -> dict[str, Any]:
        """The document that `otel-mas diff --json` prints."""
        from otel_mas.report.json.diff import run_diff

        return dict(run_diff(self, self.outputs))

    def to_html(self) -> str:
        """A page, which loads nothing and runs no script."""
        from otel_mas.report.html.diff import page

        return page(self, self.outputs, f"otel-mas {version('otel-mas')}")

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.diff(self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.diff(self, self.outputs)


@dataclass(frozen=True)
class SetDiff(diff.SetDiff, Tabular):
    """Two sets of runs step by step. As a frame a row for each step."""

    limited: bool = False
    """Older runs may match that were not read."""
    incomplete: str | None = None

    def __repr__(self) -> str:
        return f"<SetDiff {self.summary}>"

    def to_json(self) -> dict[str, Any]:
        """The document that `otel-mas diff --before ... --after ... --json` prints."""
        from otel_mas.report.json.diff import set_diff

        return dict(set_diff(self, limited=self.limited, incomplete=self.incomplete))

    def to_html(self) -> str:
        """A page, which loads nothing and runs no script."""
        from otel_mas.report.html.diff import set_page

        return set_page(self, f"otel-mas {version('otel-mas')}")

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.set_diff(self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.set_diff(self)


def limits_of(ratio: float, least: str | float, least_usd: float) -> Limits:
    """Limits as people write them.

    Raises:
        UnsupportedQuery: The ratio is below 1, an amount is below 0, or the time is none.
    """
    for name, value, lowest in (("ratio", ratio, 1), ("least_usd", least_usd, 0)):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{name} is {value!r}: it must be a number")
        if not lowest <= value < float("inf"):
            raise UnsupportedQuery(f"{name} is {value!r}: it must be {lowest} or more")
    return Limits(ratio, checked(duration_ns, least), least_usd)


__all__ = ["Diff", "SetDiff", "limits_of"]
