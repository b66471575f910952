/** Causes and effects of a span, transitively. */
import type { Run } from "./run";

const MOST = 200_000;

/** The span, all that led to it, all that followed from it, and what is around and inside of these. */
export function cone(run: Run, span: number): Set<number> {
  const found = new Set<number>([span]);
  follow(run, found, span, (at, visit) => {
    for (const e of run.edgesIn(at)) visit(run.edgeCauses[e]);
    visit(run.parents[at]);
  });
  follow(run, found, span, (at, visit) => {
    for (const e of run.edgesOut(at)) visit(run.edgeEffects[e]);
    for (const child of run.children(at)) visit(child);
  });
  return found;
}

function follow(run: Run, found: Set<number>, span: number, next: (at: number, visit: (to: number) => void) => void): void {
  const seen = new Set<number>([span]);
  const open = [span];
  while (open.length && seen.size < Math.min(MOST, run.size)) {
    const at = open.pop() as number;
    next(at, (to) => {
      if (to < 0 || seen.has(to)) return;
      seen.add(to);
      found.add(to);
      open.push(to);
    });
  }
}

/** The cause that a span waited for: of its own or of those around it the one that ended last. */
export function causeOf(run: Run, span: number): number {
  for (let at = span; at >= 0; at = run.parents[at]) {
    let best = -1;
    for (const e of run.edgesIn(at)) {
      const cause = run.edgeCauses[e];
      if (cause < 0) continue;
      if (run.edgeJoined[e]) return cause;
      if (best < 0 || run.ends[cause] > run.ends[best]) best = cause;
    }
    if (best >= 0) return best;
  }
  return run.parents[span];
}

/** The effect that started first. */
export function effectOf(run: Run, span: number): number {
  let best = -1;
  for (let at = span; at >= 0 && best < 0; at = run.parents[at]) {
    for (const e of run.edgesOut(at)) {
      const effect = run.edgeEffects[e];
      if (best < 0 || run.starts[effect] < run.starts[best]) best = effect;
    }
  }
  if (best < 0) for (const child of run.children(span)) return child;
  return best;
}
