import type { StateDocument } from "../../../api/types";
import { useJson } from "../../../api/useJson";
import { plural } from "../../../format";
import { Failed, Loading } from "../../../ui/states";
import { useShared } from "../context";
import { Text } from "./Text";

/** The state that a task read, channel by channel: what was there before it wrote. */
export function StateRead({ task }: { task: string }) {
  const { base, suffix, revision } = useShared();
  const at = `at=${encodeURIComponent(task)}`;
  const found = useJson<StateDocument>(`${base}/state${suffix ? `${suffix}&` : "?"}${at}`, revision);
  if (found.error) return <Failed error={found.error} retry={found.reload} />;
  const snapshot = found.data?.snapshots[0];
  if (!snapshot) return found.loading ? <Loading what="the state" /> : <p className="dim">Nothing is known of it.</p>;
  return (
    <>
      {snapshot.channels.length === 0 && <p className="dim">Nothing had been written.</p>}
      {snapshot.channels.map((one) => (
        <div key={one.channel} className="content">
          <h4>
            <bdi>{one.channel}</bdi> <span className="dim">{one.version ? `after ${plural(one.version, "write")}` : "not written yet"}</span>
          </h4>
          {one.writers.length > 0 && (
            <p className="dim">
              by <bdi>{one.writers.slice(0, 4).join(", ")}</bdi>
              {one.writers.length > 4 && ` and ${one.writers.length - 4} more`}
            </p>
          )}
          {one.missing ? <p className="dim">{one.missing}</p> : <Text text={written(one.value)} code={typeof one.value !== "string"} />}
        </div>
      ))}
      {snapshot.notes.map((note) => (
        <p key={note} className="dim">
          {note}
        </p>
      ))}
    </>
  );
}

function written(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}
