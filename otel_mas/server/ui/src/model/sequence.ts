/** What went from one lane to another, in order of time: who triggered, handed over, sent, and read what. */
import type { Run } from "./run";

export interface Exchange {
  /** Number of the edge. */
  edge: number;
  from: number;
  to: number;
  cause: number;
  effect: number;
  kind: string;
  /** Nanoseconds from the start of the run: when the effect began. */
  at: number;
  /** How long the cause had ended by then; NaN where it had not. */
  gap: number;
}

const LEFT_OUT = new Set(["replay"]);

/** `inside`: also between tasks of the same lane. `messages`: also who read what of whom. */
export function exchanges(run: Run, inside: boolean, messages: boolean): Exchange[] {
  const found: Exchange[] = [];
  for (let edge = 0; edge < run.edgeEffects.length; edge++) {
    const cause = run.edgeCauses[edge];
    const effect = run.edgeEffects[edge];
    const kind = run.edgeKinds[edge];
    if (cause < 0 || LEFT_OUT.has(kind) || (kind === "message" && !messages)) continue;
    const from = run.lanes[cause];
    const to = run.lanes[effect];
    if (from < 0 || to < 0 || (from === to && !inside)) continue;
    found.push({ edge, from, to, cause, effect, kind, at: run.starts[effect], gap: run.edgeGaps[edge] });
  }
  return found.sort((a, b) => a.at - b.at || a.edge - b.edge);
}

/** The lanes that take part, in their order. */
export function participants(list: readonly Exchange[]): number[] {
  const found = new Set<number>();
  for (const one of list) found.add(one.from).add(one.to);
  return [...found].sort((a, b) => a - b);
}
