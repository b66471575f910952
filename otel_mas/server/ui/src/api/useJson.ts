import { useCallback, useEffect, useState } from "react";
import { type ApiError, getJson } from "./client";

export interface Answer<T> {
  data: T | null;
  error: ApiError | null;
  loading: boolean;
  reload: () => void;
}

/**
 * The answer to a GET, asked again when the path or `revision` changes. Until a newer one has come, the former
 * answer to the same path stays; null asks nothing.
 */
export function useJson<T>(path: string | null, revision: unknown = 0): Answer<T> {
  const [state, setState] = useState<{ path: string | null; data: T | null; error: ApiError | null; done: boolean }>({
    path,
    data: null,
    error: null,
    done: false,
  });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    getJson<T>(path, abort.signal).then(
      (data) => setState({ path, data, error: null, done: true }),
      (error: ApiError) => {
        if (abort.signal.aborted) return;
        setState((former) => ({ path, data: former.path === path ? former.data : null, error, done: true }));
      },
    );
    return () => abort.abort();
  }, [path, revision, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const current = state.path === path;
  return {
    data: current ? state.data : null,
    error: current ? state.error : null,
    loading: path !== null && !(current && state.done),
    reload,
  };
}
