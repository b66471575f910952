/** The part of the axis that is in view: while it changes as state, and soon after in the address, in seconds. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { TimeScale } from "../../../model/timescale";
import { useParams } from "../../../router";
import type { View } from "./viewport";

const SOON_MS = 250;
const S = 1e9;

type Change = View | null | ((was: View | null) => View | null);

/** Null: all of it. */
export function useView(scale: TimeScale): [View | null, (next: Change) => void] {
  const [params, change] = useParams();
  const text = params.get("zoom");
  const [view, setView] = useState(() => parsed(text, scale));
  const written = useRef(text);
  useEffect(() => {
    if (text === written.current) return;
    written.current = text;
    setView(parsed(text, scale));
  }, [text, scale]);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      const next = view && `${seconds(scale.ns(view.from))}~${seconds(scale.ns(view.to))}`;
      if (next === written.current) return;
      written.current = next;
      change({ zoom: next });
    }, SOON_MS);
    return () => window.clearTimeout(timer);
    // A scale that grows with the run moves no one's view.
    // eslint-disable-next-line react/exhaustive-deps
  }, [view]);
  return [view, useCallback((next: Change) => setView(next), [])];
}

const seconds = (ns: number) => String(Number((ns / S).toFixed(6)));

function parsed(text: string | null, scale: TimeScale): View | null {
  const [from, to] = (text ?? "").split("~").map(Number);
  return Number.isFinite(from) && Number.isFinite(to) && from < to ? { from: scale.at(from * S), to: scale.at(to * S) } : null;
}
