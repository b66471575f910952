import { useState } from "react";
import type { ProfileDocument } from "../../../api/types";
import { useJson } from "../../../api/useJson";
import { duration } from "../../../format";
import { useShared } from "../context";
import { Scroll } from "../../../ui/Scroll";

const BY = ["agent", "node", "model", "tool"];

/** Time by agent, node, model and tool. */
export function Profile() {
  const { base, suffix, revision } = useShared();
  const { data } = useJson<ProfileDocument>(`${base}/profile${suffix}`, revision);
  const [by, setBy] = useState("node");
  if (!data) return null;
  const rows = data.rows.filter((row) => row.by === by);
  return (
    <section>
      <h2 className="with-choice">
        Time by{" "}
        {BY.map((one) => (
          <button key={one} type="button" aria-pressed={one === by} onClick={() => setBy(one)}>
            {one}
          </button>
        ))}
      </h2>
      <Scroll label={`Time by ${by}`}>
        <table className="list">
          <thead>
            <tr>
              <th scope="col">{by}</th>
              <th scope="col" className="num">Calls</th>
              <th scope="col" className="num">Errors</th>
              <th scope="col" className="num">Took</th>
              <th scope="col" className="num">On the path</th>
              <th scope="col" className="num wide">Model</th>
              <th scope="col" className="num wide">Tools</th>
              <th scope="col" className="num wide">Own</th>
              <th scope="col" className="num wide">Waited for siblings</th>
              <th scope="col" className="num wide">for people</th>
              <th scope="col" className="num">P50</th>
              <th scope="col" className="num wide">P90</th>
              <th scope="col" className="num">Max</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name ?? ""}>
                <td>{row.name === null ? <span className="dim">none</span> : <bdi>{row.name}</bdi>}</td>
                <td className="num">{row.calls}</td>
                <td className={row.errors ? "num bad" : "num"}>{row.errors || ""}</td>
                <td className="num">{time(row.wall_ns)}</td>
                <td className="num">{time(row.on_path_ns)}</td>
                <td className="num wide dim">{time(row.model_ns)}</td>
                <td className="num wide dim">{time(row.tool_ns)}</td>
                <td className="num wide dim">{time(row.self_ns)}</td>
                <td className="num wide dim">{time(row.waiting_sibling_ns)}</td>
                <td className="num wide dim">{time(row.waiting_input_ns)}</td>
                <td className="num">{time(row.p50_ns)}</td>
                <td className="num wide dim">{row.calls > 9 ? time(row.p90_ns) : ""}</td>
                <td className="num">{time(row.max_ns)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

const time = (ns: number) => (ns ? duration(ns) : "");
