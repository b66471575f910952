"""Hot spots: self time by name, on and off the critical path."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from otel_mas.analyse.intervals import Interval, length, minus, union
from otel_mas.analyse.profile.answer import HotSpot
from otel_mas.analyse.profile.timing import Timing

_Key = tuple[str, str]


@dataclass(slots=True)
class _Spot:
    spans: int = 0
    self_time: int = 0
    on_path: int = 0
    off_path: int = 0


@dataclass(slots=True)
class _Intervals:
    self_time: list[Interval] = field(default_factory=list)
    steps: list[Interval] = field(default_factory=list)


class HotSpots:
    """Hot spots, to which graphs are added."""

    def __init__(self) -> None:
        self._spots: dict[_Key, _Spot] = defaultdict(_Spot)

    def add(self, timing: Timing) -> None:
        """Add one graph."""
        here: dict[_Key, _Intervals] = defaultdict(_Intervals)
        for i, intervals in enumerate(timing.self_times):
            if i not in timing.ignored:
                key = timing.spot(i)
                here[key].self_time += intervals
                self._spots[key].spans += 1
        for i, start, end in timing.steps:
            here[timing.spot(i)].steps.append((start, end))
        for key, found in here.items():
            spot = self._spots[key]
            busy = union(found.self_time)
            spot.self_time += length(busy)
            spot.on_path += sum(end - start for start, end in found.steps)
            spot.off_path += length(minus(busy, union(found.steps)))

    def spots(self) -> tuple[HotSpot, ...]:
        """The most self time first."""
        found = [
            HotSpot(kind, name, spot.spans, spot.self_time, spot.on_path, spot.off_path)
            for (kind, name), spot in self._spots.items()
            if spot.self_time or spot.on_path
        ]
        return tuple(sorted(found, key=lambda spot: (-spot.self_ns, -spot.on_path_ns, spot.name, spot.kind)))


__all__ = ["HotSpots"]
