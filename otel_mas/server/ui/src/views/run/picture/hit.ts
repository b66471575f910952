/** Which span lies under the pointer. */
import { ROW } from "../../../model/layout";
import { AXIS, type Frame } from "./draw";

export function spanAt(frame: Frame, x: number, y: number): number {
  const { scene, view, left, width, top } = frame;
  if (x < left || y < AXIS) return -1;
  const perUnit = (width - left) / (view.to - view.from);
  const { layout, run, scale, now } = scene;
  const slack = 3 / perUnit;
  const unit = view.from + (x - left) / perUnit;
  const below = y - AXIS + top;
  const covers = (i: number) =>
    scale.at(run.starts[i]) - slack <= unit && unit <= scale.at(run.end(i, now)) + slack;
  let found = -1;
  // Bars inside come after those around them.
  for (const i of layout.bars)
    if (layout.y[i] <= below && below < layout.y[i] + layout.h[i] && covers(i)) found = i;
  if (found < 0) return -1;
  const high = layout.box[found] ? ROW : layout.h[found];
  if (below < layout.y[found] + high - 9 || below > layout.y[found] + high) return found;
  let call = -1;
  for (let at = layout.stripStart[found]; at < layout.stripStart[found + 1]; at++)
    if (covers(layout.strips[at])) call = layout.strips[at];
  return call >= 0 ? call : found;
}
