/** A run in memory: its spans as columns, its causes as linked lists. Events of the stream are merged into it. */
import type { PictureDocument, SpanEvent } from "../api/types";
import { certainty } from "../format";

export interface Lane {
  name: string;
  agent: boolean;
}

/** A step of the critical path. */
export interface Step {
  kind: string;
  span: number;
  start: number;
  end: number;
}

export interface Wait {
  span: number;
  start: number;
  end: number | null;
  overdue: boolean;
}

const ERROR = 2;

/** Times are nanoseconds from `start`; the end of a span that runs is NaN. */
export class Run {
  traceIds: string[] = [];
  start = 0n;
  ids: string[] = [];
  readonly index = new Map<string, number>();
  traces: number[] = [];
  parents: number[] = [];
  names: string[] = [];
  labels: string[] = [];
  lanes: number[] = [];
  agents: string[] = [];
  services: string[] = [];
  kinds: string[] = [];
  models: string[] = [];
  tools: string[] = [];
  tasks: boolean[] = [];
  starts: number[] = [];
  ends: number[] = [];
  errors: boolean[] = [];
  stopped: boolean[] = [];
  inputTokens: number[] = [];
  outputTokens: number[] = [];
  costs: number[] = [];
  readonly laneList: Lane[] = [];
  readonly roots: number[] = [];
  path: Step[] = [];
  waits: Wait[] = [];
  problems: string[] = [];
  incomplete: string | null = null;
  open = false;
  cursor: string | null = null;
  /** How often it changed: what is computed from a run is computed again for another version. */
  version = 0;

  readonly edgeCauses: number[] = [];
  readonly edgeEffects: number[] = [];
  readonly edgeKinds: string[] = [];
  readonly edgeProvenances: string[] = [];
  /** Of inferred edges, from 0 to 1; NaN: not known. */
  readonly edgeProbabilities: number[] = [];
  readonly edgeGaps: number[] = [];
  readonly edgeJoined: boolean[] = [];

  private readonly firstChild: number[] = [];
  private readonly lastChild: number[] = [];
  private readonly nextSibling: number[] = [];
  private readonly firstIn: number[] = [];
  private readonly firstOut: number[] = [];
  private readonly nextIn: number[] = [];
  private readonly nextOut: number[] = [];
  private readonly laneIndex = new Map<string, number>();
  private readonly orphans = new Map<string, number[]>();
  private readonly early = new Map<string, { effect: number; kind: string }[]>();
  private last = 0;

  static fromDocument(doc: PictureDocument): Run {
    const run = new Run();
    run.traceIds = [...doc.trace_ids];
    run.start = BigInt(doc.start_ns);
    for (const lane of doc.lanes) run.lane(lane.name, lane.agent);
    const { spans, strings } = doc;
    const text = (at: number) => (at < 0 ? "" : strings[at]);
    const texts = (column: readonly number[]) => column.map(text);
    const laneOf = strings.map((name) => run.laneIndex.get(name) ?? -1);
    run.ids = spans.id;
    run.traces = spans.trace;
    run.parents = spans.parent;
    run.names = texts(spans.name_s);
    run.labels = texts(spans.label_s);
    run.lanes = spans.lane_s.map((at) => (at < 0 ? -1 : laneOf[at]));
    run.agents = texts(spans.agent_s);
    run.services = texts(spans.service_s);
    run.kinds = texts(spans.record_kind_s);
    run.models = texts(spans.model_s);
    run.tools = texts(spans.tool_s);
    run.tasks = spans.task.map((task) => task === 1);
    run.starts = spans.start;
    run.ends = spans.end.map((end) => end ?? Number.NaN);
    run.errors = spans.error.map((error, i) => error === 1 || spans.status[i] === ERROR);
    run.stopped = spans.stopped.map((stopped) => stopped === 1);
    run.inputTokens = spans.input_tokens.map((tokens) => tokens ?? 0);
    run.outputTokens = spans.output_tokens.map((tokens) => tokens ?? 0);
    run.costs = spans.cost_usd.map((cost) => cost ?? Number.NaN);
    for (let i = 0; i < run.size; i++) {
      run.index.set(run.ids[i], i);
      run.last = Math.max(run.last, run.starts[i], Number.isNaN(run.ends[i]) ? 0 : run.ends[i]);
    }
    run.unlinked(run.size);
    // A parent may stand behind its child where clocks differ: only now are all known.
    for (let i = 0; i < spans.id.length; i++) run.adopt(i, spans.parent[i]);
    const { edges } = doc;
    for (let e = 0; e < edges.effect.length; e++) {
      run.addEdge(
        edges.cause[e],
        edges.effect[e],
        text(edges.kind_s[e]),
        text(edges.provenance_s[e]),
        edges.gap[e] ?? Number.NaN,
        edges.joined[e] === 1,
        edges.probability[e] ?? Number.NaN,
      );
    }
    const { end, kind_s, span, start } = doc.critical_path;
    run.path = end.map((to, at) => ({ kind: text(kind_s[at]), span: span[at], start: at ? end[at - 1] : start, end: to }));
    run.waits = doc.waits;
    run.problems = doc.problems;
    run.incomplete = doc.incomplete;
    run.open = doc.open;
    run.cursor = doc.cursor ?? null;
    return run;
  }

  get size(): number {
    return this.ids.length;
  }

  /** The end of what is known: of the last span that ended or started. */
  get lastKnown(): number {
    return this.last;
  }

  running(i: number): boolean {
    return Number.isNaN(this.ends[i]) && !this.stopped[i];
  }

  /** The end of a span; of one that runs `now`, of one whose process ended first the end of what is known. */
  end(i: number, now: number): number {
    const end = this.ends[i];
    if (!Number.isNaN(end)) return end;
    return this.stopped[i] ? Math.max(this.starts[i], Math.min(now, this.last)) : Math.max(this.starts[i], now);
  }

  title(i: number): string {
    return this.labels[i] || this.names[i];
  }

  /** The task that a span is, or lies in; itself outside of any. */
  taskOf(i: number): number {
    for (let at = i; at >= 0; at = this.parents[at]) if (this.tasks[at]) return at;
    return i;
  }

  *children(i: number): Generator<number> {
    for (let child = this.firstChild[i]; child >= 0; child = this.nextSibling[child]) yield child;
  }

  hasChildren(i: number): boolean {
    return this.firstChild[i] >= 0;
  }

  /** Edges by their number: those that led to a span. */
  *edgesIn(i: number): Generator<number> {
    for (let e = this.firstIn[i]; e >= 0; e = this.nextIn[e]) yield e;
  }

  *edgesOut(i: number): Generator<number> {
    for (let e = this.firstOut[i]; e >= 0; e = this.nextOut[e]) yield e;
  }

  offset(ns: number | string | bigint): number {
    return Number(BigInt(ns) - this.start);
  }

  /** Merge an event of the stream; events may come twice, late, and before those of their parents and causes. */
  apply(event: SpanEvent): number {
    if (this.size === 0) this.start = BigInt(event.start_ns);
    if (!this.traceIds.includes(event.trace_id)) this.traceIds.push(event.trace_id);
    const known = this.index.get(event.span_id);
    const at = known ?? this.insert(event);
    if (known !== undefined) this.update(known, event);
    for (const edge of event.edges ?? []) this.connect(edge.cause, at, edge.kind);
    this.version++;
    return at;
  }

  private insert(event: SpanEvent): number {
    const at = this.push(event.span_id, -1, this.traceIds.indexOf(event.trace_id), {
      name: event.name,
      label: event.label ?? "",
      lane: event.lane ?? "",
      agent: event.agent ?? "",
      service: event.service ?? "",
      kind: event.kind ?? "",
      model: event.model ?? "",
      tool: event.tool ?? "",
      task: Boolean(event.task),
      start: this.offset(event.start_ns),
      end: event.end_ns === null ? Number.NaN : this.offset(event.end_ns),
      error: isError(event),
      stopped: false,
      input: event.input_tokens ?? 0,
      output: event.output_tokens ?? 0,
      cost: event.cost_usd ?? Number.NaN,
    });
    const parent = event.parent === null ? -1 : (this.index.get(event.parent) ?? -1);
    if (event.parent !== null && parent < 0) listOf(this.orphans, event.parent).push(at);
    this.adopt(at, parent);
    for (const child of this.orphans.get(event.span_id) ?? []) {
      this.roots.splice(this.roots.indexOf(child), 1);
      this.adopt(child, at);
    }
    this.orphans.delete(event.span_id);
    for (const { effect, kind } of this.early.get(event.span_id) ?? []) this.connect(event.span_id, effect, kind);
    this.early.delete(event.span_id);
    return at;
  }

  private update(at: number, event: SpanEvent): void {
    if (event.end_ns !== null) {
      this.ends[at] = this.offset(event.end_ns);
      this.last = Math.max(this.last, this.ends[at]);
    }
    this.errors[at] ||= isError(event);
    if (event.name) this.names[at] = event.name;
    if (event.label) this.labels[at] = event.label;
    if (event.model) this.models[at] = event.model;
    if (event.tool) this.tools[at] = event.tool;
    if (event.kind) this.kinds[at] = event.kind;
    if (event.input_tokens) this.inputTokens[at] = event.input_tokens;
    if (event.output_tokens) this.outputTokens[at] = event.output_tokens;
    if (event.cost_usd !== null && event.cost_usd !== undefined) this.costs[at] = event.cost_usd;
  }

  private connect(cause: string, effect: number, kind: string | null): void {
    if (kind === null || kind === "child") return;
    const at = this.index.get(cause);
    if (at === undefined) {
      listOf(this.early, cause).push({ effect, kind });
      return;
    }
    for (const e of this.edgesIn(effect)) if (this.edgeCauses[e] === at && this.edgeKinds[e] === kind) return;
    this.addEdge(at, effect, kind, "recorded", this.starts[effect] - this.ends[at], false);
  }

  private push(id: string, parent: number, trace: number, row: Row): number {
    const at = this.ids.length;
    this.ids.push(id);
    this.index.set(id, at);
    this.parents.push(parent);
    this.traces.push(trace);
    this.names.push(row.name);
    this.labels.push(row.label);
    this.lanes.push(this.lane(row.lane, row.lane === row.agent && row.agent !== ""));
    this.agents.push(row.agent);
    this.services.push(row.service);
    this.kinds.push(row.kind);
    this.models.push(row.model);
    this.tools.push(row.tool);
    this.tasks.push(row.task);
    this.starts.push(row.start);
    this.ends.push(row.end);
    this.errors.push(row.error);
    this.stopped.push(row.stopped);
    this.inputTokens.push(row.input);
    this.outputTokens.push(row.output);
    this.costs.push(row.cost);
    this.unlinked(1);
    this.last = Math.max(this.last, row.start, Number.isNaN(row.end) ? 0 : row.end);
    return at;
  }

  /** Room for the relations of so many more spans. */
  private unlinked(count: number): void {
    for (let i = 0; i < count; i++) {
      this.firstChild.push(-1);
      this.lastChild.push(-1);
      this.nextSibling.push(-1);
      this.firstIn.push(-1);
      this.firstOut.push(-1);
    }
  }

  /** The number of a lane; −1 for what encloses all of them. */
  private lane(name: string, agent: boolean): number {
    if (!name) return -1;
    let at = this.laneIndex.get(name);
    if (at === undefined) {
      at = this.laneList.length;
      this.laneIndex.set(name, at);
      this.laneList.push({ name, agent });
    }
    return at;
  }

  /** How sure an edge is: nothing where it was recorded. */
  certainty(edge: number): string {
    const provenance = this.edgeProvenances[edge];
    return provenance === "recorded" ? "" : certainty(provenance, this.edgeProbabilities[edge]);
  }

  private adopt(child: number, parent: number): void {
    this.parents[child] = parent;
    if (parent < 0) {
      this.roots.push(child);
      return;
    }
    const last = this.lastChild[parent];
    if (last < 0) this.firstChild[parent] = child;
    else this.nextSibling[last] = child;
    this.lastChild[parent] = child;
  }

  private addEdge(
    cause: number, effect: number, kind: string, provenance: string, gap: number, joined: boolean,
    probability = Number.NaN,
  ): void {
    const e = this.edgeCauses.length;
    this.edgeCauses.push(cause);
    this.edgeEffects.push(effect);
    this.edgeKinds.push(kind);
    this.edgeProvenances.push(provenance);
    this.edgeProbabilities.push(probability);
    this.edgeGaps.push(gap);
    this.edgeJoined.push(joined);
    this.nextIn.push(this.firstIn[effect]);
    this.firstIn[effect] = e;
    this.nextOut.push(cause < 0 ? -1 : this.firstOut[cause]);
    if (cause >= 0) this.firstOut[cause] = e;
  }
}

interface Row {
  name: string;
  label: string;
  lane: string;
  agent: string;
  service: string;
  kind: string;
  model: string;
  tool: string;
  task: boolean;
  start: number;
  end: number;
  error: boolean;
  stopped: boolean;
  input: number;
  output: number;
  cost: number;
}

function isError(event: SpanEvent): boolean {
  return Boolean(event.error) || event.status === ERROR;
}

function listOf<T>(map: Map<string, T[]>, key: string): T[] {
  let list = map.get(key);
  if (!list) map.set(key, (list = []));
  return list;
}
