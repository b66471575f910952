/** The live stream: server-sent events, resumed by the browser with `Last-Event-ID`. */
import { API } from "./client";
import type { SpanEvent, TraceForm } from "./types";

export type Connection = "connecting" | "live" | "lost";

export interface Listener {
  span?: (event: SpanEvent, ended: boolean) => void;
  trace?: (summary: TraceForm) => void;
  finding?: (data: unknown) => void;
  reset?: () => void;
  connection?: (state: Connection) => void;
}

const RETRY_MS = 2_000;
/** The server sends a heartbeat each 15 s: after so long a silence the connection is taken for dead. */
const SILENCE_MS = 40_000;

/** Listen to one trace or `all`, from a cursor on; returns how to stop. */
export function listen(trace: string, listener: Listener, from: string | null = null): () => void {
  let source: EventSource | null = null;
  let retry = 0;
  let watchdog = 0;
  let cursor = from ?? "";
  let stopped = false;

  const alive = (event?: MessageEvent) => {
    if (event?.lastEventId) cursor = event.lastEventId;
    window.clearTimeout(watchdog);
    watchdog = window.setTimeout(lose, SILENCE_MS);
  };
  const lose = () => {
    source?.close();
    window.clearTimeout(watchdog);
    listener.connection?.("lost");
    if (!stopped) retry = window.setTimeout(connect, RETRY_MS);
  };
  const on = <T>(name: string, handle: (data: T) => void) =>
    source?.addEventListener(name, (event) => {
      alive(event as MessageEvent);
      handle(JSON.parse((event as MessageEvent<string>).data) as T);
    });
  const connect = () => {
    const resume = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    source = new EventSource(`${API}/stream?trace=${encodeURIComponent(trace)}${resume}`);
    source.onopen = () => {
      alive();
      listener.connection?.("live");
    };
    // The browser retries by itself while the server answers with a failure of the network only.
    source.onerror = () => {
      if (source?.readyState === EventSource.CLOSED) lose();
      else listener.connection?.("lost");
    };
    on<SpanEvent>("span.start", (data) => listener.span?.(data, false));
    on<SpanEvent>("span.end", (data) => listener.span?.(data, true));
    on<TraceForm>("trace", (data) => listener.trace?.(data));
    on<unknown>("finding", (data) => listener.finding?.(data));
    source.addEventListener("heartbeat", (event) => alive(event as MessageEvent));
    source.addEventListener("reset", (event) => {
      alive(event as MessageEvent);
      listener.reset?.();
    });
  };
  listener.connection?.("connecting");
  connect();
  return () => {
    stopped = true;
    source?.close();
    window.clearTimeout(retry);
    window.clearTimeout(watchdog);
  };
}
