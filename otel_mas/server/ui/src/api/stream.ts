/** The live stream: server-sent events, resumed where they broke off. */
import { info } from "../ui/useInfo";
import { API } from "./client";
import type { SpanEvent, TraceForm } from "./types";

export type Connection = "connecting" | "live" | "lost" | "none";

export interface Listener {
  span?: (event: SpanEvent, ended: boolean) => void;
  trace?: (summary: TraceForm) => void;
  finding?: (data: unknown) => void;
  reset?: () => void;
  connection?: (state: Connection) => void;
}

const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;
/** The server sends a heartbeat each 15 s: after so long a silence the connection is taken for dead. */
const SILENCE_MS = 40_000;
/** A browser opens six connections to an origin: tabs that nobody looks at give theirs back, and resume later. */
const HIDDEN_MS = 5_000;

/** Listen to one trace or `all`, from a cursor on; returns how to stop. */
export function listen(trace: string, listener: Listener, from: string | null = null): () => void {
  const stream = new Stream(trace, listener, from ?? "");
  listener.connection?.("connecting");
  void info().then((found) => {
    if (found && !found.live) listener.connection?.("none");
    else stream.connect();
  });
  return () => stream.stop();
}

class Stream {
  private source: EventSource | null = null;
  private retry = 0;
  private watchdog = 0;
  private hiding = 0;
  private wait = RETRY_MS;
  private stopped = false;

  constructor(
    private readonly trace: string,
    private readonly listener: Listener,
    private cursor: string,
  ) {
    document.addEventListener("visibilitychange", this.look);
  }

  private readonly look = (): void => {
    window.clearTimeout(this.hiding);
    if (document.hidden) this.hiding = window.setTimeout(() => this.close(), HIDDEN_MS);
    else if (!this.source) this.connect();
  };

  connect(): void {
    if (this.stopped || document.hidden) return;
    this.close();
    const { listener } = this;
    const resume = this.cursor ? `&cursor=${encodeURIComponent(this.cursor)}` : "";
    const source = new EventSource(`${API}/stream?trace=${encodeURIComponent(this.trace)}${resume}`);
    this.source = source;
    source.addEventListener("open", () => {
      this.alive();
      this.wait = RETRY_MS;
      listener.connection?.("live");
    });
    // We connect anew ourselves: the browser would ask for the first cursor again where it gives up for good.
    source.addEventListener("error", () => this.lose());
    this.on<SpanEvent>("span.start", (data) => listener.span?.(data, false));
    this.on<SpanEvent>("span.end", (data) => listener.span?.(data, true));
    this.on<TraceForm>("trace", (data) => listener.trace?.(data));
    this.on<unknown>("finding", (data) => listener.finding?.(data));
    this.on<unknown>("heartbeat", () => undefined);
    this.on<unknown>("reset", () => listener.reset?.());
  }

  stop(): void {
    this.stopped = true;
    document.removeEventListener("visibilitychange", this.look);
    window.clearTimeout(this.hiding);
    this.close();
  }

  private close(): void {
    this.source?.close();
    this.source = null;
    window.clearTimeout(this.retry);
    window.clearTimeout(this.watchdog);
  }

  private on<T>(name: string, handle: (data: T) => void): void {
    this.source?.addEventListener(name, (event) => {
      const { data, lastEventId } = event as MessageEvent<string>;
      if (lastEventId) this.cursor = lastEventId;
      this.alive();
      handle(data ? (JSON.parse(data) as T) : (null as T));
    });
  }

  private alive(): void {
    window.clearTimeout(this.watchdog);
    this.watchdog = window.setTimeout(() => this.lose(), SILENCE_MS);
  }

  private lose(): void {
    this.close();
    if (this.stopped) return;
    this.listener.connection?.("lost");
    this.retry = window.setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(LONGEST_RETRY_MS, this.wait * 2);
  }
}
