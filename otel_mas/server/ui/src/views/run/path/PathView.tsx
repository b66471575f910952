import { Empty } from "../../../ui/states";

export function PathView() {
  return <Empty title="Not there yet." />;
}
