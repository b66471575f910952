import { describe, expect, it } from "vitest";
import { causeOf, cone, effectOf } from "../src/model/focus";
import { mission } from "../src/model/mission";
import { withPlanned } from "../src/model/planned";
import { Run } from "../src/model/run";
import { exchanges, participants } from "../src/model/sequence";
import { matching, treeRows } from "../src/model/tree";
import { picture } from "./make";

const run = Run.fromDocument(
  picture(
    [
      { id: "root", start: 0, end: 100 },
      { id: "plan#1", parent: "root", lane: "planner", start: 1, end: 10 },
      { id: "work#1", parent: "root", lane: "worker", start: 11, end: 20 },
      { id: "work#2", parent: "root", lane: "worker", start: 11, end: 40, error: true },
      { id: "chat", parent: "work#2", lane: "worker", kind: "LLM_CALL", start: 12, end: 39 },
      { id: "sum#1", parent: "root", lane: "planner", start: 41, end: null },
      { id: "alone#1", parent: "root", lane: "other", start: 1, end: 2 },
    ],
    [
      ["plan#1", "work#1", "send"],
      ["plan#1", "work#2", "send"],
      ["work#1", "sum#1", "trigger"],
      ["work#2", "sum#1", "trigger", true],
      ["chat", "sum#1", "message"],
    ],
  ),
);
const id = (name: string) => run.index.get(name) as number;
const names = (found: Iterable<number>) => [...found].map((i) => run.ids[i]).sort();

describe("focus", () => {
  it("is on causes and effects, and leaves out what has nothing to do with it", () => {
    expect(names(cone(run, id("work#2")))).toEqual(["chat", "plan#1", "root", "sum#1", "work#2"]);
  });

  it("goes to the cause that was waited for, and to the first effect", () => {
    expect(run.ids[causeOf(run, id("sum#1"))]).toBe("work#2");
    expect(run.ids[causeOf(run, id("chat"))]).toBe("plan#1");
    expect(run.ids[effectOf(run, id("plan#1"))]).toMatch(/^work/);
  });
});

describe("the tree", () => {
  it("has children below their parents, without what is collapsed", () => {
    expect(treeRows(run, new Set(), null).map((row) => [run.ids[row.span], row.depth])).toEqual([
      ["root", 0], ["plan#1", 1], ["work#1", 1], ["work#2", 1], ["chat", 2], ["sum#1", 1], ["alone#1", 1],
    ]);
    expect(treeRows(run, new Set(["work#2"]), null).map((row) => run.ids[row.span])).not.toContain("chat");
  });

  it("keeps what matches and what is around it", () => {
    expect(names(matching(run, "CHAT"))).toEqual(["chat", "root", "work#2"]);
    expect(names(matching(run, "failed work"))).toEqual(["root", "work#2"]);
    expect(matching(run, "nothing")).toEqual(new Set());
  });
});

describe("the mission graph", () => {
  const found = mission(run, 50);
  it("has each place once, with how often it ran and how it fares", () => {
    const worker = found.nodes.find((node) => node.name === "work");
    expect(worker).toMatchObject({ lane: "worker", errors: 1, running: 0, duration: 38 });
    expect(worker?.spans).toHaveLength(2);
    expect(found.nodes.find((node) => node.name === "sum")).toMatchObject({ running: 1, duration: 9 });
  });

  it("has each kind of cause once, with its count", () => {
    expect(found.edges.map((edge) => [edge.from.split("\n")[1], edge.to.split("\n")[1], edge.kind, edge.count])).toEqual([
      ["plan", "work", "send", 2],
      ["work", "sum", "trigger", 2],
    ]);
  });
});

describe("what a graph declares", () => {
  it("is there where it did not run, with its edges, and is not doubled where it did", () => {
    const nodes = ["plan", "work", "sum|agent", "publish", "work:check"];
    const edges = ["edge|__start__|plan", "edge|plan|work", "branch|sum|publish", "join|plan|work|publish", "edge|publish|__end__"];
    const found = withPlanned(mission(run, 50), nodes, edges);
    expect(found.nodes.filter((node) => !node.spans.length).map((node) => [node.name, node.lane])).toEqual([["publish", "publish"], ["check", "work"]]);
    expect(found.edges.filter((edge) => edge.kind === "planned").map((edge) => edge.from.split("\n")[1])).toEqual(["sum", "plan", "work"]);
  });
});

describe("the sequence", () => {
  it("is in order of time, between lanes, with messages where they are asked for", () => {
    expect(exchanges(run, false, false).map((one) => run.ids[one.effect])).toEqual(["work#1", "work#2", "sum#1", "sum#1"]);
    expect(exchanges(run, false, true)).toHaveLength(5);
    expect(participants(exchanges(run, false, true)).map((lane) => run.laneList[lane].name)).toEqual(["planner", "worker"]);
  });
});
