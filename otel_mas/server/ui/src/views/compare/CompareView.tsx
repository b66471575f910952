import { useEffect, useMemo, useState } from "react";
import { query } from "../../api/client";
import { useJson } from "../../api/useJson";
import { clock, oneLine, shortId } from "../../format";
import { useParams } from "../../router";
import { Empty, Failed, Loading } from "../../ui/states";
import { Steps } from "./Steps";
import { Totals } from "./Totals";
import type { Compared, TracesPage } from "../../api/types";

/** Two runs side by side, aligned by causal place and content. */
export function CompareView() {
  const [params] = useParams();
  const a = params.get("a") ?? "";
  const b = params.get("b") ?? "";
  const { data, error, reload } = useJson<Compared>(a && b ? `/compare${query({ a, b })}` : null);
  useEffect(() => {
    document.title = "Compare · otel-mas";
  }, []);
  return (
    <div className="prose compare">
      <h1>Compare two runs</h1>
      <Chooser />
      {error && <Failed error={error} retry={reload} />}
      {!error && a && b && !data && <Loading what="the comparison" />}
      {(!a || !b) && (
        <Empty title="Choose two runs.">
          <p>The first is what it was, the second what it is now: a run from before a change and one from after it.</p>
        </Empty>
      )}
      {data && <Totals data={data} />}
      {data && <Steps data={data} />}
    </div>
  );
}

function Chooser() {
  const [params, change] = useParams();
  const { data } = useJson<TracesPage>("/traces?limit=200");
  const traces = useMemo(() => data?.traces ?? [], [data]);
  return (
    <div className="filters">
      <datalist id="runs">
        {traces.map((trace) => (
          <option key={trace.trace_id} value={trace.trace_id}>
            {`${oneLine(trace.name, 40)} · ${clock(trace.start_ns)} · ${trace.status}`}
          </option>
        ))}
      </datalist>
      {(["a", "b"] as const).map((side) => (
        <Field key={side} side={side} value={params.get(side) ?? ""} onChoose={(id) => change({ [side]: id || null, step: null })} />
      ))}
      <button type="button" onClick={() => change({ a: params.get("b"), b: params.get("a"), step: null })}>
        swap
      </button>
    </div>
  );
}

function Field({ side, value, onChoose }: { side: "a" | "b"; value: string; onChoose: (id: string) => void }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  return (
    <label>
      {side === "a" ? "first" : "second"}{" "}
      <input
        list="runs"
        value={typed}
        className="id"
        placeholder="trace id"
        spellCheck={false}
        title={shortId(value)}
        onChange={(event) => {
          setTyped(event.target.value);
          if (/^[0-9a-f]{32}$/.test(event.target.value)) onChoose(event.target.value);
        }}
        onBlur={() => onChoose(typed.trim())}
      />
    </label>
  );
}
