"""LangGraph's own checkpoints as a source: causes of runs that were never instrumented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from otel_mas.errors import SourceError, UnsupportedQuery
from otel_mas.model import Content, Message, MessageRef, PartialList, Query, SummaryBuilder, Trace, TraceSummary
from otel_mas.model.search import Match
from otel_mas.sources.base import Capabilities
from otel_mas.sources.checkpoints.convert import trace_of
from otel_mas.sources.checkpoints.reader import CheckpointFile, holds_checkpoints
from otel_mas.sources.checkpoints.runs import DamagedCheckpoints, rebuild
from otel_mas.sources.spans_only import SpansOnlySource, full_id


class CheckpointSource(SpansOnlySource):
    """Reads the SQLite file of LangGraph's `SqliteSaver` or `AsyncSqliteSaver`; opens it read-only.

    One trace for each invocation: a new input, a resume, a change from outside, a fork. docs/sources.md lists what
    checkpoints do not hold. Causes from them are exact, with provenance `metadata`.
    """

    reads: ClassVar[str] = "LangGraph's own checkpoints (the SQLite file of its SqliteSaver)"
    capabilities = Capabilities(
        filters=frozenset({"status", "conversation_id"})
        | {"min_duration_ns", "max_duration_ns", "since_ns", "until_ns", "ended_since_ns"},
        conversations=True,
        local=True,
    )

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"checkpoints+sqlite://{path}")
        self._file = CheckpointFile(Path(path))
        self._version = self._file.version()
        self._known: dict[str, list[Trace]] = {}

    @classmethod
    def recognises(cls, path: Path) -> bool:
        return holds_checkpoints(path)

    @classmethod
    def open(cls, target: str) -> CheckpointSource:
        """Raises SourceError where there is no such file or it is something else, MissingExtra without LangGraph."""
        return cls(Path(target).expanduser())

    def traces(self, query: Query) -> Sequence[TraceSummary]:
        self.check(query)
        asked = query.asked()
        self._refuse(**{name: asked[name] for name in asked.keys() - self.capabilities.filters})
        found: list[TraceSummary] = []
        for thread, last_ns in self._threads():
            full = len(found) >= query.limit and last_ns < sorted(one.start_ns for one in found)[-query.limit]
            if full or (query.since_ns is not None and last_ns < query.since_ns):
                break  # whatever follows was over before
            if query.conversation_id in (None, thread):
                for trace in self._thread(thread):
                    summary = SummaryBuilder.of(trace)
                    if summary.matches(query):
                        found.append(summary.summary(trace.incomplete))
        found.sort(key=lambda one: (-one.start_ns, one.trace_id))
        return found[: query.limit]

    def trace(self, trace_id: str) -> Trace:
        wanted = full_id(trace_id)
        for thread, _ in self._threads():
            for trace in self._thread(thread):
                if trace.trace_id == wanted:
                    return trace
        raise self.no_trace(wanted)

    def conversation(self, thread: str, service: str | None = None) -> Sequence[Trace]:
        self._refuse(service=service)
        self._look()
        return tuple(self._thread(thread))

    def message_refs(self, trace_id: str) -> Sequence[MessageRef]:
        raise self._no_content()

    def messages(self, digests: Sequence[str], trace_id: str | None = None) -> Mapping[str, Message]:
        raise self._no_content()

    def contents(self, trace_id: str, span_id: str | None = None) -> Sequence[Content]:
        raise self._no_content()

    def close(self) -> None:
        self._file.close()

    def _refuse(self, **asked: object) -> None:
        for name, value in asked.items():
            if value is not None:
                raise UnsupportedQuery(f"{self.location} cannot select by {name}: checkpoints do not say it")

    def search(self, text: str, query: Query, limit: int) -> PartialList[Match]:
        raise self._no_content()

    def _no_content(self) -> UnsupportedQuery:
        return UnsupportedQuery(
            f"{self.location} has no messages and no other content: checkpoints keep the state only"
        )

    def _threads(self) -> Iterator[tuple[str, int]]:
        self._look()
        yield from self._file.threads()

    def _thread(self, thread: str) -> list[Trace]:
        """The thread's traces, oldest first."""
        if thread not in self._known:
            try:
                traces = [trace_of(run) for run in rebuild(self._file.thread(thread))]
            except DamagedCheckpoints as error:
                raise SourceError(f"{self.location} is damaged in thread {thread}: {error}") from None
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
                raise SourceError(
                    f"{self.location} is damaged: the checkpoints of thread {thread} are not as LangGraph writes them"
                ) from error
            self._known[thread] = sorted(traces, key=lambda trace: trace.spans[0].start_ns)
        return self._known[thread]

    def _look(self) -> None:
        """Forget what was read, where the file has changed since."""
        version = self._file.version()
        if version != self._version:
            self._version = version
            self._known.clear()
