"""Changes of a what-if as people write them, and its answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import TypedDict

from otel_mas.analyse import what_if
from otel_mas.api.filters import checked
from otel_mas.api.when import duration_ns
from otel_mas.causal import CausalGraph, CriticalPath
from otel_mas.causal.schedule import (
    Assumption,
    Change,
    Faster,
    Instead,
    Lasting,
    Parallel,
    Without,
    WithoutBarriers,
    WithoutRetries,
    WithoutWaiting,
)
from otel_mas.errors import arguments
from otel_mas.model.frame import Tabular
from otel_mas.pricing import price_instead
from otel_mas.report.frame import Frame

Groups = Collection[str] | Collection[Collection[str]]


class Changes(TypedDict, total=False):
    """The changes that `Graph.what_if` takes."""

    faster: Mapping[str, float]
    lasting: Mapping[str, str | float]
    parallel: Groups
    without: str | Collection[str]
    models: Mapping[str, str]
    retries: bool
    waiting: bool
    barriers: bool


class WhatIf(what_if.WhatIf, Tabular):
    """A run under changes: its new end, cost and critical path. As a table: a row for each span, then and now."""

    _graph: CausalGraph

    @classmethod
    def of(cls, graph: CausalGraph, changes: Iterable[Change] = ()) -> WhatIf:
        """The answer for this graph."""
        found = what_if.what_if(graph, changes, price_instead)
        answer = cls(**{one.name: getattr(found, one.name) for one in fields(found)})
        object.__setattr__(answer, "_graph", graph)
        return answer

    def __repr__(self) -> str:
        changed = ", ".join(map(str, self.changes)) or "no change"
        return f"<WhatIf {changed}: {self.total_ns} ns, {self.saves_ns} ns saved>"

    @property
    def slack_ns(self) -> Mapping[str, int | None]:
        """By span id: by how many ns it alone may last longer before the run ends later. None: nothing waits for it."""
        return self.schedule.slack_ns

    @property
    def drag_ns(self) -> Mapping[str, int]:
        """By span id: by how many ns sooner it ends if the span takes no time, with all that is inside."""
        return self.schedule.drag_ns

    @property
    def exclusive_drag_ns(self) -> Mapping[str, int]:
        """By span id: by how many ns sooner it ends if the span's own time goes, without that of its children."""
        return self.schedule.exclusive_drag_ns

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """The edges that it rests on: first those between spans set side by side, then those that decide the end."""
        return self.schedule.assumptions

    def critical_path(self) -> CriticalPath:
        """The new critical path. Its spans have the times that they would have had."""
        return self.schedule.critical_path()

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.what_if(self._graph, self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.what_if(self._graph, self)


def changes_of(
    faster: Mapping[str, float] | None = None,
    lasting: Mapping[str, str | float] | None = None,
    parallel: Groups = (),
    without: str | Collection[str] = (),
    models: Mapping[str, str] | None = None,
    retries: bool = True,
    waiting: bool = True,
    barriers: bool = True,
) -> list[Change]:
    """Changes as `Graph.what_if` takes them. Raises as that does."""
    found: list[Change] = []
    for target, times in _pairs("faster", faster):
        if isinstance(times, bool) or not isinstance(times, int | float):
            raise TypeError(f"faster has {times!r} for {target!r}: it must be a number, 2 for twice as fast")
        found.append(Faster(target, times))
    found += [Lasting(target, checked(duration_ns, took)) for target, took in _pairs("lasting", lasting)]
    found += [Parallel(group) for group in _groups(parallel)]
    found += [Without(target) for target in _names("without", without)]
    found += [Instead(model, arguments.name("a model in models", by)) for model, by in _pairs("models", models)]
    for kept, change in ((retries, WithoutRetries()), (waiting, WithoutWaiting()), (barriers, WithoutBarriers())):
        if not kept:
            found.append(change)
    return found


def _pairs(what: str, given: object) -> Iterator[tuple[str, object]]:
    if given is None:
        return
    if not isinstance(given, Mapping):
        raise TypeError(f"{what} is {given!r}: it must be a dict by name")
    for target, value in given.items():
        yield arguments.name(f"a name in {what}", target), value


def _names(what: str, given: object) -> list[str]:
    if not isinstance(given, str | Collection) or isinstance(given, bytes | Mapping):
        raise TypeError(f"{what} is {given!r}: it must be a name or a list of names")
    return [arguments.name(f"a name in {what}", one) for one in ([given] if isinstance(given, str) else given)]


def _groups(parallel: object) -> list[list[str]]:
    """Names of one group, or several groups of names."""
    if isinstance(parallel, str) or not isinstance(parallel, Collection) or isinstance(parallel, bytes | Mapping):
        raise TypeError(f"parallel is {parallel!r}: it must be a list of names, or of lists of names")
    if not any(isinstance(one, str) for one in parallel):
        return [_names("parallel", one) for one in parallel]
    return [_names("parallel", parallel)]


__all__ = ["Changes", "Groups", "WhatIf", "changes_of"]
