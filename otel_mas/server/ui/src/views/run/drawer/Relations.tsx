import type { SpanDetails } from "../../../api/types";
import { certainty, oneLine } from "../../../format";
import { useShared } from "../context";

const MOST = 40;

interface Other {
  span_id: string;
  text: string;
  note: string;
}

/** Spans that it has to do with; each can be gone to. */
export function Relations({ details }: { details: SpanDetails }) {
  const relation = (one: SpanDetails["causes"][number]) => ({
    span_id: one.span_id,
    text: one.label,
    note: one.provenance === "recorded" ? one.kind : `${one.kind}, ${certainty(one.provenance, one.probability)}`,
  });
  const around = (one: SpanDetails["inside"][number]) => ({ span_id: one.span_id, text: one.name, note: "" });
  return (
    <div className="relations">
      <List title="Caused by" others={details.causes.map(relation)} />
      <List title="Led to" others={details.effects.map(relation)} />
      <List title="Inside of" others={details.inside.map(around)} />
      <List title="Contains" others={details.children.map(around)} />
    </div>
  );
}

function List({ title, others }: { title: string; others: Other[] }) {
  const { run, selectId } = useShared();
  if (!others.length) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul>
        {others.slice(0, MOST).map((one, at) => {
          const known = run.index.get(one.span_id);
          const text = oneLine(known === undefined ? one.text : run.title(known), 60);
          return (
            // eslint-disable-next-line react/no-array-index-key -- one may cause another in two ways
            <li key={at}>
              {known === undefined ? (
                <bdi>{text || one.span_id}</bdi>
              ) : (
                <button type="button" className="link" onClick={() => selectId(one.span_id)}>
                  <bdi>{text}</bdi>
                </button>
              )}{" "}
              <span className="dim">{known === undefined ? `${one.note} in another trace` : one.note}</span>
            </li>
          );
        })}
        {others.length > MOST && <li className="dim">and {others.length - MOST} more</li>}
      </ul>
    </section>
  );
}
