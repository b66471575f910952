/** Which span lies under the pointer. */
import { ROW } from "../../../model/layout";
import { AXIS, type Frame } from "./frame";
import { firstAfter } from "./scene";

export function spanAt(frame: Frame, x: number, y: number): number {
  const { scene, view, left, width, top } = frame;
  if (x < left || y < AXIS) return -1;
  const perUnit = (width - left) / (view.to - view.from);
  const { layout, from, to } = scene;
  const slack = 3 / perUnit;
  const unit = view.from + (x - left) / perUnit;
  const below = y - AXIS + top;
  const covers = (i: number) => from[i] - slack <= unit && unit <= to[i] + slack;
  let found = -1;
  // Rows of bars inside come after those of the bars around them.
  for (const row of scene.rows) {
    if (below < row.y || below >= row.y + row.height) continue;
    const i = row.bars[firstAfter(scene, row.bars, unit - slack)];
    if (i !== undefined && below < layout.y[i] + layout.h[i] && covers(i)) found = i;
  }
  if (found < 0) return -1;
  const high = layout.box[found] ? ROW : layout.h[found];
  if (below < layout.y[found] + high - 9 || below > layout.y[found] + high) return found;
  let call = -1;
  for (let at = layout.stripStart[found]; at < layout.stripStart[found + 1]; at++)
    if (covers(layout.strips[at])) call = layout.strips[at];
  return call >= 0 ? call : found;
}
