import { useEffect } from "react";
import { query } from "../../api/client";
import { useJson } from "../../api/useJson";
import { duration, oneLine, plural, tokens, usd } from "../../format";
import { useParams } from "../../router";
import { Link } from "../../ui/Link";
import { Empty, Failed, Loading } from "../../ui/states";
import { Topology } from "./Topology";
import { VariantTable } from "./VariantTable";
import type { MinedTopology, Overview, Statistics, Variants } from "../../api/types";
import { Scroll } from "../../ui/Scroll";

const BY = ["agent", "node", "tool", "model"];
const SINCE = ["1h", "6h", "1d", "7d", "30d"];

/** Statistics over many runs, who leads to whom in them, and the variants of their workflows. */
export function AgentsView() {
  const [params, change] = useParams();
  const by = params.get("by") ?? "agent";
  const since = params.get("since") ?? "";
  const service = params.get("service") ?? "";
  const { data, error, loading, reload } = useJson<Overview>(`/statistics${query({ by, since, service })}`);
  const { data: topology } = useJson<MinedTopology>(`/topology${query({ since, service })}`);
  const { data: variants } = useJson<Variants>(`/variants${query({ since, service })}`);
  useEffect(() => {
    document.title = "Agents · otel-mas";
  }, []);
  return (
    <div className="prose agents-view">
      <h1>Agents over many runs</h1>
      <div className="filters">
        {BY.map((one) => (
          <button key={one} type="button" aria-pressed={one === by} onClick={() => change({ by: one === "agent" ? null : one })}>
            {one}
          </button>
        ))}
        <select aria-label="since" value={since} onChange={(event) => change({ since: event.target.value || null })}>
          <option value="">any time</option>
          {SINCE.map((one) => (
            <option key={one} value={one}>
              last {one}
            </option>
          ))}
        </select>
        {data && <span className="dim">{plural(data.runs, "run")} read{data.limited && ", the newest; older ones may match"}</span>}
      </div>
      {error && <Failed error={error} retry={reload} />}
      {loading && !data && <Loading what="the statistics" />}
      {data?.incomplete && <p className="note">{data.incomplete}</p>}
      {data && !data.statistics.length && (
        <Empty title={`No ${by} is in these runs.`}>
          <p>Choose another time, or node, tool or model above.</p>
        </Empty>
      )}
      {data && data.statistics.length > 0 && <Table rows={data.statistics} by={by} />}
      {topology && topology.topology.length > 0 && <Topology found={topology} />}
      {variants && variants.variants.length > 0 && <VariantTable variants={variants.variants} />}
    </div>
  );
}

function Table({ rows, by }: { rows: Statistics[]; by: string }) {
  return (
    <Scroll label="Statistics">
      <table className="list">
        <thead>
          <tr>
            <th scope="col">{by}</th>
            <th scope="col" className="num">Ran</th>
            <th scope="col" className="num">Success</th>
            <th scope="col" className="num">P50</th>
            <th scope="col" className="num wide">P90</th>
            <th scope="col" className="num wide">P99</th>
            <th scope="col" className="num">Max</th>
            <th scope="col" className="num wide">Model</th>
            <th scope="col" className="num wide">Tools</th>
            <th scope="col" className="num wide">Tokens</th>
            <th scope="col" className="num">Cost</th>
            <th scope="col" className="wide">Errors</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <td>
                {by === "node" ? <bdi>{oneLine(row.name, 60)}</bdi> : <Link to={`/${query({ [by]: row.name })}`}><bdi>{oneLine(row.name, 60)}</bdi></Link>}
              </td>
              <td className="num">{row.executions.toLocaleString("en")}</td>
              <td className={row.errors ? "num bad" : "num"}>{row.success_rate === null ? "" : `${Math.round(row.success_rate * 100)}%`}</td>
              <td className="num">{duration(row.p50_ns)}</td>
              <td className="num wide dim">{row.executions > 9 ? duration(row.p90_ns) : ""}</td>
              <td className="num wide dim">{row.executions > 99 ? duration(row.p99_ns) : ""}</td>
              <td className="num">{duration(row.max_ns)}</td>
              <td className="num wide dim">{share(row.model_ns, row.total_ns)}</td>
              <td className="num wide dim">{share(row.tool_ns, row.total_ns)}</td>
              <td className="num wide">{tokens(sum(row, "input_tokens"), sum(row, "output_tokens"))}</td>
              <td className="num">{usd(cost(row))}</td>
              <td className="wide bad">
                {Object.entries(row.error_types)
                  .slice(0, 3)
                  .map(([type, times]) => `${oneLine(type, 30)} ${times}`)
                  .join(", ")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

const share = (part: number, whole: number) => (whole && part ? `${Math.round((part / whole) * 100)}%` : "");
const sum = (row: Statistics, field: "input_tokens" | "output_tokens") => row.models.reduce((total, model) => total + model[field], 0);

function cost(row: Statistics): number | null {
  const known = row.models.flatMap((model) => (model.cost_usd === null ? [] : [model.cost_usd]));
  return known.length ? known.reduce((total, one) => total + one, 0) : null;
}
