import { oneLine } from "../../format";
import { useShared } from "./context";

/** A span by its id, as something to select; by its id alone where it is not in this run. */
export function SpanLink({ id, label }: { id: string; label?: string | null }) {
  const { run, selectId } = useShared();
  const at = run.index.get(id);
  if (at === undefined) return <span className="dim">{label ?? <code>{id}</code>}</span>;
  return (
    <button
      type="button"
      className="link"
      onClick={(event) => {
        event.stopPropagation();
        selectId(id);
      }}
    >
      <bdi>{oneLine(label ?? run.title(at), 70)}</bdi>
    </button>
  );
}
