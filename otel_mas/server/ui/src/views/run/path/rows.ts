/** Steps of the critical path by task: what follows in the same task is one row. */
import type { Step } from "../../../api/types";

export interface PathRow {
  kind: string;
  span: string | null;
  label: string;
  start: number;
  duration: number;
  why: string;
  /** What inside of the task took longest. */
  most: { label: string; duration: number } | null;
}

const CALLS = new Set(["LLM_CALL", "TOOL_CALL", "RETRIEVAL"]);

export function rows(steps: readonly Step[]): PathRow[] {
  const found: PathRow[] = [];
  let task: string | null = null;
  for (const step of steps) {
    const last = found.at(-1);
    if (last && step.kind === "span" && step.task !== null && step.task === task) {
      last.duration += step.duration_ns;
      last.why = step.why;
      if (step.record_kind === "AGENT_TASK") last.span ??= step.span_id;
    } else {
      found.push({
        kind: step.kind,
        span: step.span_id,
        label: step.task ?? step.label ?? step.kind,
        start: step.start_ns,
        duration: step.duration_ns,
        why: step.why,
        most: null,
      });
    }
    const row = found[found.length - 1];
    if (step.record_kind && CALLS.has(step.record_kind) && step.duration_ns > (row.most?.duration ?? 0))
      row.most = { label: step.label?.split(" › ").at(-1) ?? "", duration: step.duration_ns };
    task = step.kind === "span" ? step.task : null;
  }
  return found;
}
