import type { CostDocument, CostRow } from "../../../api/types";
import { useJson } from "../../../api/useJson";
import { count, plural, usd } from "../../../format";
import { Empty, Failed, Loading } from "../../../ui/states";
import { useShared } from "../context";
import { SpanLink } from "../SpanLink";
import { Profile } from "./Profile";
import { Scroll } from "../../../ui/Scroll";

/** Tokens and money by agent and by model, and time by who spent it. */
export function CostView() {
  const { base, suffix, revision } = useShared();
  const { data, error, reload } = useJson<CostDocument>(`${base}/cost${suffix}`, revision);
  if (error) return <Failed error={error} retry={reload} />;
  if (!data) return <Loading what="the cost" />;
  return (
    <div className="prose">
      {data.total.calls === 0 ? (
        <Empty title="No model was called." />
      ) : (
        <>
          <p>
            <b>{usd(data.total.usd) || "No price is known"}</b> for {plural(data.total.calls, "call")} of a model
            {data.total.simulated && ", simulated: nobody was charged"}.
          </p>
          <Table title="By agent" rows={data.by_agent} total={data.total} none="outside of any agent" />
          <Table title="By model" rows={data.by_model} total={data.total} none="without a name" />
        </>
      )}
      {data.unpriced.length > 0 && (
        <details>
          <summary>{plural(data.unpriced.length, "call")} without a known price</summary>
          <ul>
            {data.unpriced.map((one) => (
              <li key={one.span_id}>
                <SpanLink id={one.span_id} /> {one.model} <span className="dim">{one.reason}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      <Profile />
    </div>
  );
}

function Table({ title, rows, total, none }: { title: string; rows: CostRow[]; total: CostRow; none: string }) {
  const most = Math.max(...rows.map((row) => row.usd ?? 0), 0);
  return (
    <Scroll label={title}>
      <table className="list cost-table">
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col" className="num">Calls</th>
            <th scope="col" className="num">Input</th>
            <th scope="col" className="num wide">from cache</th>
            <th scope="col" className="num">Output</th>
            <th scope="col" className="num wide">reasoning</th>
            <th scope="col" className="num">Cost</th>
            <th scope="col" className="wide"><span className="hidden">Share</span></th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name ?? ""}>
              <td>{row.name === null ? <span className="dim">{none}</span> : <bdi>{row.name}</bdi>}</td>
              <Figures row={row} />
              <td className="wide">
                <span className="track" aria-hidden="true">
                  <span style={{ left: 0, width: `${most ? ((row.usd ?? 0) / most) * 100 : 0}%` }} />
                </span>
              </td>
            </tr>
          ))}
          <tr className="total">
            <td>total</td>
            <Figures row={total} />
            <td className="wide" />
          </tr>
        </tbody>
      </table>
    </Scroll>
  );
}

function Figures({ row }: { row: CostRow }) {
  return (
    <>
      <td className="num">{row.calls}</td>
      <td className="num">{count(row.input_tokens)}</td>
      <td className="num wide dim">{row.cache_read_tokens ? count(row.cache_read_tokens) : ""}</td>
      <td className="num">{count(row.output_tokens)}</td>
      <td className="num wide dim">{row.reasoning_tokens ? count(row.reasoning_tokens) : ""}</td>
      <td className="num">
        {usd(row.usd)}
        {row.unpriced > 0 && <span className="dim"> +{row.unpriced} unpriced</span>}
      </td>
    </>
  );
}
