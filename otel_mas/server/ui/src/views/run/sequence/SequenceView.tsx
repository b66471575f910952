import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import { duration, oneLine, plural } from "../../../format";
import { exchanges, participants } from "../../../model/sequence";
import { useParams } from "../../../router";
import { Empty } from "../../../ui/states";
import { useShared } from "../context";
import { Exchange } from "./Exchange";
import { useTexts } from "./useTexts";

const ROW = 30;
const COLUMN = 148;

/** What went between agents, as a sequence: a column for each, an arrow for each cause or message that was read. */
export function SequenceView() {
  const { run, version } = useShared();
  const [params, change] = useParams();
  const inside = params.has("inside");
  const messages = !params.has("nomessages");
  // eslint-disable-next-line react/exhaustive-deps -- a new version is a changed run
  const list = useMemo(() => exchanges(run, inside, messages), [run, version, inside, messages]);
  const textOf = useTexts(messages);
  const columns = useMemo(() => participants(list), [list]);
  const places = useMemo(() => new Map(columns.map((lane, at) => [lane, at])), [columns]);
  const holder = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: list.length, getScrollElement: () => holder.current, estimateSize: () => ROW, overscan: 10 });
  const width = 86 + columns.length * COLUMN;
  return (
    <div className="tree">
      <div className="view-tools">
        <label>
          <input type="checkbox" checked={messages} onChange={(event) => change({ nomessages: event.target.checked ? null : "1" })} /> messages that were read
        </label>
        <label>
          <input type="checkbox" checked={inside} onChange={(event) => change({ inside: event.target.checked ? "1" : null })} /> inside of an agent, too
        </label>
        <span className="dim">{plural(list.length, "arrow")}</span>
      </div>
      {list.length === 0 ? (
        <Empty title="Nothing went from one agent to another.">
          <p>Inside of one agent there may be causes: choose “inside of an agent, too”.</p>
        </Empty>
      ) : (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled by keys
        <div ref={holder} className="rows sequence" tabIndex={0} role="table" aria-label="What went between agents" aria-rowcount={list.length}>
          <div className="participants" style={{ width }} role="row">
            <span className="at" role="columnheader">at</span>
            {columns.map((lane) => (
              <b key={lane} style={{ width: COLUMN }} role="columnheader">
                <bdi>{oneLine(run.laneList[lane].name, 24)}</bdi>
              </b>
            ))}
          </div>
          <div className="sizer" style={{ height: virtual.getTotalSize(), width }} role="rowgroup">
            {columns.map((lane, at) => (
              <span key={lane} className="lifeline" style={{ left: 86 + (at + 0.5) * COLUMN }} aria-hidden="true" />
            ))}
            {virtual.getVirtualItems().map((item) => (
              <Exchange
                key={list[item.index].edge}
                one={list[item.index]}
                top={item.start}
                number={item.index}
                x={(lane) => 86 + ((places.get(lane) ?? 0) + 0.5) * COLUMN}
                time={duration(list[item.index].at)}
                text={textOf(run.ids[list[item.index].cause], run.ids[list[item.index].effect])}
              />
            ))}
          </div>
        </div>
      )}
    </div>
  );
}
