/** What one drawing of the picture shows. */
import type { Colours } from "./colours";
import type { Scene } from "./scene";
import type { View } from "./viewport";

/** Height of the axis of time, in pixels. */
export const AXIS = 26;

export interface Frame {
  scene: Scene;
  view: View;
  /** Pixels of the content above the canvas's top. */
  top: number;
  width: number;
  height: number;
  /** Width of the lanes' names on the left. */
  left: number;
  colours: Colours;
  selected: number;
  hovered: number;
  /** Spans in focus; the others are faint. Null: no focus. */
  focus: ReadonlySet<number> | null;
  /** Spans that show a finding. */
  marked: ReadonlySet<number>;
}

/** The place of a unit of the time scale, in pixels. */
export function unitX(frame: Frame, unit: number): number {
  return frame.left + ((unit - frame.view.from) * (frame.width - frame.left)) / (frame.view.to - frame.view.from);
}
