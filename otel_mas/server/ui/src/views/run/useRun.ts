/** A run: its picture, and what the stream adds to it. */
import { useCallback, useEffect, useRef, useState } from "react";
import { type ApiError, getJson } from "../../api/client";
import { type Connection, listen } from "../../api/stream";
import type { PictureDocument, SpanEvent, TraceForm } from "../../api/types";
import { Run } from "../../model/run";

/** What only the server knows (critical path, labels, findings) is asked again after changes, not too often. */
const AGAIN_MS = 3_000;
const AGAIN_TIMES_ASKED = 10;

export interface LiveRun {
  run: Run | null;
  /** Changes with each event that came in. */
  version: number;
  /** Changes when the server was asked again: other answers about the run are old by then. */
  revision: number;
  error: ApiError | null;
  connection: Connection;
  reload: () => void;
}

export function useRun(base: string, suffix: string): LiveRun {
  const [run, setRun] = useState<Run | null>(null);
  const [version, setVersion] = useState(0);
  const [revision, setRevision] = useState(0);
  const [error, setError] = useState<ApiError | null>(null);
  const [connection, setConnection] = useState<Connection>("connecting");
  const current = useRef<Run | null>(null);
  const askAgain = useRef<() => void>(() => undefined);

  useEffect(() => {
    const abort = new AbortController();
    let stop: (() => void) | null = null;
    let frame = 0;
    let timer = 0;
    let asking = false;
    let stale = false;
    let took = 0;
    /** Events that came while the picture was asked for: they may be newer than it. */
    let meanwhile: SpanEvent[] = [];

    const show = () => {
      frame = 0;
      setVersion((n) => n + 1);
    };
    const ask = async () => {
      timer = 0;
      asking = true;
      stale = false;
      meanwhile = [];
      const began = performance.now();
      try {
        const found = Run.fromDocument(await getJson<PictureDocument>(`${base}/picture${suffix}`, abort.signal));
        for (const event of meanwhile) found.apply(event);
        current.current = found;
        setRun(found);
        setVersion((n) => n + 1);
        setRevision((n) => n + 1);
        setError(null);
        stop ??= connect(found);
      } catch (failure) {
        if (!abort.signal.aborted) setError(failure as ApiError);
      }
      took = performance.now() - began;
      asking = false;
      if (stale) soon();
    };
    const soon = () => {
      if (asking) stale = true;
      else if (!timer) timer = window.setTimeout(() => void ask(), Math.max(AGAIN_MS, took * AGAIN_TIMES_ASKED));
    };
    const connect = (from: Run) => {
      const conversation = base.startsWith("/conversations/");
      const thread = conversation ? decodeURIComponent(base.split("/")[2]) : null;
      return listen(
        conversation ? "all" : from.traceIds[0],
        {
          span: (event) => {
            const shown = current.current;
            if (!shown || (conversation && !shown.traceIds.includes(event.trace_id))) return;
            if (asking) meanwhile.push(event);
            shown.apply(event);
            shown.open = true;
            if (!frame) frame = window.requestAnimationFrame(show);
            soon();
          },
          trace: (summary: TraceForm) => {
            if (!conversation || summary.conversation_id === thread) soon();
          },
          finding: soon,
          reset: () => void ask(),
          connection: setConnection,
        },
        from.cursor,
      );
    };
    askAgain.current = () => void ask();
    void ask();
    return () => {
      abort.abort();
      stop?.();
      window.clearTimeout(timer);
      window.cancelAnimationFrame(frame);
    };
  }, [base, suffix]);

  const reload = useCallback(() => askAgain.current(), []);
  return { run, version, revision, error, connection, reload };
}
