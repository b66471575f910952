/** Figures of the listed runs over time. */
import type { TraceForm } from "../../api/types";

export interface Load {
  runs: number[];
  errors: number[];
  /** Median duration in nanoseconds. */
  latency: number[];
  cost: number[];
}

export function load(traces: readonly TraceForm[], buckets: number): Load {
  const found: Load = { runs: zeros(buckets), errors: zeros(buckets), latency: zeros(buckets), cost: zeros(buckets) };
  if (!traces.length) return found;
  const starts = traces.map((trace) => trace.start_ns);
  const first = Math.min(...starts);
  const size = (Math.max(...starts) - first) / buckets || 1;
  const durations: number[][] = Array.from({ length: buckets }, () => []);
  for (const trace of traces) {
    const at = Math.min(buckets - 1, Math.floor((trace.start_ns - first) / size));
    found.runs[at]++;
    if (trace.status === "error" || trace.status === "stopped") found.errors[at]++;
    found.cost[at] += trace.cost_usd ?? 0;
    if (trace.duration_ns !== null) durations[at].push(trace.duration_ns);
  }
  found.latency = durations.map(median);
  return found;
}

const zeros = (size: number): number[] => Array.from({ length: size }, () => 0);

export function median(values: readonly number[]): number {
  if (!values.length) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}
