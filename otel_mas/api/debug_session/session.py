"""A debug session for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from otel_mas.api.debug_session.states import SessionState
from otel_mas.api.debug_session.watcher import FollowedRun, News, Transition, Watcher
from otel_mas.api.follow import POLL_S
from otel_mas.config import Settings
from otel_mas.errors import SourceError, arguments
from otel_mas.errors.log import logger

if TYPE_CHECKING:
    from otel_mas.api.graph import Graph
    from otel_mas.trace_records.record import TraceRecord

_MOST_RUNS = 64
"""Analysed runs that wait for whoever takes them; of more the oldest are dropped."""
_LEAST_S, _SHARE = 0.2, 10
"""A run that is recorded is read at most every 0.2 s, and for at most a tenth of the time."""


class DebugSession:
    """Follows the runs of a store as apps record them, and analyses each when it ends.

    Used in an `async with`; `async for run in session` yields each run that was analysed. One run is followed at a
    time, in the order in which they began; those that begin meanwhile come after it, from their beginning. The event
    loop never waits for the disk: a thread of the session reads.

    Args:
        store: path of a store, which may come later. By default the one that the settings name (`OTEL_MAS_STORE`).
        quiet_after: seconds after the last record of a run, at which it is analysed though it is open; once it goes on,
            it is followed and analysed again. By default OTEL_MAS_QUIET_AFTER, 30 s.
        on_state: is called in the event loop with each change of the state.
    """

    def __init__(
        self,
        store: str | Path | None = None,
        quiet_after: float | None = None,
        *,
        on_state: Callable[[Transition], object] | None = None,
    ) -> None:
        if on_state is not None and not callable(on_state):
            raise TypeError(f"on_state is {on_state!r}: it must be a function of a Transition")
        if store is not None:
            arguments.path("store", store)
        settings = Settings.from_env(store=store, quiet_after_s=quiet_after)
        self._watcher = Watcher(settings.store, settings.quiet_after_s)
        self._on_state = on_state
        self._executor: ThreadPoolExecutor | None = None
        self._task: asyncio.Task[None] | None = None
        self._state = SessionState.IDLE
        self._run: FollowedRun | None = None
        self._analysed: deque[FollowedRun] = deque()
        self._news = asyncio.Event()
        self._looked = asyncio.Event()
        self._failure: BaseException | None = None
        self._next_read = 0.0

    @property
    def state(self) -> SessionState:
        """IDLE (no store yet, or closed), ATTACHED, RECORDING or ANALYZING."""
        return self._state

    @property
    def run(self) -> FollowedRun | None:
        """The run that is followed, as it was read last (every 0.2 s); else the last one, with its analysis."""
        return self._run

    @property
    def records(self) -> list[TraceRecord]:
        """Trace records of this run, in the order of time; empty before the first one."""
        return [] if self._run is None else self._run.records

    @property
    def graph(self) -> Graph | None:
        """Causal graph of this run so far; None before the first one."""
        return None if self._run is None else self._run.graph

    @property
    def final_output(self) -> str | None:
        """Last answer or change of the state of this run; None where it was not kept, and of a run that failed."""
        return None if self._run is None else self._run.final_output

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise SourceError("a debug session is entered once: make another one")
        self._executor = ThreadPoolExecutor(1, "otel-mas-debug-session")
        self._task = asyncio.create_task(self._follow())
        try:
            await self._looked.wait()  # what is committed from here on is after the first look, and so is followed
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End it, also for whoever waits for the next run."""
        executor, self._executor = self._executor, None
        if executor is None or self._task is None:
            return
        self._task.cancel()
        closing = executor.submit(self._watcher.close)  # after a look that is under way
        executor.shutdown(wait=False)
        await asyncio.wait([self._task])
        self._news.set()
        self._tell(await asyncio.wrap_future(closing))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> FollowedRun:
        found = await self._next()
        if found is None:
            raise StopAsyncIteration
        return found

    async def next_run(self) -> FollowedRun:
        """Wait for the next run that is analysed.

        Raises:
            SourceError: The session is closed.
            StoreError: The store cannot be read.
        """
        found = await self._next()
        if found is None:
            raise SourceError("the debug session is closed: ask inside its `async with` block")
        return found

    async def _next(self) -> FollowedRun | None:
        """The next run; None where the session is closed."""
        while not self._analysed:
            if self._failure is not None:
                raise self._failure
            if self._executor is None:
                return None
            self._news.clear()
            await self._news.wait()
        return self._analysed.popleft()

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._executor is not None:
                self._tell(await loop.run_in_executor(self._executor, self._look))
                self._looked.set()
                await asyncio.sleep(POLL_S)
        except Exception as error:
            self._failure = error
            self._news.set()
            self._looked.set()

    def _look(self) -> list[News]:
        """One step, on the thread of the session; a run that is recorded is read now and then."""
        watcher = self._watcher
        news = watcher.look()
        if watcher.state is SessionState.RECORDING and watcher.changed and time.monotonic() >= self._next_read:
            began = time.monotonic()
            run = watcher.read()
            self._next_read = time.monotonic() + max(_LEAST_S, _SHARE * (time.monotonic() - began))
            if run is not None:
                news.append(run)
        return news

    def _tell(self, news: list[News]) -> None:
        for one in news:
            if isinstance(one, Transition):
                self._state = one.state
                if one.state is SessionState.RECORDING:
                    self._run = None
                if self._on_state is not None:
                    self._on_state(one)
            elif isinstance(one, FollowedRun):
                self._run = one
                if one.ended is not None:
                    self._keep(one)

    def _keep(self, run: FollowedRun) -> None:
        self._analysed.append(run)
        if len(self._analysed) > _MOST_RUNS:
            dropped = self._analysed.popleft()
            logger.warning(
                "otel-mas: nobody took the last %d runs of a debug session: trace %s is dropped",
                _MOST_RUNS,
                dropped.trace.trace_id,
            )
        self._news.set()


__all__ = ["DebugSession"]
