import { useMemo } from "react";
import { duration, oneLine, percent, plural } from "../../format";
import { GraphPicture } from "../../ui/graph/GraphPicture";
import type { MinedTopology, TopologyEdge } from "../../api/types";

const MOST = 300;

/** Who leads to whom, mined from many runs. An edge that is a guess is drawn and told as one. */
export function Topology({ found }: { found: MinedTopology }) {
  const edges = found.topology;
  const { nodes, links } = useMemo(() => graph(found), [found]);
  return (
    <section>
      <h2>Who leads to whom</h2>
      <GraphPicture nodes={nodes} edges={links} label="Who leads to whom" />
      <details>
        <summary>as a table</summary>
        <table className="list">
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">How</th>
              <th scope="col">To</th>
              <th scope="col" className="num">Times</th>
              <th scope="col" className="num">Runs</th>
              <th scope="col" className="num">Next</th>
              <th scope="col" className="num wide">Wait P50</th>
              <th scope="col" className="num wide">Took P50</th>
              <th scope="col" className="num">Failed</th>
            </tr>
          </thead>
          <tbody>
            {edges.map((edge) => (
              <tr key={[edge.workflow, edge.cause_kind, edge.cause, edge.effect_kind, edge.effect, edge.kind, edge.provenance].join("\0")}>
                <td>{edge.cause_kind ? <bdi>{oneLine(edge.cause, 60)}</bdi> : <span className="dim">{OUTSIDE[edge.cause] ?? edge.cause}</span>}</td>
                <td className="dim">{how(edge)}</td>
                <td>
                  <bdi>{oneLine(edge.effect, 60)}</bdi>
                </td>
                <td className="num">{edge.count.toLocaleString("en")}</td>
                <td className="num">{percent(edge.share)}</td>
                <td className="num">{edge.probability === null ? "" : percent(edge.probability)}</td>
                <td className="num wide dim">{duration(edge.wait_p50_ns)}</td>
                <td className="num wide dim">{duration(edge.duration_p50_ns)}</td>
                <td className={edge.errors ? "num bad" : "num"}>{edge.errors || ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}

const OUTSIDE: Record<string, string> = { START: "start of a run", EARLIER: "an earlier trace" };

function how(edge: TopologyEdge): string {
  if (edge.provenance === "recorded") return edge.kind;
  return `${edge.kind} (${edge.provenance}${edge.confidence === null ? "" : `, ${percent(edge.confidence)}`})`;
}

interface Executed {
  name: string;
  count: number;
  errors: number;
}

/** Agents, nodes and tools, those of one name in several workflows as one; models, which nearly all use, are in the table. */
function graph(found: MinedTopology) {
  const executed = new Map<string, Executed>();
  const idOf = (kind: string, name: string) => (kind === "task" || kind === "agent" ? name : `${kind}\0${name}`);
  for (const node of found.nodes) {
    if (node.kind === "model") continue;
    const id = idOf(node.kind, node.name);
    const known = executed.get(id) ?? { name: node.name, count: 0, errors: 0 };
    executed.set(id, { ...known, count: known.count + node.executions, errors: known.errors + node.errors });
  }
  const drawn = found.topology.filter((edge) => edge.effect_kind !== "model");
  const links = drawn.map((edge) => {
    const kind = edge.provenance === "inferred" ? `${edge.kind} inferred` : edge.kind;
    const from = edge.cause_kind ? idOf(edge.cause_kind, edge.cause) : null;
    return { from, to: idOf(edge.effect_kind, edge.effect), kind, count: edge.count };
  });
  const kept = [...executed].sort(([, a], [, b]) => b.count - a.count).slice(0, MOST);
  const ids = new Set(kept.map(([id]) => id));
  return {
    nodes: kept.map(([id, { name, count, errors }]) => ({
      id,
      name: name.split("/").at(-1) ?? name,
      detail: plural(count, "time"),
      state: errors ? `${errors} failed` : name.includes("/") ? name.split("/").slice(0, -1).join("/") : "",
      tone: errors ? "bad" : "done",
      title: `${name}: ${plural(count, "time")}${errors ? `, ${errors} failed` : ""}`,
    })),
    links: merged(links).flatMap(({ from, ...link }) => (from !== null && ids.has(from) && ids.has(link.to) ? [{ from, ...link }] : [])),
  };
}

/** One line for what two workflows share. */
function merged(links: readonly { from: string | null; to: string; kind: string; count: number }[]) {
  const found = new Map<string, { from: string | null; to: string; kind: string; count: number }>();
  for (const link of links) {
    const key = `${link.from}\0${link.to}\0${link.kind}`;
    const known = found.get(key);
    if (known) known.count += link.count;
    else found.set(key, { ...link });
  }
  return [...found.values()];
}
