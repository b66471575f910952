/** Forms of the HTTP API (`/api/v1`). Nanoseconds since the epoch exceed 2^53: as numbers they are exact to 256 ns. */

export interface TraceForm {
  trace_id: string;
  name: string;
  service: string;
  conversation_id: string | null;
  status: string;
  overdue?: boolean | null;
  start_ns: number;
  end_ns: number | null;
  duration_ns: number | null;
  span_count: number;
  error_count: number;
  agents: string[];
  input_tokens: number;
  output_tokens: number;
  cost_usd: number | null;
  unpriced_calls: number;
  simulated: boolean;
  incomplete: string | null;
  error_message?: string | null;
  findings?: number | null;
}

export interface TracesDocument {
  traces: TraceForm[];
  incomplete: string | null;
  next?: string | null;
  cursor?: string | null;
}

type Index = number;

export interface PictureDocument {
  trace_ids: string[];
  start_ns: string;
  strings: string[];
  spans: {
    id: string[];
    trace: Index[];
    parent: Index[];
    name_s: Index[];
    label_s: Index[];
    lane_s: Index[];
    agent_s: Index[];
    service_s: Index[];
    record_kind_s: Index[];
    model_s: Index[];
    tool_s: Index[];
    task: number[];
    depth: number[];
    start: number[];
    end: (number | null)[];
    status: number[];
    error: number[];
    input_tokens: (number | null)[];
    output_tokens: (number | null)[];
    cost_usd: (number | null)[];
    stopped: number[];
  };
  edges: {
    cause: Index[];
    effect: Index[];
    kind_s: Index[];
    provenance_s: Index[];
    gap: (number | null)[];
    joined: number[];
  };
  lanes: { name: string; agent: boolean }[];
  critical_path: { start: number; end: number[]; kind_s: Index[]; span: Index[] };
  waits: { span: Index; start: number; end: number | null; overdue: boolean }[];
  problems: string[];
  incomplete: string | null;
  open: boolean;
  cursor?: string | null;
}

export interface SpanEvent {
  trace_id: string;
  span_id: string;
  parent: string | null;
  name: string;
  kind: string | null;
  label: string | null;
  lane: string | null;
  agent: string | null;
  service?: string | null;
  model?: string | null;
  tool?: string | null;
  task?: number | boolean;
  start_ns: number | string;
  end_ns: number | string | null;
  status: number | string;
  error?: number | boolean;
  input_tokens?: number | null;
  output_tokens?: number | null;
  cost_usd?: number | null;
  edges?: { cause: string; kind: string }[];
}

export interface Info {
  version: string;
  location: string;
  receiving: boolean;
  live: boolean;
  feedback: boolean;
  filters: string[];
  conversations: boolean;
  content: boolean;
  now_ns: number;
}

export interface Message {
  digest: string;
  role: string;
  text: string | null;
  body: Record<string, unknown> | null;
}

export interface Around {
  span_id: string;
  name: string;
}

export interface Relation {
  span_id: string;
  label: string;
  kind: string;
  provenance: string;
}

export interface SpanDetails {
  trace_id: string;
  span_id: string;
  name: string;
  kind: string;
  record_kind: string | null;
  service: string;
  task: string | null;
  agent: string | null;
  start_ns: number;
  end_ns: number | null;
  duration_ns: number | null;
  status: string;
  status_message: string;
  error_message: string | null;
  error_stack: string | null;
  inside: Around[];
  children: Around[];
  causes: Relation[];
  effects: Relation[];
  read: Message[];
  wrote: Message[];
  state: string | null;
  contents: Record<string, unknown>;
  attributes: Record<string, unknown>;
  events: { name: string; time_ns: number; attributes: Record<string, unknown> }[];
  links: { trace_id: string; span_id: string; kind: string | null }[];
}

export interface SpanDetailsDocument {
  spans: SpanDetails[];
  problems: string[];
}
