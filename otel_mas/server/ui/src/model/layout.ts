/**
 * Places of the picture: lanes below each other, bars on rows so that none overlaps another. Tasks and agents are
 * bars; a bar with bars of its own lane inside is a box around them; calls are strips in the bar that they belong to.
 */
import type { Run } from "./run";
import type { TimeScale } from "./timescale";

export const ROW = 22;
export const GAP = 3;
const LANE_PADDING = 5;
const LEAST_LANE = 26;
const MOST_ROWS = 400;
/** Up to so many bars each is given room for its label. */
const CROWDED = 80;
const LABEL_PX = 96;

const CALL_KINDS = new Set(["LLM_CALL", "TOOL_CALL", "RETRIEVAL"]);

export interface LaneBox {
  name: string;
  agent: boolean;
  y: number;
  height: number;
}

export interface Layout {
  lanes: LaneBox[];
  height: number;
  /** Spans that are bars, boxes before what they enclose. */
  bars: number[];
  /** By span: the bar that shows it, itself where it is one; −1 where nothing does. */
  barOf: Int32Array;
  /** By span, of bars: top and height in pixels. */
  y: Float32Array;
  h: Float32Array;
  box: Uint8Array;
  /** By span, of bars: when the next bar on its row starts (ns), which its label must not reach. */
  next: Float64Array;
  /** Calls by their bar: `strips[stripStart[bar]…stripStart[bar + 1]]`, in start order. */
  strips: Int32Array;
  stripStart: Int32Array;
  /** By span, of strips: how many calls are around it. */
  stripDepth: Uint8Array;
  now: number;
}

export function isCall(run: Run, i: number): boolean {
  return CALL_KINDS.has(run.kinds[i]);
}

/** Lay out a run. `width` is that of the axis in pixels when all of the run is in view. */
export function layout(run: Run, scale: TimeScale, now: number, width: number): Layout {
  const barOf = owners(run);
  const bars = startOrder(run, barOf);
  const parts = nest(run, bars, barOf);
  const y = new Float32Array(run.size);
  const h = new Float32Array(run.size);
  const box = new Uint8Array(run.size);
  const next = new Float64Array(run.size).fill(Number.POSITIVE_INFINITY);
  const label = bars.length <= CROWDED && width > 0 ? (LABEL_PX * scale.total) / width : 0;
  const packer = new Packer(run, scale, now, label, y, h, next);
  // From the innermost outwards: a box is as high as what it encloses.
  for (const i of parts.outermostFirst.toReversed()) {
    const inner = parts.inside.get(i);
    box[i] = inner ? 1 : 0;
    h[i] = inner ? packer.pack(inner) + ROW : ROW;
  }
  const lanes: LaneBox[] = [];
  let top = 0;
  run.laneList.forEach((lane, number) => {
    const outer = parts.outer[number];
    if (!outer.length) return;
    const height = Math.max(LEAST_LANE, packer.pack(outer) + 2 * LANE_PADDING - GAP);
    for (const i of outer) y[i] += top + LANE_PADDING;
    lanes.push({ ...lane, y: top, height });
    top += height;
  });
  const ordered = parts.outermostFirst;
  for (const i of ordered) for (const inner of parts.inside.get(i) ?? []) y[inner] += y[i] + ROW;
  return { lanes, height: top, bars: ordered, barOf, y, h, box, next, ...strips(run, barOf), now };
}

/** By span the bar that shows it. */
function owners(run: Run): Int32Array {
  const barOf = new Int32Array(run.size).fill(-1);
  const own = new Uint8Array(run.size);
  for (let i = 0; i < run.size; i++) own[i] = run.tasks[i] && run.lanes[i] >= 0 ? 1 : 0;
  for (let i = 0; i < run.size; i++) {
    let at = i;
    let steps = 0;
    while (at >= 0 && !own[at] && barOf[at] < 0 && steps++ < run.size) at = run.parents[at];
    const bar = at < 0 || steps > run.size ? -1 : own[at] ? at : barOf[at];
    for (let below = i; below !== at && below >= 0 && barOf[below] < 0 && !own[below]; below = run.parents[below])
      barOf[below] = bar;
    if (own[i]) barOf[i] = i;
  }
  // A call outside of any task still has to be seen.
  for (let i = 0; i < run.size; i++) if (barOf[i] < 0 && run.lanes[i] >= 0 && isCall(run, i)) barOf[i] = i;
  return barOf;
}

function startOrder(run: Run, barOf: Int32Array): number[] {
  const bars: number[] = [];
  for (let i = 0; i < run.size; i++) if (barOf[i] === i) bars.push(i);
  return bars.sort((a, b) => run.starts[a] - run.starts[b] || a - b);
}

interface Parts {
  inside: Map<number, number[]>;
  outer: number[][];
  /** Bars before those inside of them, at the same depth in start order. */
  outermostFirst: number[];
}

/** Bars inside bars of the same lane, and the outermost of each lane. */
function nest(run: Run, bars: readonly number[], barOf: Int32Array): Parts {
  const inside = new Map<number, number[]>();
  const outer: number[][] = run.laneList.map(() => []);
  const depth = new Map<number, number>();
  for (const i of bars) {
    const around = run.parents[i] < 0 ? -1 : barOf[run.parents[i]];
    if (around >= 0 && around !== i && run.lanes[around] === run.lanes[i] && depth.has(around)) {
      const list = inside.get(around);
      if (list) list.push(i);
      else inside.set(around, [i]);
      depth.set(i, (depth.get(around) ?? 0) + 1);
    } else {
      outer[run.lanes[i]].push(i);
      depth.set(i, 0);
    }
  }
  const outermostFirst = [...bars].sort((a, b) => (depth.get(a) ?? 0) - (depth.get(b) ?? 0));
  return { inside, outer, outermostFirst };
}

class Packer {
  constructor(
    private readonly run: Run,
    private readonly scale: TimeScale,
    private readonly now: number,
    private readonly label: number,
    private readonly y: Float32Array,
    private readonly h: Float32Array,
    private readonly next: Float64Array,
  ) {}

  /** Put bars (in start order) on as few rows as they need; sets their tops from 0, and returns the height. */
  pack(bars: readonly number[]): number {
    const { run, scale } = this;
    const free: number[] = [];
    const latest: number[] = [];
    for (const i of bars) {
      const begin = scale.at(run.starts[i]);
      const rows = Math.min(MOST_ROWS, Math.max(1, Math.round((this.h[i] + GAP) / (ROW + GAP))));
      const row = this.place(free, begin, rows);
      const end = Math.max(scale.at(run.end(i, this.now)), begin + this.label);
      for (let r = row; r < row + rows; r++) {
        if (latest[r] !== undefined) this.next[latest[r]] = Math.min(this.next[latest[r]], run.starts[i]);
        free[r] = end;
        latest[r] = i;
      }
      this.y[i] = row * (ROW + GAP);
    }
    return free.length * (ROW + GAP);
  }

  private place(free: readonly number[], begin: number, rows: number): number {
    for (let row = 0; row < Math.min(free.length, MOST_ROWS); row++) {
      let fits = true;
      for (let r = row; r < Math.min(row + rows, free.length); r++) {
        if (free[r] > begin) {
          fits = false;
          row = r;
          break;
        }
      }
      if (fits) return row;
    }
    return free.length < MOST_ROWS ? free.length : MOST_ROWS - 1;
  }
}

function strips(run: Run, barOf: Int32Array): Pick<Layout, "strips" | "stripStart" | "stripDepth"> {
  const stripStart = new Int32Array(run.size + 1);
  const calls: number[] = [];
  for (let i = 0; i < run.size; i++) {
    if (barOf[i] < 0 || barOf[i] === i || !isCall(run, i)) continue;
    calls.push(i);
    stripStart[barOf[i] + 1]++;
  }
  for (let i = 0; i < run.size; i++) stripStart[i + 1] += stripStart[i];
  calls.sort((a, b) => run.starts[a] - run.starts[b]);
  const at = stripStart.slice();
  const found = new Int32Array(calls.length);
  const depth = new Uint8Array(run.size);
  for (const i of calls) {
    found[at[barOf[i]]++] = i;
    let around = run.parents[i];
    for (let steps = 0; around >= 0 && around !== barOf[i] && steps < 1000; steps++) {
      if (isCall(run, around)) {
        depth[i] = Math.min(2, depth[around] + 1);
        break;
      }
      around = run.parents[around];
    }
  }
  return { strips: found, stripStart, stripDepth: depth };
}
