import { useCallback, useEffect, useRef, useState } from "react";
import { type ApiError, getJson, query } from "../../../api/client";
import type { Entry, LogPage } from "../../../api/types";

const PAGE = 500;

export interface Log {
  entries: Entry[];
  more: (() => void) | null;
  error: ApiError | null;
  loading: boolean;
}

/** The interaction log, part by part. */
export function useLog(base: string, suffix: string, filters: Record<string, string | null>, revision: number): Log {
  const [entries, setEntries] = useState<Entry[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [loading, setLoading] = useState(true);
  const turn = useRef(0);
  const key = query({ ...filters, limit: PAGE });
  const read = useCallback(
    async (cursor: string | null) => {
      const own = ++turn.current;
      setLoading(true);
      const parts = [suffix.replace(/^\?/, ""), key.replace(/^\?/, ""), cursor ? `cursor=${encodeURIComponent(cursor)}` : ""];
      try {
        const found = await getJson<LogPage>(`${base}/log?${parts.filter(Boolean).join("&")}`);
        if (own !== turn.current) return;
        setEntries((former) => (cursor ? [...former, ...found.entries] : found.entries));
        setNext(found.next);
        setError(null);
      } catch (failure) {
        if (own === turn.current) setError(failure as ApiError);
      }
      setLoading(false);
    },
    [base, suffix, key],
  );
  useEffect(() => {
    void read(null);
  }, [read, revision]);
  return { entries, more: next && !loading ? () => void read(next) : null, error, loading };
}
