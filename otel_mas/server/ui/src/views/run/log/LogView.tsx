import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import type { Entry } from "../../../api/types";
import { cut, duration, oneLine, plural } from "../../../format";
import { type Binding, useKeys } from "../../../keys";
import { useParams } from "../../../router";
import { SearchField } from "../../../ui/SearchField";
import { Empty, Failed, Loading } from "../../../ui/states";
import { useLatest } from "../../../ui/useLatest";
import { useShared } from "../context";
import { useLog } from "./useLog";

const KINDS = [
  "prompt", "answer", "tool_call", "tool_result", "handoff", "send", "receive", "route", "guardrail", "evaluation",
  "retrieval", "question", "error", "state", "run_start", "run_end",
];
const MOST_TEXT = 600;

/** Everything that was said and done, in causal order. */
export function LogView() {
  const { run, base, suffix, revision, selected, selectId } = useShared();
  const [params, change] = useParams();
  const filters = { grep: params.get("find"), kind: params.get("kind"), agent: params.get("agent") };
  const log = useLog(base, suffix, filters, revision);
  const holder = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: log.entries.length,
    getScrollElement: () => holder.current,
    estimateSize: () => 52,
    overscan: 8,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= log.entries.length - 20) log.more?.();
  }, [last, log]);
  const id = selected < 0 ? "" : run.ids[selected];
  const at = useMemo(() => log.entries.findIndex((entry) => entry.span_id === id), [log.entries, id]);
  const scroll = useLatest(virtual);
  useEffect(() => {
    if (at >= 0) scroll.current.scrollToIndex(at, { align: "auto" });
  }, [at, scroll]);
  useKeys(
    useMemo<Binding[]>(() => {
      const move = (by: number) => {
        const entries = log.entries;
        let to = at < 0 ? (by > 0 ? 0 : entries.length - 1) : at + by;
        while (entries[to] && entries[to].span_id === id) to += by;
        if (entries[to]) selectId(entries[to].span_id);
      };
      return [
        { keys: ["ArrowDown", "j"], description: "next entry of another span", group: "Log", run: () => move(1) },
        { keys: ["ArrowUp", "k"], description: "entry before", group: "Log", run: () => move(-1) },
      ];
    }, [log.entries, at, id, selectId]),
  );
  const agents = [...new Set(run.agents.filter(Boolean))];
  return (
    <div className="log">
      <div className="view-tools">
        <SearchField name="find" label="Search the log" />
        <select aria-label="Kind of entry" value={filters.kind ?? ""} onChange={(event) => change({ kind: event.target.value || null })}>
          <option value="">everything</option>
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {kind.replace("_", " ")}
            </option>
          ))}
        </select>
        {agents.length > 0 && (
          <select aria-label="Agent" value={filters.agent ?? ""} onChange={(event) => change({ agent: event.target.value || null })}>
            <option value="">all agents</option>
            {agents.map((agent) => (
              <option key={agent} value={agent}>
                {oneLine(agent, 40)}
              </option>
            ))}
          </select>
        )}
        <span className="dim" role="status">
          {plural(log.entries.length, "entry").replace("entrys", "entries")}
          {log.more && ", and more"}
        </span>
      </div>
      {log.error && <Failed error={log.error} />}
      {!log.error && !log.entries.length && (log.loading ? <Loading what="the log" /> : <Empty title="No entry matches." />)}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled by keys */}
      <div ref={holder} className="rows" tabIndex={0} role="list" aria-label="Interaction log">
        <div className="sizer" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => (
            <div
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              role="listitem"
              className="measured"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <One entry={log.entries[item.index]} current={log.entries[item.index].span_id === id} />
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

function One({ entry, current }: { entry: Entry; current: boolean }) {
  const { run, selectId } = useShared();
  const way = entry.sender || entry.receiver ? `${entry.sender ?? ""} → ${entry.receiver ?? ""}` : entry.task;
  const facts = [entry.tool ?? entry.model, entry.outcome, entry.duration_ns === null ? "" : duration(entry.duration_ns), entry.channels.join(", ")];
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions -- its button does the same
    <div className={`entry ${entry.kind} ${current ? "selected" : ""}`} onClick={() => selectId(entry.span_id)}>
      <span className="dim num">+{duration(Math.max(0, run.offset(entry.time_ns)))}</span>
      <span className="kind">{entry.kind.replace("_", " ")}</span>
      <div>
        <button type="button" className="link" onClick={() => selectId(entry.span_id)}>
          <bdi>{oneLine(way, 90)}</bdi>
        </button>{" "}
        <span className="dim">
          <bdi>{facts.filter(Boolean).map((fact) => oneLine(fact ?? "", 80)).join(" · ")}</bdi>
        </span>
        {entry.known_messages > 0 && <span className="dim"> · {plural(entry.known_messages, "message")} it knew</span>}
        {entry.text && <bdi className="text">{cut(entry.text, MOST_TEXT)}</bdi>}
        {entry.missing && <span className="dim"> · {entry.missing}</span>}
      </div>
    </div>
  );
}
