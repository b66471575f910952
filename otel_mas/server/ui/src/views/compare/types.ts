import type { Finding } from "../run/useFindings";

export interface RunTotals {
  trace_ids: string[];
  start_ns: number;
  duration_ns: number;
  output: string | null;
  outcome: string | null;
  model_calls: number;
  tokens: number;
  cost_usd: number | null;
}

export interface StepOfRun {
  trace_id: string;
  span_id: string;
  start_ns: number;
  duration_ns: number | null;
  status: string | null;
  input_tokens: number;
  output_tokens: number;
  cost_usd: number | null;
  output: string | null;
}

export interface AlignedStep {
  label: string;
  sameness: string;
  a: StepOfRun | null;
  b: StepOfRun | null;
}

export interface Compared {
  a: RunTotals;
  b: RunTotals;
  first_difference: string | null;
  steps: AlignedStep[];
  causes_gone: string[][];
  causes_new: string[][];
  findings_gone: Finding[];
  findings_new: Finding[];
}
