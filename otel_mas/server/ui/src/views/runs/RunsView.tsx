import { useEffect, useMemo, useState } from "react";
import { type Binding, useKeys } from "../../keys";
import { navigate, useParams } from "../../router";
import { Connected } from "../../ui/Connected";
import { Empty, Failed, Loading } from "../../ui/states";
import { FIELDS, matches, parse, request, written } from "./filters";
import { Figures } from "./Figures";
import { RunsTable } from "./RunsTable";
import { useRuns } from "./useRuns";

const STATUSES = ["running", "interrupted", "error", "stopped", "ok", "cancelled"];
const SINCE = ["15m", "1h", "6h", "1d", "7d", "30d"];

export function RunsView() {
  const [params, change] = useParams();
  const filters = useMemo(() => request(params), [params]);
  const key = JSON.stringify(filters);
  // eslint-disable-next-line react/exhaustive-deps -- the same filters in another object ask nothing anew
  const stable = useMemo(() => filters, [key]);
  const runs = useRuns(stable);
  const words = params.get("q") ?? "";
  const shown = useMemo(() => (words ? runs.traces.filter((trace) => matches(trace, words)) : runs.traces), [runs.traces, words]);
  const [at, setAt] = useState(-1);
  useEffect(() => {
    document.title = "Runs · otel-mas";
  }, []);
  useKeys(
    useMemo<Binding[]>(
      () => [
        { keys: ["ArrowDown", "j"], description: "next run", group: "Runs", run: () => setAt((n) => Math.min(n + 1, shown.length - 1)) },
        { keys: ["ArrowUp", "k"], description: "run before", group: "Runs", run: () => setAt((n) => Math.max(n - 1, 0)) },
        {
          keys: ["Enter", "o"],
          description: "open the run",
          group: "Runs",
          run: () => shown[at] && navigate(`/traces/${shown[at].trace_id}`),
        },
      ],
      [shown, at],
    ),
  );
  const filtered = Object.keys(filters).length > 0 || words !== "";
  return (
    <div className="runs">
      <h1 className="hidden">Runs</h1>
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <FilterText />
        <Choice name="status" all="any status" values={STATUSES} value={params.get("status")} change={change} />
        <Choice name="since" all="any time" values={SINCE} value={params.get("since")} change={change} before="last " />
        {filtered && (
          <button type="button" className="plain" onClick={() => navigate("/")}>
            clear
          </button>
        )}
        <Connected state={runs.connection} />
      </form>
      {runs.error && <Failed error={runs.error} retry={runs.reload} />}
      {runs.incomplete && <p className="note">{runs.incomplete}</p>}
      {shown.length > 0 && <Figures traces={shown} />}
      {shown.length > 0 && <RunsTable traces={shown} at={at} />}
      {!runs.loading && !runs.error && !shown.length && (filtered ? <NoneMatch /> : <NoneYet />)}
      {runs.loading && !runs.traces.length && <Loading what="the runs" />}
      {runs.next && (
        <button type="button" className="more" disabled={runs.loading} onClick={runs.more}>
          Older runs
        </button>
      )}
    </div>
  );
}

function FilterText() {
  const [params, change] = useParams();
  const text = written(params);
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  const apply = (value: string) => {
    const id = value.trim().toLowerCase();
    if (/^[0-9a-f]{32}$/.test(id)) {
      navigate(`/traces/${id}`);
      return;
    }
    const { fields, words } = parse(value);
    change({ ...Object.fromEntries(FIELDS.map((name) => [name, fields[name] ?? null])), q: words || null });
  };
  return (
    <input
      type="search"
      value={typed}
      placeholder="Search: words, a trace id, agent:writer, model:gpt-4o, attribute:service.version=1.2"
      aria-label="Search and filter runs"
      spellCheck={false}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={() => apply(typed)}
      onKeyDown={(event) => {
        if (event.key === "Enter") apply(typed);
      }}
    />
  );
}

interface ChoiceProps {
  name: string;
  all: string;
  values: string[];
  value: string | null;
  change: (changes: Record<string, string | null>) => void;
  before?: string;
}

function Choice({ name, all, values, value, change, before = "" }: ChoiceProps) {
  const listed = value && !values.includes(value) ? [value, ...values] : values;
  return (
    <select aria-label={name} value={value ?? ""} onChange={(event) => change({ [name]: event.target.value || null })}>
      <option value="">{all}</option>
      {listed.map((one) => (
        <option key={one} value={one}>
          {before}
          {one === "interrupted" ? "waits for a person" : one}
        </option>
      ))}
    </select>
  );
}

function NoneMatch() {
  return (
    <Empty title="No run matches.">
      <p>
        Take a filter away, or{" "}
        <button type="button" className="link" onClick={() => navigate("/")}>
          show all runs
        </button>
        .
      </p>
    </Empty>
  );
}

function NoneYet() {
  return (
    <Empty title="No run yet.">
      <p>Record a LangGraph app, and it appears here as it runs:</p>
      <pre>otel-mas run -- python app.py</pre>
      <p>Any other OpenTelemetry SDK sends here:</p>
      <pre>OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf</pre>
    </Empty>
  );
}
