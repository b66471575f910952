/** Figures and times as text, as the command line writes them. */

const MS = 1e6;
const S = 1e9;

/** 120 µs, 45 ms, 3.51 s, 2m 05s, 3h 07m, 2d 4h. */
export function duration(ns: number | null | undefined): string {
  if (ns === null || ns === undefined || Number.isNaN(ns)) return "";
  const sign = ns < 0 ? "−" : "";
  const size = Math.abs(ns);
  if (size < 1e3) return `${sign}${Math.round(size)} ns`;
  if (size < 999.5e3) return `${sign}${digits(size / 1e3)} µs`;
  if (size < 999.5 * MS) return `${sign}${digits(size / MS)} ms`;
  if (size < 99.95 * S) return `${sign}${(size / S).toFixed(size < 9.995 * S ? 2 : 1)} s`;
  const seconds = Math.round(size / S);
  if (seconds < 3600) return `${sign}${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
  if (seconds < 86_400) return `${sign}${Math.floor(seconds / 3600)}h ${pad(Math.floor(seconds / 60) % 60)}m`;
  return `${sign}${Math.floor(seconds / 86_400)}d ${Math.floor(seconds / 3600) % 24}h`;
}

const digits = (value: number) => (value < 9.95 ? String(Number(value.toFixed(1))) : String(Math.round(value)));
const pad = (value: number) => String(value).padStart(2, "0");

export function usd(value: number | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (value === 0) return "$0";
  if (value < 0) return `−${usd(-value)}`;
  if (value < 0.01) return `$${Number(value.toPrecision(2)).toFixed(Math.min(8, 1 - Math.floor(Math.log10(value))))}`;
  return `$${value.toFixed(value < 1 ? 3 : 2)}`;
}

/** 950, 1.4k, 23k, 1.2M. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (value < 1_000) return String(value);
  if (value < 9_950) return `${(value / 1e3).toFixed(1)}k`;
  if (value < 999_500) return `${Math.round(value / 1e3)}k`;
  return `${(value / 1e6).toFixed(1)}M`;
}

/** 50%, 4.2%, 99.5%, <0.1%: of small parts, and of those that are nearly all, a digit more. */
export function percent(part: number): string {
  if (part > 0 && part < 0.0005) return "<0.1%";
  const near = (part > 0 && part < 0.1) || (part >= 0.99 && part < 1);
  return `${(part * 100).toFixed(near ? 1 : 0)}%`;
}

export function tokens(input: number | null, output: number | null): string {
  return input || output ? `${count(input ?? 0)}→${count(output ?? 0)}` : "";
}

export function plural(number: number, word: string): string {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

/** 14:03:07 today, else 29 Nov 14:03. */
export function clock(ns: number, now = Date.now()): string {
  const at = new Date(ns / MS);
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
  if (at.toDateString() === new Date(now).toDateString()) return `${time}:${pad(at.getSeconds())}`;
  const day = at.toLocaleDateString("en", { day: "numeric", month: "short" });
  return at.getFullYear() === new Date(now).getFullYear() ? `${day} ${time}` : `${day} ${at.getFullYear()}`;
}

export function ago(ns: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.round(now / 1e3 - ns / S));
  if (seconds < 2) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

export const shortId = (id: string) => id.slice(0, 8);

/** Long text is cut for a line; what is shown whole has its own place. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).trimEnd()}…`;
}

/** What a model wrote may hold line breaks and characters that turn the direction of a line. */
export function oneLine(text: string, most = 200): string {
  return cut(
    text
      .slice(0, most * 4)
      // eslint-disable-next-line no-control-regex
      .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\s]+/g, " ")
      .trim(),
    most,
  );
}

/** How sure an edge is that was not recorded. */
export function certainty(provenance: string, probability: number | null): string {
  const known = probability !== null && !Number.isNaN(probability);
  return known ? `${provenance} ${Math.round(100 * probability)} %` : provenance;
}
