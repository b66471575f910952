/** Tasks and agents aggregated: a node for each place, whatever ran there how often, and the causes between them. */
import type { Run } from "./run";

export interface MissionNode {
  id: string;
  name: string;
  lane: string;
  agent: boolean;
  /** Its spans, in start order. */
  spans: number[];
  running: number;
  errors: number;
  waiting: number;
  /** Nanoseconds of all of them. */
  duration: number;
  onPath: boolean;
}

export interface MissionEdge {
  from: string;
  to: string;
  kind: string;
  count: number;
  /** The spans of one of them, to show: the last one that happened. */
  effect: number;
}

export interface Mission {
  nodes: MissionNode[];
  edges: MissionEdge[];
  /** Nodes for which there was no room. */
  hidden: number;
}

export const MOST_NODES = 300;

export function mission(run: Run, now: number): Mission {
  const nodes = new Map<string, MissionNode>();
  const keys = run.ids.map(() => "");
  const waiting = new Set(run.waits.filter((wait) => wait.end === null).map((wait) => wait.span));
  const path = new Set(run.path.map((step) => step.span));
  for (let i = 0; i < run.size; i++) {
    if (!run.tasks[i] || run.lanes[i] < 0) continue;
    const lane = run.laneList[run.lanes[i]];
    const name = run.title(i).replace(/#\d+$/, "");
    const key = `${lane.name}\n${name}`;
    let node = nodes.get(key);
    if (!node) {
      node = { id: key, name, lane: lane.name, agent: lane.agent && name === lane.name, spans: [], running: 0, errors: 0, waiting: 0, duration: 0, onPath: false };
      nodes.set(key, node);
    }
    keys[i] = key;
    node.spans.push(i);
    if (run.running(i)) node.running++;
    if (run.errors[i]) node.errors++;
    if (waiting.has(i)) node.waiting++;
    node.duration += run.end(i, now) - run.starts[i];
    node.onPath ||= path.has(i);
  }
  const kept = new Set([...nodes.values()].sort((a, b) => b.spans.length - a.spans.length).slice(0, MOST_NODES).map((node) => node.id));
  return {
    nodes: [...nodes.values()].filter((node) => kept.has(node.id)),
    edges: edges(run, keys, kept),
    hidden: nodes.size - kept.size,
  };
}

function edges(run: Run, keys: readonly string[], kept: ReadonlySet<string>): MissionEdge[] {
  const found = new Map<string, MissionEdge>();
  for (let e = 0; e < run.edgeEffects.length; e++) {
    const kind = run.edgeKinds[e];
    const cause = run.edgeCauses[e];
    if (cause < 0 || kind === "message" || kind === "replay") continue;
    const from = keys[cause];
    const to = keys[run.edgeEffects[e]];
    if (!from || !to || !kept.has(from) || !kept.has(to)) continue;
    const key = `${from}\0${to}\0${kind}`;
    const edge = found.get(key);
    if (edge) edge.count++;
    else found.set(key, { from, to, kind, count: 1, effect: run.edgeEffects[e] });
  }
  return [...found.values()];
}
