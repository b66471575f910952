import type { Scene } from "./scene";

interface Props {
  scene: Scene;
  focused: boolean;
  canFocus: boolean;
  onFocus: () => void;
  onZoom: (factor: number) => void;
  onWhole: () => void;
}

const EDGES: Record<string, string> = {
  trigger: "triggers",
  send: "sends to",
  handoff: "hands off to",
  call: "calls",
  resume: "resumes",
  retry: "retries",
  error_handler: "handles its error",
  message: "is read by",
};

export function Legend({ scene, focused, canFocus, onFocus, onZoom, onWhole }: Props) {
  const { run } = scene;
  const kinds = new Set(scene.arrows.map((arrow) => arrow.kind));
  const has = (kind: string) => run.kinds.includes(kind);
  return (
    <div className="legend">
      <span className="tools">
        <button type="button" onClick={() => onZoom(0.7)} aria-label="Zoom in" title="Zoom in (+)">
          +
        </button>
        <button type="button" onClick={() => onZoom(1 / 0.7)} aria-label="Zoom out" title="Zoom out (−)">
          −
        </button>
        <button type="button" onClick={onWhole} title="All of the run (0)">
          all
        </button>
        <button type="button" aria-pressed={focused} disabled={!canFocus && !focused} onClick={onFocus} title="Only causes and effects of the selection (f)">
          focus
        </button>
      </span>
      {has("LLM_CALL") && <Key className="model">model</Key>}
      {has("TOOL_CALL") && <Key className="tool">tool</Key>}
      {has("RETRIEVAL") && <Key className="retrieval">retrieval</Key>}
      {run.path.length > 0 && <Key className="path">critical path</Key>}
      {scene.arrows.some((arrow) => arrow.joined) && <Key className="joined">waited for</Key>}
      {Object.keys(EDGES)
        .filter((kind) => kinds.has(kind))
        .map((kind) => (
          <Key key={kind} className={`edge ${kind}`}>
            {EDGES[kind]}
          </Key>
        ))}
    </div>
  );
}

function Key({ className, children }: { className: string; children: string }) {
  return (
    <span className="key">
      <span className={`swatch ${className}`} aria-hidden="true" />
      {children}
    </span>
  );
}
