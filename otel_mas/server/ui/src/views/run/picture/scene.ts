/** What the picture shows of a run, computed once for each of its versions. */
import { type Layout, layout } from "../../../model/layout";
import type { Run } from "../../../model/run";
import { type TimeScale, timeScale } from "../../../model/timescale";

export interface Arrow {
  cause: number;
  effect: number;
  kind: string;
  /** Of several causes that a task waited for, the one that ended last. */
  joined: boolean;
  critical: boolean;
  /** Worked out, and perhaps wrong. */
  inferred: boolean;
}

export interface Scene {
  run: Run;
  scale: TimeScale;
  layout: Layout;
  rows: Row[];
  arrows: Arrow[];
  /** By bar: intervals in which the critical path ran through it (ns). */
  critical: Map<number, [number, number][]>;
  waiting: ReadonlySet<number>;
  /** By span: start and end in units of the scale; ends of what runs are those of `now`. */
  from: Float64Array;
  to: Float64Array;
  running: number[];
  now: number;
}

/** Bars at the same height, in start order: none overlaps another. */
export interface Row {
  y: number;
  height: number;
  bars: number[];
}

export function scene(run: Run, now: number, width: number): Scene {
  const scale = timeScale(run, now);
  const places = layout(run, scale, now, width);
  const critical = new Map<number, [number, number][]>();
  const successive = new Set<number>();
  let previous = -1;
  for (const step of run.path) {
    const bar = step.span < 0 ? -1 : places.barOf[step.span];
    if (bar < 0) continue;
    const list = critical.get(bar);
    if (list) list.push([step.start, step.end]);
    else critical.set(bar, [[step.start, step.end]]);
    if (previous >= 0 && previous !== bar) successive.add(previous * run.size + bar);
    previous = bar;
  }
  const from = new Float64Array(run.size);
  const to = new Float64Array(run.size);
  const running: number[] = [];
  for (let i = 0; i < run.size; i++) {
    from[i] = scale.at(run.starts[i]);
    to[i] = scale.at(run.end(i, now));
    if (run.running(i)) running.push(i);
  }
  const waiting = new Set(run.waits.map((wait) => wait.span));
  return { run, scale, layout: places, rows: rows(places), arrows: arrows(run, places, successive), critical, waiting, from, to, running, now };
}

/** Let what runs grow to a later moment. */
export function grow(shown: Scene, now: number): void {
  if (now <= shown.now) return;
  shown.now = now;
  for (const i of shown.running) shown.to[i] = shown.scale.at(shown.run.end(i, now));
}

/** Boxes first: what they enclose is drawn above them. */
function rows(places: Layout): Row[] {
  const found = new Map<number, Row>();
  for (const i of places.bars) {
    const y = places.y[i];
    const key = y * 2 + (places.box[i] ? 0 : 1);
    const row = found.get(key);
    if (row) {
      row.bars.push(i);
      row.height = Math.max(row.height, places.h[i]);
    } else found.set(key, { y, height: places.h[i], bars: [i] });
  }
  return [...found.values()];
}

/** The first bar of a row that ends after a place. */
export function firstAfter(shown: Scene, bars: readonly number[], unit: number): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (shown.to[bars[middle]] < unit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function arrows(run: Run, places: Layout, successive: ReadonlySet<number>): Arrow[] {
  const found: Arrow[] = [];
  const seen = new Set<number>();
  for (let e = 0; e < run.edgeEffects.length; e++) {
    if (run.edgeCauses[e] < 0) continue;
    const cause = places.barOf[run.edgeCauses[e]];
    const effect = places.barOf[run.edgeEffects[e]];
    if (cause < 0 || effect < 0 || cause === effect) continue;
    const key = cause * run.size + effect;
    // Who read what of whom is drawn where nothing stronger joins the two.
    if (run.edgeKinds[e] === "message" && seen.has(key)) continue;
    seen.add(key);
    found.push({
      cause,
      effect,
      kind: run.edgeKinds[e],
      joined: run.edgeJoined[e],
      critical: successive.has(key),
      inferred: run.edgeProvenances[e] === "inferred",
    });
  }
  return found;
}
