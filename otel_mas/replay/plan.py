"""Plan of a counterfactual replay: the recorded calls that depend on a change, and what they had cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_mas.analyse.model_calls import known_tokens_of
from otel_mas.replay.changes import Aspect, Change
from otel_mas.replay.descent import descendants
from otel_mas.replay.recording import CallKind, RecordedCall, Recording
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from otel_mas.replay.place import TaskPlace
    from otel_mas.replay.segment import Segment


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A recorded call that depends on a change.

    Args:
        label: as `researcher#1/model#2`.
        kind: model, tool or retriever.
        name: of the model, tool or retriever.
        tokens: read and written when it was recorded; 0 of tools and retrievers, None where the usage is not known.
        usd: their cost then; None where the price is not known.
        place: of the call.
    """

    label: str
    kind: str
    name: str
    tokens: int | None
    usd: float | None
    place: TaskPlace


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls that would have to be made again, in order of their start in the recording.

    An upper bound as far as the run goes the same way: a call whose request comes out equal is answered from the
    recording. If the run goes another way, there may be others.
    """

    changes: tuple[Change, ...]
    calls: tuple[PlannedCall, ...]
    recorded: int
    """Calls in the recording; those that are not in `calls` are answered from it."""
    segment: str = ""
    """The segment that runs again, in words; empty where there is none."""

    @property
    def tokens(self) -> int:
        """Tokens that the calls had read and written, as far as their usage is known."""
        return sum(call.tokens or 0 for call in self.calls)

    @property
    def unmeasured(self) -> int:
        """Calls of models whose usage is not known."""
        return sum(call.tokens is None for call in self.calls)

    @property
    def usd(self) -> float:
        """Their cost in USD, as far as prices are known."""
        return sum(call.usd or 0.0 for call in self.calls)

    @property
    def unpriced(self) -> int:
        """Calls of models whose price is not known."""
        return sum(call.kind == CallKind.MODEL and call.usd is None for call in self.calls)

    def __str__(self) -> str:
        models = sum(call.kind == CallKind.MODEL for call in self.calls)
        others = len(self.calls) - models
        cost = f" ({_cost(self, models)})" if models else ""
        return f"dependent calls: {models} of models{cost}, {others} of tools and retrievers"


def _cost(found: Plan, models: int) -> str:
    """Tokens and price of calls of models, and what of them is not known."""
    parts = ["an unknown number of tokens" if found.unmeasured == models else f"about {found.tokens:,} tokens"]
    parts += ["an unknown price" if found.unpriced == models else f"${found.usd:.4f}"]
    if 0 < found.unmeasured < models:
        parts += [f"{found.unmeasured} without a known usage"]
    if 0 < found.unpriced < models:
        parts += [f"{found.unpriced} without a known price"]
    return ", ".join(parts)


def plan(recording: Recording, changes: Sequence[Change], segment: Segment | None = None) -> Plan:
    """The plan of these changes, and of a segment that runs again."""
    changed, asked = set[str](), []
    for change in changes:
        spans, calls = _changed(recording, change)
        changed |= spans
        asked += calls
    after = descendants(recording.graph, changed)
    again = {call.span.span_id for call in asked}
    calls = [call for call in recording.calls if call.span.span_id in after or call.span.span_id in again]
    if segment is not None:
        known = {call.span.span_id for call in calls}
        within = [call for call in recording.calls if segment.has(call) or call.span.span_id in known]
        calls = [call for call in within if not segment.leaves_out(call)]
    what = "" if segment is None else str(segment)
    return Plan(tuple(changes), tuple(map(_planned, calls)), len(recording.calls), what)


def _changed(recording: Recording, change: Change) -> tuple[set[str], list[RecordedCall]]:
    """Ids of the spans that a change is in, and the calls in them that are to be made again."""
    if change.of_call:
        call = next(call for call in recording.calls if call.label == change.target)
        return {call.span.span_id}, [call] if change.aspect in (Aspect.PROMPT, Aspect.MODEL) else []
    inside = [call for call in recording.calls if call.label.startswith(f"{change.target}/")]
    spans = {span.span_id for span in recording.tasks[change.target].spans}
    if change.aspect in (Aspect.OUTPUT, Aspect.GOTO):
        return spans, []
    if change.aspect in (Aspect.PROMPT, Aspect.MODEL):
        return spans, [call for call in inside if call.kind is CallKind.MODEL]
    return spans, inside


def _planned(call: RecordedCall) -> PlannedCall:
    model = call.kind is CallKind.MODEL
    tokens = known_tokens_of(call.span) if model else 0
    usd = call.span.get(names.MAS_COST_USD) if model else None
    return PlannedCall(call.label, call.kind.value, call.name, tokens, None if usd is None else float(usd), call.place)


def listed(calls: Iterable[PlannedCall]) -> str:
    """Labels of calls in one line; of many the first ones."""
    labels = [call.label for call in calls]
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return ", ".join(labels[:_SHOWN]) + more


_SHOWN = 8

__all__ = ["Plan", "PlannedCall", "listed", "plan"]
