/** What a graph declares and did not run, beside what ran. */
import { MOST_NODES, type Mission, type MissionEdge, type MissionNode } from "./mission";

const LAST = /^.*:/;

/** `nodes` and `edges` as `mas.graph.nodes` and `mas.graph.edges` have them. */
export function withPlanned(found: Mission, nodes: readonly string[], edges: readonly string[]): Mission {
  const byName = new Map(found.nodes.map((node) => [node.name, node.id]));
  const planned: MissionNode[] = [];
  for (const declared of nodes) {
    const [path, agent] = declared.split("|");
    const name = path.replace(LAST, "");
    // Where a task of this name ran somewhere, it may be this one.
    if (byName.has(name) || (agent && byName.has(agent)) || found.nodes.length + planned.length >= MOST_NODES) continue;
    const id = `planned\n${name}`;
    byName.set(name, id);
    const lane = path.includes(":") ? path.split(":")[0] : name;
    planned.push({ id, name, lane, agent: false, spans: [], running: 0, errors: 0, waiting: 0, duration: 0, onPath: false });
  }
  const added = new Set(planned.map((node) => node.id));
  return { ...found, nodes: [...found.nodes, ...planned], edges: [...found.edges, ...between(edges, byName, added)] };
}

/** The declared edges from and to what did not run. */
function between(edges: readonly string[], byName: ReadonlyMap<string, string>, added: ReadonlySet<string>): MissionEdge[] {
  const made = new Map<string, MissionEdge>();
  for (const edge of edges) {
    const ends = edge.split("|").slice(1).map((path) => byName.get(path.replace(LAST, "")));
    const to = ends.at(-1);
    for (const from of ends.slice(0, -1))
      if (from && to && (added.has(from) || added.has(to)))
        made.set(`${from}\0${to}`, { from, to, kind: "planned", count: 1, effect: -1 });
  }
  return [...made.values()];
}
