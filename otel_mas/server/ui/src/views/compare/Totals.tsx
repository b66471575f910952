import { clock, count, duration, oneLine, shortId, usd } from "../../format";
import { Link } from "../../ui/Link";
import type { Compared, RunTotals } from "../../api/types";
import { Scroll } from "../../ui/Scroll";
import { statusWords } from "../../ui/Status";

export function Totals({ data }: { data: Compared }) {
  const { a, b } = data;
  const row = (name: string, of: (run: RunTotals) => string, change = "") => (
    <tr>
      <th scope="row">{name}</th>
      <td>{of(a)}</td>
      <td>{of(b)}</td>
      <td className="dim">{change}</td>
    </tr>
  );
  return (
    <>
      <Scroll label="Both runs">
        <table className="list totals">
          <thead>
            <tr>
              <th scope="col"><span className="hidden">Measure</span></th>
              {[a, b].map((run, at) => (
                <th key={run.trace_ids[0] ?? at} scope="col">
                  <Link to={`/traces/${run.trace_ids[0]}`} className="id">
                    {shortId(run.trace_ids[0] ?? "")}
                  </Link>{" "}
                  {clock(run.start_ns)}
                </th>
              ))}
              <th scope="col">change</th>
            </tr>
          </thead>
          <tbody>
            {row("ended", (run) => (run.outcome === null ? "–" : statusWords({ status: run.outcome, overdue: null })))}
            {row("took", (run) => duration(run.duration_ns), ratio(a.duration_ns, b.duration_ns))}
            {row("cost", (run) => usd(run.cost_usd) || "–", a.cost_usd && b.cost_usd ? ratio(a.cost_usd, b.cost_usd) : "")}
            {row("tokens", (run) => count(run.tokens), ratio(a.tokens, b.tokens))}
            {row("model calls", (run) => String(run.model_calls), ratio(a.model_calls, b.model_calls))}
            {row("answer", (run) => (run.output === null ? "–" : oneLine(run.output, 160)), a.output === b.output ? "the same" : "differs")}
          </tbody>
        </table>
      </Scroll>
      {data.findings_new.length > 0 && (
        <p>
          <span className="wait">New findings:</span> {data.findings_new.map((one) => `${one.code} (${oneLine(one.subject, 40)})`).join(", ")}
        </p>
      )}
      {data.findings_gone.length > 0 && (
        <p>
          <span className="good">Findings gone:</span> {data.findings_gone.map((one) => `${one.code} (${oneLine(one.subject, 40)})`).join(", ")}
        </p>
      )}
      <Causes title="Causes that only the second has" pairs={data.causes_new} />
      <Causes title="Causes that only the first has" pairs={data.causes_gone} />
    </>
  );
}

function ratio(a: number, b: number): string {
  if (a === b) return "the same";
  if (!a) return "";
  const change = Math.round((b / a - 1) * 100);
  return change === 0 ? "about the same" : `${change > 0 ? "+" : "−"}${Math.abs(change)}%`;
}

function Causes({ title, pairs }: { title: string; pairs: string[][] }) {
  if (!pairs.length) return null;
  return (
    <details>
      <summary>
        {title} ({pairs.length})
      </summary>
      <ul>
        {pairs.map((pair) => (
          <li key={pair.join("\0")}>
            <bdi>{pair.map((label) => oneLine(label, 60)).join(" → ")}</bdi>
          </li>
        ))}
      </ul>
    </details>
  );
}
