/** The parts of a message: texts, calls of tools, and their results. */
import type { Message } from "../../../api/types";

export interface Part {
  kind: "text" | "call" | "result";
  name: string;
  text: string;
}

export function parts(message: Message): Part[] {
  const body = message.body?.parts;
  if (!Array.isArray(body)) return message.text ? [{ kind: "text", name: "", text: message.text }] : [];
  const found = body.map(part).filter((one) => one.text !== "" || one.kind !== "text");
  return found.length || !message.text ? found : [{ kind: "text", name: "", text: message.text }];
}

function part(value: unknown): Part {
  if (typeof value !== "object" || value === null) return { kind: "text", name: "", text: written(value) };
  const fields = value as Record<string, unknown>;
  switch (fields.type) {
    case "text":
    case "reasoning":
      return { kind: "text", name: "", text: written(fields.content ?? fields.text) };
    case "tool_call":
      return { kind: "call", name: written(fields.name), text: written(fields.arguments) };
    case "tool_call_response":
      return { kind: "result", name: written(fields.name ?? fields.id), text: written(fields.response ?? fields.result) };
    default:
      return { kind: "text", name: "", text: written(value) };
  }
}

function written(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
