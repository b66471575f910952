import { duration, oneLine } from "../../../format";
import type { Exchange as One } from "../../../model/sequence";
import { useShared } from "../context";

const VERBS: Record<string, string> = {
  trigger: "triggers",
  send: "sends to",
  handoff: "hands off to",
  call: "calls",
  resume: "resumes",
  retry: "retried by",
  error_handler: "handled by",
  message: "read by",
};

interface Props {
  one: One;
  top: number;
  number: number;
  x: (lane: number) => number;
  time: string;
  /** Of the message that was read; empty where there is none. */
  text: string;
}

export function Exchange({ one, top, number, x, time, text }: Props) {
  const { run, selected, select } = useShared();
  const from = x(one.from);
  const to = x(one.to);
  const self = one.from === one.to;
  const left = Math.min(from, to);
  const cause = oneLine(run.title(run.taskOf(one.cause)), 30);
  const effect = oneLine(run.title(run.taskOf(one.effect)), 30);
  const verb = VERBS[one.kind] ?? one.kind;
  return (
    <div
      role="row"
      aria-rowindex={number + 2}
      aria-selected={selected === one.effect || selected === one.cause}
      className={`exchange ${selected === one.effect || selected === one.cause ? "selected" : ""}`}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span className="at dim" role="cell">
        +{time}
      </span>
      <span role="cell">
      <button
        type="button"
        className={`arrow ${one.kind} ${self ? "self" : to > from ? "right" : "left"}`}
        style={{ left, width: self ? 120 : Math.abs(to - from) }}
        title={`${cause} ${verb} ${effect}${one.gap > 0 ? `, ${duration(one.gap)} after it ended` : ""}${text && `: ${oneLine(text, 400)}`}`}
        onClick={() => select(one.effect)}
      >
        <span className="hidden">{`${cause} ${verb} ${text && `${effect}: `}`}</span>
        <span>
          <bdi>{one.kind !== "message" ? effect : text ? `“${oneLine(text, 120)}”` : `${cause} · read by ${effect}`}</bdi>
        </span>
      </button>
      </span>
    </div>
  );
}
