/** Edges of the picture. */
import { ROW } from "../../../model/layout";
import { edgeStyle } from "./colours";
import { AXIS, type Frame, unitX } from "./frame";
import type { Arrow } from "./scene";

const MOST_ARROWS = 600;

/** Edges; above the bars those on the critical path, of joins, and of what is selected. */
export function drawArrows(context: CanvasRenderingContext2D, frame: Frame, above: boolean): void {
  const perUnit = (frame.width - frame.left) / (frame.view.to - frame.view.from);
  const { from, to } = frame.scene;
  const selected = frame.selected < 0 ? -2 : frame.scene.layout.barOf[frame.selected];
  const drawn = new Set<number>();
  const [first, last] = [frame.view.from - 20 / perUnit, frame.view.to + 20 / perUnit];
  for (const arrow of frame.scene.arrows) {
    const { cause, effect } = arrow;
    if (from[effect] < first && to[cause] < first) continue;
    if (from[effect] > last && from[cause] > last) continue;
    const touched = cause === selected || effect === selected;
    if ((arrow.critical || arrow.joined || touched) !== above) continue;
    drawArrow(context, frame, arrow, touched, drawn);
    if (drawn.size > MOST_ARROWS) return;
  }
}

function drawArrow(context: CanvasRenderingContext2D, frame: Frame, arrow: Arrow, touched: boolean, drawn: Set<number>): void {
  const { scene } = frame;
  const { layout } = scene;
  const { cause, effect } = arrow;
  const toX = unitX(frame, scene.from[effect]);
  const fromX = Math.min(unitX(frame, scene.to[cause]), Math.max(toX, unitX(frame, scene.from[cause])));
  const fromY = layout.y[cause] - frame.top + AXIS + Math.min(layout.h[cause], ROW) / 2;
  const toY = layout.y[effect] - frame.top + AXIS + Math.min(layout.h[effect], ROW) / 2;
  const outside =
    Math.max(fromX, toX) < frame.left || Math.min(fromX, toX) > frame.width ||
    Math.max(fromY, toY) < AXIS || Math.min(fromY, toY) > frame.height;
  if (outside || Math.abs(fromX - toX) + Math.abs(fromY - toY) < 6) return;
  // Where hundreds lie on the same pixels, one is enough.
  const place = ((Math.round(toX / 3) * 4096 + Math.round(fromX / 3)) * 512 + (Math.round(fromY / 4) & 511)) * 512 + (Math.round(toY / 4) & 511);
  if (drawn.has(place) && !touched) return;
  drawn.add(place);
  const { colour, dash } = edgeStyle(arrow.kind, frame.colours);
  const faint = frame.focus && !(frame.focus.has(cause) && frame.focus.has(effect));
  context.globalAlpha = faint ? 0.15 : touched || arrow.critical || arrow.joined ? 1 : 0.75;
  context.strokeStyle = touched ? frame.colours.select : arrow.critical ? frame.colours.path : colour;
  context.fillStyle = context.strokeStyle;
  context.lineWidth = arrow.joined ? 2.4 : arrow.critical || touched ? 1.6 : 1.1;
  context.setLineDash(dash);
  context.beginPath();
  curve(context, fromX, fromY, toX, toY);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(toX, toY);
  context.lineTo(toX - 6, toY - 3);
  context.lineTo(toX - 6, toY + 3);
  context.fill();
  context.globalAlpha = 1;
}

/** From the end of a cause to the start of its effect: along time first, then down. */
function curve(context: CanvasRenderingContext2D, fromX: number, fromY: number, toX: number, toY: number): void {
  context.moveTo(fromX, fromY);
  if (Math.abs(fromY - toY) < 1) {
    context.lineTo(toX, toY);
    return;
  }
  const reach = Math.min(60, Math.max(14, Math.abs(toX - fromX) / 2));
  context.bezierCurveTo(fromX + reach, fromY, toX - reach, toY, toX, toY);
}
