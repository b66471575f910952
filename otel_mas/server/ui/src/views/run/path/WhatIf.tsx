import { useMemo, useState } from "react";
import type { WhatIfDocument } from "../../../api/types";
import { useJson } from "../../../api/useJson";
import { duration, usd } from "../../../format";
import { useParams } from "../../../router";
import { Failed, Loading } from "../../../ui/states";
import { useShared } from "../context";
import { SpanLink } from "../SpanLink";

const KINDS = [
  { id: "faster", title: "so many times as fast", hint: "writer=2" },
  { id: "lasting", title: "takes so long", hint: "writer=200ms" },
  { id: "without", title: "without", hint: "relevance" },
  { id: "parallel", title: "side by side", hint: "a,b" },
  { id: "model", title: "another model", hint: "gpt-4o=gpt-4o-mini" },
] as const;
const SWITCHES = [
  { id: "retries", title: "no retries" },
  { id: "waiting", title: "no waiting for people" },
  { id: "barriers", title: "no steps of LangGraph" },
] as const;

const LONGEST_NAME = 120;

/** What if something were faster, gone, side by side, another model: worked out from the recorded causes. */
export function WhatIf() {
  const { base, suffix, revision, run } = useShared();
  const [params, change] = useParams();
  const [kind, setKind] = useState<string>(KINDS[0].id);
  const [value, setValue] = useState("");
  // Each change is `kind:value` in the address, so that a question can be sent to somebody.
  const given = useMemo(() => (params.get("if") ?? "").split("|").filter(Boolean), [params]);
  const set = (list: string[]) => change({ if: list.join("|") || null });
  const path = given.length ? `${base}/what-if${suffix || "?"}${suffix ? "&" : ""}${given.map(parameter).join("&")}` : null;
  const { data, error } = useJson<WhatIfDocument>(path, revision);
  const hint = KINDS.find((one) => one.id === kind)?.hint ?? "";
  const names = useMemo(() => [...new Set([...run.labels.filter((_, i) => run.tasks[i]), ...run.models])].filter((name) => name && name.length <= LONGEST_NAME).slice(0, 400), [run]);
  return (
    <section className="what-if">
      <h2>What if …</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!value.trim()) return;
          set([...given.filter((one) => one !== `${kind}:${value.trim()}`), `${kind}:${value.trim()}`]);
          setValue("");
        }}
      >
        <select aria-label="Change" value={kind} onChange={(event) => setKind(event.target.value)}>
          {KINDS.map((one) => (
            <option key={one.id} value={one.id}>
              {one.title}
            </option>
          ))}
        </select>
        <input value={value} list="names" placeholder={hint} aria-label="Task, agent or model" onChange={(event) => setValue(event.target.value)} />
        <datalist id="names">
          {names.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <button type="submit">add</button>
        {SWITCHES.map((one) => (
          <button
            key={one.id}
            type="button"
            aria-pressed={given.includes(`${one.id}:false`)}
            onClick={() => set(given.includes(`${one.id}:false`) ? given.filter((other) => other !== `${one.id}:false`) : [...given, `${one.id}:false`])}
          >
            {one.title}
          </button>
        ))}
      </form>
      <p>
        {given
          .filter((one) => !one.endsWith(":false"))
          .map((one) => (
            <button key={one} type="button" className="chip" title="take it away" onClick={() => set(given.filter((other) => other !== one))}>
              {one.replace(":", " ")} ✕
            </button>
          ))}
      </p>
      {error && <Failed error={error} />}
      {path && !data && !error && <Loading what="the answer" />}
      {data && <Answer data={data} />}
    </section>
  );
}

function Answer({ data }: { data: WhatIfDocument }) {
  const longest = [...data.steps].sort((a, b) => b.duration_ns - a.duration_ns).slice(0, 6);
  return (
    <>
      <table className="list">
        <thead>
          <tr>
            <th scope="col"><span className="hidden">Measure</span></th>
            <th scope="col" className="num">recorded</th>
            <th scope="col" className="num">then</th>
            <th scope="col" className="num">saved</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">end to end</th>
            <td className="num">{duration(data.recorded_ns)}</td>
            <td className="num">{duration(data.total_ns)}</td>
            <td className="num">
              {duration(data.saves_ns)} ({Math.round((data.saves_ns / Math.max(1, data.recorded_ns)) * 100)}%)
            </td>
          </tr>
          {data.recorded_usd !== null && (
            <tr>
              <th scope="row">cost</th>
              <td className="num">{usd(data.recorded_usd)}</td>
              <td className="num">{usd(data.usd)}</td>
              <td className="num">{usd(data.saves_usd)}</td>
            </tr>
          )}
        </tbody>
      </table>
      <p className="evidence">
        <span className="dim">then on the critical path</span>
        {longest.map((step) => step.span_id && <SpanLink key={step.span_id + step.duration_ns} id={step.span_id} label={`${step.label} ${duration(step.duration_ns)}`} />)}
      </p>
    </>
  );
}

function parameter(change: string): string {
  const at = change.indexOf(":");
  return `${change.slice(0, at)}=${encodeURIComponent(change.slice(at + 1))}`;
}
