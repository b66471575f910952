import { Empty } from "../../../ui/states";

export function MissionView() {
  return <Empty title="Not there yet." />;
}
