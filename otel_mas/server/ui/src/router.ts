/** Addresses of the page: paths for what is shown, parameters for how. */
import { useCallback, useMemo, useSyncExternalStore } from "react";

const CHANGED = "otel-mas:navigated";

function subscribe(notify: () => void): () => void {
  window.addEventListener("popstate", notify);
  window.addEventListener(CHANGED, notify);
  return () => {
    window.removeEventListener("popstate", notify);
    window.removeEventListener(CHANGED, notify);
  };
}

const address = () => window.location.pathname + window.location.search;

export function navigate(to: string, replace = false): void {
  if (to === address()) return;
  if (replace) window.history.replaceState(null, "", to);
  else window.history.pushState(null, "", to);
  window.dispatchEvent(new Event(CHANGED));
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => window.location.pathname);
}

export type Changes = Record<string, string | null>;

/** The parameters, and how to change some of them; null removes one. */
export function useParams(): [URLSearchParams, (changes: Changes, push?: boolean) => void] {
  const search = useSyncExternalStore(subscribe, () => window.location.search);
  const params = useMemo(() => new URLSearchParams(search), [search]);
  const change = useCallback((changes: Changes, push = false) => {
    const next = new URLSearchParams(window.location.search);
    for (const [key, value] of Object.entries(changes)) {
      if (value === null || value === "") next.delete(key);
      else next.set(key, value);
    }
    const text = next.toString();
    navigate(window.location.pathname + (text && `?${text}`), !push);
  }, []);
  return [params, change];
}

export type Route =
  | { view: "runs" }
  | { view: "run"; trace: string }
  | { view: "conversation"; thread: string }
  | { view: "compare" }
  | { view: "agents" }
  | { view: "unknown" };

export function route(path: string): Route {
  const parts = path.split("/").filter(Boolean).map(decode);
  const [first, second] = parts;
  if (!first) return { view: "runs" };
  if (first === "traces" && second && parts.length === 2) return { view: "run", trace: second };
  if (first === "conversations" && second && parts.length === 2) return { view: "conversation", thread: second };
  if (first === "compare" && parts.length === 1) return { view: "compare" };
  if (first === "agents" && parts.length === 1) return { view: "agents" };
  return { view: "unknown" };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
