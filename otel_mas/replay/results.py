"""Results of a replay: counts of calls by their answer, and the runs that it has recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from otel_mas.analyse.model_calls import tokens_of
from otel_mas.errors import ReplayMiss, UnsupportedQuery
from otel_mas.replay.recording import CallKind, RecordedCall, Recording
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.replay.comparison import ReplayComparison


class ReplayResults:
    """Results of a replay of a recording, as far as it has come."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.answered = 0
        """Calls answered from the recording, those by the nearest request among them."""
        self.live = 0
        """Calls that were really made."""
        self.misses: list[ReplayMiss] = []
        """Calls without a recorded answer, whatever became of them."""
        self.saved_tokens = 0
        """Tokens that the answers had cost when they were recorded."""
        self.saved_usd = 0.0
        """USD that they had cost then, as far as prices were known."""
        self.changed = 0
        """Calls and tasks that a change was made in."""
        self.stubbed = 0
        """Calls that a stub answered."""
        self.trace_ids: dict[str, None] = {}
        """Ids of the traces that the replay has recorded, in order."""
        self.comparer: Callable[[Any], ReplayComparison] | None = None
        self.reader: Callable[[Any], Sequence[Any]] | None = None

    @property
    def missed(self) -> int:
        """Calls without a recorded answer so far."""
        return len(self.misses)

    def __repr__(self) -> str:
        counts = f"{self.answered} answered, {self.live} live, {self.missed} missed"
        return f"<{type(self).__name__} of {self.recording.what}: {counts}>"

    def comparison(self) -> ReplayComparison:
        """The recording beside this replay: calls and tasks, causes, output, cost and findings that are not the same.

        To be asked for after the `with` block.

        Raises:
            UnsupportedQuery: The session is not one of `otel_mas.replay`, or nothing was recorded in it.
            SourceError: The recording cannot be read any more.
        """
        if self.comparer is None or not self.trace_ids:
            raise UnsupportedQuery(f"{self!r} has recorded nothing to compare: run the app in its `with` block first")
        return self.comparer(self)

    @property
    def runs(self) -> Sequence[Any]:
        """The runs that the replay has recorded until now, oldest first, as handles; of a paused one all its traces.

        Raises:
            UnsupportedQuery: The session is not one of `otel_mas.replay`, or nothing was recorded in it.
            StoreError: The store cannot be read.
        """
        if self.reader is None or not self.trace_ids:
            raise UnsupportedQuery(f"{self!r} has recorded no run: run the app in its `with` block first")
        return self.reader(self)

    @property
    def trace(self) -> Any:
        """The only run that the replay has recorded until now: a trace, or a conversation with what resumed it.

        Raises:
            UnsupportedQuery: as `runs`; or there are several.
            StoreError: as `runs`.
        """
        runs = self.runs
        if len(runs) != 1:
            raise UnsupportedQuery(f"{self!r} has recorded {len(runs)} runs: take one of its `runs`")
        return runs[0]

    def _recorded_in(self, span: Span | None) -> None:
        if span is not None and span.is_recording():
            self.trace_ids.setdefault(f"{span.get_span_context().trace_id:032x}")

    def _count(self, call: RecordedCall) -> None:
        self.answered += 1
        if call.kind is CallKind.MODEL:
            self.saved_tokens += tokens_of(call.span)
            self.saved_usd += float(call.span.get(names.MAS_COST_USD) or 0.0)


__all__ = ["ReplayResults"]
