import type { Connection } from "../api/stream";

const TEXTS: Record<Connection, string> = {
  connecting: "connecting",
  live: "live",
  lost: "connection lost, trying again",
  none: "not live",
};

export function Connected({ state }: { state: Connection }) {
  return (
    <span className={`connection ${state}`} role="status">
      <span aria-hidden="true">●</span> {TEXTS[state]}
    </span>
  );
}
