import { useMemo } from "react";
import { oneLine, plural } from "../../format";
import { GraphPicture } from "../../ui/graph/GraphPicture";
import type { TopologyEdge } from "../../api/types";

const MOST = 300;

/** Who calls whom, mined from many runs. */
export function Topology({ edges }: { edges: readonly TopologyEdge[] }) {
  const { nodes, links } = useMemo(() => graph(edges), [edges]);
  return (
    <section>
      <h2>Who calls whom</h2>
      <GraphPicture nodes={nodes} edges={links} label="Who calls whom" />
      <details>
        <summary>as a table</summary>
        <table className="list">
          <thead>
            <tr>
              <th scope="col">Caller</th>
              <th scope="col">How</th>
              <th scope="col">Callee</th>
              <th scope="col" className="num">Times</th>
              <th scope="col" className="num">Failed</th>
            </tr>
          </thead>
          <tbody>
            {edges.map((edge) => (
              <tr key={`${edge.caller}\0${edge.callee}\0${edge.kind}`}>
                <td>{edge.caller === null ? <span className="dim">start of a run</span> : <bdi>{oneLine(edge.caller, 60)}</bdi>}</td>
                <td className="dim">{edge.kind}</td>
                <td>
                  <bdi>{oneLine(edge.callee, 60)}</bdi>
                </td>
                <td className="num">{edge.count}</td>
                <td className={edge.errors ? "num bad" : "num"}>{edge.errors || ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}

function graph(edges: readonly TopologyEdge[]) {
  const calls = new Map<string, { count: number; errors: number }>();
  for (const edge of edges) {
    const callee = calls.get(edge.callee) ?? { count: 0, errors: 0 };
    calls.set(edge.callee, { count: callee.count + edge.count, errors: callee.errors + edge.errors });
    if (edge.caller !== null && !calls.has(edge.caller)) calls.set(edge.caller, { count: 0, errors: 0 });
  }
  const kept = [...calls].sort(([, a], [, b]) => b.count - a.count).slice(0, MOST);
  const ids = new Set(kept.map(([id]) => id));
  return {
    nodes: kept.map(([id, { count, errors }]) => ({
      id,
      name: id.split("/").at(-1) ?? id,
      detail: plural(count, "call"),
      state: errors ? `${errors} failed` : id.includes("/") ? id.split("/").slice(0, -1).join("/") : "",
      tone: errors ? "bad" : "done",
      title: `${id}: ${plural(count, "call")}${errors ? `, ${errors} failed` : ""}`,
    })),
    links: edges.flatMap(({ caller, callee, kind, count }) =>
      caller !== null && ids.has(caller) && ids.has(callee) ? [{ from: caller, to: callee, kind: kind ?? "", count }] : [],
    ),
  };
}
