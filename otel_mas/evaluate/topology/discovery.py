"""Discovery of a first expectation: the topology of a run in the language of expectations."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from functools import cache
from typing import Final

from otel_mas.evaluate.outcome import Outcome
from otel_mas.evaluate.topology.check_order import check_joins
from otel_mas.evaluate.topology.expectation import END, START, Cardinality, Joins, NamePattern
from otel_mas.evaluate.topology.language import parse
from otel_mas.evaluate.topology.nodes import OUTSIDE
from otel_mas.evaluate.topology.observed import ObservedTopology
from otel_mas.evaluate.topology.selection import Selection

_BARE: Final = re.compile(r"\w+(?:[.-]\w+)*(?:/\w+(?:[.-]\w+)*)*")
_WORDS: Final = frozenset((START, END, "never", "each", "before", "joins", "nothing", "else"))
_Numbers = dict[str, dict[str, set[int]]]


def topology_text(observed: ObservedTopology, *, inside: bool = False, counts: bool = False) -> str:
    """The topology of a run as an expectation that it fulfils: a line for each agent or task that leads to others.

    Args:
        observed: Of one trace, or of a conversation.
        inside: With the model, the tools and the middleware that prebuilt agents consist of.
        counts: With the numbers of executions and calls as cardinalities.
    """
    return "\n".join(_Discovery(observed, frozenset() if inside else observed.inside_prebuilt_agents, counts).lines())


class _Discovery:
    def __init__(self, observed: ObservedTopology, hidden: Set[int], counts: bool) -> None:
        self._observed = observed
        self._hidden = hidden
        self._counts = counts
        self._paths = [observed.nodes[one.node].path for one in observed.executions]
        self._first = {path: number for number, path in reversed(list(enumerate(self._paths)))}
        self._name = cache(self._shortest)

    def lines(self) -> Iterator[str]:
        """Edges in the order of the first executions of their causes, then calls of tools, then joins."""
        edges = self._edges()
        for source in sorted(edges, key=lambda path: self._first.get(path, OUTSIDE)):
            yield f"{self._name(source) if source else START} -> {self._listed(edges[source])}"
        last = dict.fromkeys(self._paths[one] for one in self._observed.last)
        if last and self._observed.incomplete is None and self._observed.last_is_certain:
            yield f"{', '.join(map(self._name, last))} -> {END}"
        if not edges:
            yield from map(self._name, dict.fromkeys(self._paths))
        for caller, tools in self._calls().items():
            yield f"{self._name(caller)} => {self._listed(tools, tools=True)}"
        yield from self._joins()

    def _edges(self) -> Mapping[str, Mapping[str, set[int]]]:
        """By path of a cause ("" for the start) the paths of its effects, with these."""
        found: _Numbers = defaultdict(lambda: defaultdict(set))
        for edge in self._observed.edges:
            if edge.certain and self._hidden.isdisjoint((edge.source, edge.target)):
                source = "" if edge.source == OUTSIDE else self._paths[edge.source]
                found[source][self._paths[edge.target]].add(edge.target)
        return found

    def _calls(self) -> Mapping[str, Mapping[str, set[int]]]:
        """By path of the nearest agent, or without one the innermost task, the tools with their calls."""
        callers: _Numbers = defaultdict(lambda: defaultdict(set))
        shown = set()
        for call in self._observed.tool_calls:
            for caller in call.callers:
                callers[self._paths[caller]][call.name].add(call.span)
            if call.callers:
                nearest = self._observed.executions[call.callers[-1]]
                is_agent = self._observed.nodes[nearest.node].agent is not None
                shown.add((self._paths[call.callers[-1 if is_agent else 0]], call.name))
        return {
            path: found
            for path, tools in callers.items()
            if (found := {name: calls for name, calls in tools.items() if (path, name) in shown})
        }

    def _joins(self) -> Iterator[str]:
        """The joins of several executions of a node, where all of them were waited for."""
        branches: dict[tuple[str, str], dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        for edge in self._observed.edges:
            if edge.certain and edge.source != OUTSIDE and self._hidden.isdisjoint((edge.source, edge.target)):
                branches[self._paths[edge.target], self._paths[edge.source]][edge.target].add(edge.source)
        selection = Selection(self._observed)
        for (join, branch), found in branches.items():
            if max(map(len, found.values())) > 1:
                text = f"{self._name(join)} joins {self._name(branch)}"
                (statement,) = parse(text).statements
                assert isinstance(statement, Joins)
                if check_joins(statement, selection).outcome is Outcome.PASSED:
                    yield text

    def _listed(self, found: Mapping[str, set[int]], *, tools: bool = False) -> str:
        return ", ".join(
            f"{written(name) if tools else self._name(name)}{_exactly(numbers) if self._counts else ''}"
            for name, numbers in found.items()
        )

    def _shortest(self, path: str) -> str:
        """The shortest end of a path that is no end of another one, nor the name of another agent."""
        others = {name for node in self._observed.nodes if node.path != path for name in node.names}
        parts = path.split("/")
        for length in range(1, len(parts) + 1):
            name = "/".join(parts[-length:])
            if not any(map(NamePattern(name).fits, others)):
                return written(name)
        return written("/" + path)


def written(name: str) -> str:
    """A name as an expectation has it: in quotes where it is not plain, with a backslash before what has a meaning."""
    if _BARE.fullmatch(name.removeprefix("/")) and name not in _WORDS:
        return name
    return '"' + re.sub(r'([\\"*])', r"\\\1", name) + '"'


def _exactly(numbers: Set[int]) -> Cardinality:
    return Cardinality(len(numbers), len(numbers))


__all__ = ["topology_text", "written"]
