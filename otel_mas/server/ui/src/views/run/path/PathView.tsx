import { useMemo, useState } from "react";
import type { CriticalPathDocument } from "../../../api/types";
import { useJson } from "../../../api/useJson";
import { duration, oneLine } from "../../../format";
import { Empty, Failed, Loading, Problems } from "../../../ui/states";
import { useShared } from "../context";
import { SpanLink } from "../SpanLink";
import { rows } from "./rows";
import { WhatIf } from "./WhatIf";
import { Scroll } from "../../../ui/Scroll";

const SHORT = 0.01;

/** What the duration is made of, step by step, and why each next step waited. */
export function PathView() {
  const { base, suffix, revision, run, selected } = useShared();
  const { data, error, reload } = useJson<CriticalPathDocument>(`${base}/critical-path${suffix}`, revision);
  const [all, setAll] = useState(false);
  const found = useMemo(() => (data ? rows(data.steps) : []), [data]);
  if (error) return <Failed error={error} retry={reload} />;
  if (!data) return <Loading what="the critical path" />;
  if (!found.length) return <Empty title="There is no critical path yet.">Nothing of this run has ended.</Empty>;
  const shown = all ? found : found.filter((row) => row.duration >= data.total_ns * SHORT);
  const begin = data.steps[0].start_ns;
  return (
    <div className="prose">
      <p>
        The run took <b>{duration(data.total_ns)}</b>. These steps had to follow each other: a shorter one makes the run shorter. All else ran
        beside them.
      </p>
      <Problems problems={data.problems} />
      <Scroll label="Critical path">
        <table className="list path-table">
          <thead>
            <tr>
              <th scope="col" className="num">Start</th>
              <th scope="col" className="num">Took</th>
              <th scope="col" className="num">Share</th>
              <th scope="col" className="wide"><span className="hidden">When</span></th>
              <th scope="col">Task</th>
              <th scope="col">Why the next one waited</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={`${row.start}-${row.label}`} className={row.span !== null && run.index.get(row.span) === selected ? "current" : ""}>
                <td className="num dim">+{duration(row.start - begin)}</td>
                <td className="num">{duration(row.duration)}</td>
                <td className="num dim">{share(row.duration / data.total_ns)}</td>
                <td className="wide">
                  <span className="track" aria-hidden="true">
                    <span
                      className={row.kind.startsWith("waiting") ? "waits" : row.kind === "framework" ? "framework" : ""}
                      style={{ left: `${((row.start - begin) / data.total_ns) * 100}%`, width: `${Math.max(0.5, (row.duration / data.total_ns) * 100)}%` }}
                    />
                  </span>
                </td>
                <td>{row.span === null ? <span className="dim">{row.kind}</span> : <SpanLink id={row.span} label={row.label} />}</td>
                <td className="text-cell">
                  {oneLine(row.why, 300)}
                  {row.most && <span className="dim"> · {oneLine(row.most.label, 60)} {duration(row.most.duration)}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {found.length > shown.length && (
        <button type="button" className="link" onClick={() => setAll(true)}>
          and {found.length - shown.length} shorter steps in between
        </button>
      )}
      <WhatIf />
    </div>
  );
}

function share(part: number): string {
  return part < 0.005 ? "<1%" : `${Math.round(part * 100)}%`;
}
