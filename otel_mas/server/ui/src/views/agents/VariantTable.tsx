import { duration, oneLine, percent, plural, usd } from "../../format";
import { Link } from "../../ui/Link";
import { Scroll } from "../../ui/Scroll";
import type { Variant } from "../../api/types";

const MOST = 20;
const CHANGES = 4;

/** Runs by structure, with what is other than in the most frequent variant of the workflow. */
export function VariantTable({ variants }: { variants: readonly Variant[] }) {
  return (
    <section>
      <h2>Variants</h2>
      <Scroll label="Variants">
        <table className="list">
          <thead>
            <tr>
              <th scope="col">Workflow</th>
              <th scope="col" className="num">Runs</th>
              <th scope="col" className="num">Share</th>
              <th scope="col" className="num">P50</th>
              <th scope="col" className="num wide">P95</th>
              <th scope="col" className="num">Failed</th>
              <th scope="col" className="num wide">Cost each</th>
              <th scope="col">Other than the most frequent</th>
              <th scope="col">For example</th>
            </tr>
          </thead>
          <tbody>
            {variants.slice(0, MOST).map((one) => (
              <tr key={`${one.workflow}\0${one.id}`}>
                <td>
                  <bdi>{oneLine(one.workflow, 40)}</bdi>
                </td>
                <td className="num">{one.runs.toLocaleString("en")}</td>
                <td className="num">{percent(one.share)}</td>
                <td className="num">{duration(one.duration_p50_ns)}</td>
                <td className="num wide dim">{duration(one.duration_p95_ns)}</td>
                <td className={one.errors ? "num bad" : "num"}>{one.errors ? percent(one.error_rate) : ""}</td>
                <td className="num wide">{one.cost_usd === null ? "" : usd(one.cost_usd / one.runs)}</td>
                <td>{changes(one)}</td>
                <td>
                  <Link to={`/traces/${one.example_trace}`}>{one.example_trace.slice(0, 8)}</Link>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {variants.length > MOST && <p className="dim">and {plural(variants.length - MOST, "more variant")}: otel-mas query variants --all</p>}
    </section>
  );
}

function changes(one: Variant): string {
  if (one.rank === 1) return `${plural(one.nodes, "node")}, ${plural(one.edges, "edge")}`;
  const all = [...one.added.map((part) => `+ ${part}`), ...one.missing.map((part) => `− ${part}`)];
  const more = all.length > CHANGES ? ` and ${all.length - CHANGES} more` : "";
  return all.slice(0, CHANGES).map((part) => oneLine(part, 60)).join(", ") + more;
}
