"""Changes applied to the dependencies and lags of a recorded run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from otel_mas.causal.forest import ROOT, nearest
from otel_mas.causal.labels import Labels, label
from otel_mas.causal.schedule.changes import (
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
from otel_mas.causal.schedule.dependencies import NOTHING, Dependencies
from otel_mas.causal.schedule.parallel import Decision, set_parallel
from otel_mas.causal.schedule.targets import Targets
from otel_mas.causal.schedule.timing import in_order, lags_of, recorded_times
from otel_mas.semconv import LinkKind

_RETRY = LinkKind.RETRY.value
_RESUME = LinkKind.RESUME.value


class Recorded:
    """A run as it was recorded: dependencies, times and lags of its events. Made once for a graph."""

    def __init__(self, waits: Dependencies) -> None:
        self.waits = in_order(waits) if waits.limits else waits
        self.times = recorded_times(self.waits)
        self.lags = lags_of(self.waits, self.times)
        self.targets = Targets(waits.forest, lambda: self.labels)

    @cached_property
    def labels(self) -> Labels:
        return label(self.waits.forest)


@dataclass(slots=True)
class Scenario:
    """Dependencies and lags after all changes, and the spans that they took out or exchanged."""

    waits: Dependencies
    lags: list[int]
    removed: bytearray
    """By span: whether it takes no part any more."""
    models: dict[int, str] = field(default_factory=dict)
    """By number of a call: the model that is called instead."""
    decisions: list[Decision] = field(default_factory=list)


def scenario(recorded: Recorded, changes: Iterable[Change]) -> Scenario:
    """Apply changes; their order makes no difference. Raises `UnsupportedQuery` for a name that nothing has."""
    return _Application(recorded).apply(list(changes))


class _Application:
    def __init__(self, recorded: Recorded) -> None:
        base = recorded.waits
        self.recorded = recorded
        self.base = base
        self.count = base.count
        self.waits = base.copied()
        self.scale = [1.0] * base.count
        """By span: by how much its own time is multiplied."""
        self.own: dict[int, int] = {}
        """By span without others inside: the ns that it takes, before scaling."""
        self.prompt: set[int] = set()
        """Starts without a lag."""
        self.found = Scenario(self.waits, [], bytearray(base.count))

    def apply(self, changes: Sequence[Change]) -> Scenario:
        for change in changes:
            match change:
                case Faster(target, times):
                    self._scale(self._find(target), 1 / times)
                case Lasting(target, duration):
                    self._last(self._find(target), duration)
                case Without(target):
                    self._remove(self._find(target))
                case Instead(model, by, times):
                    calls = self.recorded.targets.models(model)
                    self.found.models.update(dict.fromkeys(calls, by))
                    self._scale(calls, 1 / times)
                case WithoutRetries():
                    self._remove_retries()
                case WithoutWaiting():
                    self._remove_waits()
                case WithoutBarriers():
                    self._remove_barriers()
                case Parallel(targets):
                    members = {span for target in targets for span in self._find(target)}
                    self.found.decisions += set_parallel(self.base, self.waits, members, tuple(targets))
        self.found.lags = self._lags()
        changed = self.waits.joined != self.base.joined or self.waits.causes != self.base.causes
        if changed and self.waits.limits:
            self.found.waits = in_order(self.waits)
        return self.found

    def _find(self, target: str) -> list[int]:
        return self.recorded.targets.find(target)

    def _inside(self, spans: Collection[int]) -> tuple[frozenset[int], list[int]]:
        """The outermost of these spans; and all spans that are one of them or inside one."""
        marked = [False] * self.count
        for span in spans:
            marked[span] = True
        around = nearest(self.base.parent, marked)
        outermost = frozenset(span for span in spans if around[span] == ROOT)
        return outermost, [span for span, above in enumerate(around) if above != ROOT or marked[span]]

    def _scale(self, spans: Collection[int], factor: float) -> None:
        for span in self._inside(spans)[1]:
            self.scale[span] *= factor

    def _last(self, spans: Collection[int], duration: int) -> None:
        forest, head = self.base.forest, self.base.siblings.head
        for span in self._inside(spans)[0]:
            took = forest.end[span] - forest.start[span]
            if head[span] == ROOT or took == 0:
                self.own[span] = duration
            else:
                self._scale([span], duration / took)

    def _remove(self, spans: Collection[int]) -> None:
        outermost, inside = self._inside(spans)
        self._shrink(outermost, inside)
        self.prompt.update(inside)

    def _shrink(self, outermost: Collection[int], inside: Iterable[int]) -> None:
        """Let spans end when they start, whatever is in them; those inside wait for nothing else."""
        for span in inside:
            self.found.removed[span] = True
            self.waits.joined[self.count + span] = NOTHING
            if span not in outermost:
                self.waits.joined[span] = NOTHING
                self.waits.causes.pop(span, None)
                self.waits.limits.pop(span, None)

    def _remove_retries(self) -> None:
        links, traces = self.base.links, self.base.forest.spans.trace_ids
        for cause, effect, kind in zip(links.cause, links.effect, links.kind, strict=True):
            if kind == _RETRY and cause >= 0 and traces[cause] == traces[effect]:
                outermost, inside = self._inside([cause])
                self._shrink(outermost, inside)
                self.prompt.update(span for span in inside if span != cause)
                self.prompt.add(effect)

    def _remove_waits(self) -> None:
        links, forest = self.base.links, self.base.forest
        for effect, kind in zip(links.effect, links.kind, strict=True):
            if kind in (_RETRY, _RESUME):
                self.prompt.add(effect)
        first = forest.spans.trace_ids[forest.roots[0]] if forest.roots else None
        self.prompt.update(root for root in forest.roots if forest.spans.trace_ids[root] != first)

    def _remove_barriers(self) -> None:
        self.waits.limits.clear()
        for span, step in enumerate(self.base.steps):
            if step != NOTHING and self.base.caused[span]:
                self.waits.joined[span] = NOTHING

    def _lags(self) -> list[int]:
        count, base, scale, removed = self.count, self.base, self.scale, self.found.removed
        lags = list(self.recorded.lags)
        for span in range(count):
            end = count + span
            if removed[span]:
                lags[end] = 0
            elif span in self.own:
                lags[end] = round(self.own[span] * scale[span])
            elif scale[span] != 1.0:
                lags[end] = int(lags[end] * scale[span])
            if self._absolute(span):
                continue
            above = base.parent[span]
            if span in self.prompt:
                lags[span] = 0
            elif above != ROOT and scale[above] != 1.0:
                lags[span] = int(lags[span] * scale[above])
        return lags

    def _absolute(self, event: int) -> bool:
        """Whether an event depended on nothing: it stays when it was."""
        base = self.base
        return base.before[event] == base.joined[event] == NOTHING and not base.causes.get(event)


__all__ = ["Recorded", "Scenario", "scenario"]
