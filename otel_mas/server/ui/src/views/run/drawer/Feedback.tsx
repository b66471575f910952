import { useState } from "react";
import { type ApiError, postJson } from "../../../api/client";
import { useInfo } from "../../../ui/useInfo";

const LABELS = ["right", "wrong", "missing", "late"];

/** What a person thinks of the span, written to the store. */
export function Feedback({ trace, span }: { trace: string; span: string }) {
  const info = useInfo();
  const [reason, setReason] = useState("");
  const [outcome, setOutcome] = useState<string | null>(null);
  if (!info?.feedback) return null;
  const send = (label: string) => {
    setOutcome("…");
    postJson(`/traces/${trace}/spans/${span}/feedback`, { label, ...(reason && { reason }) }).then(
      () => setOutcome(`Recorded: ${label}.`),
      (failure: ApiError) => setOutcome(failure.message),
    );
  };
  return (
    <section className="feedback">
      <h3>Feedback</h3>
      <input value={reason} onChange={(event) => setReason(event.target.value)} placeholder="because …" aria-label="Reason" />
      <div>
        {LABELS.map((label) => (
          <button key={label} type="button" onClick={() => send(label)}>
            {label}
          </button>
        ))}
      </div>
      <p role="status">{outcome}</p>
    </section>
  );
}
