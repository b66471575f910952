/** Drawing of the picture on a canvas. Only what is in view is touched, and nothing twice on the same pixel. */
import { duration } from "../../../format";
import { ROW } from "../../../model/layout";
import { ticks } from "../../../model/timescale";
import { drawArrows } from "./arrows";
import { callColour } from "./colours";
import { AXIS, type Frame, unitX } from "./frame";
import { firstAfter, type Row } from "./scene";

const FONT = '11px system-ui, -apple-system, "Segoe UI", sans-serif';
const BOLD = '600 11px system-ui, -apple-system, "Segoe UI", sans-serif';

export function draw(context: CanvasRenderingContext2D, frame: Frame): void {
  const { width, height, colours, left } = frame;
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  context.save();
  context.beginPath();
  context.rect(left, 0, width - left, height);
  context.clip();
  const painter = new Painter(context, frame);
  painter.idle();
  painter.grid();
  context.beginPath();
  context.rect(left, AXIS, width - left, height - AXIS);
  context.clip();
  painter.rules();
  painter.bars(true);
  drawArrows(context, frame, false);
  painter.bars(false);
  drawArrows(context, frame, true);
  painter.outline();
  context.restore();
  painter.names();
  context.strokeStyle = colours.rule;
  context.strokeRect(0, AXIS - 0.5, width, 0.01);
}

class Painter {
  private readonly perUnit: number;
  private readonly textWidths = new Map<string, number>();

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly frame: Frame,
  ) {
    this.perUnit = (frame.width - frame.left) / (frame.view.to - frame.view.from);
  }

  private unit(units: number): number {
    return unitX(this.frame, units);
  }

  private x(ns: number): number {
    return this.unit(this.frame.scene.scale.at(ns));
  }

  private y(bar: number): number {
    return this.frame.scene.layout.y[bar] - this.frame.top + AXIS;
  }

  private width(text: string): number {
    let wide = this.textWidths.get(text);
    if (wide === undefined) this.textWidths.set(text, (wide = this.context.measureText(text).width));
    return wide;
  }

  idle(): void {
    const { context, frame } = this;
    for (const piece of frame.scene.scale.pieces) {
      if (!piece.idle) continue;
      const left = Math.max(frame.left, this.unit(piece.from));
      const right = Math.min(frame.width, this.unit(piece.to));
      if (right - left < 1) continue;
      const bottom = Math.min(frame.height, frame.scene.layout.height - frame.top + AXIS);
      context.save();
      context.beginPath();
      context.rect(left, AXIS, right - left, bottom - AXIS);
      context.clip();
      context.strokeStyle = frame.colours.hatch;
      context.lineWidth = 1;
      context.beginPath();
      for (let at = left - (bottom - AXIS) - (left % 7); at < right; at += 7) {
        context.moveTo(at, bottom);
        context.lineTo(at + bottom - AXIS, AXIS);
      }
      context.stroke();
      context.restore();
      const took = duration(piece.end - piece.start);
      if (this.width(took) > right - left) continue;
      context.fillStyle = frame.colours.wait;
      context.textAlign = "center";
      const text = piece.waiting ? `${took} waiting for a person` : `${took} idle`;
      context.fillText(this.width(text) <= right - left ? text : took, (left + right) / 2, AXIS / 2);
    }
  }

  grid(): void {
    const { context, frame } = this;
    const { scale } = frame.scene;
    context.textAlign = "center";
    context.lineWidth = 1;
    for (const tick of ticks(scale, frame.view.from, frame.view.to, 90 / this.perUnit)) {
      const x = Math.round(this.x(tick)) + 0.5;
      context.strokeStyle = frame.colours.rule;
      context.setLineDash([1, 4]);
      context.beginPath();
      context.moveTo(x, AXIS);
      context.lineTo(x, frame.height);
      context.stroke();
      context.setLineDash([]);
      context.fillStyle = frame.colours.dim;
      context.fillText(tick === 0 ? "0" : `+${round(tick)}`, Math.max(x, frame.left + 12), AXIS / 2);
    }
  }

  rules(): void {
    const { context, frame } = this;
    context.strokeStyle = frame.colours.rule;
    context.lineWidth = 1;
    context.beginPath();
    for (const lane of frame.scene.layout.lanes) {
      const y = Math.round(lane.y + lane.height - frame.top + AXIS) + 0.5;
      context.moveTo(frame.left, y);
      context.lineTo(frame.width, y);
    }
    context.stroke();
  }

  names(): void {
    const { context, frame } = this;
    context.save();
    context.beginPath();
    context.rect(0, AXIS, frame.left, frame.height - AXIS);
    context.clip();
    context.fillStyle = frame.colours.lane;
    context.fillRect(0, AXIS, frame.left, frame.height - AXIS);
    context.textAlign = "left";
    for (const lane of frame.scene.layout.lanes) {
      const top = lane.y - frame.top + AXIS;
      if (top + lane.height < AXIS || top > frame.height) continue;
      context.font = lane.agent ? BOLD : FONT;
      context.fillStyle = lane.agent ? frame.colours.text : frame.colours.dim;
      // The name stays in view while any of its lane is.
      const y = Math.min(Math.max(top, AXIS) + 16, top + lane.height - 10);
      context.fillText(this.fitted(lane.name || "run", frame.left - 18), 10, y);
      context.strokeStyle = frame.colours.rule;
      context.strokeRect(0, Math.round(top + lane.height) + 0.5, frame.left, 0.01);
    }
    context.strokeRect(frame.left - 0.5, 0, 0.01, frame.height);
    context.restore();
    context.font = FONT;
  }

  bars(boxes: boolean): void {
    const { frame } = this;
    const { layout, rows } = frame.scene;
    for (const row of rows) {
      if ((layout.box[row.bars[0]] === 1) !== boxes) continue;
      const y = row.y - frame.top + AXIS;
      if (y <= frame.height && y + row.height >= AXIS) this.row(row, y);
    }
    this.context.globalAlpha = 1;
  }

  private row(row: Row, y: number): void {
    const { context, frame, perUnit } = this;
    const { scene, view } = frame;
    let at = firstAfter(scene, row.bars, view.from - 2 / perUnit);
    while (at < row.bars.length) {
      const i = row.bars[at];
      const x = this.unit(scene.from[i]);
      if (x > frame.width) return;
      const right = Math.max(x + 1.5, this.unit(scene.to[i]));
      context.globalAlpha = frame.focus && !frame.focus.has(i) ? 0.22 : 1;
      this.bar(i, Math.max(x, frame.left - 4), y, Math.min(right, frame.width + 4));
      at++;
      // What would lie on a pixel that is filled changes nothing.
      if (right - x < 3) {
        const next = firstAfter(scene, row.bars, view.from + (right - frame.left) / perUnit);
        at = Math.max(at, next);
      }
    }
  }

  private bar(i: number, x: number, y: number, right: number): void {
    const { context, frame } = this;
    const { layout, run } = frame.scene;
    const wide = right - x;
    const high = layout.h[i];
    const own = callColour(run.kinds[i], frame.colours);
    context.fillStyle = layout.box[i] ? frame.colours.box : frame.colours.bar;
    if (wide > 6) {
      shape(context, x, y, wide, high, 3);
      context.fill();
    } else context.fillRect(x, y, wide, high);
    if (own) {
      context.fillStyle = own;
      context.fillRect(x, y + high - 8, wide, 5);
    }
    const paused = frame.scene.waiting.has(i);
    const outline = run.errors[i] ? frame.colours.bad : paused ? frame.colours.wait : run.running(i) ? frame.colours.run : "";
    if (outline && wide > 2) {
      context.strokeStyle = outline;
      context.lineWidth = 1.5;
      if (run.running(i)) context.setLineDash([4, 3]);
      shape(context, x + 0.5, y + 0.5, wide - 1, high - 1, wide > 6 ? 3 : 0);
      context.stroke();
      context.setLineDash([]);
    } else if (run.errors[i]) {
      context.fillStyle = frame.colours.bad;
      context.fillRect(x, y, Math.max(1.5, wide), high);
    } else if (layout.box[i] && wide > 2) {
      context.strokeStyle = frame.colours.rule;
      context.lineWidth = 1;
      shape(context, x + 0.5, y + 0.5, wide - 1, high - 1, 3);
      context.stroke();
    }
    this.strips(i, y + (layout.box[i] ? ROW : high) - 8);
    for (const [start, end] of frame.scene.critical.get(i) ?? []) {
      const from = this.x(start);
      const to = this.x(end);
      if (to - from < 0.2 || to < frame.left || from > frame.width) continue;
      context.fillStyle = frame.colours.path;
      context.fillRect(from, y + high - 3, Math.max(1, to - from), 3);
    }
    if (frame.marked.has(i)) {
      context.fillStyle = frame.colours.wait;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + 8, y);
      context.lineTo(x, y + 8);
      context.fill();
    }
    this.label(i, x, y, right);
  }

  private strips(i: number, y: number): void {
    const { context, frame } = this;
    const { layout, run } = frame.scene;
    if (layout.stripStart[i] === layout.stripStart[i + 1]) return;
    let filled = Number.NEGATIVE_INFINITY;
    for (let at = layout.stripStart[i]; at < layout.stripStart[i + 1]; at++) {
      const call = layout.strips[at];
      const x = this.unit(frame.scene.from[call]);
      if (x > frame.width) break;
      const right = Math.max(x + 1, this.unit(frame.scene.to[call]));
      const depth = layout.stripDepth[call];
      if (right < frame.left || (depth === 0 && right <= filled)) continue;
      filled = Math.max(filled, Math.ceil(right));
      context.fillStyle = run.errors[call] ? frame.colours.bad : (callColour(run.kinds[call], frame.colours) ?? "");
      context.fillRect(x, y + depth * 1.5, right - x, 5 - depth * 1.5);
      if (call === frame.selected || call === frame.hovered) {
        context.strokeStyle = call === frame.selected ? frame.colours.select : frame.colours.text;
        context.lineWidth = 1.5;
        context.strokeRect(x - 1, y - 1.5, right - x + 2, 8);
      }
    }
  }

  private label(i: number, x: number, y: number, right: number): void {
    const { context, frame } = this;
    const { layout, run, scale } = frame.scene;
    const next = layout.next[i];
    const limit = layout.box[i] ? right : Math.min(next === Number.POSITIVE_INFINITY ? frame.width : this.x(next), this.idleAfter(i, frame.width));
    const room = Math.max(right, limit) - x - 8;
    if (room < 14) return;
    const name = this.fitted(short(run.title(i), run.laneList[run.lanes[i]].name, room), room);
    if (!name) return;
    context.textAlign = "left";
    context.fillStyle = run.errors[i] ? frame.colours.bad : frame.colours.text;
    context.fillText(name, x + 5, y + 7.5);
    const took = Number.isNaN(run.ends[i]) ? "" : duration(run.ends[i] - run.starts[i]);
    const used = this.width(name);
    if (took && used + this.width(took) + 10 < room && scale) {
      context.fillStyle = frame.colours.dim;
      context.fillText(took, x + used + 11, y + 7.5);
    }
  }

  private idleAfter(i: number, otherwise: number): number {
    const { run, scale } = this.frame.scene;
    for (const piece of scale.pieces) if (piece.idle && piece.end > run.starts[i] && piece.start >= run.starts[i]) return this.unit(piece.from);
    return otherwise;
  }

  private fitted(text: string, room: number): string {
    if (this.width(text) <= room) return text;
    let low = 0;
    let high = Math.min(text.length, 80);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.width(`${text.slice(0, middle)}…`) <= room) low = middle;
      else high = middle - 1;
    }
    return low < 2 ? "" : `${text.slice(0, low)}…`;
  }

  outline(): void {
    const { context, frame } = this;
    const { layout, run, now } = frame.scene;
    for (const [i, colour, line] of [
      [frame.hovered, frame.colours.text, 1],
      [frame.selected, frame.colours.select, 2],
    ] as const) {
      const bar = i < 0 ? -1 : layout.barOf[i];
      if (bar < 0 || (bar !== i && i === frame.hovered)) continue;
      const x = this.x(run.starts[bar]);
      const right = Math.max(x + 2, this.x(run.end(bar, now)));
      context.strokeStyle = colour;
      context.lineWidth = line;
      shape(context, x - 1, this.y(bar) - 1, right - x + 2, layout.h[bar] + 2, 4);
      context.stroke();
    }
  }
}

function shape(context: CanvasRenderingContext2D, x: number, y: number, wide: number, high: number, radius: number): void {
  context.beginPath();
  if (radius > 0 && wide > 2 * radius) context.roundRect(x, y, wide, high, radius);
  else context.rect(x, y, wide, high);
}

/** In its agent's own lane the number of a task is enough where the name has no room. */
function short(label: string, lane: string, room: number): string {
  const at = label.lastIndexOf("#");
  return at > 0 && room < 60 && label.slice(0, at) === lane ? label.slice(at) : label;
}

function round(ns: number): string {
  if (ns < 1e3) return `${ns} ns`;
  if (ns < 1e6) return `${Number((ns / 1e3).toFixed(3))} µs`;
  if (ns < 1e9) return `${Number((ns / 1e6).toFixed(3))} ms`;
  if (ns < 60e9) return `${Number((ns / 1e9).toFixed(3))} s`;
  return duration(ns);
}
