import type { ApiError } from "../../api/client";
import type { Connection } from "../../api/stream";
import type { TraceForm } from "../../api/types";
import { clock, duration, oneLine, plural, shortId, tokens, usd } from "../../format";
import { Connected } from "../../ui/Connected";
import { Link } from "../../ui/Link";
import { Status } from "../../ui/Status";
import { useNow } from "../../ui/useNow";
import { useShared } from "./context";

interface Props {
  kind: "traces" | "conversations";
  id: string;
  summary: TraceForm | null;
  connection: Connection;
  error: ApiError | null;
}

export function Heading({ kind, id, summary, connection, error }: Props) {
  const { run } = useShared();
  const now = useNow(1_000);
  const title = kind === "conversations" ? `Conversation ${oneLine(id, 40)}` : oneLine(summary?.name ?? shortId(id), 60);
  const took = summary && (summary.status === "running" ? now * 1e6 - summary.start_ns : summary.duration_ns);
  return (
    <header className="heading">
      <h1>
        <bdi>{title}</bdi>
      </h1>
      {summary && <Status trace={summary} />}
      {summary && (
        <dl>
          <Fact name="took">{duration(took)}</Fact>
          <Fact name="started">{clock(summary.start_ns, now)}</Fact>
          <Fact name="tokens">{tokens(summary.input_tokens, summary.output_tokens)}</Fact>
          <Fact name="cost">{usd(summary.cost_usd)}</Fact>
          <Fact name="service">{oneLine(summary.service, 40)}</Fact>
        </dl>
      )}
      {kind === "conversations" && (
        <span className="dim">
          {plural(run.traceIds.length, "run")}:{" "}
          {run.traceIds.slice(0, 8).map((trace) => (
            <Link key={trace} to={`/traces/${trace}`} className="id">
              {shortId(trace)}
            </Link>
          ))}
          {run.traceIds.length > 8 && "…"}
        </span>
      )}
      {summary?.conversation_id && (
        <Link
          className="thread"
          to={`/conversations/${encodeURIComponent(summary.conversation_id)}?service=${encodeURIComponent(summary.service)}`}
        >
          conversation <bdi>{oneLine(summary.conversation_id, 24)}</bdi>
        </Link>
      )}
      {kind === "traces" && (
        <Link className="thread" to={`/compare?b=${id}`}>
          compare
        </Link>
      )}
      <span className="dim id" title={id}>
        {kind === "traces" && shortId(id)}
      </span>
      <Connected state={connection} />
      {error && <span className="bad" role="alert">{error.message}</span>}
      {(run.incomplete || summary?.error_message) && (
        <p className="note">
          {summary?.error_message && <span className="bad"><bdi>{oneLine(summary.error_message, 240)}</bdi></span>} {run.incomplete}
        </p>
      )}
    </header>
  );
}

function Fact({ name, children }: { name: string; children: string }) {
  if (!children) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
