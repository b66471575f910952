import { Empty } from "../../ui/states";

export function CompareView() {
  return <Empty title="Not there yet." />;
}
