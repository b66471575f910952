import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { duration, oneLine, plural, tokens, usd } from "../../../format";
import { type Binding, useKeys } from "../../../keys";
import { cone } from "../../../model/focus";
import { type TimeScale, timeScale } from "../../../model/timescale";
import { matching, type TreeRow, treeRows } from "../../../model/tree";
import { useParams } from "../../../router";
import { SearchField } from "../../../ui/SearchField";
import { useLatest } from "../../../ui/useLatest";
import { useShared } from "../context";

const ROW = 24;

/** All spans as a tree with a bar each; the same as the picture, for keyboards and screen readers, too. */
export function TreeView() {
  const { run, version, selected, select, now } = useShared();
  const [params, change] = useParams();
  const words = params.get("find") ?? "";
  const focused = params.has("focus");
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => {
    const keep = words ? matching(run, words) : focused && selected >= 0 ? cone(run, selected) : null;
    return treeRows(run, collapsed, keep);
    // eslint-disable-next-line react/exhaustive-deps -- a new version is a changed run
  }, [run, version, collapsed, words, focused, focused ? selected : -1]);
  // eslint-disable-next-line react/exhaustive-deps
  const scale = useMemo(() => timeScale(run, now()), [run, version]);
  // eslint-disable-next-line react/exhaustive-deps
  const onPath = useMemo(() => new Set(run.path.map((step) => step.span)), [run, version]);
  const holder = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => holder.current, estimateSize: () => ROW, overscan: 12 });

  const at = useMemo(() => rows.findIndex((row) => row.span === selected), [rows, selected]);
  const scroll = useLatest(virtual);
  useEffect(() => {
    if (at >= 0) scroll.current.scrollToIndex(at, { align: "auto" });
  }, [at, scroll]);
  const toggle = (span: number) =>
    setCollapsed((was) => {
      const next = new Set(was);
      if (!next.delete(run.ids[span])) next.add(run.ids[span]);
      return next;
    });
  useKeys(
    useMemo<Binding[]>(() => {
      const move = (by: number) => rows.length && select(rows[Math.min(rows.length - 1, Math.max(0, at + by))].span);
      return [
        { keys: ["ArrowDown", "j"], description: "next span", group: "Tree", run: () => move(1) },
        { keys: ["ArrowUp", "k"], description: "span before", group: "Tree", run: () => move(-1) },
        { keys: ["PageDown"], description: "20 further", group: "Tree", run: () => move(20) },
        { keys: ["PageUp"], description: "20 back", group: "Tree", run: () => move(-20) },
        { keys: ["x", " "], description: "open or close what is inside", group: "Tree", run: () => selected >= 0 && toggle(selected) },
        { keys: ["f"], description: "only causes and effects of the selection", group: "Tree", run: () => change({ focus: focused ? null : "1" }) },
      ];
      // eslint-disable-next-line react/exhaustive-deps -- toggle is made anew each time
    }, [rows, at, select, selected, focused, change]),
  );
  return (
    <div className="tree">
      <div className="view-tools">
        <SearchField name="find" label="Search spans" />
        <span className="dim" role="status">
          {words ? `${plural(rows.length, "span")} match or are around a match` : plural(run.size, "span")}
        </span>
        <button type="button" className="plain" onClick={() => setCollapsed(new Set())}>
          open all
        </button>
        <button
          type="button"
          className="plain"
          onClick={() => setCollapsed(new Set(run.ids.filter((_, i) => run.tasks[i] && run.hasChildren(i))))}
        >
          tasks only
        </button>
      </div>
      <div ref={holder} className="rows" role="treegrid" aria-label="Spans" aria-rowcount={rows.length} tabIndex={0}>
        <div className="sizer" style={{ height: virtual.getTotalSize() }} role="rowgroup">
          {virtual.getVirtualItems().map((item) => (
            <Row
              key={run.ids[rows[item.index].span]}
              row={rows[item.index]}
              top={item.start}
              number={item.index}
              scale={scale}
              onPath={onPath.has(rows[item.index].span)}
              toggle={toggle}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  row: TreeRow;
  top: number;
  number: number;
  scale: TimeScale;
  onPath: boolean;
  toggle: (span: number) => void;
}

const MOST_INDENT = 24;

function Row({ row, top, number, scale, onPath, toggle }: RowProps) {
  const { run, selected, select, marked, now } = useShared();
  const { span } = row;
  const running = run.running(span);
  const end = run.end(span, now());
  const left = (scale.at(run.starts[span]) / scale.total) * 100;
  const right = (scale.at(end) / scale.total) * 100;
  const kind = run.kinds[span].toLowerCase();
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the view's keys move the selection
    <div
      role="row"
      aria-level={row.depth + 1}
      aria-rowindex={number + 1}
      aria-selected={span === selected}
      {...(row.children && { "aria-expanded": !row.collapsed })}
      className={`row ${span === selected ? "selected" : ""}`}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => select(span)}
    >
      <span role="gridcell" className="cell-name" style={{ paddingLeft: 6 + Math.min(row.depth, MOST_INDENT) * 14 }}>
        {row.children ? (
          <button
            type="button"
            className="twist"
            tabIndex={-1}
            aria-label={row.collapsed ? "Open" : "Close"}
            onClick={(event) => {
              event.stopPropagation();
              toggle(span);
            }}
          >
            {row.collapsed ? "▸" : "▾"}
          </button>
        ) : (
          <span className="twist" />
        )}
        <span className={`dot ${kind}`} aria-hidden="true" />
        <bdi className={run.errors[span] ? "bad" : ""}>{oneLine(run.title(span), 90)}</bdi>
        {run.errors[span] && <span className="bad"> failed</span>}
        {marked.has(span) && <span className="wait"> finding</span>}
      </span>
      <span role="gridcell" className="cell-bar">
        <span
          className={`bar-of ${kind} ${running ? "open" : ""} ${run.errors[span] ? "failed" : ""} ${onPath ? "on-path" : ""}`}
          style={{ left: `${left}%`, width: `${Math.max(0.15, right - left)}%` }}
        />
      </span>
      <span role="gridcell" className="cell-figure">
        {running ? "running" : duration(end - run.starts[span])}
      </span>
      <span role="gridcell" className="cell-figure wide">
        {tokens(run.inputTokens[span], run.outputTokens[span])}
      </span>
      <span role="gridcell" className="cell-figure wide">
        {Number.isNaN(run.costs[span]) ? "" : usd(run.costs[span])}
      </span>
    </div>
  );
}
