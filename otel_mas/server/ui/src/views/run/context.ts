/** What all views of a run share: the run, one selection, and where else to look. */
import { createContext, useContext } from "react";
import type { Run } from "../../model/run";

export interface Shared {
  run: Run;
  version: number;
  revision: number;
  /** Address of the API below which answers about the run are: `/traces/…`, `/conversations/…`. */
  base: string;
  /** Parameters that each question about the run needs, as `?service=…` or empty. */
  suffix: string;
  selected: number;
  select: (span: number, push?: boolean) => void;
  selectId: (id: string) => void;
  /** Spans that show findings. */
  marked: ReadonlySet<number>;
  now: () => number;
}

export const RunContext = createContext<Shared | null>(null);

export function useShared(): Shared {
  const shared = useContext(RunContext);
  if (!shared) throw new Error("a view of a run is outside of any run");
  return shared;
}
