import { describe, expect, it } from "vitest";
import { GAP, layout, ROW } from "../src/model/layout";
import { Run } from "../src/model/run";
import { timeScale } from "../src/model/timescale";
import { firstAfter, scene } from "../src/views/run/picture/scene";
import { type Given, picture } from "./make";

function arrange(spans: Given[], width = 0) {
  const run = Run.fromDocument(picture(spans));
  return { run, ...layout(run, timeScale(run, 0), 0, width) };
}

describe("bars", () => {
  it("follow each other on a row, and are side by side where they ran so", () => {
    const { y } = arrange([
      { id: "a", lane: "x", start: 0, end: 10 },
      { id: "b", lane: "x", start: 10, end: 20 },
      { id: "c", lane: "x", start: 12, end: 15 },
    ]);
    expect(y[1]).toBe(y[0]);
    expect(y[2] - y[0]).toBe(ROW + GAP);
  });

  it("are inside of the box of their agent, below its title", () => {
    const { box, y, h } = arrange([
      { id: "agent", lane: "x", start: 0, end: 10 },
      { id: "task", parent: "agent", lane: "x", start: 1, end: 5 },
      { id: "other", parent: "agent", lane: "x", start: 2, end: 5 },
    ]);
    expect([...box]).toEqual([1, 0, 0]);
    expect(y[1]).toBe(y[0] + ROW);
    expect(y[2] + h[2]).toBeLessThanOrEqual(y[0] + h[0]);
  });

  it("of another lane are outside", () => {
    const { lanes, y } = arrange([
      { id: "agent", lane: "x", start: 0, end: 10 },
      { id: "called", parent: "agent", lane: "y", start: 1, end: 5 },
    ]);
    expect(lanes.map((lane) => lane.name)).toEqual(["x", "y"]);
    expect(y[1]).toBeGreaterThanOrEqual(lanes[1].y);
  });

  it("never overlap", () => {
    const spans: Given[] = Array.from({ length: 300 }, (_, i) => {
      const start = (i * 7919) % 400;
      return { id: `s${i}`, lane: "x", start, end: start + 1 + ((i * 31) % 60), ...(i % 3 && i > 3 ? { parent: `s${i % 3}` } : {}) };
    }).sort((a, b) => a.start - b.start);
    const { run, bars, box, y, h } = arrange(spans);
    const leaves = bars.filter((i) => !box[i]);
    for (const a of leaves)
      for (const b of leaves) {
        if (a >= b || y[a] + h[a] <= y[b] || y[b] + h[b] <= y[a]) continue;
        expect(run.ends[a] <= run.starts[b] || run.ends[b] <= run.starts[a]).toBe(true);
      }
  });

  it("survive a span that is its own ancestor", () => {
    const doc = picture([{ id: "a", lane: "x", start: 0 }, { id: "b", lane: "x", start: 1 }]);
    doc.spans.parent = [1, 0];
    const run = Run.fromDocument(doc);
    expect(layout(run, timeScale(run, 0), 0, 100).bars).toHaveLength(2);
  });
});

it("calls are strips of the task that they belong to", () => {
  const { strips, stripStart, barOf } = arrange([
    { id: "task", lane: "x", start: 0, end: 10 },
    { id: "call", parent: "task", lane: "x", kind: "LLM_CALL", start: 1, end: 5 },
    { id: "route", parent: "task", lane: "x", kind: "ROUTING_DECISION", start: 5, end: 6 },
  ]);
  expect(Array.from(strips.slice(stripStart[0], stripStart[1]))).toEqual([1]);
  expect(barOf[2]).toBe(0);
});

it("the first bar in view is found by its end", () => {
  const spans = Array.from({ length: 50 }, (_, i) => ({ id: `s${i}`, lane: "x", start: i * 10, end: i * 10 + 8 }));
  const shown = scene(Run.fromDocument(picture(spans)), 0, 0);
  expect(shown.rows).toHaveLength(1);
  expect(firstAfter(shown, shown.rows[0].bars, 105)).toBe(10);
});
