import { Empty } from "../../../ui/states";

export function CostView() {
  return <Empty title="Not there yet." />;
}
