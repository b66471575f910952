/** Light or dark: the system's wish, or the reader's choice, which is kept. */
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
const KEY = "otel-mas.theme";
const ORDER: Theme[] = ["system", "light", "dark"];
const listeners = new Set<() => void>();
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function stored(): Theme {
  try {
    const kept = window.localStorage.getItem(KEY);
    return ORDER.find((one) => one === kept) ?? "system";
  } catch {
    return "system";
  }
}

let chosen = stored();

export function applyTheme(): void {
  const shown = chosen === "system" ? (dark.matches ? "dark" : "light") : chosen;
  document.documentElement.dataset.theme = shown;
  for (const notify of listeners) notify();
}

dark.addEventListener("change", applyTheme);

function subscribe(notify: () => void): () => void {
  listeners.add(notify);
  return () => listeners.delete(notify);
}

export function cycleTheme(): void {
  chosen = ORDER[(ORDER.indexOf(chosen) + 1) % ORDER.length];
  try {
    window.localStorage.setItem(KEY, chosen);
  } catch {
    // A browser that keeps nothing still shows the choice.
  }
  applyTheme();
}

export function useTheme(): [Theme, () => void] {
  const theme = useSyncExternalStore(subscribe, () => chosen);
  return [theme, cycleTheme];
}

/** What is shown now, for what draws by itself. */
export function useShownTheme(): string {
  return useSyncExternalStore(subscribe, () => document.documentElement.dataset.theme ?? "light");
}
