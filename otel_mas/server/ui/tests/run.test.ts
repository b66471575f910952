import { describe, expect, it } from "vitest";
import { Run } from "../src/model/run";
import { event, picture } from "./make";

const START = 1796006135237179798n;
const at = (offset: number) => String(START + BigInt(offset));

function empty(): Run {
  return Run.fromDocument(picture([{ id: "root", start: 0, end: null }]));
}

describe("a picture", () => {
  const run = Run.fromDocument(
    picture(
      [
        { id: "root", start: 0, end: 10 },
        { id: "a", parent: "root", lane: "x", start: 1, end: 3 },
        { id: "b", parent: "root", lane: "y", start: 4, end: null },
      ],
      [["a", "b", "send", true]],
    ),
  );

  it("has spans, their children and their causes", () => {
    expect([...run.children(0)].map((i) => run.ids[i])).toEqual(["a", "b"]);
    expect([...run.edgesIn(2)].map((e) => [run.edgeCauses[e], run.edgeKinds[e], run.edgeJoined[e]])).toEqual([[1, "send", true]]);
    expect([...run.edgesOut(1)].map((e) => run.edgeEffects[e])).toEqual([2]);
    expect(run.laneList.map((lane) => lane.name)).toEqual(["x", "y"]);
  });

  it("lets what runs grow, and nothing else", () => {
    expect(run.running(2)).toBe(true);
    expect(run.end(2, 50)).toBe(50);
    expect(run.end(1, 50)).toBe(3);
  });

  it("has the steps of the critical path, each from the end of the one before", () => {
    const doc = picture([{ id: "r", start: 0, end: 9 }]);
    doc.critical_path = { start: 2, end: [5, 9], kind_s: [0, 0], span: [0, -1] };
    expect(Run.fromDocument(doc).path.map(({ start, end, span }) => [start, end, span])).toEqual([
      [2, 5, 0],
      [5, 9, -1],
    ]);
  });

  it("ends what its process left open at what is known", () => {
    const left = Run.fromDocument(picture([{ id: "r", start: 0, end: null, stopped: true }, { id: "x", start: 5, end: 7 }]));
    expect(left.running(0)).toBe(false);
    expect(left.end(0, 1000)).toBe(7);
  });
});

describe("events of the stream", () => {
  it("start and end a span", () => {
    const run = empty();
    const i = run.apply(event("s", { parent: "root", start_ns: at(5) }));
    expect(run.running(i)).toBe(true);
    expect(run.starts[i]).toBe(5);
    expect(run.apply(event("s", { parent: "root", start_ns: at(5), end_ns: at(9), status: 2 }))).toBe(i);
    expect([run.ends[i], run.errors[i], run.size]).toEqual([9, true, 2]);
  });

  it("may come twice", () => {
    const run = empty();
    const once = event("s", { parent: "root", start_ns: at(5), end_ns: at(9), edges: [{ cause: "root", kind: "trigger" }] });
    run.apply(once);
    run.apply(once);
    expect(run.size).toBe(2);
    expect([...run.edgesIn(1)]).toHaveLength(1);
    expect([...run.children(0)]).toEqual([1]);
  });

  it("may come after the end that they began", () => {
    const run = empty();
    run.apply(event("s", { start_ns: at(1), end_ns: at(2) }));
    run.apply(event("s", { start_ns: at(1) }));
    expect(run.ends[1]).toBe(2);
  });

  it("may come before their parents and causes", () => {
    const run = empty();
    run.apply(event("child", { parent: "late", edges: [{ cause: "cause", kind: "handoff" }] }));
    expect(run.roots.map((i) => run.ids[i])).toEqual(["root", "child"]);
    run.apply(event("late", { parent: "root" }));
    run.apply(event("cause", { parent: "root" }));
    expect(run.roots.map((i) => run.ids[i])).toEqual(["root"]);
    const late = run.index.get("late") as number;
    expect([...run.children(late)].map((i) => run.ids[i])).toEqual(["child"]);
    const child = run.index.get("child") as number;
    expect([...run.edgesIn(child)].map((e) => run.ids[run.edgeCauses[e]])).toEqual(["cause"]);
  });

  it("open new lanes", () => {
    const run = empty();
    run.apply(event("s", { lane: "critic", agent: "critic" }));
    expect(run.laneList).toEqual([{ name: "critic", agent: true }]);
  });
});
