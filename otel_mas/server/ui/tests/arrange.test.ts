import { describe, expect, it } from "vitest";

import { arrange, HIGH } from "../src/ui/graph/arrange";

describe("a graph", () => {
  it("has room for nodes of any name", () => {
    const names = ["__proto__", "constructor", "hasOwnProperty", "toString", "", "0", "\u0000", "\u0001"];
    const edges = names.slice(1).flatMap((to, at) => ["", "__proto__"].map((kind) => ({ from: names[at], to, kind })));
    const { nodes, edges: drawn, width } = arrange({ nodes: names.map((id) => ({ id })), edges });
    expect(nodes.map((node) => node.id)).toEqual(names);
    expect(new Set(nodes.map((node) => node.x)).size).toBe(names.length);
    expect(nodes.every((node) => node.x > 0 && node.x < width)).toBe(true);
    expect(new Set(drawn.map((edge) => edge.id)).size).toBe(edges.length);
    expect(drawn.every((edge) => edge.path.startsWith("M"))).toBe(true);
  });

  it("draws what leads to itself inside of the picture", () => {
    const { nodes, edges } = arrange({ nodes: [{ id: "a" }], edges: [{ from: "a", to: "a", kind: "trigger" }] });
    const highest = 17; // of a curve whose control points are 22 above its ends
    expect(nodes[0].y - HIGH / 2 - highest).toBeGreaterThan(4);
    expect(edges).toHaveLength(1);
  });
});
