import type { TraceForm } from "../api/types";

/** By status: a mark that can be told without colours, a class, and words. */
const STATUSES: Record<string, { mark: string; tone: string; description: string }> = {
  ok: { mark: "✓", tone: "good", description: "done" },
  error: { mark: "✕", tone: "bad", description: "failed" },
  interrupted: { mark: "◔", tone: "wait", description: "waits for a person" },
  running: { mark: "●", tone: "run", description: "running" },
  stopped: { mark: "■", tone: "bad", description: "stopped: its process ended first" },
  cancelled: { mark: "⊘", tone: "dim", description: "cancelled" },
  abandoned: { mark: "⊘", tone: "dim", description: "abandoned" },
};

export function statusWords(trace: Pick<TraceForm, "status" | "overdue">): string {
  const words = STATUSES[trace.status]?.description ?? trace.status;
  return trace.overdue ? `${words}, overdue` : words;
}

export function Status({ trace, words = true }: { trace: Pick<TraceForm, "status" | "overdue">; words?: boolean }) {
  const { mark, tone } = STATUSES[trace.status] ?? { mark: "·", tone: "dim" };
  return (
    <span className={`status ${trace.overdue ? "bad" : tone}`} title={statusWords(trace)}>
      <span className={`mark ${trace.status}`} aria-hidden="true">
        {mark}
      </span>
      <span className={words ? "" : "hidden"}>{statusWords(trace).split(":")[0]}</span>
    </span>
  );
}
