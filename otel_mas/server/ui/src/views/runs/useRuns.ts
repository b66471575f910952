import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type ApiError, getJson, query } from "../../api/client";
import { type Connection, listen } from "../../api/stream";
import type { FindingEvent, ListedRun, TracesPage } from "../../api/types";

const PAGE = 100;
/** Under filters only the server can tell whether a run that changed is listed: it is asked again, not too often. */
const AGAIN_MS = 1_500;

export interface Runs {
  traces: ListedRun[];
  incomplete: string | null;
  next: string | null;
  error: ApiError | null;
  loading: boolean;
  connection: Connection;
  more: () => void;
  reload: () => void;
}

/** The newest runs under some filters, kept up to date by the stream. */
export function useRuns(filters: Record<string, string>): Runs {
  const search = useMemo(() => query({ ...filters, limit: PAGE }), [filters]);
  const filtered = Object.keys(filters).length > 0;
  const [traces, setTraces] = useState<ListedRun[]>([]);
  const [rest, setRest] = useState<{ incomplete: string | null; next: string | null }>({ incomplete: null, next: null });
  const [error, setError] = useState<ApiError | null>(null);
  const [loading, setLoading] = useState(true);
  const [connection, setConnection] = useState<Connection>("connecting");
  /** Of the stream: it goes on from what was listed. Undefined: nothing is listed yet. */
  const [from, setFrom] = useState<string | null | undefined>(undefined);
  const current = useRef(search);

  const fetchPage = useCallback(
    async (cursor: string | null) => {
      setLoading(true);
      try {
        const found = await getJson<TracesPage>(`/traces${search}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
        if (current.current !== search) return;
        setTraces((former) => (cursor ? merge(former, found.traces) : found.traces));
        setRest({ incomplete: found.incomplete, next: found.next ?? null });
        setError(null);
        if (!cursor) setFrom((former) => (former === undefined ? found.cursor : former));
      } catch (failure) {
        if (current.current === search) setError(failure as ApiError);
      }
      setLoading(false);
    },
    [search],
  );
  const reload = useCallback(() => void fetchPage(null), [fetchPage]);
  useEffect(() => {
    current.current = search;
    reload();
  }, [search, reload]);
  useEffect(() => {
    if (from === undefined) return;
    let timer = 0;
    const soon = () => {
      if (!timer)
        timer = window.setTimeout(() => {
          timer = 0;
          reload();
        }, AGAIN_MS);
    };
    const stop = listen("all", {
      trace: (summary) => (filtered ? soon() : setTraces((former) => merge(former, [summary]))),
      finding: (data) => setTraces((former) => counted(former, (data as FindingEvent).trace_id)),
      reset: reload,
      connection: setConnection,
    }, from);
    return () => {
      window.clearTimeout(timer);
      stop();
    };
  }, [filtered, reload, from]);
  const more = useCallback(() => void fetchPage(rest.next), [fetchPage, rest.next]);
  return { traces, ...rest, error, loading, connection, more, reload };
}

/** Newer summaries replace those of the same run; the newest run is the first. */
export function merge(former: readonly ListedRun[], newer: readonly ListedRun[]): ListedRun[] {
  const byId = new Map(former.map((trace) => [trace.trace_id, trace]));
  for (const trace of newer) byId.set(trace.trace_id, { ...byId.get(trace.trace_id), ...trace });
  return [...byId.values()].sort((a, b) => b.start_ns - a.start_ns);
}

function counted(former: ListedRun[], trace: string): ListedRun[] {
  return former.map((one) => (one.trace_id === trace ? { ...one, findings: (one.findings ?? 0) + 1 } : one));
}
