/** Rows of the tree: spans below those around them, without what is collapsed or does not match. */
import type { Run } from "./run";

export interface TreeRow {
  span: number;
  depth: number;
  collapsed: boolean;
  children: boolean;
}

/** `keep`: only these spans; null: all. */
export function treeRows(run: Run, collapsed: ReadonlySet<string>, keep: ReadonlySet<number> | null): TreeRow[] {
  const rows: TreeRow[] = [];
  const open: { span: number; depth: number }[] = [];
  const push = (spans: number[], depth: number) => {
    for (let at = spans.length - 1; at >= 0; at--) open.push({ span: spans[at], depth });
  };
  const kept = (span: number) => !keep || keep.has(span);
  push([...run.roots].filter(kept).sort((a, b) => run.starts[a] - run.starts[b]), 0);
  const seen = new Uint8Array(run.size);
  while (open.length) {
    const { span, depth } = open.pop() as { span: number; depth: number };
    if (seen[span]) continue;
    seen[span] = 1;
    const children = [...run.children(span)].filter(kept);
    const closed = collapsed.has(run.ids[span]);
    rows.push({ span, depth, collapsed: closed, children: children.length > 0 });
    if (!closed) push(children, depth + 1);
  }
  return rows;
}

/** Spans whose text has all the words, and those around them. */
export function matching(run: Run, words: string): Set<number> {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = new Set<number>();
  for (let i = 0; i < run.size; i++) {
    const text = [run.names[i], run.labels[i], run.agents[i], run.kinds[i], run.models[i], run.tools[i], run.ids[i], run.errors[i] ? "error failed" : ""]
      .join(" ")
      .toLowerCase();
    if (!wanted.every((word) => text.includes(word))) continue;
    for (let at = i; at >= 0 && !found.has(at); at = run.parents[at]) found.add(at);
  }
  return found;
}
