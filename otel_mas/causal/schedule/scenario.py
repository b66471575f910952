"""Changes applied to the dependencies and lags of a recorded run."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
        for change in sorted(changes, key=lambda change: not isinstance(change, Parallel)):
            match change:
                case Faster(target, times):
                    self._scale(dict.fromkeys(self._find(target), 1 / times))
                case Lasting(target, duration):
                    self._last(self._find(target), duration)
                case Without(target):
                    self._remove(self._find(target))
                case Instead(model, by):
                    self.found.models.update(dict.fromkeys(self.recorded.targets.models(model), by))
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
        waits = replace(self.waits, roots=[root for root in self.waits.roots if not self.found.removed[root]])
        changed = waits.joined != self.base.joined or waits.causes != self.base.causes
        self.found.waits = in_order(waits) if changed and waits.limits else waits
        return self.found

    def _find(self, target: str) -> list[int]:
        return self.recorded.targets.find(target)

    def _owners(self, spans: Collection[int]) -> Sequence[int]:
        """By span: the outermost of these spans that it is or lies inside, or `ROOT`."""
        outermost, head = frozenset(spans), self.base.siblings.head
        if all(head[span] == ROOT for span in outermost):
            around = array("q", [ROOT]) * self.count
            for span in outermost:
                around[span] = span
            return around
        around = nearest(self.base.parent, [span in outermost for span in range(self.count)])
        if any(around[span] != ROOT for span in spans):
            outermost = frozenset(span for span in spans if around[span] == ROOT)
            around = nearest(self.base.parent, [span in outermost for span in range(self.count)])
        for span in outermost:
            around[span] = span
        return around

    def _scale(self, factors: Mapping[int, float]) -> None:
        """Multiply all times in each of these spans by its factor."""
        for span, owner in enumerate(self._owners(factors)) if factors else ():
            if owner != ROOT:
                self.scale[span] *= factors[owner]

    def _last(self, spans: Collection[int], duration: int) -> None:
        forest, head = self.base.forest, self.base.siblings.head
        owners = self._owners(spans)
        took = {span: forest.end[span] - forest.start[span] for span in spans if owners[span] == span}
        leaves = [span for span, length in took.items() if head[span] == ROOT or length == 0]
        self.own.update(dict.fromkeys(leaves, duration))
        self._scale({span: duration / length for span, length in took.items() if span not in self.own})

    def _remove(self, spans: Collection[int], prompt: bool = True) -> None:
        """Let spans end when they start, whatever is in them; what is inside waits for nothing else.

        Args:
            spans: The spans.
            prompt: Starting them takes no time either.
        """
        for span, owner in enumerate(self._owners(spans)):
            if owner == ROOT:
                continue
            self.found.removed[span] = True
            self.waits.joined[self.count + span] = NOTHING
            self.waits.causes.pop(self.count + span, None)
            if span != owner:
                self.waits.joined[span] = NOTHING
                self.waits.causes.pop(span, None)
                self.waits.limits.pop(span, None)
            if span != owner or prompt:
                self.prompt.add(span)

    def _remove_retries(self) -> None:
        links, traces = self.base.links, self.base.forest.spans.trace_ids
        repeated = {
            cause: effect
            for cause, effect, kind in zip(links.cause, links.effect, links.kind, strict=True)
            if kind == _RETRY and cause >= 0 and traces[cause] == traces[effect]
        }
        self._remove(repeated, prompt=False)
        self.prompt.update(repeated.values())

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
