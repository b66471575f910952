"""Spans by what people call them: agents, tasks, tools, models, names and ids of spans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property

from otel_mas.causal.forest import Forest
from otel_mas.causal.labels import Labels, unnumbered
from otel_mas.errors import UnsupportedQuery
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

_MOST_ALIKE = 3
_SHORTEST_ID = 4
_COLUMNS = {
    "agent": (names.GEN_AI_AGENT_NAME,),
    "task": (names.MAS_TASK_NAME,),
    "tool": (names.GEN_AI_TOOL_NAME,),
    "model": (names.GEN_AI_RESPONSE_MODEL, names.GEN_AI_REQUEST_MODEL),
}
KINDS = (*_COLUMNS, "workflow", "span")
"""Kinds that may stand before a name, as in `tool:search`, if the name alone means several things."""


class Targets:
    """Finds spans by name; what was looked at once is kept."""

    def __init__(self, forest: Forest, labels: Callable[[], Labels]) -> None:
        self._forest = forest
        self._labels = labels

    def find(self, target: str) -> list[int]:
        """The numbers of the spans that a name means, in start order.

        Raises:
            UnsupportedQuery: None has this name; the error lists names that resemble it.
        """
        wanted = target.strip()
        if wanted in self._forest.spans.numbers:
            return [self._forest.spans.numbers[wanted]]
        kind, _, name = wanted.partition(":")
        found = self._of_kind(kind, name) if kind in KINDS else []
        if not found:
            found = sorted({span for by_name in self._by_name.values() for span in by_name.get(wanted, ())})
        for one in ("task", "workflow", "span"):
            found = found or self._of_kind(one, wanted)
        if not found:
            raise UnsupportedQuery(f"nothing in this run is called {target!r}{self._alike(wanted)}")
        return found

    def models(self, name: str) -> list[int]:
        """The calls of a model, by the name in the request or in the response. Raises as `find`."""
        found = self._by_name["model"].get(name)
        if not found:
            known = ", ".join(sorted(self._by_name["model"])) or "none that has a name"
            raise UnsupportedQuery(f"no model {name!r} was called in this run; called were: {known}")
        return sorted(set(found))

    def _of_kind(self, kind: str, name: str) -> list[int]:
        if kind == "span":
            return self._by_span_name.get(name) or self._by_id(name)
        if kind == "workflow":
            return self._workflows.get(name, [])
        return self._by_name[kind].get(name) or (self._by_label.get(name, []) if kind == "task" else [])

    def _by_id(self, text: str) -> list[int]:
        numbers, wanted = self._forest.spans.numbers, text.lower()
        if wanted in numbers:
            return [numbers[wanted]]
        if len(wanted) < _SHORTEST_ID:
            return []
        found = [number for span_id, number in numbers.items() if span_id.startswith(wanted)]
        return found if len(found) == 1 else []

    def _alike(self, name: str) -> str:
        known = sorted({one for by_name in self._by_name.values() for one in by_name} | set(self._by_label))
        close = get_close_matches(name, known, _MOST_ALIKE)
        return f": did you mean {', '.join(close)}?" if close else ": `otel-mas show` lists its spans"

    @cached_property
    def _by_name(self) -> Mapping[str, Mapping[str, list[int]]]:
        spans = self._forest.spans
        found: dict[str, dict[str, list[int]]] = {kind: defaultdict(list) for kind in _COLUMNS}
        workflows = frozenset(number for numbers in self._workflows.values() for number in numbers)
        for kind, columns in _COLUMNS.items():
            for column in columns:
                for number, name in spans.having(column):
                    if isinstance(name, str) and number not in workflows:
                        found[kind][name].append(number)
        return {kind: dict(by_name) for kind, by_name in found.items()}

    @cached_property
    def _workflows(self) -> Mapping[str, list[int]]:
        """Workflows by the name that an agent would have: of both, an agent or a task is meant."""
        operations = self._forest.spans.column(names.GEN_AI_OPERATION_NAME)
        found: dict[str, list[int]] = defaultdict(list)
        for number, name in self._forest.spans.having(names.GEN_AI_AGENT_NAME):
            if isinstance(name, str) and operations[number] == Operation.INVOKE_WORKFLOW:
                found[name].append(number)
        return dict(found)

    @cached_property
    def _by_span_name(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for number, span in enumerate(self._forest.spans):
            found[span.name].append(number)
        return dict(found)

    @cached_property
    def _by_label(self) -> Mapping[str, list[int]]:
        """Tasks by label, and by what is left of it without numbers or without the tasks around."""
        found: dict[str, list[int]] = defaultdict(list)
        labels = self._labels()
        for task in labels.tasks:
            for name in _names_of(labels.full(task)):
                found[name].append(task)
        return dict(found)


def _names_of(label: str) -> Iterator[str]:
    parts = label.split("/")
    yield from {"/".join(one[at:]) for at in range(len(parts)) for one in (parts, unnumbered(label).split("/"))}


__all__ = ["KINDS", "Targets"]
