"""The interaction log of runs: which entries, and of which runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol, Self, TypeVar, overload

from otel_mas.analyse.log import Entry, EntryFilter, EntryKind, EntryMaker, log
from otel_mas.errors import UnsupportedQuery, arguments
from otel_mas.model.frame import Tabular

if TYPE_CHECKING:
    from otel_mas.analyse.content import RunContent
    from otel_mas.api.graph import Graph
    from otel_mas.report.frame import Frame


class Logged(Protocol):
    """A trace or a conversation."""

    @property
    def _content(self) -> RunContent: ...

    def graph(self) -> Graph: ...


LoggedT = TypeVar("LoggedT", bound=Logged)


class Log(Sequence[Entry], Tabular):
    """Entries in causal order.

    An effect never comes before its cause; of entries that do not depend on each other the earlier one is first.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = tuple(entries)

    @overload
    def __getitem__(self, number: int) -> Entry: ...
    @overload
    def __getitem__(self, number: slice) -> tuple[Entry, ...]: ...
    def __getitem__(self, number: int | slice) -> Entry | tuple[Entry, ...]:
        return self._entries[number]

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<Log, {len(self):,} entries>"

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.log(self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.log(self)


@dataclass(frozen=True, slots=True)
class Selection:
    """Entries that are asked for."""

    chosen: EntryFilter
    full: bool = False
    """Prompts with all their messages, also those that their reader knows."""

    @classmethod
    def of(
        cls,
        *,
        agent: str | None = None,
        tool: str | None = None,
        model: str | None = None,
        kinds: str | Collection[str] = (),
        grep: str | None = None,
        full: bool = False,
    ) -> Self:
        """Entries by agent, tool, model, kinds and text.

        Raises:
            TypeError: One of them is no text.
            UnsupportedQuery: There is no such kind, or one of them is empty.
        """
        for what, value in (("agent", agent), ("tool", tool), ("model", model)):
            arguments.optional_name(what, value)
        if grep is not None:
            arguments.search_text("grep", grep)
        named = arguments.names("kinds", kinds)
        unknown = [kind for kind in named if kind not in list(EntryKind)]
        if unknown:
            raise UnsupportedQuery(f"no entry is of kind {unknown[0]!r}: ask for {', '.join(EntryKind)}")
        return cls(EntryFilter(agent, tool, model, frozenset(map(EntryKind, named)), grep), full)

    @property
    def chooses(self) -> bool:
        """Whether any entry may be left out."""
        return any(getattr(self.chosen, field.name) for field in fields(EntryFilter) if field.init)

    def by_run(self, runs: Iterable[LoggedT]) -> Iterator[tuple[LoggedT, Iterator[Entry]]]:
        """Runs with their entries. Read those of one before the next."""
        maker = EntryMaker(full=self.full)
        for run in runs:
            yield run, log(run.graph().causal, run._content, maker=maker, chosen=self.chosen)

    def entries(self, runs: Iterable[Logged]) -> Iterator[Entry]:
        """Entries of the runs, one run after the other."""
        for _, entries in self.by_run(runs):
            yield from entries


__all__ = ["Log", "Selection"]
