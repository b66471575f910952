export interface ModelUse {
  name: string;
  calls: number;
  input_tokens: number;
  output_tokens: number;
  cost_usd: number | null;
}

export interface Statistics {
  by: string;
  name: string;
  executions: number;
  errors: number;
  success_rate: number | null;
  p50_ns: number;
  p90_ns: number;
  p99_ns: number;
  max_ns: number;
  total_ns: number;
  model_ns: number;
  tool_ns: number;
  overhead_ns: number;
  error_types: Record<string, number>;
  models: ModelUse[];
}

export interface TopologyEdge {
  caller: string | null;
  callee: string;
  kind: string | null;
  count: number;
  errors: number;
}

export interface Overview {
  statistics: Statistics[];
  topology: TopologyEdge[];
  runs: number;
  limited: boolean;
  incomplete: string | null;
}
