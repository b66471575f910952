import { useLayoutEffect, useRef } from "react";
import { useParams } from "../../router";

export const VIEWS = [
  { id: "picture", title: "Picture" },
  { id: "tree", title: "Tree" },
  { id: "messages", title: "Messages" },
  { id: "mission", title: "Graph" },
  { id: "log", title: "Log" },
  { id: "path", title: "Critical path" },
  { id: "findings", title: "Findings" },
  { id: "cost", title: "Cost" },
] as const;

export type ViewId = (typeof VIEWS)[number]["id"];

export function Tabs({ view, findings }: { view: ViewId; findings: number }) {
  const [, change] = useParams();
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    // In a narrow window the tabs scroll. Vitest's document has no layout.
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView?.({ block: "nearest", inline: "nearest" });
  }, [view]);
  return (
    <div ref={list} className="tabs" role="tablist" aria-label="Views of the run">
      {VIEWS.map((one, at) => (
        <button
          key={one.id}
          type="button"
          role="tab"
          aria-selected={one.id === view}
          aria-controls="view"
          title={`${one.title} (${at + 1})`}
          onClick={() => change({ view: one.id === "picture" ? null : one.id }, true)}
        >
          {one.title}
          {one.id === "findings" && findings > 0 && <span className="badge">{findings}</span>}
        </button>
      ))}
    </div>
  );
}
