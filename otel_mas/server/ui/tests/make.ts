/** Documents for the tests, from a few words. */
import type { PictureDocument, ListedRun, SpanEvent } from "../src/api/types";

export interface Given {
  id: string;
  parent?: string;
  lane?: string;
  start: number;
  end?: number | null;
  kind?: string;
  task?: boolean;
  error?: boolean;
  agent?: string;
  stopped?: boolean;
}

export function picture(
  spans: Given[],
  edges: [cause: string, effect: string, kind?: string, joined?: boolean][] = [],
  more: Partial<PictureDocument> = {},
): PictureDocument {
  const strings: string[] = [];
  const text = (value: string | undefined) => {
    if (!value) return -1;
    if (!strings.includes(value)) strings.push(value);
    return strings.indexOf(value);
  };
  const at = new Map(spans.map((span, i) => [span.id, i]));
  const lanes = [...new Set(spans.flatMap((span) => span.lane ?? []))];
  const zero = spans.map(() => 0);
  return {
    trace_ids: ["t".repeat(32)],
    start_ns: "1796006135237179798",
    spans: {
      id: spans.map((span) => span.id),
      trace: zero,
      parent: spans.map((span) => (span.parent === undefined ? -1 : (at.get(span.parent) ?? -1))),
      name_s: spans.map((span) => text(span.id)),
      label_s: spans.map((span) => text(span.id)),
      lane_s: spans.map((span) => text(span.lane)),
      agent_s: spans.map((span) => text(span.agent)),
      service_s: spans.map(() => -1),
      record_kind_s: spans.map((span) => text(span.kind)),
      model_s: spans.map(() => -1),
      tool_s: spans.map(() => -1),
      task: spans.map((span) => ((span.task ?? Boolean(span.lane && !span.kind)) ? 1 : 0)),
      depth: zero,
      start: spans.map((span) => span.start),
      end: spans.map((span) => (span.end === undefined ? span.start + 1 : span.end)),
      status: spans.map((span) => (span.error ? 2 : 0)),
      error: spans.map((span) => (span.error ? 1 : 0)),
      input_tokens: spans.map(() => null),
      output_tokens: spans.map(() => null),
      cost_usd: spans.map(() => null),
      stopped: spans.map((span) => (span.stopped ? 1 : 0)),
    },
    edges: {
      cause: edges.map(([cause]) => at.get(cause) ?? -1),
      effect: edges.map(([, effect]) => at.get(effect) ?? -1),
      kind_s: edges.map(([, , kind]) => text(kind ?? "trigger")),
      provenance_s: edges.map(() => text("recorded")),
      probability: edges.map(() => null),
      gap: edges.map(() => 0),
      joined: edges.map(([, , , joined]) => (joined ? 1 : 0)),
    },
    lanes: lanes.map((name) => ({ name, agent: true })),
    critical_path: { start: 0, end: [], kind_s: [], span: [] },
    waits: [],
    problems: [],
    incomplete: null,
    open: false,
    cursor: null,
    ...more,
    strings,
  };
}

export function event(span_id: string, more: Partial<SpanEvent> = {}): SpanEvent {
  return {
    trace_id: "t".repeat(32),
    span_id,
    parent: null,
    name: span_id,
    kind: null,
    label: span_id,
    lane: "a",
    agent: null,
    task: 1,
    start_ns: "1796006135237179798",
    end_ns: null,
    status: 0,
    edges: [],
    ...more,
  };
}

export function trace(id: string, more: Partial<ListedRun> = {}): ListedRun {
  return {
    trace_id: id.padEnd(32, "0"),
    name: "invoke_workflow team",
    service: "team",
    conversation_id: null,
    status: "ok",
    overdue: null,
    error_message: null,
    start_ns: 1.796e18,
    end_ns: 1.796e18 + 1e9,
    duration_ns: 1e9,
    span_count: 3,
    error_count: 0,
    agents: ["writer"],
    input_tokens: 10,
    output_tokens: 5,
    cost_usd: 0.01,
    unpriced_calls: 0,
    simulated: false,
    incomplete: null,
    ...more,
  };
}
