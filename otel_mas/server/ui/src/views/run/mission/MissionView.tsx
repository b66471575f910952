import { useMemo } from "react";
import type { SpanDetailsDocument } from "../../../api/types";
import { useJson } from "../../../api/useJson";
import { duration } from "../../../format";
import { mission, type MissionNode } from "../../../model/mission";
import { withPlanned } from "../../../model/planned";
import { GraphPicture } from "../../../ui/graph/GraphPicture";
import { Empty } from "../../../ui/states";
import { useShared } from "../context";

/** Agents and tasks, each once, with how often it ran and how it fares; and who caused whom. */
export function MissionView() {
  const { run, version, now, selected, select, base, suffix } = useShared();
  const root = run.ids[run.roots[0]];
  const { data } = useJson<SpanDetailsDocument>(root ? `${base}/spans/${root}${suffix}` : null);
  // eslint-disable-next-line react/exhaustive-deps -- a new version is a changed run
  const ran = useMemo(() => mission(run, now()), [run, version]);
  const found = useMemo(() => {
    const declared = data?.spans[0]?.attributes ?? {};
    return withPlanned(ran, texts(declared["mas.graph.nodes"]), texts(declared["mas.graph.edges"]));
  }, [ran, data]);
  if (!found.nodes.length) return <Empty title="No task is known.">The view Tree shows all spans.</Empty>;
  const byId = new Map(found.nodes.map((node) => [node.id, node]));
  const choose = (id: string) => {
    const spans = byId.get(id)?.spans ?? [];
    if (spans.length) select(spans[(spans.indexOf(selected) + 1) % spans.length]);
  };
  return (
    <div className="mission">
      {found.hidden > 0 && <p className="note">{found.hidden} rarer tasks are not drawn.</p>}
      <GraphPicture
        nodes={found.nodes.map((node) => drawn(node, node.spans.includes(selected)))}
        edges={found.edges}
        label="Agents and tasks, and who caused whom"
        onSelect={choose}
      />
    </div>
  );
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function drawn(node: MissionNode, current: boolean) {
  if (!node.spans.length) {
    const state = node.lane === node.name ? "" : node.lane;
    return { id: node.id, name: node.name, detail: "did not run", state, tone: "planned", title: `${node.name}: declared, did not run` };
  }
  const [tone, state] = node.errors
    ? ["bad", `${node.errors} failed`]
    : node.waiting
      ? ["wait", "waits for a person"]
      : node.running
        ? ["run", `${node.running} running`]
        : ["done", ""];
  const detail = `${node.spans.length} × · ${duration(node.duration)}`;
  return {
    id: node.id,
    name: node.name,
    detail,
    state: state || (node.lane === node.name ? "" : node.lane),
    tone: [tone, node.agent && "agent", current && "current", node.onPath && "on-path"].filter(Boolean).join(" "),
    title: `${node.name} of ${node.lane}: ${detail} ${state || "done"}`,
  };
}
