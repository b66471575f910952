import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import { duration, oneLine, plural, usd } from "../../format";
import { useParams } from "../../router";
import { Link } from "../../ui/Link";
import { Answers } from "./Answers";
import type { AlignedStep, Compared } from "../../api/types";

const TONES: Record<string, string> = {
  added: "good", removed: "bad", "answered differently": "wait", "asked differently": "wait", "ended differently": "bad",
  reordered: "wait", renamed: "wait", slower: "bad", faster: "good", dearer: "bad", cheaper: "good",
};
const DEEPEST = 12;

/** Steps of both runs, the same places beside each other. */
export function Steps({ data }: { data: Compared }) {
  const [params, change] = useParams();
  const all = params.has("all");
  const rows = useMemo(() => data.steps.map((step, place) => ({ step, place })), [data]);
  const shown = useMemo(() => (all ? rows : rows.filter(({ step }) => step.changes.length > 0)), [rows, all]);
  const holder = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: shown.length, getScrollElement: () => holder.current, estimateSize: () => 28, overscan: 12 });
  const most = useMemo(() => data.steps.reduce((so, { a, b }) => Math.max(so, a?.duration_ns ?? 0, b?.duration_ns ?? 0), 1), [data]);
  const chosen = params.get("step") === null ? null : Number(params.get("step"));
  useEffect(() => {
    const at = shown.findIndex(({ place }) => place === chosen);
    if (at >= 0) virtual.scrollToIndex(at, { align: "center" });
  }, [chosen, shown, virtual]);
  return (
    <section>
      <p>
        <b className="summary"><bdi>{data.summary}</bdi></b>
      </p>
      <p>
        {data.divergences.length > 0 && (
          <>
            <Jumps data={data} onJump={(place) => change({ step: String(place) })} />{" "}
          </>
        )}
        <label>
          <input type="checkbox" checked={all} onChange={(event) => change({ all: event.target.checked ? "1" : null })} /> also what is alike (
          {plural(rows.length, "step")})
        </label>
      </p>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled by keys */}
      <div ref={holder} className="rows aligned" tabIndex={0} role="table" aria-label="Steps of both runs" aria-rowcount={shown.length}>
        <div className="sizer" style={{ height: virtual.getTotalSize() }} role="rowgroup">
          {virtual.getVirtualItems().map((item) => {
            const { step, place } = shown[item.index];
            return (
              <div
                key={item.key}
                role="row"
                aria-rowindex={item.index + 1}
                aria-current={place === chosen ? "true" : undefined}
                className={`pair ${kind(step)} ${data.divergences.includes(place) ? "first" : ""}`}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <span role="cell" className="pair-name" style={{ paddingLeft: 8 + 10 * Math.min(step.depth, DEEPEST) }}>
                  <button type="button" className="plain" title={step.label} onClick={() => change({ step: place === chosen ? null : String(place) })}>
                    <span aria-hidden="true">{mark(step)}</span>
                    <bdi>{oneLine(step.label, 60)}</bdi>
                  </button>
                </span>
                <Side step={step.a} most={most} />
                <Side step={step.b} most={most} />
                <span role="cell" className="changed">
                  {step.changes.length ? step.changes.map((one) => <span key={one} className={`change ${TONES[one]}`}>{one}</span>) : <span className="dim">same</span>}
                </span>
              </div>
            );
          })}
        </div>
      </div>
      {chosen !== null && data.steps[chosen] && <Answers data={data} place={chosen} onJump={(place) => change({ step: String(place) })} />}
    </section>
  );
}

/** Buttons that go to the divergences. */
function Jumps({ data, onJump }: { data: Compared; onJump: (place: number) => void }) {
  const [first, ...others] = data.divergences;
  return (
    <>
      <button type="button" className="jump" onClick={() => onJump(first)}>
        first divergence: <bdi>{oneLine(data.steps[first].label, 60)}</bdi>
      </button>
      {others.length > 0 && (
        <span className="dim">
          {" "}
          and {plural(others.length, "difference")} that {others.length === 1 ? "does" : "do"} not follow from it{" "}
        </span>
      )}
    </>
  );
}

const kind = (step: AlignedStep) => (step.a === null ? "added" : step.b === null ? "removed" : "");
const mark = (step: AlignedStep) => (step.a === null ? "+ " : step.b === null ? "− " : "");

function Side({ step, most }: { step: AlignedStep["a"]; most: number }) {
  if (!step) return <span role="cell" className="side none">–</span>;
  return (
    <span role="cell" className="side">
      <Link to={`/traces/${step.trace_id}?span=${step.span_id}`} title={step.output === null ? "" : oneLine(step.output, 300)}>
        <span className={step.status === "error" ? "bar-side failed" : "bar-side"} style={{ width: `${((step.duration_ns ?? 0) / most) * 100}%` }} />
        <span>
          {[duration(step.duration_ns), usd(step.cost_usd)].filter(Boolean).join(" · ")}
        </span>
      </Link>
    </span>
  );
}
