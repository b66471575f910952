import { useEffect, useRef } from "react";
import type { ListedRun } from "../../api/types";
import { clock, cut, duration, oneLine, plural, shortId, tokens, usd } from "../../format";
import { navigate } from "../../router";
import { Link } from "../../ui/Link";
import { Status } from "../../ui/Status";
import { useNow } from "../../ui/useNow";
import { useFindingCount } from "./useFindingCounts";
import { Scroll } from "../../ui/Scroll";

const MOST_AGENTS = 4;

export function RunsTable({ traces, at }: { traces: readonly ListedRun[]; at: number }) {
  const now = useNow(1_000);
  return (
    <Scroll label="Runs">
      <table className="list">
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Run</th>
            <th scope="col">Started</th>
            <th scope="col" className="num">
              Took
            </th>
            <th scope="col" className="wide">
              Agents
            </th>
            <th scope="col" className="num wide">
              Spans
            </th>
            <th scope="col" className="num wide">
              Tokens
            </th>
            <th scope="col" className="num">
              Cost
            </th>
            <th scope="col">Attention</th>
          </tr>
        </thead>
        <tbody>
          {traces.map((trace, row) => (
            <Row key={trace.trace_id} trace={trace} now={now} current={row === at} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Row({ trace, now, current }: { trace: ListedRun; now: number; current: boolean }) {
  const row = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (current) row.current?.scrollIntoView({ block: "nearest" });
  }, [current]);
  const counted = useFindingCount(trace, row);
  const findings = counted ?? trace.findings ?? 0;
  const address = `/traces/${trace.trace_id}`;
  const waitsSince = trace.status === "interrupted" && trace.end_ns !== null;
  const took = trace.status === "running" ? now * 1e6 - trace.start_ns : trace.duration_ns;
  return (
    <tr
      ref={row}
      className={`${current ? "current" : ""} ${trace.status}`}
      onClick={(event) => {
        if (!(event.target as Element).closest("a")) navigate(address);
      }}
    >
      <td>
        <Status trace={trace} />
        {waitsSince && <span className="dim since">since {clock(trace.end_ns ?? 0, now)}</span>}
      </td>
      <td className="name">
        <Link to={address}>
          <bdi>{oneLine(trace.name, 80) || shortId(trace.trace_id)}</bdi>
        </Link>
        <span className="dim"> {oneLine(trace.service, 40)}</span>
        {trace.conversation_id && (
          <Link to={`/conversations/${encodeURIComponent(trace.conversation_id)}?service=${encodeURIComponent(trace.service)}`} className="thread">
            <bdi>{oneLine(trace.conversation_id, 24)}</bdi>
          </Link>
        )}
      </td>
      <td title={new Date(trace.start_ns / 1e6).toISOString()}>{clock(trace.start_ns, now)}</td>
      <td className="num">{duration(took)}</td>
      <td className="wide agents">
        {trace.agents.slice(0, MOST_AGENTS).map((agent) => (
          <bdi key={agent}>{oneLine(agent, 24)}</bdi>
        ))}
        {trace.agents.length > MOST_AGENTS && <span className="dim">+{trace.agents.length - MOST_AGENTS}</span>}
      </td>
      <td className="num wide">{trace.span_count.toLocaleString("en")}</td>
      <td className="num wide">{tokens(trace.input_tokens, trace.output_tokens)}</td>
      <td className="num" title={trace.unpriced_calls ? `${plural(trace.unpriced_calls, "call")} without a known price` : ""}>
        {usd(trace.cost_usd)}
        {trace.unpriced_calls > 0 && trace.cost_usd !== null && "+"}
      </td>
      <td className="attention">
        {trace.error_count > 0 && <span className="bad">{plural(trace.error_count, "error")}</span>}
        {findings > 0 && <span className="wait">{plural(findings, "finding")}</span>}
        {trace.error_message && <span className="dim"><bdi>{cut(oneLine(trace.error_message, 90), 90)}</bdi></span>}
        {trace.incomplete && <span className="dim">{oneLine(trace.incomplete, 60)}</span>}
      </td>
    </tr>
  );
}
