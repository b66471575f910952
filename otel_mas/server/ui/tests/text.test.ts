import { describe, expect, it } from "vitest";
import type { Step } from "../src/api/types";
import { ago, count, duration, oneLine, usd } from "../src/format";
import { route } from "../src/router";
import { rows } from "../src/views/run/path/rows";
import { parts } from "../src/views/run/drawer/parts";
import { pan, reveal, whole, zoom } from "../src/views/run/picture/viewport";
import { matches, parse, request, written } from "../src/views/runs/filters";
import { load, median } from "../src/views/runs/load";
import { merge } from "../src/views/runs/useRuns";
import { trace } from "./make";

describe("figures", () => {
  it.each([
    [0, "0 ns"], [950, "950 ns"], [1_500, "1.5 µs"], [45e6, "45 ms"], [999.9e6, "1.00 s"], [3.51e9, "3.51 s"], [99.97e9, "1m 40s"],
    [125e9, "2m 05s"], [3600e9, "1h 00m"], [90_000e9, "1d 1h"], [-2e9, "−2.00 s"], [Number.NaN, ""], [null, ""],
  ])("%s ns are %s", (ns, text) => expect(duration(ns)).toBe(text));

  it("money and counts are short", () => {
    expect([usd(0.0000799), usd(0.0063), usd(0.5), usd(12), usd(0), usd(null)]).toEqual(["$0.000080", "$0.0063", "$0.500", "$12.00", "$0", ""]);
    expect([count(999), count(1_400), count(23_400), count(2_500_000)]).toEqual(["999", "1.4k", "23k", "2.5M"]);
    expect(ago(1e18, 1e12 + 90_000)).toBe("1 min ago");
  });

  it("text in a line has no line breaks, nor what turns its direction", () => {
    expect(oneLine("a\n\tb\u202Ec\u2066d\u0007")).toBe("a b c d");
    expect(oneLine("x".repeat(1e6), 10)).toBe(`${"x".repeat(9)}…`);
  });
});

describe("addresses", () => {
  it.each([
    ["/", { view: "runs" }],
    ["/traces/abc", { view: "run", trace: "abc" }],
    ["/conversations/a%2Fb%20c", { view: "conversation", thread: "a/b c" }],
    ["/compare", { view: "compare" }],
    ["/agents", { view: "agents" }],
    ["/traces/%E0%A4%A", { view: "run", trace: "%E0%A4%A" }],
    ["/nothing/here", { view: "unknown" }],
  ])("%s", (path, to) => expect(route(path)).toEqual(to));
});

describe("filters", () => {
  it("are fields and words, and back again", () => {
    const typed = parse('agent:writer "attribute:service.version=1 2" error-type:TimeoutError tram http://x');
    expect(typed).toEqual({
      fields: { agent: "writer", attribute: "service.version=1 2", error_type: "TimeoutError" },
      words: "tram http://x",
    });
    const params = new URLSearchParams({ ...typed.fields, q: typed.words, status: "error", unknown: "x" });
    expect(parse(written(params))).toEqual(typed);
    expect(request(params)).toEqual({ ...typed.fields, status: "error" });
  });

  it("words match name, service, thread, agents", () => {
    expect(matches(trace("a"), "WRITER team")).toBe(true);
    expect(matches(trace("a"), "writer nobody")).toBe(false);
  });
});

describe("the list of runs", () => {
  it("has each run once, the newest first, with the newest summary", () => {
    const older = trace("a", { status: "running", findings: 2 });
    const found = merge([older], [trace("a", { status: "ok" }), trace("b", { start_ns: 2e18 })]);
    expect(found.map((one) => [one.trace_id[0], one.status])).toEqual([["b", "ok"], ["a", "ok"]]);
    expect(found[1].findings).toBe(2);
  });

  it("has figures over time", () => {
    const found = load([trace("a", { start_ns: 0 }), trace("b", { start_ns: 10, status: "error", duration_ns: 3 }), trace("c", { start_ns: 10, duration_ns: 5 })], 2);
    expect(found).toMatchObject({ runs: [1, 2], errors: [0, 1], latency: [1e9, 4] });
    expect(load([], 3).runs).toEqual([0, 0, 0]);
    expect(median([3, 1, 2])).toBe(2);
  });
});

describe("the part in view", () => {
  it("zooms around a place, and never beyond the run", () => {
    const all = whole(1000);
    const near = zoom(all, 0.5, 500, 1000);
    expect((500 - near.from) / (near.to - near.from)).toBeCloseTo((500 - all.from) / (all.to - all.from));
    expect(zoom(near, 100, 500, 1000)).toEqual(all);
    expect(pan(near, -1e9, 1000).from).toBe(all.from);
    expect(zoom(near, 1e-9, 500, 1000).to - zoom(near, 1e-9, 500, 1000).from).toBeCloseTo(50);
  });

  it("goes to what is outside", () => {
    expect(reveal({ from: 0, to: 100 }, 10, 20, 1000)).toEqual({ from: 0, to: 100 });
    expect(reveal({ from: 0, to: 100 }, 500, 520, 1000)).toEqual({ from: 460, to: 560 });
    const wide = reveal({ from: 0, to: 100 }, 300, 600, 1000);
    expect([wide.from < 300, wide.to > 600]).toEqual([true, true]);
  });
});

describe("the critical path", () => {
  const step = (task: string | null, kind: string, record: string | null, ns: number, why = ""): Step => ({
    kind, span_id: `${task}-${record}`, trace_id: null, label: `${task} › ${record}`, task, record_kind: record,
    start_ns: 0, end_ns: ns, duration_ns: ns, why, held_by: null,
  });
  it("is a row for each task in a row, with what took longest inside", () => {
    const found = rows([
      step("a#1", "span", "AGENT_TASK", 1), step("a#1", "span", "LLM_CALL", 7), step("a#1", "span", "AGENT_TASK", 1, "b waited"),
      step(null, "framework", null, 3), step("b#1", "span", "AGENT_TASK", 2), step("a#1", "span", "AGENT_TASK", 2),
    ]);
    expect(found.map((row) => [row.label, row.duration])).toEqual([["a#1", 9], ["null › null", 3], ["b#1", 2], ["a#1", 2]]);
    expect(found[0]).toMatchObject({ why: "b waited", most: { label: "LLM_CALL", duration: 7 } });
  });
});

describe("parts of a message", () => {
  const message = (body: Record<string, unknown> | null, text: string | null = null) => ({ digest: "d", role: "assistant", text, body });
  it("are texts, calls and results", () => {
    expect(
      parts(message({ parts: [
        { type: "text", content: "hi" },
        { type: "tool_call", name: "search", arguments: { q: 1 } },
        { type: "tool_call_response", id: "7", response: "found" },
        { type: "image", uri: "x" },
        17,
      ] })),
    ).toEqual([
      { kind: "text", name: "", text: "hi" },
      { kind: "call", name: "search", text: '{\n  "q": 1\n}' },
      { kind: "result", name: "7", text: "found" },
      { kind: "text", name: "", text: JSON.stringify({ type: "image", uri: "x" }, null, 2) },
      { kind: "text", name: "", text: "17" },
    ]);
  });

  it("may be missing", () => {
    expect(parts(message(null, "plain"))).toEqual([{ kind: "text", name: "", text: "plain" }]);
    expect(parts(message(null))).toEqual([]);
    expect(parts(message({ parts: "no list" }))).toEqual([]);
  });
});
