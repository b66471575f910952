/** Time with stretches in which nothing ran drawn short. Units of the axis are nanoseconds where something ran. */
import type { Run } from "./run";

export interface Piece {
  /** Nanoseconds from the start of the run. */
  start: number;
  end: number;
  /** Units on the axis. */
  from: number;
  to: number;
  idle: boolean;
  /** A person was waited for. */
  waiting: boolean;
}

/** What nothing ran in is compressed when it is longer than this part of the rest, and then takes this part. */
const SHARE = 0.06;

export class TimeScale {
  readonly total: number;

  constructor(readonly pieces: readonly Piece[]) {
    this.total = pieces.length ? pieces[pieces.length - 1].to : 0;
  }

  /** Units of a time. */
  at(ns: number): number {
    const piece = this.find(ns, "end");
    if (!piece) return ns;
    if (ns >= piece.end) return piece.to + (ns - piece.end);
    if (ns <= piece.start) return piece.from + (ns - piece.start);
    return piece.from + ((ns - piece.start) / (piece.end - piece.start)) * (piece.to - piece.from);
  }

  /** Time at a unit. */
  ns(unit: number): number {
    const piece = this.find(unit, "to");
    if (!piece) return unit;
    if (unit >= piece.to) return piece.end + (unit - piece.to);
    if (unit <= piece.from) return piece.start + (unit - piece.from);
    return piece.start + ((unit - piece.from) / (piece.to - piece.from)) * (piece.end - piece.start);
  }

  /** The first piece that ends at or after a value, else the last. */
  private find(value: number, key: "end" | "to"): Piece | undefined {
    if (this.pieces.length < 2) return this.pieces[0];
    let low = 0;
    let high = this.pieces.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.pieces[middle][key] < value) low = middle + 1;
      else high = middle;
    }
    return this.pieces[low];
  }
}

export interface Interval {
  start: number;
  end: number;
}

/** Compress the `idle` intervals (sorted, disjoint) between 0 and `total`. */
export function compress(total: number, idle: readonly Interval[], waits: readonly Interval[]): TimeScale {
  const busy = total - idle.reduce((sum, gap) => sum + gap.end - gap.start, 0);
  const most = Math.max(busy, total * 1e-3) * SHARE;
  const pieces: Piece[] = [];
  let at = 0;
  let unit = 0;
  const add = (end: number, units: number, gap: boolean) => {
    if (end <= at) return;
    const waiting = gap && waits.some((wait) => wait.start < end && wait.end > at);
    pieces.push({ start: at, end, from: unit, to: unit + units, idle: gap, waiting });
    at = end;
    unit += units;
  };
  for (const gap of idle) {
    if (gap.end - gap.start <= most) continue;
    add(gap.start, gap.start - at, false);
    add(gap.end, most, true);
  }
  add(Math.max(total, at + (pieces.length ? 0 : 1)), Math.max(total - at, pieces.length ? 0 : 1), false);
  return new TimeScale(pieces);
}

/** The scale of a run: short are waits for people, and stretches between invocations. */
export function timeScale(run: Run, now: number): TimeScale {
  const waits = run.waits.map((wait) => ({ span: wait.span, start: wait.start, end: wait.end ?? now }));
  const last = Math.max(run.lastKnown, 1, ...waits.map((wait) => wait.end));
  const total = run.open ? Math.max(now, last) : last;
  return compress(total, gaps(total, busy(run, now, waits)), waits);
}

/** When spans ran, but for what waits for a person and is around it, while it waits. */
function busy(run: Run, now: number, waits: readonly (Interval & { span: number })[]): Interval[] {
  const pausing = new Map<number, Interval[]>();
  for (const wait of waits) {
    for (let at = wait.span; at >= 0; at = run.parents[at]) {
      const list = pausing.get(at);
      if (list?.includes(wait)) break;
      if (list) list.push(wait);
      else pausing.set(at, [wait]);
    }
  }
  const intervals: Interval[] = [];
  for (let i = 0; i < run.size; i++) {
    let start = run.starts[i];
    const end = run.end(i, now);
    const parent = run.parents[i];
    // While a span runs that waits for nobody, there is no gap: those inside of it add nothing.
    if (parent >= 0 && !pausing.has(parent) && start >= run.starts[parent] && end <= run.end(parent, now)) continue;
    for (const wait of pausing.get(i)?.sort((a, b) => a.start - b.start) ?? []) {
      if (wait.start > start) intervals.push({ start, end: Math.min(wait.start, end) });
      start = Math.max(start, wait.end);
    }
    if (end > start) intervals.push({ start, end });
  }
  return intervals.sort((a, b) => a.start - b.start);
}

/** What sorted intervals leave uncovered of 0 to `total`. */
export function gaps(total: number, intervals: readonly Interval[]): Interval[] {
  const found: Interval[] = [];
  let covered = 0;
  for (const { start, end } of intervals) {
    if (start > covered) found.push({ start: covered, end: Math.min(start, total) });
    covered = Math.max(covered, end);
    if (covered >= total) break;
  }
  if (covered < total) found.push({ start: covered, end: total });
  return found.filter((gap) => gap.end > gap.start);
}

const STEPS = [1, 2, 5];

/** Round times for ticks, at least `least` units apart: times from the start of the run. */
export function ticks(scale: TimeScale, from: number, to: number, least: number): number[] {
  const step = roundUp(least);
  const found: number[] = [];
  let previous = Number.NEGATIVE_INFINITY;
  for (const piece of scale.pieces) {
    if (piece.idle || piece.to < from || piece.from > to) continue;
    const start = Math.max(piece.start, scale.ns(from));
    const end = Math.min(piece.end, scale.ns(to));
    for (let tick = Math.ceil(start / step) * step; tick <= end && found.length < 200; tick += step) {
      const unit = scale.at(tick);
      if (unit - previous < least * 0.9) continue;
      found.push(tick);
      previous = unit;
    }
  }
  return found;
}

function roundUp(least: number): number {
  if (least > 30e9) {
    for (const step of [60e9, 120e9, 300e9, 600e9, 1800e9, 3600e9, 7200e9, 21_600e9, 86_400e9])
      if (step >= least) return step;
    return Math.ceil(least / 86_400e9) * 86_400e9;
  }
  const size = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  for (const step of STEPS) if (step * size >= least) return step * size;
  return 10 * size;
}
