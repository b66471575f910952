import { describe, expect, it } from "vitest";
import { Run } from "../src/model/run";
import { compress, gaps, ticks, timeScale } from "../src/model/timescale";
import { picture } from "./make";

const S = 1e9;

describe("gaps", () => {
  it("are what nothing covers", () => {
    expect(gaps(10, [{ start: 1, end: 3 }, { start: 2, end: 4 }, { start: 8, end: 12 }])).toEqual([
      { start: 0, end: 1 },
      { start: 4, end: 8 },
    ]);
    expect(gaps(5, [])).toEqual([{ start: 0, end: 5 }]);
    expect(gaps(5, [{ start: 0, end: 5 }])).toEqual([]);
  });
});

describe("a compressed scale", () => {
  const scale = compress(110 * S, [{ start: 5 * S, end: 105 * S }], [{ start: 6 * S, end: 100 * S }]);

  it("draws a wait short and the rest as it was", () => {
    expect(scale.at(5 * S)).toBe(5 * S);
    const wait = scale.at(105 * S) - scale.at(5 * S);
    expect(wait).toBeLessThan(1 * S);
    expect(wait).toBeGreaterThan(0);
    expect(scale.at(110 * S) - scale.at(105 * S)).toBeCloseTo(5 * S, 0);
    expect(scale.pieces.map((piece) => [piece.idle, piece.waiting])).toEqual([[false, false], [true, true], [false, false]]);
  });

  it("never runs backwards, and back again is where it was", () => {
    let before = -1;
    for (let ns = 0; ns <= 120 * S; ns += S / 3) {
      const unit = scale.at(ns);
      expect(unit).toBeGreaterThan(before);
      expect(scale.ns(unit) / ns || 1).toBeCloseTo(1, 6);
      before = unit;
    }
  });

  it("keeps short gaps", () => {
    expect(compress(100, [{ start: 50, end: 52 }], []).pieces).toHaveLength(1);
  });
});

describe("the scale of a run", () => {
  it("compresses the wait of a task inside of a span that goes on around it", () => {
    const doc = picture([
      { id: "root", start: 0, end: 100 * S },
      { id: "ask", parent: "root", lane: "a", start: 4 * S, end: 90 * S },
      { id: "work", parent: "root", lane: "b", start: 0, end: 4 * S },
    ], [], { waits: [{ span: 1, start: 5 * S, end: 89 * S, overdue: false }] });
    const scale = timeScale(Run.fromDocument(doc), 0);
    expect(scale.pieces.filter((piece) => piece.waiting)).toHaveLength(1);
    expect(scale.total).toBeLessThan(20 * S);
  });

  it("keeps a wait beside which somebody else works", () => {
    const doc = picture([
      { id: "root", start: 0, end: 100 * S },
      { id: "ask", parent: "root", lane: "a", start: 0, end: 100 * S },
      { id: "work", parent: "root", lane: "b", start: 0, end: 100 * S },
    ], [], { waits: [{ span: 1, start: 0, end: 100 * S, overdue: false }] });
    expect(timeScale(Run.fromDocument(doc), 0).total).toBe(100 * S);
  });

  it("keeps the time in which a parent works by itself", () => {
    const doc = picture([{ id: "root", start: 0, end: 100 * S }, { id: "call", parent: "root", lane: "a", start: 0, end: S }]);
    expect(timeScale(Run.fromDocument(doc), 0).total).toBe(100 * S);
  });
});

describe("ticks", () => {
  it("are round and apart", () => {
    const found = ticks(compress(10 * S, [], []), 0, 10 * S, 1.2 * S);
    expect(found).toEqual([0, 2 * S, 4 * S, 6 * S, 8 * S, 10 * S]);
  });
});
