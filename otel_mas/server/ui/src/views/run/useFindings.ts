import type { FindingsDocument } from "../../api/types";
import { type Answer, useJson } from "../../api/useJson";

export function useFindings(base: string, suffix: string, revision: number): Answer<FindingsDocument> {
  return useJson<FindingsDocument>(revision ? `${base}/findings${suffix}` : null, revision);
}
