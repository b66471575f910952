"""Layout of a picture: lanes below each other, bars on tracks so that no two labels touch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from otel_mas.report.svg.measure import fit, width
from otel_mas.report.svg.scene import Bar, Scene
from otel_mas.report.svg.timescale import TimeScale
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.text import duration

WIDTH = 1000.0
EDGE = 16.0
"""Kept free on the right."""
SIZE = 11.0
"""Font size of the labels."""
_CROWDED = 60
"""From so many bars on only those are labelled that are wide enough, and tracks are low."""
_MOST_TRACKS = 60
_LABEL, _BAR, _LOW_BAR, _GAP = 14.0, 12.0, 7.0, 5.0
_PADDING = 6.0
_LANE_GAP, _LEAST_LANE = 9.0, 18.0
_LONG_NAME, _LONGEST_NAME = 90.0, 150.0
_BESIDE = 8.0
"""Kept free between two labels on a track."""


@dataclass(slots=True, eq=False)
class Box:
    """A bar with its place. `label` is written above it, from `x` of it or up to `right` of it."""

    bar: Bar
    x: float
    right: float
    label: str = ""
    took: str = ""
    flipped: bool = False
    y: float = 0.0
    """Top of the box: of the label where there is one."""
    height: float = 0.0
    inner: list[Box] = field(default_factory=list)

    @property
    def labelled(self) -> bool:
        return bool(self.label)

    @property
    def bar_top(self) -> float:
        return self.y + (_LABEL if self.labelled and not self.inner else 0.0)

    @property
    def bar_height(self) -> float:
        return self.height if self.inner else self.y + self.height - self.bar_top

    @property
    def middle(self) -> float:
        """Point at which edges arrive; at an enclosing bar it is beside its label."""
        return self.y + _LABEL / 2 + 1 if self.inner else self.bar_top + self.bar_height / 2

    def leaving(self, to: float) -> float:
        """Point at which an edge to this height leaves."""
        return self.y + self.height - 9 if self.inner and to > self.y + self.height else self.middle

    @property
    def inset(self) -> float:
        """From the left end of the bar to that of the label."""
        return 6.0 if self.inner else 2.0

    def extent(self) -> tuple[float, float]:
        """Interval of its track, from left to right, with the labels of what it encloses."""
        wide = self.inset + width(self.label, SIZE) if self.labelled else 0.0
        begin, end = self.x, max(self.right, self.x + 1)
        if self.flipped:
            begin = min(begin, self.right - wide)
        else:
            end = max(end, self.x + wide)
        inner = [box.extent() for box in self.inner]
        return min([begin, *(left for left, _ in inner)]), max([end, *(right for _, right in inner)])


@dataclass(frozen=True, slots=True)
class Lane:
    """A strip across the picture."""

    name: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture with every place settled, in pixels."""

    scale: TimeScale
    left: float
    top: float
    bottom: float
    lanes: list[Lane]
    boxes: dict[int, Box]
    """By the identity of the bar."""
    hidden: int
    """Bars for which there was no track."""


def arrange(scene: Scene, top: float) -> Layout:
    """Settle every place. `top` is where the first lane begins."""
    left = 14 + max((min(150.0, width(name, SIZE + 1)) for name in scene.lanes), default=0.0)
    left = max(left, 96.0)
    busy = [(run.start_ns, max(run.start_ns, run.end_ns or run.start_ns)) for run in scene.runs]
    busy += [(bar.start_ns, bar.end_ns) for bar in scene.bars]
    scale = TimeScale(busy or [(0, 0)], left, WIDTH - EDGE)
    packer = _Packer(scale, scene.labels, crowded=len(scene.bars) > _CROWDED)
    y, lanes, boxes = top, [], {}
    for name, bars in scene.lanes.items():
        placed, height = packer.pack(bars, left, WIDTH)
        for box in _all(placed):
            box.y += y + _LANE_GAP / 2
            boxes[id(box.bar)] = box
        high = max(height + _LANE_GAP, _LEAST_LANE)
        lanes.append(Lane(fit(name, SIZE + 1, left - 14), y, high))
        y += high
    return Layout(scale, left, top, y, lanes, boxes, packer.hidden)


def _all(boxes: Sequence[Box]) -> Iterator[Box]:
    waiting = list(boxes)
    while waiting:
        box = waiting.pop()
        yield box
        waiting.extend(box.inner)


class _Packer:
    """Puts bars onto as few tracks as their labels allow."""

    def __init__(self, scale: TimeScale, labels: TaskLabels, crowded: bool) -> None:
        self._scale = scale
        self._outline = labels
        self._crowded = crowded
        self.hidden = 0

    def pack(self, bars: Sequence[Bar], left: float, right: float) -> tuple[list[Box], float]:
        """Boxes, from 0 downwards, and how high they are together; labels stay between `left` and `right`."""
        boxes = sorted((self._box(bar, left, right) for bar in bars), key=lambda box: box.extent())
        tracks: list[list[Box]] = []
        free: list[float] = []
        placed = []
        for box in boxes:
            begin, end = box.extent()
            number = next((i for i, until in enumerate(free) if until <= begin), len(free))
            if number == _MOST_TRACKS:
                self.hidden += sum(1 for _ in _all([box]))
                continue
            if number == len(free):
                free.append(0.0)
                tracks.append([])
            free[number] = end + (_BESIDE if box.labelled else 0.5)
            tracks[number].append(box)
            placed.append(box)
        y = 0.0
        for track in tracks:
            for box, following in zip(track, [*track[1:], None], strict=True):
                self._say_more(box, following, right)
                for one in _all([box]):
                    one.y += y
            y += max(box.height for box in track) + (2 if self._crowded else _GAP)
        return placed, y

    def _box(self, bar: Bar, left: float, right: float) -> Box:
        x, end = self._scale.at(bar.start_ns), self._scale.at(bar.end_ns)
        box = Box(bar, x, max(end, x + 1.5))
        names = self._names(bar, box.right - x)
        if bar.inner or not self._crowded or width(names[0], SIZE) <= box.right - box.x:
            box.took = "" if bar.span.end_ns is None else duration(bar.span.duration_ns)
            box.label, box.flipped = self._fitting(names, box, left, right)
        if not bar.inner:
            box.height = (_LABEL if box.labelled else 0.0) + (_LOW_BAR if self._crowded else _BAR)
            return box
        box.inner, height = self.pack(bar.inner, x, box.right)
        for inner in _all(box.inner):
            inner.y += _LABEL + 3
        box.height = _LABEL + 3 + height + _PADDING - _GAP
        return box

    def _names(self, bar: Bar, room: float) -> list[str]:
        """Candidates for its label, the best first: the number alone is enough if the lane has the name."""
        name = self._outline.label(bar.span) if bar.span.task_id else bar.name
        own, mark, number = name.rpartition("#")
        short = f"#{number}" if mark and own == bar.name and bar.lane.startswith(own) else None
        if short is not None and width(name, SIZE) > max(room, _LONG_NAME):
            return [short]
        whole = fit(name, SIZE, max(room, _LONGEST_NAME))
        return [whole] if short is None else [whole, short]

    def _fitting(self, names: Sequence[str], box: Box, left: float, right: float) -> tuple[str, bool]:
        """The first name that fits between what is around the bar and where nothing ran; whether it goes leftwards."""
        most = self._limit(box, right)
        least = max(left, max((piece.right for piece in self._scale.idle if piece.right <= box.x + 2), default=left))
        for name in names:
            wide = box.inset + width(name, SIZE)
            if box.x + wide <= most:
                return name, False
            if box.right - wide >= least and not box.bar.inner:
                return name, True
        return names[0], False

    def _limit(self, box: Box, right: float) -> float:
        """How far a label may go: not beyond what is around the bar, nor into a stretch in which nothing ran."""
        gap = next(
            (piece.left for piece in self._scale.idle if piece.right > box.x + 0.5 and piece.left >= box.x - 2), right
        )
        return min(right, gap)

    def _say_more(self, box: Box, following: Box | None, right: float) -> None:
        """The duration beside the name, where there is room for it."""
        room = self._limit(box, right)
        if following is not None:
            room = min(room, following.extent()[0] - _BESIDE)
        if box.flipped or box.x + box.inset + width(f"{box.label} {box.took}", SIZE) > room:
            box.took = ""
