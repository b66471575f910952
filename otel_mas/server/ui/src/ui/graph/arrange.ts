/** Places of a graph of few nodes, by dagre. */
import { Graph, layout } from "@dagrejs/dagre";

export const WIDE = 176;
export const HIGH = 42;

interface Point {
  x: number;
  y: number;
}

export interface Placed extends Point {
  id: string;
}

interface Shape {
  nodes: readonly { id: string }[];
  edges: readonly { from: string; to: string; kind: string }[];
}

export interface Arranged {
  width: number;
  height: number;
  nodes: Placed[];
  edges: { id: string; kind: string; path: string; x: number; y: number }[];
}

export function arrange(shape: Shape): Arranged {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 56, marginx: 16, marginy: 24 });
  graph.setDefaultEdgeLabel(() => ({}));
  // By number, and edges by a name that is not empty: dagre keeps both as properties of objects, so that `__proto__`,
  // `constructor` or an empty name would break it.
  const keys = new Map(shape.nodes.map(({ id }, at) => [id, String(at)]));
  const key = (id: string) => keys.get(id) as string;
  for (const node of shape.nodes) graph.setNode(key(node.id), { width: WIDE, height: HIGH });
  // What leads to itself is drawn above its node; dagre would leave room for it on a side.
  const [loops, others] = [true, false].map((is) => shape.edges.filter(({ from, to }) => (from === to) === is));
  for (const { from, to, kind } of others) graph.setEdge(key(from), key(to), {}, `kind ${kind}`);
  layout(graph);
  const size = graph.graph() as { width?: number; height?: number };
  return {
    width: Math.ceil(size.width ?? 0),
    height: Math.ceil(size.height ?? 0),
    nodes: shape.nodes.map(({ id }) => {
      const { x, y } = graph.node(key(id)) as Point;
      return { id, x, y };
    }),
    edges: [
      ...loops.map(({ from, kind }) => loop(graph.node(key(from)) as Point, from, kind)),
      ...others.map(({ from, to, kind }) => {
        const { points } = graph.edge(key(from), key(to), `kind ${kind}`) as { points: Point[] };
        const { x, y } = middle(points);
        return { id: `${from}\0${to}\0${kind}`, kind, path: smooth(points), x, y: y - 4 };
      }),
    ],
  };
}

function loop({ x, y }: Point, id: string, kind: string): Arranged["edges"][number] {
  const top = y - HIGH / 2;
  const path = `M${x + 52} ${top}c8 -22 -32 -22 -24 -2`;
  return { id: `${id}\0${id}\0${kind}`, kind, path, x: x + 62, y: top - 6 };
}

/** The middle of the line: between the points where their number is even, on the curve where it is odd. */
function middle(points: readonly Point[]): Point {
  const at = points.length >> 1;
  const [before, here, after] = [points[at - 1], points[at], points[Math.min(at + 1, points.length - 1)]];
  if (points.length % 2 === 0) return { x: (before.x + here.x) / 2, y: (before.y + here.y) / 2 };
  return { x: (before.x + 2 * here.x + after.x) / 4, y: (before.y + 2 * here.y + after.y) / 4 };
}

/** A line through the points, rounded at those in between. */
function smooth(points: readonly Point[]): string {
  const place = (point: Point) => `${point.x.toFixed(1)} ${point.y.toFixed(1)}`;
  if (points.length < 3) return points.map((point, at) => `${at ? "L" : "M"}${place(point)}`).join("");
  let path = `M${place(points[0])}`;
  for (let at = 1; at < points.length - 1; at++) {
    const next = points[at + 1];
    const end = at === points.length - 2 ? next : { x: (points[at].x + next.x) / 2, y: (points[at].y + next.y) / 2 };
    path += `Q${place(points[at])} ${place(end)}`;
  }
  return path;
}
