/** Edges of the picture. */
import { ROW } from "../../../model/layout";
import { edgeStyle } from "./colours";
import { AXIS, type Frame, unitX } from "./frame";
import type { Arrow } from "./scene";

const MOST_ARROWS = 600;
/** With more of them in view none can be told from its neighbours: fewer are drawn, thin, straight and without heads. */
const CROWDED = 120;
const PLACE_PX = 3;
const CROWDED_PLACE_PX = 12;

/** Edges; above the bars those on the critical path, of joins, and of what is selected. */
export function drawArrows(context: CanvasRenderingContext2D, frame: Frame, above: boolean): void {
  const perUnit = (frame.width - frame.left) / (frame.view.to - frame.view.from);
  const { from, to } = frame.scene;
  const selected = frame.selected < 0 ? -2 : frame.scene.layout.barOf[frame.selected];
  const drawn = new Set<number>();
  const [first, last] = [frame.view.from - 20 / perUnit, frame.view.to + 20 / perUnit];
  const visible = ({ cause, effect }: Arrow) =>
    (from[effect] >= first || to[cause] >= first) && (from[effect] <= last || from[cause] <= last);
  const inView = frame.scene.arrows.filter(visible);
  const crowded = inView.length > CROWDED;
  for (const arrow of inView) {
    const { cause, effect } = arrow;
    const touched = cause === selected || effect === selected;
    if ((arrow.critical || arrow.joined || touched) !== above) continue;
    drawArrow(context, frame, arrow, touched, crowded && !touched, drawn);
    if (drawn.size > MOST_ARROWS) return;
  }
}

function drawArrow(
  context: CanvasRenderingContext2D, frame: Frame, arrow: Arrow, touched: boolean, crowded: boolean, drawn: Set<number>,
): void {
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
  const begins = crowded ? 0 : Math.round(fromX / PLACE_PX);
  const ends = Math.round(toX / (crowded ? CROWDED_PLACE_PX : PLACE_PX));
  const place = ((ends * 4096 + begins) * 512 + (Math.round(fromY / 4) & 511)) * 512 + (Math.round(toY / 4) & 511);
  if (drawn.has(place) && !touched) return;
  drawn.add(place);
  const { colour, dash } = edgeStyle(arrow.kind, frame.colours);
  const faint = frame.focus && !(frame.focus.has(cause) && frame.focus.has(effect));
  context.globalAlpha = faint ? 0.15 : arrow.inferred ? 0.5 : touched || arrow.critical || arrow.joined ? 1 : 0.75;
  context.strokeStyle = touched ? frame.colours.select : arrow.critical ? frame.colours.path : colour;
  context.fillStyle = context.strokeStyle;
  context.lineWidth = crowded ? 0.8 : arrow.joined ? 2.4 : arrow.critical || touched ? 1.6 : 1.1;
  if (dash.length && !crowded) context.setLineDash(dash);
  context.beginPath();
  if (crowded) {
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
    context.stroke();
    context.globalAlpha = 1;
    return;
  }
  curve(context, fromX, fromY, toX, toY);
  context.stroke();
  if (dash.length) context.setLineDash([]);
  context.beginPath();
  context.moveTo(toX, toY);
  context.lineTo(toX - 6, toY - 3);
  context.lineTo(toX - 6, toY + 3);
  if (arrow.inferred) {
    // An open head: it is not certain.
    context.closePath();
    context.stroke();
  } else context.fill();
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
