import { useMemo } from "react";
import { duration, oneLine } from "../../../format";
import { mission, type MissionNode } from "../../../model/mission";
import { Empty } from "../../../ui/states";
import { useShared } from "../context";
import { arrange, HIGH, type Placed, WIDE } from "./arrange";

/** Agents and tasks, each once, with how often it ran and how it fares; and who caused whom. */
export function MissionView() {
  const { run, version, now, selected, select } = useShared();
  // eslint-disable-next-line react/exhaustive-deps -- a new version is a changed run
  const found = useMemo(() => mission(run, now()), [run, version]);
  const shape = found.nodes.map((node) => node.id).join("\n") + found.edges.map((edge) => `${edge.from}${edge.to}${edge.kind}`).join("\n");
  // eslint-disable-next-line react/exhaustive-deps -- counts change the words, not the places
  const placed = useMemo(() => arrange(found), [shape]);
  const nodes = new Map(found.nodes.map((node) => [node.id, node]));
  const edges = new Map(found.edges.map((edge) => [`${edge.from}\0${edge.to}\0${edge.kind}`, edge]));
  if (!found.nodes.length) return <Empty title="No task is known.">The view Tree shows all spans.</Empty>;
  const next = (node: MissionNode) => node.spans[(node.spans.indexOf(selected) + 1) % node.spans.length];
  return (
    <div className="mission">
      {found.hidden > 0 && <p className="note">{found.hidden} rarer tasks are not drawn.</p>}
      <div className="scroll">
        <svg width={placed.width} height={placed.height} viewBox={`0 0 ${placed.width} ${placed.height}`} role="group" aria-label="Agents and tasks, and who caused whom">
          <defs>
            <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
              <path d="M0 0.5L8 4L0 7.5z" />
            </marker>
          </defs>
          {placed.edges.map((edge) => {
            const count = edges.get(edge.id)?.count ?? 0;
            return (
              <g key={edge.id} className={`mission-edge ${edge.kind}`}>
                <path d={edge.path} markerEnd="url(#head)" />
                {count > 1 && (
                  <text x={edge.x} y={edge.y}>
                    {count}
                  </text>
                )}
              </g>
            );
          })}
          {placed.nodes.map((place) => {
            const node = nodes.get(place.id);
            return node && <Node key={place.id} node={node} place={place} current={node.spans.includes(selected)} onSelect={() => select(next(node))} />;
          })}
        </svg>
      </div>
    </div>
  );
}

function Node({ node, place, current, onSelect }: { node: MissionNode; place: Placed; current: boolean; onSelect: () => void }) {
  const tone = node.errors ? "bad" : node.waiting ? "wait" : node.running ? "run" : "done";
  const state = node.errors ? `${node.errors} failed` : node.waiting ? "waits for a person" : node.running ? `${node.running} running` : "done";
  const text = `${node.spans.length} × · ${duration(node.duration)}`;
  return (
    // eslint-disable-next-line jsx-a11y/prefer-tag-over-role -- SVG has no button
    <g
      className={`mission-node ${tone} ${node.agent ? "agent" : ""} ${current ? "current" : ""} ${node.onPath ? "on-path" : ""}`}
      transform={`translate(${place.x - WIDE / 2} ${place.y - HIGH / 2})`}
      role="button"
      tabIndex={0}
      aria-label={`${node.name}: ran ${node.spans.length} times, ${state}`}
      onClick={onSelect}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        onSelect();
      }}
    >
      <title>{`${node.name} of ${node.lane}: ${text}, ${state}`}</title>
      <rect width={WIDE} height={HIGH} rx={6} />
      <text x={10} y={17} className="name">
        {oneLine(node.name, 22)}
      </text>
      <text x={10} y={33} className="small">
        {text}
      </text>
      <text x={WIDE - 8} y={33} textAnchor="end" className="small state">
        {state !== "done" ? state : node.lane === node.name ? "" : oneLine(node.lane, 14)}
      </text>
    </g>
  );
}
