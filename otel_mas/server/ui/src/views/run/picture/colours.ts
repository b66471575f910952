/** Colours of the style sheet, for the canvas. */

const NAMES = [
  "text", "dim", "page", "panel", "rule", "bar", "box", "edge", "model", "tool", "retrieval", "wait", "bad", "good",
  "path", "hatch", "select", "lane", "run",
] as const;

export type Colours = Record<(typeof NAMES)[number], string>;

export function colours(element: Element): Colours {
  const style = getComputedStyle(element);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Colours;
}

/** Colour of a call, or null for what is none. */
export function callColour(kind: string, from: Colours): string | null {
  if (kind === "LLM_CALL") return from.model;
  if (kind === "TOOL_CALL") return from.tool;
  if (kind === "RETRIEVAL") return from.retrieval;
  return null;
}

/** Colour and dashes of an edge by its kind. */
export function edgeStyle(kind: string, from: Colours): { colour: string; dash: number[] } {
  switch (kind) {
    case "send":
      return { colour: from.edge, dash: [5, 3] };
    case "handoff":
      return { colour: from.model, dash: [] };
    case "call":
      return { colour: from.edge, dash: [8, 3, 2, 3] };
    case "resume":
      return { colour: from.wait, dash: [2, 3] };
    case "retry":
    case "error_handler":
      return { colour: from.bad, dash: [4, 3] };
    case "message":
      return { colour: from.dim, dash: [1, 3] };
    default:
      return { colour: from.edge, dash: [] };
  }
}
