import { useState } from "react";
import type { WhyNotDocument } from "../../../api/types";
import { useJson } from "../../../api/useJson";
import { oneLine } from "../../../format";
import { Failed } from "../../../ui/states";
import { useShared } from "../context";
import { SpanLink } from "../SpanLink";

/** Why an agent did not act, or where it did. */
export function WhyNot() {
  const { base, suffix, revision } = useShared();
  const [typed, setTyped] = useState("");
  const [agent, setAgent] = useState("");
  const path = agent && `${base}/why-not${suffix ? `${suffix}&` : "?"}agent=${encodeURIComponent(agent)}`;
  const { data, error } = useJson<WhyNotDocument>(path || null, revision);
  return (
    <section className="why-not">
      <h2>Why did an agent not act?</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setAgent(typed.trim());
        }}
      >
        <input value={typed} onChange={(event) => setTyped(event.target.value)} placeholder="agent or node" aria-label="Agent or node" />
        <button type="submit">Why not?</button>
      </form>
      {error && <Failed error={error} />}
      {data && (
        <>
          <p>
            <bdi>{oneLine(data.sentence, 600)}</bdi> <span className="dim">{data.provenance}</span>
          </p>
          {data.known.length > 0 && <p className="dim">Known: {data.known.map((one) => oneLine(one, 60)).join(", ")}</p>}
          <ul>
            {data.others.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
          <p className="evidence">
            {data.spans.map((one) => (
              <SpanLink key={one.span_id} id={one.span_id} label={one.task ?? one.name} />
            ))}
          </p>
        </>
      )}
    </section>
  );
}
