"""Replay from Python: a `with` block in which models, tools and retrievers answer what was recorded."""

from __future__ import annotations

import inspect
import os
import sys
import weakref
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from otel_mas.api.trace import Conversation, Trace
from otel_mas.config import Settings
from otel_mas.errors import ConfigError, arguments
from otel_mas.instrumentation import switch as recording
from otel_mas.record.lifecycle import flush
from otel_mas.replay.active import sessions
from otel_mas.replay.keys import place_keys, restore_keys
from otel_mas.replay.policy import Policy
from otel_mas.replay.reading import read_recording
from otel_mas.replay.recording import Recording
from otel_mas.replay.request import Normaliser
from otel_mas.replay.segment import is_segment_end
from otel_mas.replay.session import ReplaySession
from otel_mas.replay.switch import start, stop

if TYPE_CHECKING:
    from otel_mas.replay.comparison import ReplayComparison

_FLUSH_S = 5.0
P = ParamSpec("P")
R = TypeVar("R")


class replay:  # noqa: N801 (used as a function)
    """Replay a run in this process, from the beginning of a `with` block to its end.

    The app runs as it is; its models, tools and retrievers answer what was recorded, and nothing of them is called or
    paid. Blocks hold for all threads and event loops; of nested ones the innermost answers. Clients of models can be
    constructed without keys. Entered again, it replays from the beginning, with the changes that were made.

    Args:
        trace: a trace, a conversation, or several traces; a file; or the id of a trace or its beginning, "latest",
            "thread:" and the thread of a conversation, or "run:" and the id of an `otel-mas run`, in `source`.
        source: of the id, as `otel_mas.open` takes it; by default the store that this process records into.
        live: what is really called: "models", "tools", "retrievers", the names of agents or nodes, or "descendants",
            which are calls that depend on a change and are asked something else than was recorded.
        on_miss: of a call without a recorded answer: "error" raises `ReplayMiss`, "live" calls it, "nearest" answers as
            the most similar recorded request was answered.
        timing: whether answers take as long as they took.
        freeze: whether the clock stands at the recording's start, and random numbers and UUIDs are the same in each
            replay of it; needs the extra `replay`.
        volatile: regular expressions of what in requests differs from run to run, beyond ids and dates.
        stub: answers calls that depend on a change (`session.change`): a chat model, or a function of a
            `DependentCall` that returns the output, or NotImplemented.
        reference: a second run, which answers calls that depend on a change and that it has; before the stub is asked.

    Raises:
        ConfigError: An argument is none of its values, or recording is switched off.
        SourceError: There is no such source, trace or file.
        StoreError: The store cannot be read.
        MissingExtra: freeze needs time-machine.
    """

    def __init__(
        self,
        trace: Trace | Conversation | Sequence[Trace] | str | os.PathLike[str],
        *,
        source: str | os.PathLike[str] | None = None,
        live: str | Iterable[str] = (),
        on_miss: str = "error",
        timing: bool = False,
        freeze: bool = False,
        volatile: Iterable[str] = (),
        stub: Any = None,
        reference: Trace | Conversation | Sequence[Trace] | None = None,
    ) -> None:
        self._policy = Policy.of(live, on_miss, timing, freeze)
        given = (
            [volatile] if isinstance(volatile, str) else list(volatile) if isinstance(volatile, Iterable) else volatile
        )
        self._settings = Settings.from_env(replay_volatile=given or None)
        self._keys: Any = {}
        self._store = self._recorded_store()
        self._recording, self._from = _recording(trace, source, self._store)
        if isinstance(reference, str | os.PathLike):
            raise ConfigError(f"reference is {reference!r}; it must be a trace, a conversation, or several traces")
        self._reference = None if reference is None else _recording(reference, None, self._store)[0]
        self._given = trace
        self._stub = stub
        self._ended = False
        self.session = self._new_session()
        """The replay: its counts, and what the recording lacks."""

    def _new_session(self) -> ReplaySession:
        session = ReplaySession(
            self._recording, self._policy, Normaliser.of(self._settings), self._stub, self._reference
        )
        session.comparer = self._compare
        session.reader = self._runs
        return session

    def _recorded_store(self) -> str:
        """Path of the store that this process records into, or would."""
        recorded = recording.settings()
        return self._settings.store if recorded is None else recorded.store

    def _compare(self, session: ReplaySession) -> ReplayComparison:
        from otel_mas.api.replay_comparison import compared

        with ExitStack() as opened:
            original = handles(self._given)
            if original is None:
                original = opened.enter_context(traces_of("", str(self._from)))(session.recording)
            replayed = opened.enter_context(self.recorded())
            return compared(original, replayed, session.plan().changes)

    @contextmanager
    def recorded(self) -> Iterator[list[Trace]]:
        """The traces that the replay has recorded, while their store is open."""
        from otel_mas.api.source import open as open_source

        flush(_FLUSH_S)
        with open_source(self._store) as store:
            yield [store.trace(one) for one in self.session.trace_ids]

    def _runs(self, session: ReplaySession) -> list[Trace | Conversation]:
        from otel_mas.api.source import open as open_source
        from otel_mas.api.whole_runs import joined

        flush(_FLUSH_S)
        store = open_source(self._store)
        weakref.finalize(session, store.close)  # its handles read their content when they are asked for it
        own = [one for one in store.traces(limit=sys.maxsize) if one.trace_id in session.trace_ids]
        return list(joined(store, reversed(own)))

    def __enter__(self) -> ReplaySession:
        if self.session in sessions():
            raise ConfigError("this replay is going on already: make another one, which answers inside of it")
        if self._ended:
            changes, segment = self.session.counterfactual.changes.all, self.session.counterfactual.segment
            self.session = self._new_session()
            for change in changes:
                self.session.counterfactual.add(change)
            if segment is not None:
                self.session.segment(segment.first, segment.last)
            self._ended = False
        start(self.session, self._settings)
        self._store = self._recorded_store()
        self._keys = place_keys(os.environ, nothing_live=self._policy.nothing_live)
        return self.session

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        stop(self.session)
        restore_keys(os.environ, self._keys)
        self._ended = True
        ended = is_segment_end(error)
        if error is None or ended:
            self.session.raise_unfinished()
        return ended


def _recording(trace: Any, source: Any, store: str) -> tuple[Recording, str | None]:
    """The recording, and where it was read; None of handles, which know that."""
    if isinstance(trace, Trace | Conversation):
        if source is not None:
            raise ConfigError("source is for the id of a trace; the trace that is given knows its own")
        parts = trace._parts()
        what = f"trace {trace.trace_id}" if isinstance(trace, Trace) else f"conversation {trace.thread!r}"
        return Recording.read([(one._data, one._port) for one in parts], what), None
    if isinstance(trace, list | tuple) and trace and all(isinstance(one, Trace) for one in trace):
        return Recording.read([(one._data, one._port) for one in trace], f"{len(trace)} traces"), None
    if not isinstance(trace, str | os.PathLike) or not os.fspath(trace):
        raise ConfigError(f"trace is {trace!r}; it must be a trace, a conversation, an id, or the path of a file")
    if source is not None:
        arguments.path("source", source)
    return read_recording(os.fspath(trace), None if source is None else os.fspath(source), store)


def handles(trace: Any) -> list[Trace] | None:
    """The traces that are given as handles; None of a name."""
    if isinstance(trace, Trace | Conversation):
        return [Trace(one._data, one._port) for one in trace._parts()]
    return None if isinstance(trace, str | os.PathLike) else list(trace)


@contextmanager
def traces_of(target: str, source: str | None) -> Iterator[Callable[[Recording], list[Trace]]]:
    """A function that gives the handles of a recording's traces, while their source is open.

    Args:
        target: as `read_recording` takes it.
        source: likewise; None of a file.
    """
    from otel_mas.api.source import open as open_source

    with open_source(target if source is None else source) as opened:
        yield lambda recording: [opened.trace(one) for one in recording.trace_ids]


class TraceReplayEngine:
    """Replay as an object: the same as `replay`, for code that keeps one and runs functions in it, each from the start.

    Args:
        trace: as of `replay`.
        options: all others of `replay`.

    Raises:
        ConfigError: as `replay`.
        SourceError: as `replay`.
    """

    def __init__(self, trace: Trace | Conversation | Sequence[Trace] | str | os.PathLike[str], **options: Any) -> None:
        unknown = sorted(options.keys() - inspect.signature(replay).parameters.keys())
        if unknown:
            raise ConfigError(f"there is no option {unknown[0]!r} of a replay")
        self._replay = replay(trace, **options)

    @property
    def session(self) -> ReplaySession:
        """The replay, or the last of several: its counts, and what the recording lacks."""
        return self._replay.session

    def __enter__(self) -> Self:
        self._replay.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return self._replay.__exit__(kind, error, traceback)

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function in the replay, and return its result; None where a segment ended before.

        Raises:
            ReplayMiss: It called what the recording has no answer for.
        """
        with self:
            return function(*args, **kwargs)

    async def arun(self, function: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """The same with a coroutine function."""
        with self:
            return await function(*args, **kwargs)


__all__ = ["TraceReplayEngine", "replay"]
