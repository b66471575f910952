"""A mined topology as SVG: what leads to something is left of it, unless it leads back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from otel_mas.analyse.executions import ExecutionKind
from otel_mas.causal.links import INFERRED
from otel_mas.report.html.style import style
from otel_mas.report.markup import Markup, element, number
from otel_mas.report.svg.measure import fit, width
from otel_mas.report.text import duration, plain
from otel_mas.report.topology_picture import Arrow, Picture, Place
from otel_mas.report.topology_text import edge_words
from otel_mas.semconv import LinkKind

_SIZE, _SMALL = 12.0, 10.0
_HIGH, _BETWEEN, _GAP, _MARGIN = 40.0, 16.0, 84.0, 12.0
_WIDEST, _NARROWEST = 190.0, 64.0
_SWEEPS = 4
_KINDS = {ExecutionKind.TOOL: "om-tool", ExecutionKind.RETRIEVAL: "om-retrieval", ExecutionKind.AGENT: "om-model"}
_EDGES: Mapping[str, str] = {
    LinkKind.SEND: "om-send",
    LinkKind.HANDOFF: "om-handoff",
    LinkKind.CALL: "om-call",
    LinkKind.MESSAGE: "om-said",
    LinkKind.RESUME: "om-resume",
    LinkKind.RETRY: "om-retry",
    LinkKind.ERROR_HANDLER: "om-retry",
}


@dataclass(slots=True)
class _Box:
    x: float
    y: float
    wide: float

    @property
    def right(self) -> float:
        return self.x + self.wide

    @property
    def middle(self) -> float:
        return self.y + _HIGH / 2


def draw(picture: Picture, **attributes: object) -> Markup:
    """The drawing, which takes its colours from the style sheet around it."""
    boxes = _placed(picture)
    return element(
        "svg",
        element("title", "Who leads to whom"),
        element("g", list(_arrows(picture, boxes)), class_="om-edges"),
        element("g", [_node(picture, place, box) for place, box in boxes.items()]),
        **_extent(picture, boxes),
        role="img",
        aria_label="Who leads to whom",
        class_="om-graph",
        font_size=number(_SIZE),
        **attributes,
    )


def document(picture: Picture) -> str:
    """A file of its own, which loads nothing and runs no script."""
    drawn = draw(picture, style="max-width:none")
    whole = element(
        "svg",
        style(),
        drawn,
        xmlns="http://www.w3.org/2000/svg",
        class_="otel-mas",
        style="max-width:none",
        **_extent(picture, _placed(picture)),
    )
    return f"{whole}\n"


def _extent(picture: Picture, boxes: Mapping[Place, _Box]) -> dict[str, str]:
    """The size of the drawing."""
    wide = number(max((box.right for box in boxes.values()), default=0.0) + _MARGIN)
    back = sum(boxes[arrow.effect].x <= boxes[arrow.cause].x for arrow in picture.arrows)
    high = number(_below(boxes) + _MARGIN + min(12.0 * back, 120.0))
    return {"viewBox": f"0 0 {wide} {high}", "width": wide, "height": high}


def _below(boxes: Mapping[Place, _Box]) -> float:
    """The lower end of the lowest box."""
    return max((box.y + _HIGH for box in boxes.values()), default=0.0)


def _placed(picture: Picture) -> Mapping[Place, _Box]:
    """A box for each node: layers from left to right, in each those close to what leads to them."""
    columns: dict[int, list[Place]] = defaultdict(list)
    for place, layer in picture.layers.items():
        columns[layer].append(place)
    near: dict[Place, list[Place]] = defaultdict(list)
    for arrow in picture.arrows:
        near[arrow.cause].append(arrow.effect)
        near[arrow.effect].append(arrow.cause)
    layers = [columns[layer] for layer in sorted(columns)]
    _untangle(layers, near)
    boxes: dict[Place, _Box] = {}
    x, highest = _MARGIN, max(map(len, layers), default=0)
    for places in layers:
        wides = [min(_WIDEST, max(_NARROWEST, width(plain(picture.title(one)), _SIZE) + 24)) for one in places]
        y = _MARGIN + (highest - len(places)) * (_HIGH + _BETWEEN) / 2
        for place in places:
            boxes[place] = _Box(x, y, max(wides))
            y += _HIGH + _BETWEEN
        x += max(wides) + _GAP
    return boxes


def _untangle(layers: Sequence[list[Place]], near: Mapping[Place, Sequence[Place]]) -> None:
    """Order each layer by the mean place of the neighbours in the one before it, there and back (barycentres)."""
    for sweep in range(_SWEEPS):
        walked = layers if sweep % 2 == 0 else layers[::-1]
        for before, here in pairwise(walked):
            at = {place: number for number, place in enumerate(before)}
            old = {place: number for number, place in enumerate(here)}

            def mean(place: Place, at: Mapping[Place, int] = at, old: Mapping[Place, int] = old) -> float:
                known = [at[one] for one in near[place] if one in at]
                return sum(known) / len(known) if known else float(old[place])

            here.sort(key=mean)


def _node(picture: Picture, place: Place, box: _Box) -> Markup:
    node, name = picture.nodes[place], plain(picture.title(place))
    shape = "om-box" if node is None or not node.errors else "om-box om-failed"
    detail, phrase = "", name
    if node is not None:
        failed = f", {node.errors:,} failed" if node.errors else ""
        took = "" if node.duration_p50_ns is None else f"  {duration(node.duration_p50_ns)}"
        detail = f"×{node.executions:,}{took}"
        phrase = f"{node.kind} {name}: {node.executions:,} executions in {node.runs:,} runs{failed}"
    at = box.x + 12
    return element(
        "g",
        element("title", phrase),
        element("rect", x=box.x, y=box.y, width=box.wide, height=_HIGH, rx=6, class_=shape),
        element("rect", x=box.x, y=box.y, width=4.0, height=_HIGH, class_=_KINDS[place[1]])  # type: ignore[index]
        if place[1] in _KINDS
        else None,
        element("text", fit(name, _SIZE, box.wide - 20), x=at, y=box.y + (17 if detail else 24)),
        element("text", fit(detail, _SMALL, box.wide - 20), x=at, y=box.y + 32, class_="om-dim", font_size=_SMALL)
        if detail
        else None,
    )


def _arrows(picture: Picture, boxes: Mapping[Place, _Box]) -> Iterator[Markup]:
    below, deeper = _below(boxes), 0.0
    for arrow in picture.arrows:
        cause, effect = boxes[arrow.cause], boxes[arrow.effect]
        if effect.x > cause.x:
            path, x, y = _forth(cause, effect)
        else:
            deeper = min(deeper + 12.0, 120.0)
            path, x, y = _back(cause, effect, below + deeper)
        yield _arrow(picture, arrow, path, (x, y), effect if effect.x > cause.x else None)


def _forth(cause: _Box, effect: _Box) -> tuple[str, float, float]:
    x, y, to, at = cause.right, cause.middle, effect.x - 1, effect.middle
    bend = max(24.0, (to - x) / 2)
    path = f"M{number(x)} {number(y)}C{number(x + bend)} {number(y)} {number(to - bend)} {number(at)}"
    return f"{path} {number(to)} {number(at)}", (x + to) / 2, (y + at) / 2 - 3


def _back(cause: _Box, effect: _Box, depth: float) -> tuple[str, float, float]:
    """Below everything, from the bottom of one to that of the other."""
    x, y = cause.x + cause.wide * 0.7, cause.y + _HIGH
    to, at = effect.x + effect.wide * 0.3, effect.y + _HIGH + 1
    path = (
        f"M{number(x)} {number(y)}C{number(x)} {number(depth)} {number(to)} {number(depth)} {number(to)} {number(at)}"
    )
    return path, (x + to) / 2, (y + at) / 8 + depth * 0.75 - 3


def _arrow(picture: Picture, arrow: Arrow, path: str, label: tuple[float, float], ahead: _Box | None) -> Markup:
    edge = arrow.edge
    shape = f"om-edge {_EDGES.get(edge.kind, 'om-trigger')}"
    if edge.provenance == INFERRED:
        shape += " om-inferred"
    head = path.rpartition(" ")
    to, at = float(head[0].rpartition(" ")[2]), float(head[2])
    tip = f"M{number(to)} {number(at)}" + ("l-5.5 -3v6z" if ahead is not None else "l-3 5.5h6z")
    phrase = f"{picture.title(arrow.cause)} → {picture.title(arrow.effect)}: {edge_words(edge)}"
    return element(
        "g",
        element("title", plain(phrase)),
        element("path", d=path),
        element("path", d=tip, class_="om-head"),
        element(
            "text", f"{edge.count:,}", x=label[0], y=label[1], text_anchor="middle", class_="om-dim", font_size=_SMALL
        ),
        class_=shape,
    )


__all__ = ["document", "draw"]
