import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import { duration, oneLine, plural, usd } from "../../format";
import { useParams } from "../../router";
import { Link } from "../../ui/Link";
import { changes } from "./changes";
import type { AlignedStep, Compared, StepOfRun } from "../../api/types";

const TONES: Record<string, string> = {
  new: "good", gone: "bad", "answered differently": "wait", slower: "bad", faster: "good", dearer: "bad", cheaper: "good", failed: "bad",
};

/** Calls and tasks of both runs, the same places beside each other. */
export function Steps({ data }: { data: Compared }) {
  const [params, change] = useParams();
  const all = params.has("all");
  const rows = useMemo(() => data.steps.map((step) => ({ step, found: changes(step) })), [data]);
  const shown = all ? rows : rows.filter((row) => row.found.length > 0);
  const holder = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: shown.length, getScrollElement: () => holder.current, estimateSize: () => 28, overscan: 12 });
  const most = Math.max(1, ...data.steps.flatMap(({ a, b }) => [a?.duration_ns ?? 0, b?.duration_ns ?? 0]));
  return (
    <section>
      <p>
        {data.first_difference === null ? (
          "Both did and answered the same."
        ) : (
          <>
            They differ from <b><bdi>{data.first_difference}</bdi></b> on.
          </>
        )}{" "}
        <label>
          <input type="checkbox" checked={all} onChange={(event) => change({ all: event.target.checked ? "1" : null })} /> also what is alike (
          {plural(rows.length, "step")})
        </label>
      </p>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled by keys */}
      <div ref={holder} className="rows aligned" tabIndex={0} role="table" aria-label="Steps of both runs" aria-rowcount={shown.length}>
        <div className="sizer" style={{ height: virtual.getTotalSize() }} role="rowgroup">
          {virtual.getVirtualItems().map((item) => {
            const { step, found } = shown[item.index];
            return (
              <div
                key={item.key}
                role="row"
                aria-rowindex={item.index + 1}
                className={`pair ${step.label === data.first_difference ? "first" : ""}`}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <span role="cell" className="pair-name" title={step.label}>
                  <bdi>{oneLine(step.label, 60)}</bdi>
                </span>
                <Side step={step.a} most={most} />
                <Side step={step.b} most={most} />
                <span role="cell">{found.length ? found.map((one) => <span key={one} className={`change ${TONES[one]}`}>{one}</span>) : <span className="dim">same</span>}</span>
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

function Side({ step, most }: { step: AlignedStep["a"]; most: number }) {
  if (!step) return <span role="cell" className="side none">–</span>;
  return (
    <span role="cell" className="side">
      <Link to={`/traces/${step.trace_id}?span=${step.span_id}`} title={title(step)}>
        <span className={step.status === "error" ? "bar-side failed" : "bar-side"} style={{ width: `${((step.duration_ns ?? 0) / most) * 100}%` }} />
        <span>
          {[duration(step.duration_ns), usd(step.cost_usd)].filter(Boolean).join(" · ")}
        </span>
      </Link>
    </span>
  );
}

const title = (step: StepOfRun) => (step.output === null ? "" : oneLine(step.output, 300));
