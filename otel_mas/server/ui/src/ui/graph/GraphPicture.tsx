import { useMemo } from "react";
import { oneLine } from "../../format";
import { arrange, HIGH, type Placed, WIDE } from "./arrange";

export interface GraphNode {
  id: string;
  name: string;
  /** The second line. */
  detail: string;
  /** At its end. */
  state: string;
  tone: string;
  title: string;
}

export interface GraphEdge {
  from: string;
  to: string;
  kind: string;
  count: number;
}

interface Props {
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  label: string;
  onSelect?: (id: string) => void;
}

/** A graph of few nodes, from left to right; places change only with its shape. */
export function GraphPicture({ nodes, edges, label, onSelect }: Props) {
  const shape = JSON.stringify([nodes.map((node) => node.id), edges.map((edge) => [edge.from, edge.to, edge.kind])]);
  // eslint-disable-next-line react/exhaustive-deps -- counts change the words, not the places
  const placed = useMemo(() => arrange({ nodes, edges }), [shape]);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const counts = new Map(edges.map((edge) => [`${edge.from}\0${edge.to}\0${edge.kind}`, edge.count]));
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled by keys
    <div className="scroll" tabIndex={0} role="region" aria-label={label}>
      <svg width={placed.width} height={placed.height} viewBox={`0 0 ${placed.width} ${placed.height}`} role="group" aria-label={label}>
        <defs>
          <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0.5L8 4L0 7.5z" />
          </marker>
        </defs>
        {placed.edges.map((edge) => {
          const count = counts.get(edge.id) ?? 0;
          return (
            <g key={edge.id} className={`graph-edge ${edge.kind}`}>
              <path d={edge.path} markerEnd="url(#head)" />
              {count > 1 && (
                <text x={edge.x} y={edge.y} textAnchor="middle">
                  {count}
                </text>
              )}
            </g>
          );
        })}
        {placed.nodes.map((place) => {
          const node = byId.get(place.id);
          return node && <Node key={place.id} node={node} place={place} {...(onSelect && { onSelect })} />;
        })}
      </svg>
    </div>
  );
}

function Node({ node, place, onSelect }: { node: GraphNode; place: Placed; onSelect?: (id: string) => void }) {
  const choose = () => onSelect?.(node.id);
  return (
    // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- SVG has no button
    <g
      className={`graph-node ${node.tone}`}
      transform={`translate(${place.x - WIDE / 2} ${place.y - HIGH / 2})`}
      {...(onSelect && { role: "button", tabIndex: 0 })}
      onClick={choose}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        choose();
      }}
    >
      <title>{node.title}</title>
      <rect width={WIDE} height={HIGH} rx={6} />
      <text x={10} y={17} className="name">
        {oneLine(node.name, 22)}
      </text>
      <text x={10} y={33} className="small">
        {node.detail}
      </text>
      <text x={WIDE - 8} y={33} textAnchor="end" className="small state">
        {oneLine(node.state, 16)}
      </text>
    </g>
  );
}
