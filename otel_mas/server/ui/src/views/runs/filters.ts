/** Filters of the list of runs: parameters of the address are those of the API; words are matched here. */
import type { TraceForm } from "../../api/types";

/** The API's own filters, by the names that are typed as `name:value`. */
export const FIELDS = [
  "agent", "tool", "model", "operation", "conversation", "user", "attribute", "error_type", "service", "run",
  "min_duration", "max_duration", "older_than", "until",
] as const;

const ALL = ["status", "since", ...FIELDS] as const;

export interface Typed {
  fields: Record<string, string>;
  words: string;
}

/** `agent:writer "attribute:a=b c" tram` as fields and words. */
export function parse(text: string): Typed {
  const fields: Record<string, string> = {};
  const words: string[] = [];
  for (const [part] of text.matchAll(/(?:[^\s"]|"[^"]*")+/g)) {
    const bare = part.replaceAll('"', "");
    const at = bare.indexOf(":");
    const name = bare.slice(0, Math.max(at, 0)).replaceAll("-", "_");
    if (at > 0 && (FIELDS as readonly string[]).includes(name) && bare.length > at + 1) fields[name] = bare.slice(at + 1);
    else words.push(bare);
  }
  return { fields, words: words.join(" ") };
}

/** The text that stands for the parameters. */
export function written(params: URLSearchParams): string {
  const parts = FIELDS.filter((name) => params.get(name)).map((name) => {
    const value = params.get(name) ?? "";
    return /\s/.test(value) ? `"${name}:${value}"` : `${name}:${value}`;
  });
  const words = params.get("q");
  return [...parts, ...(words ? [words] : [])].join(" ");
}

/** What the API is asked. */
export function request(params: URLSearchParams): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of ALL) {
    const value = params.get(name);
    if (value) found[name] = value;
  }
  return found;
}

export function matches(trace: TraceForm, words: string): boolean {
  const text = [trace.name, trace.service, trace.conversation_id, trace.trace_id, trace.error_message, ...trace.agents]
    .join(" ")
    .toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
