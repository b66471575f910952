"""A causal graph as SVG: x is time, a lane is an agent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from otel_mas.causal import StepKind
from otel_mas.model import Span
from otel_mas.model.instants import instant
from otel_mas.report.certainty import certainty, is_inferred
from otel_mas.report.decisions import decision
from otel_mas.report.forks import forked
from otel_mas.report.markup import Markup, element, number, text
from otel_mas.report.svg.layout import EDGE, SIZE, WIDTH, Box, Layout, arrange
from otel_mas.report.svg.measure import fit, width
from otel_mas.report.svg.scene import Arrow, Bar, Scene
from otel_mas.report.svg.timescale import Piece
from otel_mas.report.text import count, duration, listing, offset, plain, usd
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind, Verdict

_AXIS = 34.0
_RUN = 18.0
_CALLS = {
    RecordKind.LLM_CALL: ("om-model", "model"),
    RecordKind.TOOL_CALL: ("om-tool", "tool"),
    RecordKind.RETRIEVAL: ("om-retrieval", "retrieval"),
}
# By kind a shape around (0, 0) and its name.
_CHECKS = {
    RecordKind.GUARDRAIL: ("M0 -4.5L4.5 0L0 4.5L-4.5 0z", "guardrail"),
    RecordKind.EVALUATION: ("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", "grade"),
}
_VERDICTS = {Verdict.BLOCK: " om-blocked", Verdict.MODIFIED: " om-modified"}
_EDGES: Mapping[str, str] = {
    LinkKind.TRIGGER: "om-trigger",
    LinkKind.SEND: "om-send",
    LinkKind.HANDOFF: "om-handoff",
    LinkKind.CALL: "om-call",
    LinkKind.RESUME: "om-resume",
    LinkKind.RETRY: "om-retry",
    LinkKind.ERROR_HANDLER: "om-retry",
}
_SHORTEST_TICK = 62.0
MOST_ARROWS = 160


def draw(scene: Scene) -> tuple[Markup, list[str]]:
    """The picture, and what is not in it, in words. It takes its colours from the style sheet around it."""
    drawing = _Drawing(scene)
    return drawing.draw(), drawing.left_out()


class _Drawing:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        runs = _RUN if len(scene.runs) > 1 else 0.0
        self.layout: Layout = arrange(scene, _AXIS + runs)
        self.scale = self.layout.scale
        self.begin = self.scale.start_ns
        self.arrows = _readable(scene.arrows)
        self.kinds = {arrow.edge.kind for arrow in self.arrows}
        self.waits = any(step.kind == StepKind.WAITING for step in scene.path.sections)

    def draw(self) -> Markup:
        legend, high = self._legend()
        height = self.layout.bottom + 8 + high
        return element(
            "svg",
            element("title", "What caused what"),
            element("desc", self._described()),
            element("g", *self._idle(), *self._grid(), class_="om-axis"),
            element("g", *self._lanes()),
            element("g", *self._runs(), class_="om-runs"),
            element("g", *self._arrows(critical=False), class_="om-edges"),
            element("g", *self._bars()),
            element("g", *self._arrows(critical=True), class_=f"om-edges om-on{self._fine()}"),
            element("g", *self._labels(), class_="om-labels"),
            element("g", legend, class_="om-legend"),
            viewBox=f"0 0 {number(WIDTH)} {number(height)}",
            width=number(WIDTH),
            height=number(height),
            role="img",
            aria_label=self._described(),
            class_="om-graph",
            font_size=number(SIZE),
        )

    def left_out(self) -> list[str]:
        """Elements that are not drawn."""
        phrase = list(self.scene.left_out)
        if self.layout.hidden:
            phrase.append(f"{count(self.layout.hidden, 'task')} for which there was no room")
        hidden = len(self.scene.arrows) - len(self.arrows)
        if hidden:
            phrase.append(f"{count(hidden, 'cause')} beside the critical path")
        return phrase

    def _fine(self) -> str:
        return " om-fine" if len(self.arrows) < len(self.scene.arrows) else ""

    def _described(self) -> str:
        """The picture in sentences."""
        agents = listing(list(self.scene.lanes), 6)
        phrase = f"{count(len(self.scene.bars), 'task')} of {agents} over {duration(self._total())}."
        joins = [arrow for arrow in self.scene.arrows if arrow.last]
        if joins:
            waited = [f"{self._name(arrow.effect)} waited for {self._name(arrow.cause)}" for arrow in joins]
            phrase += f" Of the branches that were joined, {listing(waited, 4)}."
        shrunk = [piece for piece in self.scale.idle if piece.shrunk]
        if shrunk:
            took = duration(sum(piece.end_ns - piece.start_ns for piece in shrunk))
            what = "waiting for input" if self.waits else "in which nothing ran"
            phrase += f" {took} {what} are drawn short."
        return phrase

    def _total(self) -> int:
        return self.scale.pieces[-1].end_ns - self.begin

    def _name(self, bar: Bar) -> str:
        return self.scene.labels.label(bar.span) if bar.span.task_id else bar.name

    # What is behind everything: time.

    def _grid(self) -> Iterator[Markup]:
        started = instant(self.begin).time()
        yield element("text", f"since {started}", x=0, y=_AXIS - 10, class_="om-dim")
        ticks = self.scale.ticks(_SHORTEST_TICK)
        for tick in ticks:
            x = self.scale.at(tick)
            yield element("line", x1=x, x2=x, y1=_AXIS - 5, y2=self.layout.bottom, class_="om-grid")
            yield element("text", _clock(tick - self.begin), x=x, y=_AXIS - 10, text_anchor="middle", class_="om-dim")

    def _idle(self) -> Iterator[Markup]:
        for piece in self.scale.idle:
            took = duration(piece.end_ns - piece.start_ns)
            waits = any(
                step.kind == StepKind.WAITING and step.start_ns < piece.end_ns and step.end_ns > piece.start_ns
                for step in self.scene.path.sections
            )
            what = "waiting for input" if waits else "nothing ran"
            scale = ", not to scale" if piece.shrunk else ""
            yield element(
                "g",
                element("title", f"{took} {what}{scale}"),
                element("path", d=_hatching(piece, _AXIS - 4, self.layout.bottom), class_="om-hatch"),
                element(
                    "rect",
                    x=piece.left,
                    y=_AXIS - 4,
                    width=max(1.0, piece.right - piece.left),
                    height=self.layout.bottom - _AXIS + 4,
                    class_="om-idle",
                ),
            )
            yield from self._said_of(piece, took, what)

    def _said_of(self, piece: Piece, took: str, what: str) -> Iterator[Markup]:
        """Above it, and a little beyond its sides: ticks keep away from what is shrunk."""
        gap = min((self._gap_around(piece), 24.0)) / 2 - 2
        room, middle = piece.right - piece.left + 2 * max(0.0, gap), (piece.left + piece.right) / 2
        if width(took, SIZE) > room:
            return
        both = width(what, SIZE) <= room
        yield element("text", took, x=middle, y=_AXIS - (22 if both else 10), text_anchor="middle", class_="om-wait")
        if both:
            yield element("text", what, x=middle, y=_AXIS - 10, text_anchor="middle", class_="om-wait")

    def _gap_around(self, piece: Piece) -> float:
        """How wide the narrower of the busy stretches on both sides is."""
        return min(
            other.right - other.left
            for other in self.scale.pieces
            if not other.idle and (other.right == piece.left or other.left == piece.right)
        )

    # Lanes and invocations.

    def _lanes(self) -> Iterator[Markup]:
        for position, lane in enumerate(self.layout.lanes):
            if position:
                yield element("line", x1=0, x2=WIDTH, y1=lane.y, y2=lane.y, class_="om-rule")
            middle = lane.y + min(19.0, lane.height / 2 + 4)
            yield element("text", lane.name, x=0, y=middle, class_="om-lane", font_size=number(SIZE + 1))

    def _runs(self) -> Iterator[Markup]:
        if len(self.scene.runs) < 2:
            return
        y = _AXIS + 9
        for position, run in enumerate(self.scene.runs, start=1):
            end_ns = run.end_ns or run.start_ns
            x, right = self.scale.at(run.start_ns), self.scale.at(end_ns)
            outcome = run.columns.get(names.MAS_RUN_OUTCOME)
            ended = "paused for input" if outcome == "interrupted" else plain(outcome or "")
            phrase = f"run {position}" + (f", {ended}" if ended and ended != "ok" else "")
            label = fit(phrase, SIZE, right - x - 12)
            wide = width(label, SIZE) + 8 if label else 0.0
            path = f"M{number(x)} {number(y - 4)}v8M{number(x)} {number(y)}H{number(right)}m0 -4v8"
            if wide:
                path = f"M{number(x)} {number(y - 4)}v8M{number(x + wide + 4)} {number(y)}H{number(right)}m0 -4v8"
                yield element("text", label, x=x + 5, y=y + 4, class_="om-dim")
            title = ", ".join(filter(None, (f"trace {run.trace_id}: {plain(run.name)}, {phrase}", forked(run))))
            yield element("path", element("title", title), d=path, class_="om-run")

    # Bars and what is in them.

    def _bars(self) -> Iterator[Markup]:
        boxes = sorted(self.layout.boxes.values(), key=lambda box: not box.inner)
        for box in boxes:
            yield element("g", *self._bar(box))

    def _bar(self, box: Box) -> Iterator[Markup]:
        bar = box.bar
        shape = "om-box" if box.inner else "om-bar"
        if bar.failed:
            shape += " om-failed"
        elif bar.paused:
            shape += " om-paused"
        elif bar.span.end_ns is None:
            shape += " om-open"
        wide = box.right - box.x
        yield element(
            "rect",
            element("title", self._tooltip(bar)),
            x=box.x,
            y=box.bar_top,
            width=wide,
            height=box.bar_height,
            rx=4 if box.inner else 2,
            class_=shape,
        )
        top, high = (box.y + _LINE_BELOW, 4.0) if box.inner else (box.bar_top + 2, box.bar_height - 6)
        for call, depth in bar.calls:
            yield self._call(call, top + min(depth, 2) * 1.5, max(2.0, high - min(depth, 2) * 3))
        for check in bar.checks:
            yield self._check(check, top + high / 2)
        for start, end in bar.critical:
            x, right = self.scale.at(start), self.scale.at(end)
            if right - x >= (2 if box.inner else 0.2):
                low = box.bar_top + box.bar_height
                yield element("rect", x=x, y=low - 3, width=right - x, height=3, class_="om-path")

    def _call(self, call: Span, top: float, high: float) -> Markup:
        x = self.scale.at(call.start_ns)
        right = max(x + 1, self.scale.at(call.end_ns or call.start_ns))
        shape, _ = _CALLS[RecordKind(call.record_kind or "")]
        return element(
            "rect",
            element("title", self._said_call(call)),
            x=x,
            y=top,
            width=right - x,
            height=high,
            class_=shape,
        )

    def _check(self, check: Span, y: float) -> Markup:
        """A guardrail or a grade, where it had decided."""
        shape, _ = _CHECKS[RecordKind(check.record_kind or "")]
        phrase = f"{plain(check.name)} {decision(check) or ''}".rstrip()
        x = self.scale.at(check.start_ns if check.end_ns is None else check.end_ns)
        return element(
            "path",
            element("title", f"{phrase}: {offset(check.start_ns - self.begin)}"),
            d=shape,
            transform=f"translate({number(x)} {number(y)})",
            class_=f"om-check{_VERDICTS.get(check.get(names.MAS_GUARDRAIL_VERDICT), '')}",
        )

    def _tooltip(self, bar: Bar) -> str:
        span = bar.span
        took = "not ended" if span.end_ns is None else duration(span.duration_ns)
        phrase = f"{self._name(bar)}: {offset(span.start_ns - self.begin)}, {took}"
        error = span.columns.get(names.ERROR_TYPE)
        if bar.failed:
            phrase += f", failed{f' ({plain(error)})' if error else ''}"
        if bar.paused:
            phrase += ", paused for input"
        return f"{phrase}\nspan {span.span_id}"

    def _said_call(self, call: Span) -> str:
        phrase = f"{plain(call.name)}: {offset(call.start_ns - self.begin)}, {duration(call.duration_ns)}"
        read = call.columns.get(names.GEN_AI_USAGE_INPUT_TOKENS)
        wrote = call.columns.get(names.GEN_AI_USAGE_OUTPUT_TOKENS)
        if isinstance(read, int) or isinstance(wrote, int):
            phrase += f"\n{read or 0:,} tokens in, {wrote or 0:,} out"
        cost = call.columns.get(names.MAS_COST_USD)
        if isinstance(cost, int | float):
            phrase += f", {usd(cost)}" + (" simulated" if call.columns.get(names.MAS_COST_SIMULATED) else "")
        return phrase

    def _labels(self) -> Iterator[Markup]:
        for box in self.layout.boxes.values():
            if not box.labelled:
                continue
            x, anchor = (box.right, "end") if box.flipped else (box.x, None)
            inset = 0.0 if box.flipped else box.inset
            took = element("tspan", f" {box.took}", class_="om-dim") if box.took else None
            shape = "om-strong" if box.bar.critical else None
            yield element("text", box.label, took, x=x + inset, y=box.y + 11, text_anchor=anchor, class_=shape)

    # Edges.

    def _arrows(self, critical: bool) -> Iterator[Markup]:
        boxes = self.layout.boxes
        for arrow in self.arrows:
            cause, effect = boxes.get(id(arrow.cause)), boxes.get(id(arrow.effect))
            if cause is not None and effect is not None and arrow.critical is critical:
                yield self._arrow(arrow, cause, effect)
        if critical:
            return
        for bar, edge in self.scene.outside:
            box = boxes.get(id(bar))
            if box is not None:
                path = f"M{number(box.x - 14)} {number(box.middle)}H{number(box.x - 2)}"
                phrase = f"{edge.kind} from span {edge.cause}, in another trace"
                yield element("path", element("title", phrase), d=path, class_="om-edge om-outside")

    def _arrow(self, arrow: Arrow, cause: Box, effect: Box) -> Markup:
        to, at = effect.x, effect.middle
        x, y = cause.right, cause.leaving(at)
        phrase = f"{arrow.edge.kind}: {self._name(arrow.cause)} → {self._name(arrow.effect)}"
        if arrow.last:
            phrase += f", which ended last of what {self._name(arrow.effect)} waited for"
        shape = f"om-edge {_EDGES.get(arrow.edge.kind, 'om-trigger')}"
        shape += " om-last" if arrow.last else ""
        if is_inferred(arrow.edge):
            shape += " om-inferred"
            phrase += f" ({certainty(arrow.edge)})"
        bend = min(60.0, max(9.0, abs(to - x) * 0.5))
        if abs(at - y) < 1 and to >= x:
            path = f"M{number(x)} {number(y)}H{number(to - 1)}"
        else:
            path = (
                f"M{number(x)} {number(y)}C{number(x + bend)} {number(y)} {number(to - bend)} {number(at)}"
                f" {number(to - 1)} {number(at)}"
            )
        head = f"M{number(to)} {number(at)}l-5.5 -3v6z"
        return element(
            "g",
            element("title", phrase),
            element("path", d=path),
            element("path", d=head, class_="om-head"),
            class_=shape,
        )

    # What the marks mean.

    def _legend(self) -> tuple[Markup, float]:
        kinds = {call.record_kind for bar in self.scene.bars for call, _ in bar.calls}
        x, y = 0.0, self.layout.bottom + 20
        items = []
        for kind, (shape, phrase) in _CALLS.items():
            if kind in kinds:
                items.append((element("rect", x=0, y=-8, width=16, height=7, class_=shape), phrase))
        checks = {check.record_kind for bar in self.scene.bars for check in bar.checks}
        for kind, (shape, phrase) in _CHECKS.items():
            if kind in checks:
                key = element("path", d=shape, transform="translate(8 -4)", class_="om-check")
                items.append((key, phrase))
        if any(bar.critical for bar in self.scene.bars):
            items.append((element("rect", x=0, y=-6, width=16, height=3, class_="om-path"), "critical path"))
        known: dict[str, list[str]] = {}
        for link, shape in _EDGES.items():
            if link in self.kinds:
                known.setdefault(shape, []).append(link.replace("_", " "))
        for shape, said_kinds in known.items():
            key = _key(shape)
            items.append((key, " or ".join(said_kinds)))
        if any(arrow.last for arrow in self.arrows):
            items.append((_key("om-last"), "last of a join"))
        if any(is_inferred(arrow.edge) for arrow in self.arrows):
            items.append((_key("om-inferred"), "inferred"))
        if any(piece.shrunk for piece in self.scale.idle):
            hatch = Piece(0, 0, 0.0, 16.0)
            key = element("path", d=_hatching(hatch, -9, 0), class_="om-hatch")
            items.append((key, "not to scale"))
        drawn = []
        for key, phrase in items:
            wide = 22 + width(phrase, SIZE)
            if x and x + wide > WIDTH - EDGE:
                x, y = 0.0, y + 18
            drawn.append(
                element("g", key, element("text", phrase, x=22, y=0), transform=f"translate({number(x)} {number(y)})")
            )
            x += wide + 18
        return text(drawn), (y + 10 - self.layout.bottom if items else 0.0)


_LINE_BELOW = 15.0


def _readable(arrows: list[Arrow]) -> list[Arrow]:
    """All, or, where they would hide the bars, those on the critical path."""
    return arrows if len(arrows) <= MOST_ARROWS else [arrow for arrow in arrows if arrow.critical]


def _key(shape: str) -> Markup:
    line, head = element("path", d="M0 -4H14"), element("path", d="M18 -4l-5.5 -3v6z", class_="om-head")
    return element("g", line, head, class_=f"om-edge {shape}")


def _hatching(piece: Piece, top: float, bottom: float) -> str:
    """Slanted lines inside a rectangle, each cut to it: without a pattern there is no id to clash with the page's."""
    left, right = piece.left, piece.right
    lines: list[str] = []
    apart = 7.0
    start = left - (bottom - top)
    start -= start % apart
    while start < right and len(lines) < 1_500:
        # From (start, bottom) up to the right.
        low, high = max(left, start), min(right, start + bottom - top)
        if low < high:
            lines.append(
                f"M{number(low)} {number(bottom - (low - start))}L{number(high)} {number(bottom - (high - start))}"
            )
        start += apart
    return "".join(lines)


def _clock(ns: int) -> str:
    """A round time: 0, 500 ms, 2 s, 1m 50s, 2h 00m."""
    if ns == 0:
        return "0"
    if ns < 10**6:
        return f"{ns / 10**3:g} µs"
    if ns < 10**9:
        return f"{ns / 10**6:g} ms"
    if ns < 100 * 10**9:
        return f"{ns / 10**9:g} s"
    seconds = ns // 10**9
    if seconds < 3600:
        return f"{seconds // 60}m {seconds % 60:02}s"
    return f"{seconds // 3600}h {seconds // 60 % 60:02}m"
