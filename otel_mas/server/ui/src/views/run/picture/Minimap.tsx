import { type PointerEvent, useLayoutEffect, useRef } from "react";
import { useSize } from "../../../ui/useSize";
import { callColour, colours } from "./colours";
import type { Scene } from "./scene";
import { pan, type View, whole } from "./viewport";

const HIGH = 36;

interface Props {
  scene: Scene;
  view: View;
  onView: (view: View) => void;
  theme: string;
}

/** The whole run, small, with the part that is in view; drag it, or click beside it. */
export function Minimap({ scene, view, onView, theme }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width } = useSize(holder);
  const all = whole(scene.scale.total);
  const size = all.to - all.from;
  useLayoutEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || !width) return;
    const ratio = window.devicePixelRatio || 1;
    element.width = Math.round(width * ratio);
    element.height = Math.round(HIGH * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(context, scene, width);
  }, [scene, width, theme]);
  const move = (event: PointerEvent<HTMLDivElement>) => {
    if (event.buttons !== 1 || !width) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const box = event.currentTarget.getBoundingClientRect();
    const middle = all.from + ((event.clientX - box.left) / width) * size;
    onView(pan(view, middle - (view.from + view.to) / 2, scene.scale.total));
  };
  const share = (unit: number) => `${((unit - all.from) / size) * 100}%`;
  return (
    <div ref={holder} className="minimap" onPointerDown={move} onPointerMove={move} aria-hidden="true">
      <canvas ref={canvas} />
      <div className="window" style={{ left: share(view.from), width: `${((view.to - view.from) / size) * 100}%` }} />
    </div>
  );
}

function paint(context: CanvasRenderingContext2D, scene: Scene, width: number): void {
  const { run, layout, scale } = scene;
  const palette = colours(context.canvas);
  const all = whole(scale.total);
  const perUnit = width / (all.to - all.from);
  const high = layout.height > 0 ? (HIGH - 4) / layout.height : 1;
  const filled = new Map<number, number>();
  context.clearRect(0, 0, width, HIGH);
  const block = (i: number, bar: number, colour: string, tall: number) => {
    const from = (scene.from[i] - all.from) * perUnit;
    const to = Math.max(from + 1, (scene.to[i] - all.from) * perUnit);
    const y = Math.round(2 + layout.y[bar] * high);
    if (to <= (filled.get(y) ?? -1)) return;
    filled.set(y, Math.ceil(to));
    context.fillStyle = colour;
    context.fillRect(from, y, to - from, tall);
  };
  const tall = Math.max(1.5, Math.min(4, 20 * high));
  for (const i of layout.bars) if (!layout.box[i]) block(i, i, run.errors[i] ? palette.bad : palette.bar, tall);
  filled.clear();
  for (const call of layout.strips)
    block(call, layout.barOf[call], run.errors[call] ? palette.bad : (callColour(run.kinds[call], palette) ?? palette.bar), tall);
  context.fillStyle = palette.hatch;
  for (const piece of scale.pieces)
    if (piece.idle) context.fillRect((piece.from - all.from) * perUnit, 0, (piece.to - piece.from) * perUnit, HIGH);
}
