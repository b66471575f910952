import { oneLine } from "../../format";
import type { Compared, StepOfRun } from "../../api/types";

/** One step of both runs: what each answered, and which difference this one follows from. */
export function Answers({ data, place, onJump }: { data: Compared; place: number; onJump: (place: number) => void }) {
  const step = data.steps[place];
  const origin = step.follows_from;
  return (
    <div className="answers">
      <h2>
        <bdi>{oneLine(step.label, 120)}</bdi>
      </h2>
      {origin === place && <p>It differs although none of its causes does.</p>}
      {origin !== null && origin !== place && (
        <p>
          It follows from{" "}
          <button type="button" className="jump" onClick={() => onJump(origin)}>
            <bdi>{oneLine(data.steps[origin].label, 60)}</bdi>
          </button>
        </p>
      )}
      <div className="both">
        <Answer title="first" step={step.a} />
        <Answer title="second" step={step.b} />
      </div>
    </div>
  );
}

function Answer({ title, step }: { title: string; step: StepOfRun | null }) {
  return (
    <section aria-label={`answer in the ${title} run`}>
      <h3>
        {title}
        {step && <span className="dim"> {[step.name, step.status].join(" · ")}</span>}
      </h3>
      {step === null ? (
        <p className="dim">This run does not have it.</p>
      ) : step.output === null ? (
        <p className="dim">The same in both runs, or not kept.</p>
      ) : (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled by keys
        <pre tabIndex={0}>{step.output}</pre>
      )}
    </section>
  );
}
