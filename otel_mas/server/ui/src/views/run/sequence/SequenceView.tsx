import { Empty } from "../../../ui/states";

export function SequenceView() {
  return <Empty title="Not there yet." />;
}
