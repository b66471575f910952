/** How many findings runs have that ended before they were shown: asked for what is in view, one after the other. */
import { type RefObject, useEffect, useState } from "react";
import { getJson } from "../../api/client";
import type { FindingsDocument, ListedRun } from "../../api/types";

/** Findings of longer runs take the server seconds: they are counted where such a run is opened. */
const MOST_SPANS = 5_000;
const MOST_KNOWN = 2_000;

const known = new Map<string, number>();
const waiting = new Map<string, { path: string; told: Set<() => void> }>();
let asking = false;

const keyOf = (trace: ListedRun) => `${trace.trace_id} ${trace.end_ns} ${trace.span_count}`;

/** Undefined: not known. `row` is looked at only while it is in view. */
export function useFindingCount(trace: ListedRun, row: RefObject<Element | null>): number | undefined {
  const [, update] = useState(0);
  const key = keyOf(trace);
  const wanted = trace.status !== "running" && trace.span_count <= MOST_SPANS && !known.has(key);
  useEffect(() => {
    if (!wanted || !row.current) return;
    const told = () => update((n) => n + 1);
    const watcher = new IntersectionObserver(([seen]) => {
      if (!seen.isIntersecting) forget(key, told);
      else ask(key, `/traces/${trace.trace_id}/findings`, told);
    });
    watcher.observe(row.current);
    return () => {
      watcher.disconnect();
      forget(key, told);
    };
  }, [wanted, key, trace.trace_id, row]);
  return known.get(key);
}

function ask(key: string, path: string, told: () => void): void {
  const entry = waiting.get(key) ?? { path, told: new Set() };
  entry.told.add(told);
  waiting.set(key, entry);
  if (!asking) void work();
}

function forget(key: string, told: () => void): void {
  const entry = waiting.get(key);
  if (entry?.told.delete(told) && entry.told.size === 0) waiting.delete(key);
}

async function work(): Promise<void> {
  asking = true;
  for (let next = waiting.entries().next(); !next.done; next = waiting.entries().next()) {
    const [key, { path, told }] = next.value;
    waiting.delete(key);
    // A run that is gone, or a server that is: the list itself tells of it.
    const found = await getJson<FindingsDocument>(path).catch(() => null);
    if (!found) continue;
    known.set(key, found.findings.length);
    if (known.size > MOST_KNOWN) known.delete([...known.keys()][0]);
    for (const one of told) one();
  }
  asking = false;
}
