import { useMemo } from "react";
import type { TraceForm } from "../../api/types";
import { duration, plural, usd } from "../../format";
import { Sparkline } from "../../ui/Sparkline";
import { load, median } from "./load";

const BUCKETS = 30;

export function Figures({ traces }: { traces: readonly TraceForm[] }) {
  const over = useMemo(() => load(traces, BUCKETS), [traces]);
  const failed = over.errors.reduce((sum, n) => sum + n, 0);
  const cost = over.cost.reduce((sum, n) => sum + n, 0);
  const took = traces.flatMap((trace) => (trace.duration_ns === null ? [] : [trace.duration_ns]));
  return (
    <div className="figures">
      <Sparkline title="runs" figure={String(traces.length)} values={over.runs} />
      <Sparkline title="failed" figure={String(failed)} values={over.errors} tone="bad" />
      <Sparkline title="median" figure={took.length ? duration(median(took)) : "–"} values={over.latency} tone="run" />
      <Sparkline title="cost" figure={cost ? usd(cost) : "–"} values={over.cost} tone="tool" />
      <span className="hidden">{plural(traces.length, "run")} listed</span>
    </div>
  );
}
