/**
 * Forms of the HTTP API, as `schema.ts` has them (made of the API's OpenAPI document: `make page-types`), by the names
 * that the page uses. Nanoseconds since the epoch exceed 2^53: as numbers they are exact to 256 ns.
 */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type AlignedStep = Schemas["AlignedStepForm"];
export type Around = Schemas["AroundForm"];
export type Compared = Schemas["ComparedRunsDocument"];
export type CostDocument = Schemas["CostDocument"];
export type CostRow = Schemas["CostForm"];
export type CriticalPathDocument = Schemas["CriticalPathDocument"];
export type Entry = Schemas["EntryForm"];
export type ErrorReport = Schemas["ErrorForm"];
export type ErrorsDocument = Schemas["ErrorsDocument"];
export type Finding = Schemas["FindingForm"];
export type FindingsDocument = Schemas["FindingsDocument"];
export type Info = Schemas["InfoDocument"];
export type LogPage = Schemas["LogPage"];
export type Message = Schemas["MessageForm"];
export type MessagesDocument = Schemas["MessagesDocument"];
export type Overview = Schemas["OverviewDocument"];
export type PictureDocument = Schemas["PictureDocument"];
export type ProfileDocument = Schemas["ProfileDocument"];
export type Relation = Schemas["RelationForm"];
export type RunTotals = Schemas["RunTotalsForm"];
export type SpanDetails = Schemas["SpanDetailsForm"];
export type SpanDetailsDocument = Schemas["SpanDetailsDocument"];
export type Statistics = Schemas["StatisticsForm"];
export type Step = Schemas["StepForm"];
export type StateDocument = Schemas["StateDocument"];
export type StepOfRun = Schemas["StepOfRunForm"];
export type MinedTopology = Schemas["TopologyDocument"];
export type TopologyEdge = Schemas["MinedEdgeForm"];
export type Variant = Schemas["VariantForm"];
export type Variants = Schemas["VariantsDocument"];
export type TraceForm = Schemas["TraceForm"];
export type TracesPage = Schemas["TracesPage"];
export type WhatIfDocument = Schemas["WhatIfDocument"];
export type WhyNotDocument = Schemas["WhyNotDocument"];

/** A run in the list, with how many findings the stream has told of since it was shown. */
export type ListedRun = TraceForm & { findings?: number };

/** `span.start` and `span.end` of the stream. */
export interface SpanEvent {
  trace_id: string;
  span_id: string;
  parent: string | null;
  name: string;
  kind: string | null;
  label: string | null;
  lane: string | null;
  agent: string | null;
  service?: string | null;
  model?: string | null;
  tool?: string | null;
  task?: number;
  start_ns: string;
  end_ns: string | null;
  status: number;
  error?: number;
  input_tokens?: number | null;
  output_tokens?: number | null;
  cost_usd?: number | null;
  edges?: { cause: string; kind: string | null }[];
}

/** `finding` of the stream. */
export type FindingEvent = Finding & { trace_id: string };
