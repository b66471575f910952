"""A case: an app, what it is run with, and its truth as a small table; the ways in which a person runs it."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest
from langgraph.version import __version__

LANGGRAPH = tuple(int(part) for part in __version__.split(".")[:2])
MODES = ("values", "updates", "custom", "messages", "checkpoints", "tasks", "debug")

Config = dict[str, Any]
Way = Callable[[Any, Any, Config], None]


@dataclass(frozen=True)
class Run:
    """One invocation of the app, on the thread of those before it.

    Args:
        given: its input.
        raises: what leaves it.
        before: what is done first, such as `update_state`; the config that it returns, if any, is the run's.
    """

    given: Any = None
    raises: type[BaseException] | None = None
    before: Callable[[Any, Config], Config | None] | None = None


@dataclass(frozen=True)
class Case:
    """An app with its truth.

    Args:
        name: the name of its builder.
        build: makes the graph.
        truth: what is true of its runs, in the form of `tests.accuracy.cases.truth`; written by hand, from the app.
        runs: its invocations, one after another.
        since: the first LangGraph that can run it.
        only: "sync" or "async", where the app, or its truth, is of that kind.
        package: what it needs beside LangGraph, which does not fit every version.
        config: what the invocations are configured with.
    """

    name: str
    build: Callable[[], Any]
    truth: str
    runs: Sequence[Run]
    since: tuple[int, int]
    only: str | None
    package: str
    config: Config

    @property
    def lacks(self) -> str:
        """The requirement that is missing here; empty where it can be run."""
        if self.since > LANGGRAPH:
            return _too_old(self.since)
        if self.package and find_spec(self.package) is None:
            return f"no {self.package} fits this LangGraph and its LangChain"
        return ""

    @property
    def mark(self) -> pytest.MarkDecorator:
        """Skips it where something is lacking, and says what."""
        return pytest.mark.skipif(bool(self.lacks), reason=self.lacks)

    def execute(self, way: Way) -> str:
        """Run every invocation on a new thread, and return the thread."""
        thread = str(uuid.uuid4())
        graph = self.build()
        for run in self.runs:
            config: Config = {**self.config, "configurable": {"thread_id": thread}}
            if run.before is not None:
                config = run.before(graph, config) or config
            if run.raises is None:
                way(graph, run.given, config)
            else:
                with pytest.raises(run.raises):
                    way(graph, run.given, config)
        return thread


CASES: list[Case] = []
"""All of them, in the order of the modules that they stand in."""


def case(
    truth: str,
    *runs: Run,
    since: tuple[int, int] = (0, 6),
    only: str | None = None,
    package: str = "",
    raises: type[BaseException] | None = None,
    **config: Any,
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Make a case of the function that builds its app. Without `runs` it is invoked once, with an empty state."""

    def declare(build: Callable[[], Any]) -> Callable[[], Any]:
        invocations = runs or (Run({}, raises),)
        CASES.append(Case(build.__name__, build, truth, invocations, since, only, package, config))
        return build

    return declare


# -- the ways to run an app --------------------------------------------------------------------------------------------


def invoke(graph: Any, given: Any, config: Config) -> None:
    graph.invoke(given, config)


def ainvoke(graph: Any, given: Any, config: Config) -> None:
    asyncio.run(graph.ainvoke(given, config))


def streamed(modes: Any = MODES, *, subgraphs: bool = True, **options: Any) -> Way:
    """Stream in these modes and read all that comes."""

    def stream(graph: Any, given: Any, config: Config) -> None:
        mode = modes if isinstance(modes, str) else list(modes)
        for _ in graph.stream(given, config, stream_mode=mode, subgraphs=subgraphs, **options):
            pass

    return stream


def astreamed(modes: Any = MODES, *, subgraphs: bool = True, **options: Any) -> Way:
    """`streamed`, in a coroutine."""

    def astream(graph: Any, given: Any, config: Config) -> None:
        async def consume() -> None:
            mode = modes if isinstance(modes, str) else list(modes)
            async for _ in graph.astream(given, config, stream_mode=mode, subgraphs=subgraphs, **options):
                pass

        asyncio.run(consume())

    return astream


WAYS: dict[str, tuple[Way, ...]] = {"sync": (invoke, streamed()), "async": (ainvoke, astreamed())}


def needs(since: tuple[int, int]) -> pytest.MarkDecorator:
    """Skips what needs a newer LangGraph than this one, and says which."""
    return pytest.mark.skipif(since > LANGGRAPH, reason=_too_old(since))


def _too_old(since: tuple[int, int]) -> str:
    return f"needs LangGraph {'.'.join(map(str, since))}, this is {__version__}"


def matrix(cases: Sequence[Case], *, whole: bool) -> list[Any]:
    """Each case in the ways that it can be run; those that need a newer LangGraph are skipped, and say which.

    Args:
        whole: in every way; else each case is run synchronously and asynchronously, invoked and streamed, in two runs.
    """
    found = []
    for number, one in enumerate(cases):
        for row, (kind, ways) in enumerate(WAYS.items()):
            if one.only in (None, kind):
                chosen = ways if whole or one.only else [ways[(number + row) % 2]]
                found += [pytest.param(one, way, marks=one.mark, id=f"{one.name}-{way.__name__}") for way in chosen]
    return found


def combinations(*factors: Sequence[Any], whole: bool) -> list[tuple[Any, ...]]:
    """Rows of a value of each factor: the product, or few rows in which each two values meet."""
    rows = list(itertools.product(*factors))
    if whole:
        return rows
    pairs = {row: set(itertools.combinations(enumerate(row), 2)) for row in rows}
    missing = set[Any]().union(*pairs.values())
    found = []
    while missing:
        found.append(max(rows, key=lambda row: len(pairs[row] & missing)))
        missing -= pairs[found[-1]]
    return found
