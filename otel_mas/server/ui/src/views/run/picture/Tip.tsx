import { duration, oneLine, tokens, usd } from "../../../format";
import { useShared } from "../context";

interface Props {
  span: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

const WIDE = 280;

export function Tip({ span, x, y, width, height }: Props) {
  const { run, now } = useShared();
  const joined = [...run.edgesIn(span)].filter((e) => run.edgeKinds[e] !== "message" && run.edgeCauses[e] >= 0);
  const last = joined.find((e) => run.edgeJoined[e]);
  const running = run.running(span);
  const facts = [
    run.kinds[span].toLowerCase().replaceAll("_", " "),
    run.models[span] || run.tools[span],
    tokens(run.inputTokens[span], run.outputTokens[span]),
    Number.isNaN(run.costs[span]) ? "" : usd(run.costs[span]),
  ].filter(Boolean);
  return (
    <div
      className="tip"
      style={{ left: Math.max(4, Math.min(x + 14, width - WIDE - 8)), top: y + 18 > height - 90 ? y - 96 : y + 18 }}
    >
      <b>
        <bdi>{oneLine(run.title(span), 70)}</bdi>
      </b>{" "}
      {running ? "running for " : ""}
      {duration(run.end(span, now()) - run.starts[span])}
      <div className="dim">
        at +{duration(run.starts[span])} · {facts.join(" · ")}
      </div>
      {run.errors[span] && <div className="bad">failed</div>}
      {run.stopped[span] && <div className="bad">its process ended first</div>}
      {joined.length > 0 && (
        <div>
          caused by{" "}
          <bdi>
            {joined
              .slice(0, 3)
              .map((e) => `${oneLine(run.title(run.edgeCauses[e]), 40)} (${[run.edgeKinds[e], run.certainty(e)].filter(Boolean).join(", ")})`)
              .join(", ")}
          </bdi>
          {joined.length > 3 && ` and ${joined.length - 3} more`}
        </div>
      )}
      {last !== undefined && (
        <div>
          waited for <bdi>{oneLine(run.title(run.edgeCauses[last]), 40)}</bdi>, the last of {joined.length}
        </div>
      )}
    </div>
  );
}
