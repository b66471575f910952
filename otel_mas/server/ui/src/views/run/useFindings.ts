import { type Answer, useJson } from "../../api/useJson";

export interface Finding {
  code: string;
  severity: string;
  confidence: number;
  summary: string;
  spans: string[];
  messages: string[];
  rests_on: string[];
  saves_ns: number | null;
  saves_usd: number | null;
  advice: string;
  subject: string;
}

export interface FindingsDocument {
  findings: Finding[];
  undecided: { code: string; reason: string }[];
  problems: string[];
}

export function useFindings(base: string, suffix: string, revision: number): Answer<FindingsDocument> {
  return useJson<FindingsDocument>(revision ? `${base}/findings${suffix}` : null, revision);
}
