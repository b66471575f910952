import { Empty } from "../../../ui/states";

export function TreeView() {
  return <Empty title="Not there yet." />;
}
