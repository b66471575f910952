import { useEffect, useRef, useState } from "react";
import type { SpanDetails, SpanDetailsDocument } from "../../../api/types";
import { useJson } from "../../../api/useJson";
import { clock, duration, oneLine, tokens, usd } from "../../../format";
import { Failed, Loading } from "../../../ui/states";
import { useShared } from "../context";
import { Messages } from "./Messages";
import { Relations } from "./Relations";
import { Text } from "./Text";
import { Attributes } from "./Attributes";
import { StateRead } from "./StateRead";
import { Feedback } from "./Feedback";
import { Otlp } from "./Otlp";

/** Everything about the selected span. */
export function Drawer({ onClose }: { onClose: () => void }) {
  const { run, selected, base, suffix, revision, now } = useShared();
  const id = run.ids[selected];
  const ended = Number.isNaN(run.ends[selected]) ? revision : 0;
  const found = useJson<SpanDetailsDocument>(`${base}/spans/${id}${suffix}`, ended);
  const top = useRef<HTMLElement>(null);
  useEffect(() => {
    top.current?.scrollTo(0, 0);
  }, [id]);
  const details = found.data?.spans.find((one) => one.span_id === id) ?? found.data?.spans[0];
  const running = run.running(selected);
  return (
    <aside ref={top} className="drawer" aria-label="The selected span">
      <header>
        <h2>
          <bdi>{oneLine(run.title(selected), 80)}</bdi>
        </h2>
        <button type="button" className="plain" onClick={onClose} aria-label="Close" title="Close (Esc)">
          ✕
        </button>
      </header>
      <p className="facts">
        {run.errors[selected] && <span className="bad">failed</span>}
        {running && <span className="run-tone">running</span>}
        {run.stopped[selected] && <span className="bad">its process ended first</span>}
        <span>{duration(run.end(selected, now()) - run.starts[selected])}</span>
        <span className="dim">at +{duration(run.starts[selected])}</span>
        {run.kinds[selected] && <span className="dim">{run.kinds[selected].toLowerCase().replaceAll("_", " ")}</span>}
        {run.models[selected] && <span>{oneLine(run.models[selected], 40)}</span>}
        {run.tools[selected] && <span>{oneLine(run.tools[selected], 40)}</span>}
        <span>{tokens(run.inputTokens[selected], run.outputTokens[selected])}</span>
        {!Number.isNaN(run.costs[selected]) && <span>{usd(run.costs[selected])}</span>}
        {run.agents[selected] && <span className="dim">for <bdi>{oneLine(run.agents[selected], 40)}</bdi></span>}
      </p>
      {found.error && <Failed error={found.error} retry={found.reload} />}
      {found.loading && !details && <Loading what="the span" />}
      {details && <Body key={id} details={details} />}
    </aside>
  );
}

function Body({ details }: { details: SpanDetails }) {
  const { base, suffix } = useShared();
  const contents = Object.entries(details.contents);
  return (
    <>
      {(details.error_message || details.error_stack || details.status_message) && (
        <Part title="Error" open>
          {(details.error_message || details.status_message) && (
            <p className="bad error-message">
              <Text text={details.error_message ?? details.status_message} />
            </p>
          )}
          {details.error_stack && <Text text={details.error_stack} code />}
        </Part>
      )}
      {details.read.length + details.wrote.length > 0 && (
        <Part title="Messages" count={details.read.length + details.wrote.length} open>
          <Messages read={details.read} wrote={details.wrote} />
        </Part>
      )}
      {contents.length > 0 && (
        <Part title="Contents" open>
          {contents.map(([name, value]) => (
            <div key={name} className="content">
              <h4>{name}</h4>
              <Text text={typeof value === "string" ? value : JSON.stringify(value, null, 2)} code={typeof value !== "string"} />
            </div>
          ))}
        </Part>
      )}
      <Relations details={details} />
      {details.task && details.record_kind === "AGENT_TASK" && (
        <Part title="State that it read">
          <StateRead task={details.task} />
        </Part>
      )}
      {details.state && (
        <Part title="State that it wrote">
          <Text text={details.state} code />
        </Part>
      )}
      {details.events.length > 0 && (
        <Part title="Events" count={details.events.length}>
          {details.events.map((event, at) => (
            // eslint-disable-next-line react/no-array-index-key -- events have no identity
            <div key={at} className="content">
              <h4>
                {event.name} <span className="dim">{clock(event.time_ns)}</span>
              </h4>
              <Attributes values={event.attributes} />
            </div>
          ))}
        </Part>
      )}
      <Part title="Attributes" count={Object.keys(details.attributes).length}>
        <Attributes values={details.attributes} />
      </Part>
      <Part title="Raw OTLP">
        <Otlp path={`${base}/spans/${details.span_id}/otlp${suffix}`} />
      </Part>
      <Feedback trace={details.trace_id} span={details.span_id} />
      <p className="dim ids">
        span <code>{details.span_id}</code>
        <br />
        trace <code>{details.trace_id}</code>
      </p>
    </>
  );
}

interface PartProps {
  title: string;
  count?: number;
  open?: boolean;
  children: React.ReactNode;
}

/** A section that opens; what is closed is not made. */
export function Part({ title, count, open = false, children }: PartProps) {
  const [shown, setShown] = useState(open);
  return (
    <details open={shown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>
        <h3>{title}</h3>
        {count !== undefined && <span className="dim">{count}</span>}
      </summary>
      {shown && children}
    </details>
  );
}
