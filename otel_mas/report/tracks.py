"""Tracks: rows of spans that lie inside of each other or apart, as timeline viewers need them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from otel_mas.causal import CausalGraph
from otel_mas.model import Span
from otel_mas.report.text import plain


@dataclass(slots=True)
class Track:
    """Spans of one service, in start order: each is inside of the one around it, or begins after it has ended."""

    service: str
    number: int
    """1 is what ran after each other; further ones ran beside it."""
    spans: list[tuple[Span, int, int]] = field(default_factory=list)
    """With start and end in ns; an open span ends at the last instant seen in its trace."""
    _open: list[tuple[str, int]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return plain(self.service or "run") + (f" ({self.number})" if self.number > 1 else "")

    def place(self, span: Span, start: int, end: int) -> None:
        """Add a span at the end."""
        self.spans.append((span, start, end))
        self._open.append((span.span_id, end))

    def has_room(self, parent: str, start: int, end: int) -> bool:
        """Whether a child of `parent` fits into it here."""
        while self._open and self._open[-1][1] <= start:
            self._open.pop()
        return bool(self._open) and self._open[-1][0] == parent and end <= self._open[-1][1]

    def steps(self) -> Iterator[tuple[Span, int, bool]]:
        """Begins (True) and ends of its spans with their time, in an order in which they nest."""
        waiting: list[tuple[Span, int]] = []
        for span, start, end in self.spans:
            while waiting and waiting[-1][1] <= start:
                yield *waiting.pop(), False
            yield span, start, True
            waiting.append((span, end))
        while waiting:
            yield *waiting.pop(), False


def tracks(graph: CausalGraph) -> list[Track]:
    """Put each span on the track of its parent where it has room there, else on the first free one. n log n."""
    services: dict[str, _Service] = {}
    of_span: dict[str, Track] = {}
    spans = zip(graph.spans, graph.ends, graph.parents, strict=True)
    # Of those that begin together the longest first, so that it holds the others.
    for span, end, above in sorted(spans, key=lambda one: (one[0].start_ns, -one[1])):
        parent = graph.spans[above].span_id if above >= 0 else ""
        track = of_span.get(parent)
        if track is None or track.service != span.service or not track.has_room(parent, span.start_ns, end):
            track = services.setdefault(span.service, _Service(span.service)).free(span.start_ns, end)
        track.place(span, span.start_ns, end)
        of_span[span.span_id] = track
    return [track for service in services.values() for track in service.tracks]


class _Service:
    """The tracks of one service."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tracks: list[Track] = []
        self._busy: list[tuple[int, int]] = []
        self._free: list[int] = []

    def free(self, start: int, end: int) -> Track:
        """The first track on which nothing runs at `start`; it is busy until `end` from now on."""
        while self._busy and self._busy[0][0] <= start:
            heappush(self._free, heappop(self._busy)[1])
        if not self._free:
            self.tracks.append(Track(self.name, len(self.tracks) + 1))
            heappush(self._free, len(self.tracks) - 1)
        place = heappop(self._free)
        heappush(self._busy, (end, place))
        return self.tracks[place]


__all__ = ["Track", "tracks"]
