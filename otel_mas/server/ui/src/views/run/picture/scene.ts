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
}

export interface Scene {
  run: Run;
  scale: TimeScale;
  layout: Layout;
  arrows: Arrow[];
  /** By bar: intervals in which the critical path ran through it (ns). */
  critical: Map<number, [number, number][]>;
  now: number;
}

export function scene(run: Run, now: number, width: number): Scene {
  const scale = timeScale(run, now);
  const places = layout(run, scale, now, width);
  const critical = new Map<number, [number, number][]>();
  const successive = new Set<string>();
  let previous = -1;
  for (const step of run.path) {
    const bar = step.span < 0 ? -1 : places.barOf[step.span];
    if (bar < 0) continue;
    const list = critical.get(bar);
    if (list) list.push([step.start, step.end]);
    else critical.set(bar, [[step.start, step.end]]);
    if (previous >= 0 && previous !== bar) successive.add(`${previous} ${bar}`);
    previous = bar;
  }
  return { run, scale, layout: places, arrows: arrows(run, places, successive), critical, now };
}

function arrows(run: Run, places: Layout, successive: ReadonlySet<string>): Arrow[] {
  const found: Arrow[] = [];
  const seen = new Set<string>();
  for (let e = 0; e < run.edgeEffects.length; e++) {
    if (run.edgeCauses[e] < 0) continue;
    const cause = places.barOf[run.edgeCauses[e]];
    const effect = places.barOf[run.edgeEffects[e]];
    if (cause < 0 || effect < 0 || cause === effect) continue;
    const key = `${cause} ${effect}`;
    // Who read what of whom is drawn where nothing stronger joins the two.
    if (run.edgeKinds[e] === "message" && seen.has(key)) continue;
    seen.add(key);
    found.push({
      cause,
      effect,
      kind: run.edgeKinds[e],
      joined: run.edgeJoined[e],
      critical: successive.has(key),
    });
  }
  return found;
}
