import { Empty } from "../../../ui/states";

export function LogView() {
  return <Empty title="Not there yet." />;
}
