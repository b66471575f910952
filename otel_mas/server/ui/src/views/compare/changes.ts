/** What differs between the two sides of a step. */
import type { AlignedStep } from "../../api/types";

const SLOWER = 1.25;
/** Less is noise, whatever the ratio. */
const LEAST_NS = 20e6;

export type Change = "new" | "gone" | "answered differently" | "slower" | "faster" | "dearer" | "cheaper" | "failed";

export function changes(step: AlignedStep): Change[] {
  const { a, b } = step;
  if (!a) return ["new"];
  if (!b) return ["gone"];
  const found: Change[] = [];
  if (step.sameness === "changed") found.push("answered differently");
  if (b.status === "error" && a.status !== "error") found.push("failed");
  if (a.duration_ns !== null && b.duration_ns !== null) {
    const by = b.duration_ns - a.duration_ns;
    if (by > LEAST_NS && b.duration_ns > a.duration_ns * SLOWER) found.push("slower");
    if (-by > LEAST_NS && a.duration_ns > b.duration_ns * SLOWER) found.push("faster");
  }
  if (a.cost_usd !== null && b.cost_usd !== null) {
    if (b.cost_usd > a.cost_usd * SLOWER) found.push("dearer");
    if (a.cost_usd > b.cost_usd * SLOWER) found.push("cheaper");
  }
  return found;
}
