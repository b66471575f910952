/** Keyboard: views register what they answer to; the help lists what is registered. */
import { useLayoutEffect, useSyncExternalStore } from "react";

export interface Binding {
  keys: string[];
  description: string;
  group: string;
  run: (event: KeyboardEvent) => void;
}

let bindings: readonly Binding[] = [];
const listeners = new Set<() => void>();

function change(next: readonly Binding[]): void {
  bindings = next;
  for (const notify of listeners) notify();
}

export function useKeys(own: readonly Binding[]): void {
  // With the view itself, not after it: a key that follows at once is for what is on the page then.
  useLayoutEffect(() => {
    change([...bindings, ...own]);
    return () => change(bindings.filter((one) => !own.includes(one)));
  }, [own]);
}

export function useBindings(): readonly Binding[] {
  return useSyncExternalStore(
    (notify) => {
      listeners.add(notify);
      return () => listeners.delete(notify);
    },
    () => bindings,
  );
}

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  );
}

export function listenToKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target) && event.key !== "Escape") return;
    // Enter and the space bar belong to what has the focus.
    const own = event.target instanceof HTMLElement && event.target.closest("button, a, summary, [role=tab]");
    if (own && (event.key === "Enter" || event.key === " ")) return;
    const found = bindings.findLast((one) => one.keys.includes(event.key));
    if (!found) return;
    event.preventDefault();
    found.run(event);
  });
}
